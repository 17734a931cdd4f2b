"""What each step costs, in counts that no noise can change: calls, pages, bytes in memory. No clocks here."""

import json
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from children import PATIENCE

from embedhub import Vectors, embedding_matrix, load
from embedhub.vectors import store
from embedhub.vectors.blocks import Block
from embedhub.vectors.store_writer import StoreWriter

ROWS, DIM, BLOCK = 60_000, 256, 4_000
MATRIX = ROWS * DIM * 4


def blocks() -> Iterator[Block]:
    """Give many rows."""
    rows = np.ones((BLOCK, DIM), np.float32)
    for start in range(0, ROWS, BLOCK):
        yield Block([f"w{i}" for i in range(start, start + BLOCK)], rows)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store of 61 MB."""
    folder = tmp_path_factory.mktemp("costs") / "store"
    with StoreWriter(folder, name="costs", dim=DIM) as writer:
        for block in blocks():
            writer.write(block)
    return folder


@pytest.fixture
def opened(folder: Path) -> Vectors:
    """Return the store, opened again."""
    return store.open_store(folder)


def in_new_process(code: str, *arguments: Any) -> Any:
    """Return what a program prints as JSON."""
    run = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    return json.loads(run.stdout)


MAPPED = """
import json, re, sys
from pathlib import Path
from embedhub import embedding_matrix
from embedhub.vectors import store
vectors = store.open_store(Path(sys.argv[1]))
if int(sys.argv[2]):
    embedding_matrix(vectors, None, {f"w{i * 4000}": i for i in range(int(sys.argv[2]))})
resident, inside = {}, None
for line in Path("/proc/self/smaps").read_text().splitlines():
    if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
        inside = line.rpartition("/")[2]
    elif line.startswith("Rss:"):
        resident[inside] = resident.get(inside, 0) + int(line.split()[1]) * 1024
print(json.dumps(resident))
"""
AROUND = 2 << 20  # Linux maps at most so many bytes around one that is touched: a huge page


@pytest.mark.linux
@pytest.mark.parametrize("words", [0, 10])
def test_lookup_reads_only_requested_rows(folder: Path, words: int) -> None:
    """Opening reads the header, and a lookup the pages of its rows, whatever the size of the matrix."""
    mapped = in_new_process(MAPPED, folder, words)["matrix.npy"]
    assert mapped <= (words + 1) * AROUND < MATRIX / 2


def calls(action: Callable[[], Any]) -> int:
    """Return how many Python functions are called."""
    count = 0

    def watch(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        action()
    finally:
        sys.setprofile(before)
    return count


def test_alignment_calls_no_python_per_word(opened: Vectors) -> None:
    """Ten times the words take exactly as many calls of Python functions."""
    few = {f"w{i}": i for i in range(1_000)}
    many = {f"w{i}": i for i in range(10_000)}
    embedding_matrix(opened, None, few)
    assert calls(lambda: embedding_matrix(opened, None, many)) == calls(
        lambda: embedding_matrix(opened, None, few)
    )


def test_alignment_memory_is_bounded(opened: Vectors) -> None:
    """Aligning the whole vocabulary takes at most a fifth more memory than the returned matrix."""
    everything = {f"w{i}": i for i in range(ROWS)}
    tracemalloc.start()
    try:
        embedding_matrix(opened, None, everything)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= 1.2 * MATRIX


READ = """
import json, re
from pathlib import Path
import embedhub
from embedhub.download import fetch
def read():
    return int(re.search(r"rchar: (\\d+)", Path("/proc/self/io").read_text())[1])
before = read()
embedhub.load("glove-6b", 50)
print(json.dumps(read() - before))
"""


@pytest.mark.slow
@pytest.mark.linux
def test_cold_build_reads_are_bounded(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From archive to store at most 4.5 times the compressed bytes are read; it was 5.7 times."""
    archive = real_data / "mirror" / "nlp.stanford.edu" / "data" / "glove.6B.zip"
    with zipfile.ZipFile(archive) as opened:
        deflated = opened.getinfo("glove.6B.50d.txt").compress_size
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(real_data / "mirror"))
    assert in_new_process(READ) <= 4.5 * deflated


COMPILE = """
import json, sys
from pathlib import Path
import embedhub
from embedhub.formats import _parse_loop, glove
text = Path(sys.argv[1])
assert list(glove.read(text, 2))
stats = _parse_loop.parse_lines.stats
code = list(Path(embedhub.__file__).parent.rglob("*.nb[ci]"))
print(json.dumps([sum(stats.cache_hits.values()), sum(stats.cache_misses.values()), len(code)]))
"""


@pytest.mark.slow
def test_parser_is_compiled_once(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first process compiles, the next one loads the machine code, which is not in EMBEDHUB_CACHE."""
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    (tmp_path / "tiny.txt").write_bytes(b"the 0.5 1\n")
    assert in_new_process(COMPILE, tmp_path / "tiny.txt") == [0, 1, 0]
    assert in_new_process(COMPILE, tmp_path / "tiny.txt") == [1, 0, 0]
    assert not list(cache.rglob("*.nb[ci]"))
    if sys.platform == "linux":
        assert list((tmp_path / "home" / "embedhub" / "compiled").rglob("*.nbc"))


REPEATED = """
import resource, sys
import numpy as np
from pathlib import Path
from embedhub.vectors.store_writer import StoreWriter

def used():
    return int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()

folder, rows, distinct = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
limit = used() + (90 << 20)  # private memory, mapped files not counted
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
with StoreWriter(folder, name="repeated", dim=1) as writer:
    words = [f"w{i}" for i in range(1 << 16)]
    for start in range(0, rows, len(words)):
        block = [words[(start + i) % distinct] for i in range(len(words))]
        writer.write((block, np.ones((len(words), 1), np.float32)))
"""


@pytest.mark.slow
@pytest.mark.linux
@pytest.mark.parametrize("distinct", [1, 50_000], ids=["one word", "many words"])
def test_build_memory_does_not_grow_with_repeated_words(distinct: int, tmp_path: Path) -> None:
    """A build of a million rows of few words does with 90 MB; it took 150 bytes a row."""
    command = [sys.executable, "-c", REPEATED, str(tmp_path / "store"), "1000000", str(distinct)]
    subprocess.run(command, check=True, timeout=PATIENCE)
    assert len(store.open_store(tmp_path / "store")) == distinct


LOOKUP = """
import json, sys
import embedhub
embedhub.embedding_matrix("wordnet-ppmi", 25, ["music"])
print(json.dumps(sorted({
    "embedhub.formats.detect", "embedhub.formats.npz", "embedhub.registry.local_file",
    "embedhub.vectors.store_writer", "isal", "statistics", "tarfile",
} & {*sys.modules})))
"""


def test_lookup_in_a_built_store_imports_no_reader_and_no_writer() -> None:
    """A new process that only looks up words imports no format, no archive and no writer."""
    load("wordnet-ppmi", 25)
    assert in_new_process(LOOKUP) == []
