"""Processes that come together, and processes that are killed, at a download and its build."""

import json
import math
import os
import pickle
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from children import PATIENCE, child, read_until
from kills import outcomes

import embedhub
from embedhub._names import folder_name
from embedhub.registry.inventory import downloads, remove_file

if TYPE_CHECKING:
    from subprocess import Popen

# Argument: a file with the pickled source.
FETCH = """
import logging, pathlib, pickle, sys
import embedhub

logging.basicConfig(level=logging.INFO)
embedhub.load(pickle.loads(pathlib.Path(sys.argv[1]).read_bytes()), 50)
"""
LOOKING = 1 + (1 << 16) + 30  # the first byte, the archive's directory, the member's header
GZIP_HEADER = 10


@pytest.fixture(scope="module")
def command(
    glove_6b_mirror: tuple[Path, embedhub.RemoteSource], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """Return a script that fetches glove-6b 50d, cut to 20,000 words, and its argument."""
    folder = tmp_path_factory.mktemp("fetch")
    _, source = glove_6b_mirror
    (folder / "source").write_bytes(pickle.dumps(source))
    (folder / "fetch.py").write_text(FETCH, "utf-8")
    return folder / "fetch.py", folder / "source"


@pytest.fixture(scope="module")
def undisturbed(
    glove_6b_mirror: tuple[Path, embedhub.RemoteSource],
    command: tuple[Path, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Return a cache with the right store, of a process that was not killed."""
    cache = tmp_path_factory.mktemp("undisturbed")
    settings = {"EMBEDHUB_CACHE": str(cache), "EMBEDHUB_MIRROR": str(glove_6b_mirror[0])}
    with child(sys.executable, *command, env=os.environ | settings) as process:
        _, shown = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, shown
    return cache


@pytest.fixture
def member(glove_6b_mirror: tuple[Path, embedhub.RemoteSource]) -> int:
    """Return how many bytes of the archive have to be downloaded."""
    (archive,) = glove_6b_mirror[0].rglob("glove.6B.zip")
    with zipfile.ZipFile(archive) as opened:
        return opened.getinfo("glove.6B.50d.txt").compress_size


def digests(cache: Path) -> Any:
    """Return the digests of the one store in a cache."""
    (manifest,) = (cache / "vectors" / folder_name("glove-6b")).glob("*/manifest.json")
    return json.loads(manifest.read_text("utf-8"))["xxh3_128"]


def requested(serving: Any) -> int:
    """Return how many bytes were asked of a server, all of them in ranges."""
    ranges = [re.fullmatch(r"\S+ bytes=(\d+)-(\d+)", line) for line in serving.asked]
    return sum(int(match[2]) + 1 - int(match[1]) for match in ranges if match)


def test_processes_share_one_download_and_one_build(
    undisturbed: Path,
    glove_server: Any,
    member: int,
    command: tuple[Path, Path],
    start: Callable[..., "Popen[str]"],
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One process of three downloads and builds; the others log that they wait, and open the store."""
    monkeypatch.setenv("EMBEDHUB_PROGRESS", "1")
    processes = [start(*command, at="block * 1"), *(start(sys.executable, *command) for _ in range(2))]
    waiting = "Waiting for another process or thread that is building glove-6b 50d."
    shown = [read_until(process, waiting, "stderr") for process in processes[1:]]
    assert all(waiting in text for text in shown), shown
    shown = [process.communicate(timeout=PATIENCE)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 3, shown
    assert ["Building glove-6b 50d" in text for text in shown] == [True, False, False]
    assert requested(glove_server) == member + LOOKING
    assert digests(cache) == digests(undisturbed)


# Name: the point, and at least how many bytes of the member are kept; less than all is what was written.
POINTS = {
    "before the first byte": ("socket.connect * 1", 0),
    "before the note on whose bytes they are": ("open *.part.json 2", 0),
    "in the download": ("chunk * 12", 1),  # the first are the directory and the header
    "before the end of the gzip file": ("open *.part 6", math.inf),
    "in the build": ("block * 3", math.inf),
    "before the download is verified": ("os.link *.part 1", math.inf),
    "before the download has its name": ("os.rename *.txt.gz 1", math.inf),
    "before the store appears": ("os.rename */50d-* 1", math.inf),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", POINTS)
def test_killed_process_is_resumed(
    name: str,
    undisturbed: Path,
    glove_server: Any,
    glove_6b_mirror: tuple[Path, embedhub.RemoteSource],
    member: int,
    command: tuple[Path, Path],
    start: Callable[..., "Popen[str]"],
    cache: Path,
) -> None:
    """After SIGKILL the next run downloads only the missing bytes, builds the right store, and tidies up."""
    point, kept = POINTS[name]
    process = start(*command, at=point)
    process.kill()
    process.communicate(timeout=PATIENCE)
    assert not list((cache / "vectors").glob("glove-6b-*/50d-*"))
    (have,) = [
        min(member, path.stat().st_size - GZIP_HEADER)
        for path in (cache / "downloads").rglob("*")
        if path.is_file() and path.suffix in {".part", ".gz"}
    ] or [0]
    assert have >= min(kept, member)
    glove_server.asked.clear()
    embedhub.load(glove_6b_mirror[1], 50)
    assert requested(glove_server) <= member - have + LOOKING
    assert digests(cache) == digests(undisturbed)
    left = {path.relative_to(cache) for path in cache.rglob("*") if path.is_file()}
    assert not {path for path in left if path.parts[0] == "downloads"}
    assert not {path for path in left if path.name.startswith(".") or path.suffix == ".tmp"}


@pytest.mark.slow
def test_process_killed_after_its_build_leaves_the_store(
    undisturbed: Path,
    glove_server: Any,
    glove_6b_mirror: tuple[Path, embedhub.RemoteSource],
    command: tuple[Path, Path],
    start: Callable[..., "Popen[str]"],
    cache: Path,
) -> None:
    """After SIGKILL between the store's rename and the download's removal the store is used."""
    process = start(*command, at="os.remove *.txt.gz 1")
    process.kill()
    process.communicate(timeout=PATIENCE)
    glove_server.asked.clear()
    embedhub.load(glove_6b_mirror[1], 50)
    assert glove_server.asked == []
    assert digests(cache) == digests(undisturbed)
    (rest,) = downloads()
    assert remove_file(rest)


@pytest.mark.slow
@pytest.mark.parametrize("phase", ["fetch", "build"])
def test_process_killed_at_a_random_moment_loses_nothing(phase: str, tmp_path: Path) -> None:
    """Whenever SIGKILL comes, the next process has the right store, and nothing else is left.

    `python tests/helpers/kills.py fetch 100` kills more of them.
    """
    counted = outcomes(phase, 3, tmp_path)
    assert sum(counted.values()) == 3
    assert all(what.startswith("killed in ") for what in counted), counted
