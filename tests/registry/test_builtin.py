"""The sources inside the package."""

import dataclasses
import gzip
import itertools
import zipfile
from pathlib import Path

import embedhub_eval
import numpy as np
import pytest
from scipy.stats import spearmanr

import embedhub
from embedhub.errors import ChecksumError
from embedhub.registry.builtin.glove import GLOVE_6B_20K
from embedhub.registry.builtin.packaged import PackagedSource
from embedhub.registry.builtin.wordnet import WORDNET_PPMI

PACKAGED = (GLOVE_6B_20K, WORDNET_PPMI)


@pytest.mark.parametrize("source", PACKAGED, ids=lambda source: source.name)
def test_packaged_file_is_small_pinned_and_licensed(source: PackagedSource) -> None:
    """The file takes at most 4 MB, its hash is the one in the code, and its license is in its folder."""
    path = source.fetch(source.dims[0]).path
    assert path.stat().st_size <= 4_000_000
    assert path.with_name(f"{path.name.partition('.')[0]}_LICENSE.txt").stat().st_size > 500


@pytest.mark.parametrize("source", PACKAGED, ids=lambda source: source.name)
def test_damaged_packaged_file_is_a_checksum_error(source: PackagedSource, cache: Path) -> None:
    """Other bytes than those of the release are a ChecksumError, which says how to reinstall them."""
    damaged = dataclasses.replace(source, sha256="0" * 64)
    with pytest.raises(ChecksumError, match=r"damaged; install it again: .* --force-reinstall embedhub"):
        damaged.vectors(damaged.dims[0])
    assert not list((cache / "vectors").rglob("manifest.json"))


def test_glove_20k_is_the_head_of_the_real_file(real_data: Path) -> None:
    """Words, order and bytes are those of the first 20,000 lines of glove.6B.50d.txt."""
    with gzip.open(GLOVE_6B_20K.fetch(50).path, "rb") as packaged:
        expected = packaged.read()
    archive = real_data / "mirror" / "nlp.stanford.edu" / "data" / "glove.6B.zip"
    with zipfile.ZipFile(archive) as members, members.open("glove.6B.50d.txt") as real:
        assert b"".join(itertools.islice(real, 20_000)) == expected


def test_glove_20k_holds_float32_of_the_text() -> None:
    """All words stand in the text's order, and all numbers equal numpy.float32 of theirs."""
    vectors = embedhub.load("glove-6b-20k")
    with gzip.open(GLOVE_6B_20K.fetch(50).path, "rt", encoding="utf-8", newline="\n") as file:
        lines = [line.rstrip("\n").split(" ") for line in file]
    assert len(vectors) == len(lines) == GLOVE_6B_20K.vocab_size
    words = [line[0] for line in lines]
    assert list(vectors.words) == words
    assert (vectors.indices(words) == np.arange(len(words))).all()
    expected = np.array([[np.float32(number) for number in line[1:]] for line in lines])
    assert (vectors.matrix.view(np.uint32) == expected.view(np.uint32)).all()


@pytest.mark.slow
def test_wordnet_opens_in_each_dimension() -> None:
    """The words are 40,000 or more, as many as the table says; smaller dimensions are prefixes."""
    source = embedhub.sources()["wordnet-ppmi"]
    assert source.dims == (25, 50, 100)
    full = source.vectors(100)
    assert source.vocab_size == len(full) >= 40_000
    assert full.manifest["duplicates"] == 0
    for dim in (25, 50):
        smaller = source.vectors(dim)
        assert list(smaller.words[:100]) == list(full.words[:100])
        assert (smaller.matrix == full.matrix[:, :dim]).all()


def test_wordnet_neighbors_are_related_words() -> None:
    """The inflections of a word share its vector, and its neighbors are related words."""
    vectors = embedhub.load("wordnet-ppmi", 100)
    assert (vectors["dogs"] == vectors["dog"]).all()
    assert (vectors["went"] == vectors["go"]).all()
    kitten, dog, bicycle = (vectors["cat"] @ vectors[word] for word in ("kitten", "dog", "bicycle"))
    assert min(kitten, dog) > bicycle + 0.3


@pytest.mark.slow
def test_wordnet_correlates_with_human_ratings(
    small_mirror: Path, small_benchmarks: dict[str, embedhub_eval.Benchmark]
) -> None:
    """Its scores on our own pairs are those of scipy, and at 100 dimensions clearly above chance."""
    for dim in (25, 50, 100):
        vectors = embedhub.load("wordnet-ppmi", dim)
        for name in ("wordsim-353", "simlex-999", "men"):
            (score,) = embedhub_eval.evaluate(vectors, [name])
            pairs = [pair for pair in small_benchmarks[name].read() if "qwxz" not in {pair.word1, pair.word2}]
            left, right = (
                vectors.lookup([getattr(p, side).lower() for p in pairs]) for side in ("word1", "word2")
            )
            cosines = (
                (left * right).sum(axis=1) / np.linalg.norm(left, axis=1) / np.linalg.norm(right, axis=1)
            )
            expected = spearmanr(cosines, [pair.score for pair in pairs]).statistic
            assert score.score == pytest.approx(expected, abs=1e-6)
            assert (score.covered, score.total) == (len(pairs), small_benchmarks[name].total)
            assert score.interval is not None
            assert dim < 100 or score.interval[0] > 0


def test_packaged_vectors_need_no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no cache can be made they are held in memory, and are the same."""
    stored = embedhub.load("wordnet-ppmi", 25)
    (tmp_path / "file").touch()
    monkeypatch.setenv("EMBEDHUB_CACHE", str(tmp_path / "file" / "cache"))
    held = embedhub.load("wordnet-ppmi", 25)
    assert list(held.words) == list(stored.words)
    assert np.array_equal(held.matrix, stored.matrix)
