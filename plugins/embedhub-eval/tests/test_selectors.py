"""Selectors of sources."""

from pathlib import Path
from typing import Any

import pytest
from embedhub_eval.selectors import parse_selectors

import embedhub


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        ("glove-6b:50", [("glove-6b", 50)]),
        (("a:50", "b:50"), [("a", 50), ("b", 50)]),
        (["a", "a", "a:5", "a:5"], [("a", None), ("a", 5)]),
        (["./my.vec:3", r"C:\my.vec", "x.zip#a:3"], [("./my.vec", 3), (r"C:\my.vec", None), ("x.zip#a", 3)]),
        ([("a", 5), (Path("b"), 7), Path("c")], [("a", 5), (Path("b"), 7), (Path("c"), None)]),
        (("a", 5), [("a", 5)]),
        (Path("a"), [(Path("a"), None)]),
    ],
)
def test_selectors_have_a_source_and_a_dim(selectors: Any, expected: list[tuple[Any, int | None]]) -> None:
    """A colon separates source and dim; paths are sources; duplicates are dropped."""
    assert parse_selectors(selectors) == expected


def test_selector_keeps_its_limit() -> None:
    """The limit stays in the string, and the dimension is apart."""
    ((source, dim),) = parse_selectors("glove-6b-20k:50 | limit(10)")
    assert (source, dim) == ("glove-6b-20k | limit(10)", 50)
    assert len(embedhub.load(source, dim)) == 10


def test_vectors_are_a_selector(make_vectors: Any) -> None:
    """Vectors select themselves, alone and in a pair."""
    vectors = make_vectors(["a"])
    for selectors in (vectors, [vectors], (vectors, None)):
        ((source, dim),) = parse_selectors(selectors)
        assert source is vectors
        assert dim is None


@pytest.mark.parametrize(
    ("selectors", "error", "message"),
    [
        ([], ValueError, "No source was given"),
        ([7], TypeError, "7 is not a source"),
    ],
)
def test_invalid_selector_is_an_error(selectors: Any, error: type[Exception], message: str) -> None:
    """The message has the expected form."""
    with pytest.raises(error, match=message):
        parse_selectors(selectors)
