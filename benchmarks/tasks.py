"""One measurement in this process: ``python benchmarks/tasks.py FOLDER TASK WAY``.

Prints JSON: seconds, peak memory in bytes, and bytes left on disk. Packages are imported before the clock
starts. ``FOLDER`` is what `run.py` prepared. Of each task one way is embedhub's; the others are what people
do, or the physical work that cannot be less.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import corpora
import numpy as np
from numpy.typing import NDArray

FOLDER = Path()
FACTS: dict[str, Any] = {}
"""What `run.py` wrote down of the folder: rows, dim, pins."""

Measured = tuple[float, int] | tuple[float, int, int]
"""Seconds, bytes on disk; peak memory too, where it is not the whole process's."""

_ROUNDS = 20


def clock(action: Callable[[], Any]) -> float:
    """Return the seconds of one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def peak() -> int:
    """Return the peak of this process's memory, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage counts the parent's memory too, as it was before the program was loaded
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def resident() -> int:
    """Return the memory that this process has now, in bytes; its peak where the system does not say."""
    status = Path("/proc/self/statm")
    if not status.exists():
        return peak()
    return int(status.read_text().split()[1]) * resource.getpagesize()


def size(path: Path) -> int:
    """Return the bytes of a file, or of all files of a folder."""
    return sum(file.stat().st_size for file in ([path] if path.is_file() else path.rglob("*")))


# --- The ways that people paste


def seed_loop(text: Path) -> dict[str, NDArray[np.float32]]:
    """Read the text as kerasglove does."""
    vectors = {}
    with text.open(encoding="utf-8") as file:
        for line in file:
            fields = line.split()
            vectors[fields[0]] = np.asarray(fields[1:], dtype="float32")
    return vectors


def keras_io_loop(text: Path) -> dict[str, NDArray[np.float64]]:
    """Read the text as the example of keras.io does."""
    vectors = {}
    with text.open(encoding="utf-8") as file:
        for line in file:
            word, numbers = line.split(maxsplit=1)
            vectors[word] = np.fromstring(numbers, "f", sep=" ")
    return vectors


def fill(vectors: Any, word_index: dict[str, int]) -> NDArray[np.float64]:
    """Fill a matrix word by word."""
    matrix = np.zeros((len(word_index) + 1, FACTS["dim"]))
    for word, index in word_index.items():
        if word in vectors:
            matrix[index] = vectors[word]
    return matrix


# --- Text, or a member of an archive, to something that can be looked up


def build_seed(text: Path) -> Measured:
    """Time the seed's loop."""
    return clock(lambda: seed_loop(text)), size(text)


def build_keras_io(text: Path) -> Measured:
    """Time keras.io's loop."""
    return clock(lambda: keras_io_loop(text)), size(text)


def build_gensim(text: Path) -> Measured:
    """Time gensim's own reader; keep what it saves, to be mapped by another measurement."""
    from gensim.models import KeyedVectors

    start = time.perf_counter()
    vectors = KeyedVectors.load_word2vec_format(str(text), binary=False, no_header=True)
    seconds = time.perf_counter() - start
    saved = FOLDER / "gensim" / "vectors"
    if text == FOLDER / "corpus.txt" and not saved.exists():
        saved.parent.mkdir(exist_ok=True)
        vectors.save(str(saved))
    return seconds, size(text)


def build_polars(text: Path) -> Measured:
    """Time polars' CSV reader, and the matrix out of its columns."""
    import polars as pl

    def read() -> Any:
        columns = {"word": pl.String} | {str(i): pl.Float32 for i in range(dim_of(text))}
        frame = pl.read_csv(text, separator=" ", has_header=False, quote_char=None, schema=columns)
        return frame["word"].to_list(), frame.select(pl.exclude("word")).to_numpy()

    return clock(read), size(text)


def build_pandas(text: Path) -> Measured:
    """Time pandas' CSV reader, and the matrix out of its columns."""
    import csv

    import pandas as pd

    def read() -> Any:
        types = {0: "str"} | dict.fromkeys(range(1, dim_of(text) + 1), "float32")
        frame = pd.read_csv(
            text, sep=" ", header=None, quoting=csv.QUOTE_NONE, dtype=types, na_filter=False, engine="c"
        )
        return frame[0].to_list(), frame.drop(columns=0).to_numpy("float32")

    return clock(read), size(text)


def build_embedhub(text: Path) -> Measured:
    """Time the build of a store from the text."""
    from embedhub.formats import _parse_loop, glove  # noqa: F401 - imported before the clock starts
    from embedhub.vectors.store_writer import StoreWriter

    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        target = Path(folder) / "store"
        dim = dim_of(text)

        def build() -> None:
            with StoreWriter(target, name="bench", dim=dim) as writer:
                for block in glove.read(text, dim):
                    writer.write(block)

        return clock(build), size(target)


def archive_seed(archive: Path) -> Measured:
    """Time the extraction and the seed's loop."""
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:

        def extract_and_read() -> None:
            with zipfile.ZipFile(archive) as opened:
                seed_loop(Path(opened.extract(member_of(archive), folder)))

        return clock(extract_and_read), size(archive) + size(Path(folder))


def archive_embedhub(archive: Path) -> Measured:
    """Time the way from an archive in a mirror's folder to a published store, pin checked."""
    import pooch  # noqa: F401 - imported before the clock starts

    import embedhub
    from embedhub.download import fetch as download  # noqa: F401 - likewise
    from embedhub.formats import _parse_loop  # noqa: F401 - likewise

    source = source_of(archive, "bench-archive")
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        (Path(folder) / "compiled").symlink_to(FOLDER / "cache" / "compiled")
        os.environ["EMBEDHUB_CACHE"] = folder
        seconds = clock(lambda: embedhub.load(source))
        return seconds, size(Path(folder) / "vectors")


# --- A vocabulary to its matrix


def word_index(name: str) -> dict[str, int]:
    """Return the caller's vocabulary: some of the words, or all."""
    rows = FACTS["rows"]
    some = corpora.words(rows) if name == "whole" else corpora.vocabulary(rows, FACTS["vocabulary"])
    return {word: i for i, word in enumerate(some, 1)}


def lookup_seed(_: str) -> Measured:
    """Time the seed's way to a matrix: everything is read again, each time."""
    index = word_index("some")
    text = FOLDER / "corpus.txt"
    return clock(lambda: fill(seed_loop(text), index)), size(text)


def lookup_gensim(_: str) -> Measured:
    """Time gensim's fastest way: its own form mapped, rows gathered at once."""
    from gensim.models import KeyedVectors

    index = word_index("some")

    def load_and_gather() -> Any:
        vectors = KeyedVectors.load(str(FOLDER / "gensim" / "vectors"), mmap="r")
        matrix = np.zeros((len(index) + 1, vectors.vector_size), np.float32)
        known = [(row, vectors.key_to_index[word]) for word, row in index.items() if word in vectors]
        rows, places = np.array(known).T
        matrix[rows] = vectors.vectors[places]
        return matrix

    return clock(load_and_gather), size(FOLDER / "gensim")


def lookup_gather(name: str) -> Measured:
    """Time nothing but the gather of the rows from a map that was just opened, their numbers known."""
    import embedhub

    index = word_index("some")
    vectors = embedhub.load(stored(name))
    rows = vectors.indices(index)
    rows = rows[rows >= 0]
    fresh = embedhub.load(stored(name))
    return clock(lambda: fresh.matrix[rows]), 0


def lookup_embedhub(name: str) -> Measured:
    """Time the matrix of a vocabulary from a store that exists; the store is opened, too."""
    import embedhub

    index = word_index("some")
    source = stored(name)
    matrix_of_words = embedhub.embedding_matrix  # imported before the clock starts
    return clock(lambda: matrix_of_words(source, None, index)), size_of_store(name)


def whole_copy(name: str) -> Measured:
    """Time one copy of the matrix out of the map."""
    import embedhub

    vectors = embedhub.load(stored(name))
    return clock(lambda: np.array(vectors.matrix)), 0


def whole_hashing(_: str) -> Measured:
    """Time the encoding and hashing of all words, a vocabulary's unavoidable work besides the copy."""
    from embedhub.vectors.vocabulary import encode, hash_words

    index = word_index("whole")
    return clock(lambda: hash_words([encode(word) for word in index])), 0


def whole_embedhub(name: str) -> Measured:
    """Time the matrix of all words."""
    import embedhub

    index = word_index("whole")
    source = stored(name)
    return clock(lambda: embedhub.embedding_matrix(source, None, index)), 0


# --- A matrix to its layer; neighbors; imports


def matrix_of(name: str) -> NDArray[np.float32]:
    """Return the whole matrix in memory, as the alignment would give it, and no map of it."""
    matrix: NDArray[np.float32] = np.load(store_folder(name) / "matrix.npy", allow_pickle=False)
    return matrix


def layer_copy(name: str) -> Measured:
    """Time one copy of the matrix."""
    matrix = matrix_of(name)
    return clock(matrix.copy), 0


def layer_weights(name: str) -> Measured:
    """Time the recipe's way: ``weights=[matrix]``, built."""
    import keras

    keras.layers.Embedding(2, 2).build()
    matrix = matrix_of(name)

    def make() -> None:
        keras.layers.Embedding(*matrix.shape, weights=[matrix], trainable=False).build()

    return clock(make), 0


def layer_embedhub(name: str) -> Measured:
    """Time the layer, given the matrix."""
    from embedhub.layers._matrix_layer import embedding_from_matrix  # the layer's share of keras_embedding

    embedding_from_matrix(np.zeros((2, 2), np.float32), trainable=False)
    before = resident()
    matrix = matrix_of(name)
    seconds = clock(lambda: embedding_from_matrix(matrix, trainable=False))
    return seconds, 0, peak() - before


def neighbors_product(name: str) -> Measured:
    """Time the product of the matrix and one vector, warm: the median of several."""
    import embedhub

    matrix = embedhub.load(stored(name)).matrix
    vector = np.array(matrix[7])
    return float(np.median([clock(lambda: matrix @ vector) for _ in range(_ROUNDS)])), 0


def neighbors_embedhub(name: str) -> Measured:
    """Time `most_similar` after the first call: the median of several."""
    import embedhub

    vectors = embedhub.load(stored(name))
    word = vectors.words[7]
    vectors.most_similar(word)
    return float(np.median([clock(lambda: vectors.most_similar(word)) for _ in range(_ROUNDS)])), 0


def import_keras(_: str) -> Measured:
    """Time ``import keras``."""
    return import_time("keras"), 0


def import_embedhub(_: str) -> Measured:
    """Time ``import embedhub``."""
    return import_time("embedhub"), 0


def import_time(name: str) -> float:
    """Return the seconds of an import in a process that has imported nothing yet."""
    code = f"import time; start = time.perf_counter(); import {name}; print(time.perf_counter() - start)"
    run = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)  # noqa: S603 - our own
    return float(run.stdout)


# --- What the tasks share


def dim_of(text: Path) -> int:
    """Return the dim of a text."""
    with text.open("rb") as file:
        return len(file.readline().split()) - 1


def member_of(archive: Path) -> str:
    """Return the name of the one member that is measured."""
    return str(FACTS["archives"][archive.name]["member"])


def source_of(archive: Path, name: str) -> Any:
    """Return a source with an archive's member."""
    import embedhub

    mirror = FOLDER / "mirror"
    os.environ["EMBEDHUB_MIRROR"] = str(mirror)
    facts = FACTS["archives"][archive.name]
    url = f"https://{archive.relative_to(mirror)}"
    file = embedhub.RemoteFile(
        url=url, member=facts["member"], known_hash=facts["hash"], size=facts["size"], format="glove"
    )
    return a_source(name, facts["dim"], file)


def stored(name: str) -> Any:
    """Return a source whose store `run.py` has built."""
    import embedhub

    file = embedhub.RemoteFile(url=f"https://{corpora.HOST}/{name}", format="glove")
    return a_source(name, FACTS["dim"], file)


def a_source(name: str, dim: int, file: Any) -> Any:
    """Return a source with one file."""
    import embedhub

    return embedhub.RemoteSource(
        name=name, files={dim: (file,)}, description="", language="en", cased=False, license="",
        citation="", homepage="",
    )  # fmt: skip


def store_folder(name: str) -> Path:
    """Return the place of a store that `run.py` builds."""
    folder: Path = stored(name).store_path(FACTS["dim"])
    return folder


def size_of_store(name: str) -> int:
    """Return the bytes of a store that `run.py` built."""
    return size(store_folder(name))


def use(folder: Path) -> None:
    """Measure in this folder, with its cache."""
    global FOLDER  # noqa: PLW0603 - one process, one folder
    FOLDER = folder
    FACTS.update(json.loads((folder / "facts.json").read_text("utf-8")))
    os.environ["EMBEDHUB_CACHE"] = str(folder / "cache")


def main() -> None:
    """Measure once."""
    folder, task, way, what = sys.argv[1:]
    use(Path(folder))
    argument: Any = Path(folder) / what if task in {"build", "archive"} else what
    seconds, disk, *memory = globals()[f"{task}_{way}"](argument)
    print(json.dumps({"seconds": seconds, "peak": memory[0] if memory else peak(), "disk": disk}))


if __name__ == "__main__":
    main()
