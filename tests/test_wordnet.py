"""The embedded default."""

import hashlib
from importlib import resources
from pathlib import Path

import pytest

import embedhub
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


LEAST = {"wordsim-353": 0.68, "simlex-999": 0.45, "men": 0.7}


def test_scores_on_word_similarity(real_mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The README's table is what evaluate finds; at 100 dims each score is as high as promised."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(real_mirror))
    readme = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    for dim in (25, 50, 100):
        scores = embedhub.evaluate("wordnet-ppmi", dim, LEAST)
        assert f"| {dim} | {' | '.join(f'{score.score:.4f}' for score in scores)} |" in readme
        for score in scores:
            assert f"({score.total - score.covered} of {score.total:,}" in readme.replace(
                " pairs missing", ""
            )
            assert score.score is not None
            assert dim < 100 or score.score >= LEAST[score.name]
