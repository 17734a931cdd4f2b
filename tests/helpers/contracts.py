"""Sources and plugins for tests of the contracts, which are run in a process of their own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from children import PATIENCE
from command import seeing

from embedhub import ComputedSource, Detected, RemoteFile, RemoteSource
from embedhub.download.remote_file import Fetched
from embedhub.testing import SourceContract
from embedhub.vectors.blocks import Block


def file(name: str = "a", **changes: Any) -> RemoteFile:
    """Return a file without a published hash."""
    return RemoteFile(url=f"https://vectors.example/{name}", **({"format": "glove"} | changes))


MINE = RemoteSource(
    name="mine", files={2: (file(),)}, description="Mine", language="en", cased=False,
    license="CC0-1.0", citation="Me", homepage="https://vectors.example",
)  # fmt: skip


def contract(
    source: RemoteSource,
    samples: Mapping[int, Sequence[bytes]] | None = None,
    expected: Mapping[str, Sequence[float]] | None = None,
) -> SourceContract:
    """Return the contract of a source, with the same expected vectors for each dimension of its samples."""
    samples = samples or {2: [b"the 0.25 -0.5\ncat 1 2.75\n"]}
    facts = {
        "sources": [source],
        "samples": samples,
        "expected": dict.fromkeys(samples, expected or {"the": [0.25], "cat": [1, 2.75]}),
    }
    made: SourceContract = type("TestMine", (SourceContract,), facts)()
    return made


class WithReader(RemoteSource):
    """A source that reads its files with a function."""

    reader: Callable[..., Iterator[Block]]

    def parse(self, fetched: Fetched, dim: int) -> Iterator[Block]:
        """Call the function."""
        return type(self).reader(fetched.path, dim, *fetched.companions.values())


def read_by(reader: Callable[..., Iterator[Block]], *files: RemoteFile) -> RemoteSource:
    """Return a source that reads its files with a function."""
    kind: type[WithReader] = type("WithReader", (WithReader,), {"reader": staticmethod(reader)})
    return kind(
        name="mine", files={2: files or (file(),)}, description="Mine", language="en", cased=False,
        license="CC0-1.0", citation="Me", homepage="https://vectors.example",
    )  # fmt: skip


def computed(compute: Callable[[int], Iterator[Block]]) -> ComputedSource:
    """Return a source of two dimensions."""
    return ComputedSource(
        name="mine", dims=(2, 3), version=1, compute=compute, description="Mine", language="en", cased=False,
        license="CC0-1.0", citation="Me", homepage="https://vectors.example",
    )  # fmt: skip


def read_bread(path: Path, dim: int) -> Iterator[Block]:
    """Read one vector after four letters and the dimension."""
    yield Block(["bread"], np.frombuffer(path.read_bytes()[5:], "<f4").reshape(1, dim))


BREAD = b"BRED\2" + np.array([1, 2], "<f4").tobytes()


def by_mark(start: bytes, path: Path) -> Detected | None:
    """Recognize the four letters."""
    return Detected(start[4]) if start[:4] == b"BRED" and start[4:5] > b"\0" else None


RIGHT_PLUGIN = r"""
import numpy as np
from embedhub import Block, ComputedSource, Detected, Format, FormatError, RemoteFile, RemoteSource, hookimpl

ABOUT = dict(
    description="Mine", language="en", cased=False, license="CC0-1.0", citation="Me",
    homepage="https://vectors.example",
)


def read(path, dim):
    data = path.read_bytes()
    if not data.startswith(b"BRED") or len(data) != 5 + 4 * dim:
        raise FormatError(f"{path}: expected BRED, the dim and {dim} numbers")
    yield Block(["bread"], np.frombuffer(data[5:], "<f4").reshape(1, dim))


def detect(start, path):
    return Detected(start[4]) if start[:4] == b"BRED" and start[4:5] > b"\0" else None


def compute(dim):
    yield Block(["a", "b"], np.eye(2, dim, dtype=np.float32))


BREAD = Format("bread", read, detect=detect)
FILE = RemoteFile("https://vectors.example/a", format=BREAD)
SOURCES = [
    RemoteSource(name="bread-vectors", files={2: FILE}, **ABOUT),
    ComputedSource(name="eyes", dims=(2, 3), version=1, compute=compute, **ABOUT),
]


@hookimpl
def embedhub_sources():
    return SOURCES


@hookimpl
def embedhub_formats():
    return [BREAD]
"""


def run_contract(folder: Path, tests: str) -> str:
    """Run tests in a process of its own with the distributions of a folder, and return what pytest prints."""
    (folder / "test_plugin.py").write_text(tests, "utf-8")
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull]
    done = subprocess.run(
        [*command, "-W", "error", "test_plugin.py"],
        cwd=folder,
        env=os.environ | seeing(folder / "site") | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    return done.stdout


BROKEN_TESTS = """
import embedhub
from embedhub.download.remote_file import Fetched
from embedhub.testing import SourceContract


class TestMine(SourceContract):
    sources = [
        embedhub.RemoteSource(
            name="mine", files={2: embedhub.RemoteFile("https://vectors.example/a")}, description="Mine",
            language="en", cased=False, license="CC0-1.0", citation="Me", homepage="https://vectors.example",
        )
    ]
    samples = {2: [b"the 1 2"]}
    expected = {2: {"the": [1, 2]}}
"""
