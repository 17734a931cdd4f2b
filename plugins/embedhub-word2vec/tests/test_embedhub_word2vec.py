"""The source keeps embedhub's contract, on rows that show what is odd in the file."""

from pathlib import Path

import embedhub_word2vec
import numpy as np

from embedhub import embedding_matrix
from embedhub.download.remote_file import Fetched
from embedhub.testing import SourceContract
from embedhub.vectors.store import open_store
from embedhub.vectors.store_writer import StoreWriter

WORDS = ["</s>", "in", "##", "New_York", "The", "caf\udce9"]


def binary(end: bytes) -> bytes:
    """Return rows as word2vec writes them, whose first number is their place, the second -0.5."""
    rows = b"".join(
        word.encode("utf-8", "surrogateescape")
        + b" "
        + np.array([place, -0.5, *298 * [0.1]], "<f4").tobytes()
        + end
        for place, word in enumerate(WORDS)
    )
    return b"%d 300\n" % len(WORDS) + rows


class TestContract(SourceContract):
    """Phrases, numbers, a word that is not UTF-8; the second file has a newline after each vector."""

    sources = [embedhub_word2vec.SOURCE]
    samples = {300: [binary(b""), binary(b"\n")]}
    expected = {300: {word: [place, -0.5] for place, word in enumerate(WORDS)}}


def test_longer_numbers_are_looked_up_by_their_length(tmp_path: Path) -> None:
    """A number of two digits finds ##; one of three, which is not there, does not, nor a single digit."""
    path = tmp_path / "sample.bin"
    path.write_bytes(binary(b""))
    source = embedhub_word2vec.SOURCE
    with StoreWriter(tmp_path / "store", name=source.name, dim=300) as writer:
        for block in source.parse(Fetched(path), 300):
            writer.write(block)
    vectors = open_store(tmp_path / "store")
    made = embedding_matrix(vectors, None, ["42", "123", "7", "The", "the"], fallbacks=source.fallbacks)
    assert made.found.tolist() == [True, False, False, True, False]
    assert made.matrix[0, 0] == 2


def test_every_address_is_pinned() -> None:
    """Both files have a published hash, and a size."""
    assert all(file.known_hash and file.size for file in embedhub_word2vec.SOURCE.candidates(300))
