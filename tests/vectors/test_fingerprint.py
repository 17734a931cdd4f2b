"""`Vectors.fingerprint`: a short digest of words and vectors."""

import pickle
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import embedhub
from embedhub import _file_state
from embedhub.errors import StoreError
from embedhub.vectors.npy import NPY_HEADER, npy_header

WORDS, MATRIX = ["rain", "snow", "hail"], np.arange(6, dtype=np.float32).reshape(3, 2)


def fingerprint(words: list[str], matrix: object = MATRIX) -> str:
    """Return the fingerprint of vectors in memory."""
    return embedhub.Vectors(matrix, words).fingerprint  # type: ignore[arg-type]  # an array or a list


def test_same_vectors_have_the_same_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the name, the format, the cache, nor a store is part of it."""
    expected = fingerprint(WORDS)
    assert re.fullmatch("[0-9a-f]{16}", expected)
    vectors = embedhub.Vectors(MATRIX, WORDS, name="mine")
    paths = [tmp_path / name for name in ("a.txt", "b.npz", "c.safetensors", "d.bin")]
    for path in paths:
        embedhub.export(vectors, path)
        opened = embedhub.load(path)
        assert opened.fingerprint == expected
        assert pickle.loads(pickle.dumps(opened)).fingerprint == expected  # noqa: S301 - our own
    monkeypatch.setenv("EMBEDHUB_CACHE", str(tmp_path / "another"))
    shutil.copy(paths[0], tmp_path / "copy.vec")
    assert embedhub.load(tmp_path / "copy.vec").fingerprint == expected
    assert embedhub.load("wordnet-ppmi:25").fingerprint == embedhub.load("wordnet-ppmi", 25).fingerprint


def test_other_vectors_have_another_fingerprint(tmp_path: Path) -> None:
    """A bit of a number, a word, where one word ends, their order, the dimension and a limit count."""
    nearly = MATRIX.copy()
    nearly[2, 1] = np.nextafter(nearly[2, 1], 9)
    embedhub.export(embedhub.Vectors(MATRIX, WORDS), tmp_path / "v.txt")
    several = [
        fingerprint(WORDS),
        fingerprint(WORDS, nearly),
        fingerprint(["rain", "snow", "Hail"]),
        fingerprint(["rai", "nsnow", "hail"]),
        fingerprint(["snow", "rain", "hail"]),
        fingerprint(WORDS[:2], MATRIX[:2]),
        fingerprint(WORDS, MATRIX[:, :1]),
        *(embedhub.load("wordnet-ppmi", dim).fingerprint for dim in (25, 50)),
        embedhub.load("wordnet-ppmi:25", limit=1000).fingerprint,
    ]
    assert len(set(several)) == len(several)
    assert embedhub.load(tmp_path / "v.txt", limit=2).fingerprint == several[5]


def test_tokenizer_is_part_of_the_fingerprint(tmp_path: Path) -> None:
    """Another tokenizer of the same vectors gives texts another meaning."""
    golden = Path(__file__).parents[1] / "golden" / "model2vec"
    shutil.copytree(golden, tmp_path / "model")
    before = embedhub.load(tmp_path / "model").fingerprint
    tokenizer = tmp_path / "model" / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text("utf-8") + "\n", "utf-8")
    assert embedhub.load(tmp_path / "model").fingerprint != before


def test_fingerprint_of_a_store_reads_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is derived from the manifest."""
    vectors = embedhub.load("wordnet-ppmi", 25)
    vectors.matrix = np.empty((0, 25), np.float32)  # not looked at
    monkeypatch.delattr(_file_state, "xxh3_of_file")
    assert vectors.fingerprint == embedhub.load("wordnet-ppmi", 25).fingerprint


def test_own_words_with_the_manifest_of_a_store_have_their_own_fingerprint() -> None:
    """The manifest of other vectors is not believed."""
    vectors = embedhub.load("wordnet-ppmi", 25)
    own = embedhub.Vectors(vectors.matrix[:5], vectors.words[:5], manifest=vectors.manifest)
    assert own.fingerprint == fingerprint(vectors.words[:5], vectors.matrix[:5])
    assert own.fingerprint != vectors.fingerprint


def test_header_of_a_matrix_has_a_fixed_size() -> None:
    """A store finds its rows by it; a shape that needs more is an error."""
    assert len(npy_header(np.float32, (10**9, 300))) == NPY_HEADER
    with pytest.raises(StoreError, match="longer than 128 bytes"):
        npy_header(np.float32, (10**60, 10**60))
