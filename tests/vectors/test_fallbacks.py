"""Fallbacks for out-of-vocabulary words."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import embedhub
from embedhub import Vectors
from embedhub.registry.builtin.glove import GLOVE_6B


def averaged(vectors: Vectors, word: str, *fallbacks: Any) -> list[str] | None:
    """Return the words whose vectors are averaged for a word, in order; None if it is missing."""
    result = embedhub.embedding_matrix(vectors, None, ["anchor", word], fallbacks=fallbacks)
    if not result.found[1]:
        assert not result.matrix[1].any()
        return None
    for parts in (*combinations(vectors, 1), *combinations(vectors, 2)):
        if np.allclose(result.matrix[1], vectors.lookup(parts).mean(axis=0)):
            return [*parts]
    raise AssertionError("not the mean of one or two words")


@pytest.mark.parametrize(
    ("fallback", "word", "expected"),
    [
        ("lower", "CAFÉ", ["café"]),
        ("lower", "PARIS", None),
        ("lower", "Berlin", ["Berlin"]),
        ("unaccent", "näive", ["naive"]),
        ("unaccent", "CAFÉ", None),
        ("unaccent", "हिन्दी", None),
        ("title", "BERLIN", ["Berlin"]),
        ("title", "new-york", ["New-York"]),
        ("digits", "1984", ["####"]),
        ("digits", "3,141", ["#,###"]),
        ("digits", "7", None),
        ("digits", "4x4", None),
        ("digits", "١٩٨٤", None),
        ("hyphen", "naive-café", ["café", "naive"]),
        ("hyphen", "naive-qwxz", None),
        ("hyphen", "-café", None),
        ("hyphen", "café-", None),
        (str.swapcase, "bERLIN", ["Berlin"]),
        (lambda _: None, "bERLIN", None),
        (partial(re.sub, "s$", ""), "naives", ["naive"]),
    ],
)
def test_fallback_transforms_a_missing_word(
    fallback: Any, word: str, expected: list[str] | None, make_vectors: Callable[..., Vectors]
) -> None:
    """A fallback changes a word as its name says; a word that is in the vocabulary is unchanged."""
    vectors = make_vectors(
        ["anchor", "café", "naive", "Berlin", "New-York", "####", "#,###", "#", "#x#", "हनद"], dim=6
    )
    assert averaged(vectors, word, fallback) == expected


def test_fallbacks_are_applied_cumulatively(make_vectors: Callable[..., Vectors]) -> None:
    """Each fallback is applied to the word and to the results of the previous ones; the first hit counts."""
    vectors = make_vectors(["anchor", "cafe", "rock", "roll", "a##", "Über", "uber"], dim=6)
    assert averaged(vectors, "CAFÉ", "lower", "unaccent") == ["cafe"]
    assert averaged(vectors, "CAFÉ", "unaccent", "lower") == ["cafe"]
    assert averaged(vectors, "ROCK-ROLL", "lower", "hyphen") == ["rock", "roll"]
    assert averaged(vectors, "ROCK-ROLL", "hyphen", "lower") is None
    assert averaged(vectors, "A12", "lower", "digits") == ["a##"]
    assert averaged(vectors, "ÜBER", "title", "unaccent", "lower") == ["Über"]
    assert averaged(vectors, "ÜBER", "lower", "unaccent", "title") == ["uber"]
    coverage = embedhub.coverage(
        vectors, None, ["rock", "Rock", "ROLL", "rock-roll", "qwxz"], fallbacks=("title", "lower", "hyphen")
    )
    assert coverage.by_fallback == {"title": (), "lower": ("Rock", "ROLL"), "hyphen": ("rock-roll",)}
    assert coverage.missing == ("qwxz",)


def test_each_fallback_costs_one_look_up(
    make_vectors: Callable[..., Vectors], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many words are missing, each fallback looks them up at once, and none that was found."""
    vectors = make_vectors(["the", "a"])
    calls: list[list[str]] = []
    original = Vectors.indices

    def recorded(self: Vectors, words: Any) -> Any:
        calls.append(list(words))
        return original(self, calls[-1])

    monkeypatch.setattr(Vectors, "indices", recorded)
    words = ["the", "A", "The", "qwxz", "Qwxz"]
    embedhub.coverage(vectors, None, words, fallbacks=("lower", "title", "hyphen"))
    assert calls == [words, ["a", "the", "qwxz"], ["Qwxz"], []]


@pytest.mark.parametrize(
    ("fallbacks", "error", "message"),
    [
        (
            ("lower", "upper"),
            ValueError,
            "fallbacks has 'upper'; the fallbacks are 'lower', 'unaccent', 'title'",
        ),
        ((3,), ValueError, "fallbacks has 3; the fallbacks are 'lower'"),
        ("lower", TypeError, "fallbacks is 'lower'; expected a tuple, like ('lower', 'hyphen')"),
        (str.lower, TypeError, "expected a tuple, like ('lower', 'hyphen')"),
        ((lambda _: 3,), TypeError, "The fallback <lambda> returned 3 for 'qwxz'; expected a word or None"),
    ],
)
def test_invalid_fallback_is_rejected(fallbacks: Any, error: type[Exception], message: str) -> None:
    """The error names the invalid value and lists the fallbacks."""
    with pytest.raises(error, match=re.escape(message)):
        embedhub.coverage("wordnet-ppmi", 25, ["music", "qwxz"], fallbacks=fallbacks)


def test_source_has_default_fallbacks() -> None:
    """None stands for the source's default, () for no fallback; uncased sources have `lower`."""
    for name, dim in (("wordnet-ppmi", 25), (embedhub.sources()["wordnet-ppmi"], 25)):
        vectors = embedhub.load(name, dim)
        assert vectors.fallbacks == ("lower",)
        for source in (name, vectors):
            matrix = embedhub.embedding_matrix(source, dim, {"Music": 0, "rain": 1}).matrix
            assert (matrix == vectors.lookup(["music", "rain"])).all()
            result = embedhub.embedding_matrix(source, dim, {"Music": 0, "rain": 1}, fallbacks=())
            assert result.found.tolist() == [False, True]
            layer = embedhub.keras_embedding(source, dim, {"Music": 0, "rain": 1}, fallbacks=())
            assert (layer.get_weights()[0] == result.matrix).all()
    assert embedhub.sources()["glove-6b"].fallbacks == ("lower",)


def test_default_fallbacks_are_not_stored(cache: Path) -> None:
    """A store that was built before the source had a default opens with it."""
    source = embedhub.sources()["wordnet-ppmi"]
    older = replace(source, fallbacks=())
    assert older.vectors(25).fallbacks == ()
    (manifest,) = (cache / "vectors").rglob("manifest.json")
    assert "fallbacks" not in json.loads(manifest.read_text("utf-8"))
    assert source.vectors(25).fallbacks == ("lower",)
    assert len([*(cache / "vectors").rglob("manifest.json")]) == 1


def test_invalid_default_fallback_is_rejected_by_the_source() -> None:
    """A misspelled fallback is an error for the plugin's author, when the source is created."""
    with pytest.raises(ValueError, match="glove-6b: fallbacks has 'lowercase'; the fallbacks are 'lower'"):
        replace(GLOVE_6B, fallbacks=("lowercase",))
    with pytest.raises(TypeError, match="glove-6b: fallbacks is 'lower'; expected a tuple"):
        replace(GLOVE_6B, fallbacks="lower")  # type: ignore[arg-type]  # the point


def test_glove_finds_capitalized_words_by_default(glove_20k: Vectors) -> None:
    """As many words of a text are found as of its lower-cased words."""
    words = ["The", "President", "of", "Zimbabwe", "met", "NASA"]
    result = embedhub.embedding_matrix("glove-6b-20k", 50, words)
    assert (result.matrix == glove_20k.lookup([word.lower() for word in words])).all()
    assert result.matrix.any(axis=1).all()
    assert result.coverage.by_fallback["lower"] == ("The", "President", "Zimbabwe", "NASA")
