"""Many processes, and processes that are killed, on the real GloVe 6B 50d."""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# What the kernel has received for a process that is killed is moved twice, whatever the process does: up to
# 32 MiB on a busy machine. A small buffer leaves what embedhub itself loses.
FETCH = """
import socket
from urllib3.connection import HTTPConnection
HTTPConnection.default_socket_options += [(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 17)]

import embedhub
embedhub.fetch("glove-6b", 50)
"""
MEMBER = 69_239_602
LOOKING = (1 << 16) + 31  # the first byte, the directory, the member's header
MIB = 1 << 20


def start(**options: Any) -> subprocess.Popen[str]:
    """Start a process that fetches and builds."""
    return subprocess.Popen([sys.executable, "-c", FETCH], text=True, stderr=subprocess.PIPE, **options)


def digests(cache: Path) -> Any:
    """Return the digests of the one store in a cache."""
    (manifest,) = (cache / "vectors" / "glove-6b").glob("*/manifest.json")
    return json.loads(manifest.read_text("utf-8"))["xxh3_128"]


@pytest.fixture(scope="module")
def compiled(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache with the right store and the compiled reader, of a process that nobody disturbed."""
    cache = tmp_path_factory.mktemp("undisturbed")
    process = start(
        env=os.environ | {"EMBEDHUB_CACHE": str(cache), "EMBEDHUB_MIRROR": str(real_data / "mirror")}
    )
    _, said = process.communicate()
    assert process.returncode == 0, said
    return cache


def test_eight_processes_make_one_download_and_one_build(
    real_data: Path, compiled: Path, serve: Callable[..., Any], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One process downloads and builds, the others wait, say what for, and find the store."""
    serving = serve(real_data / "mirror", rate=60e6)
    monkeypatch.setenv("EMBEDHUB_MIRROR", serving.base)
    monkeypatch.setenv("EMBEDHUB_PROGRESS", "1")
    processes = [start() for _ in range(8)]
    said = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 8, said
    assert sum("Building glove-6b 50d" in text for text in said) == 1
    assert sum("Waiting for another process that is building glove-6b 50d" in text for text in said) == 7
    assert serving.sent <= MEMBER + LOOKING
    assert digests(cache) == digests(compiled)


def test_a_killed_process_costs_nothing_but_time(
    real_data: Path,
    compiled: Path,
    serve: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After SIGKILL at 30 random moments the next run finds the right store, and leaves no litter."""
    expected = digests(compiled)
    random_moment = random.Random(2017)  # noqa: S311 - no secret
    serving = serve(real_data / "mirror", rate=60e6)
    monkeypatch.setenv("EMBEDHUB_MIRROR", serving.base)
    whole, twice, phases = 0.0, [], []
    for round_ in range(31):
        cache = tmp_path / f"cache{round_}"
        shutil.copytree(compiled / "compiled", cache / "compiled")
        monkeypatch.setenv("EMBEDHUB_CACHE", str(cache))
        serving.sent = 0
        if round_:
            process = start()
            time.sleep(random_moment.uniform(0.2, 0.9) * whole)
            process.kill()
            process.communicate()
            names = {path.suffix for path in cache.rglob("*")}
            built = list((cache / "vectors" / "glove-6b").glob("*/manifest.json"))
            phases.append(
                "done" if built and not built[0].parent.name.startswith(".")
                else "build" if (cache / "vectors").exists()
                else "download" if ".part" in names
                else "start"
            )  # fmt: skip
        began = time.monotonic()
        process = start()
        _, said = process.communicate()
        whole = whole or time.monotonic() - began
        assert process.returncode == 0, said
        assert digests(cache) == expected
        left = {str(path.relative_to(cache)) for path in cache.rglob("*") if "compiled" not in path.parts}
        assert {path for path in left if path.startswith("downloads/")} == set()
        assert {path for path in left if "/." in path or "tmp" in path} == set()
        twice.append(max(0, serving.sent - MEMBER - 2 * LOOKING))
        shutil.rmtree(cache)
    counts = {phase: phases.count(phase) for phase in sorted(set(phases))}
    print(f"killed 30 times in {counts}, recovered 30 times, at most {max(twice):,} bytes moved twice")  # noqa: T201
    assert max(twice) <= MIB
