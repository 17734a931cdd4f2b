"""Each kind of string that names vectors, in Python, in a pickle, and in the command."""

import gzip
import hashlib
import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from children import PATIENCE
from command import run
from remote import zipped
from serving import Serving

import embedhub
from embedhub.registry.handle import parse_handle

TEXT = b"rain 0.5 1\nsnow 2 3\n"


@pytest.fixture
def handles(serve: Callable[..., Serving], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Write the same two words of dim 2 wherever a handle may name them, and return these handles."""
    home, served = tmp_path / "home", tmp_path / "served" / "a"
    for folder in (home, served, tmp_path / "model"):
        folder.mkdir(parents=True)
    packed, member = gzip.compress(TEXT, mtime=0), zipped(**{"deep/v.txt": TEXT, "other.txt": b""})
    for path, data in {
        tmp_path / "v.vec": TEXT,
        tmp_path / "a b.txt": TEXT,
        home / "v.zip": member,
        tmp_path / "model" / "mine.txt": TEXT,
        served / "v.txt.gz": packed,
        served / "v.zip": member,
    }.items():
        path.write_bytes(data)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    base = serve(served.parent).base
    return [
        "v.vec",
        "./v.vec:2",
        "~/v.zip#deep/v.txt",
        f"file://{tmp_path.as_posix()}/a%20b.txt",
        "./model/",
        f"{base}/a/v.txt.gz#sha256={hashlib.sha256(packed).hexdigest()}",
        f"{base}/a/v.zip#deep/v.txt&sha256={hashlib.sha256(TEXT).hexdigest()}:2",
    ]


NAMES = {"wordnet-ppmi:25": 25, "glove-6b-20k": 50}


def test_handles_are_sources_in_python(handles: list[str]) -> None:
    """Every function takes them, with the dimension in the string, as an argument, or in the file."""
    for handle in handles:
        assert embedhub.load(handle).matrix.tolist() == [[0.5, 1], [2, 3]], handle
        assert embedhub.load(handle, 2).dim == 2
        assert embedhub.load(str(parse_handle(handle))).dim == 2
        assert embedhub.embedding_matrix(handle, ["", "snow"]).matrix.tolist() == [[0, 0], [2, 3]]
        assert embedhub.coverage(handle, 2, ["hail", "snow"]).missing == ("hail",)
    for name, dim in NAMES.items():
        assert embedhub.load(name).dim == dim


OPEN_ALL = """
import os, pickle, sys
os.chdir(os.path.expanduser("~"))
for vectors in pickle.load(sys.stdin.buffer):
    print(vectors.dim, "rain" in vectors)
"""


def test_handles_are_opened_by_pickles_in_another_process(handles: list[str]) -> None:
    """A pickle has no vectors, and does not depend on the working folder."""
    opened = [embedhub.load(handle) for handle in (*handles, *NAMES)]
    pickled = pickle.dumps(opened)
    assert len(pickled) < 500 * len(opened)
    done = subprocess.run(
        [sys.executable, "-c", OPEN_ALL], input=pickled, capture_output=True, check=True, timeout=PATIENCE
    )
    dims = [2] * len(handles) + list(NAMES.values())
    assert done.stdout.decode().splitlines() == [f"{dim} True" for dim in dims]


@pytest.mark.slow
def test_command_takes_handles(handles: list[str]) -> None:
    """`download` builds the store of each, `cache remove` removes it by the same string."""
    downloaded = run("download", *handles, *NAMES, "--json")
    assert downloaded.returncode == 0, downloaded.stderr
    dims = [2] * len(handles) + list(NAMES.values())
    assert [entry["dim"] for entry in json.loads(downloaded.stdout)] == dims
    for handle in (handles[4], handles[6]):
        assert run("cache", "remove", handle, "--yes").returncode == 0
        again = run("cache", "remove", handle, "--yes")
        assert (again.returncode, "There is no store of" in again.stderr) == (1, True)
