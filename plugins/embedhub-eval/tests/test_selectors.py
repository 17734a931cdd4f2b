"""Several sources, as a caller lists them."""

from pathlib import Path
from typing import Any

import pytest
from embedhub_eval.selectors import choices


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("glove-6b:50", [("glove-6b", 50)]),
        (["glove-6b", "50"], [("glove-6b", 50)]),
        (
            ["glove-6b", "50", "100", "wordnet-ppmi", "25"],
            [("glove-6b", 50), ("glove-6b", 100), ("wordnet-ppmi", 25)],
        ),
        (["a:50", "100"], [("a", 50), ("a", 100)]),
        (["a", "b", "50"], [("a", None), ("b", 50)]),
        (["a", "a", "a:5", "a:5"], [("a", None), ("a", 5)]),
        (["./my.vec:3", r"C:\my.vec", "x.zip#a:3"], [("./my.vec", 3), (r"C:\my.vec", None), ("x.zip#a", 3)]),
        ([("a", 5), (Path("b"), None), "7"], [("a", 5), (Path("b"), None), (Path("b"), 7)]),
        (("a", 5), [("a", 5)]),
    ],
)
def test_sources_and_dims_are_told_apart(given: Any, expected: list[tuple[Any, int | None]]) -> None:
    """A colon or a blank stands between a source and its dim; paths are sources; nothing comes twice."""
    assert choices(given) == expected


def test_vectors_can_be_chosen_too(make_vectors: Any) -> None:
    """A pair has whatever `embedhub.load` takes."""
    vectors = make_vectors(["a"])
    assert choices([(vectors, None)])[0][0] is vectors


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ([], ValueError, "No source was given"),
        (["50"], ValueError, "'50' is a dim without a source before it"),
        ([7], TypeError, "7 is no source to choose"),
    ],
)
def test_what_is_no_choice_is_refused(given: Any, error: type[Exception], message: str) -> None:
    """The message says what was expected."""
    with pytest.raises(error, match=message):
        choices(given)
