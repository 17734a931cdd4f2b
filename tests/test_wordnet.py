"""The embedded default."""

import hashlib
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

import embedhub
from embedhub import Vectors
from embedhub.builtin import wordnet

BUILTIN = resources.files("embedhub") / "builtin"


def test_the_file_is_small_pinned_and_licensed() -> None:
    """The vectors take at most 4 MB, their hash is the one in the code, and the licence is beside them."""
    data = (BUILTIN / "wordnet_ppmi.npz").read_bytes()
    assert len(data) <= 4_000_000
    assert hashlib.sha256(data).hexdigest() == wordnet._SHA256  # noqa: SLF001 - the pin is nobody else's business
    assert "WordNet 3.0" in (BUILTIN / "wordnet_LICENSE.txt").read_text("utf-8")


def test_it_opens_as_any_source_does() -> None:
    """The words are 40,000 or more, as many as the table says; smaller dims are prefixes."""
    source = embedhub.sources()["wordnet-ppmi"]
    assert source.dims == (25, 50, 100)
    full = source.vectors(100)
    assert source.words == len(full) >= 40_000
    assert full.manifest["duplicates"] == 0
    for dim in (25, 50):
        smaller = source.vectors(dim)
        assert list(smaller.words[:100]) == list(full.words[:100])
        assert (smaller.matrix == full.matrix[:, :dim]).all()


def test_neighbours_make_sense() -> None:
    """A word's forms share its row, and its neighbours are of its kind."""
    vectors = embedhub.load("wordnet-ppmi", 100)
    assert (vectors["dogs"] == vectors["dog"]).all()
    assert (vectors["went"] == vectors["go"]).all()
    kitten, dog, bicycle = (vectors["cat"] @ vectors[word] for word in ("kitten", "dog", "bicycle"))
    assert min(kitten, dog) > bicycle + 0.3


def spearman(vectors: Vectors, path: Path) -> tuple[float, int, int]:
    """Return Spearman's correlation of cosines with human scores, the missing pairs left out, and counts."""
    rows = [line.lower().split("\t")[:3] for line in path.read_text("utf-8").splitlines() if line[:1] != "#"]
    pairs = [(a, b, float(score)) for a, b, score in rows if a in vectors and b in vectors]
    left, right = (vectors.lookup(words) for words in ([a for a, _, _ in pairs], [b for _, b, _ in pairs]))
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    cosines = np.einsum("ij,ij->i", left, right) / norms
    return (
        float(spearmanr(cosines, [score for *_, score in pairs]).statistic),
        len(rows) - len(pairs),
        len(rows),
    )


@pytest.mark.parametrize(("name", "least"), [("wordsim353.tsv", 0.68), ("simlex999.txt", 0.45)])
def test_scores_on_word_similarity(real_data: Path, name: str, least: float) -> None:
    """At 100 dims the vectors reach the promised correlation with human judgements."""
    score, missing, total = spearman(embedhub.load("wordnet-ppmi", 100), real_data / "eval" / name)
    print(f"wordnet-ppmi 100d, {name}: {score:.4f}; {missing} of {total} pairs missing")  # noqa: T201 - the figure
    assert missing < total / 50
    assert score >= least


def test_the_measure_gives_gloves_known_scores(real_data: Path, glove_50d: Vectors) -> None:
    """The same measure gives GloVe 6B 50d the scores that are known of it."""
    for name, known in (("wordsim353.tsv", 0.5033), ("simlex999.txt", 0.2646)):
        assert spearman(glove_50d, real_data / "eval" / name)[0] == pytest.approx(known, abs=5e-5)
