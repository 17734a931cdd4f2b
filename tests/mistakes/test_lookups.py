"""What users get wrong when they look up words, and what the messages say."""

from pathlib import Path
from typing import Any

import numpy as np
from mistakes import Mistake, check, each

import embedhub
from embedhub import Vectors
from embedhub.errors import DimNotFoundError, WordNotFoundError


def of(matrix: Any, words: Any) -> Vectors:
    """Return vectors of arrays; anything is passed, since these are mistakes."""
    return Vectors(matrix, words)


def wordnet() -> Any:
    """Return vectors without their type, since these are mistakes."""
    return embedhub.load("wordnet-ppmi", 25)


MISTAKES = [
    Mistake("a missing word", lambda _: wordnet()["qwxz"], WordNotFoundError, ("'qwxz'", ".get(word")),
    Mistake("a number", lambda _: wordnet()[3], TypeError, ("str", "3", "int")),
    Mistake("two words", lambda _: wordnet()["sun", "rain"], TypeError, ("str", "'sun'", "tuple")),
    Mistake(
        "words by a word",
        lambda _: wordnet().words["the"],
        TypeError,
        ("vectors['the']", "words.index('the')"),
    ),
    Mistake("a row too far", lambda _: wordnet().words[10**6], IndexError, ("1000000", "78781")),
    Mistake(
        "one word to lookup",
        lambda _: wordnet().lookup("rain"),
        TypeError,
        ("several words", "'rain'", "vectors['rain']"),
    ),
    Mistake("one word to indices", lambda _: wordnet().indices("rain"), TypeError, ("several", "'rain'")),
    Mistake("indices of numbers", lambda _: wordnet().indices([1]), TypeError, ("str", "1", "int")),
    Mistake(
        "missing words",
        lambda _: wordnet().lookup(["rain", "qwxz"]),
        WordNotFoundError,
        ("1 of 2", "'qwxz'", "missing='zeros'"),
    ),
    Mistake(
        "missing='zero'",
        lambda _: wordnet().lookup(["rain"], missing="zero"),
        ValueError,
        ("missing is 'zero'", "'raise' or 'zeros'"),
    ),
    Mistake(
        "neighbors of several words",
        lambda _: wordnet().most_similar(["king", "queen"]),
        TypeError,
        ("['king', 'queen']", "lookup(words).mean(axis=0)"),
    ),
    Mistake(
        "positive and negative words",
        lambda _: wordnet().most_similar(positive=["king", "woman"], negative=["man"]),
        TypeError,
        ("no positive=", "one word or vector", "vectors['king'] - vectors['man']", "analogy('man', 'king'"),
    ),
    Mistake(
        "negative words only",
        lambda _: wordnet().most_similar("king", negative=["man"]),
        TypeError,
        ("no negative=", "one word or vector"),
    ),
    Mistake(
        "neighbors of None",
        lambda _: wordnet().most_similar(None),
        ValueError,
        ("a word", "(25,)"),
    ),
    Mistake(
        "a vector of another dim",
        lambda _: wordnet().most_similar(np.zeros(50)),
        ValueError,
        ("(50,)", "(25,)"),
    ),
    Mistake(
        "several vectors",
        lambda _: wordnet().most_similar(np.zeros((2, 25))),
        ValueError,
        ("(2, 25)", "(25,)"),
    ),
    Mistake(
        "topn=None",
        lambda _: wordnet().most_similar("rain", topn=None),
        TypeError,
        ("topn is None", "integer"),
    ),
    Mistake("topn=0", lambda _: wordnet().most_similar("rain", 0), ValueError, ("topn is 0", "1 or more")),
    Mistake(
        "topn=2.5",
        lambda _: wordnet().analogy("man", "king", "woman", topn=2.5),
        TypeError,
        ("topn is 2.5", "integer"),
    ),
    Mistake(
        "an analogy of a missing word",
        lambda _: wordnet().analogy("man", "king", "qwxz"),
        WordNotFoundError,
        ("1 of 3", "'qwxz'"),
    ),
    Mistake(
        "similarity to a missing word",
        lambda _: wordnet().similarity("man", "qwxz"),
        WordNotFoundError,
        ("'qwxz'",),
    ),
    Mistake(
        "another dim of opened vectors",
        lambda _: embedhub.load(wordnet(), 50),
        DimNotFoundError,
        ("25", "50"),
    ),
    Mistake("fewer words than rows", lambda _: of(np.eye(3), ["a"]), ValueError, ("(3, 3)", "(1, dim)")),
    Mistake("one row", lambda _: of(np.zeros(3), ["a", "b", "c"]), ValueError, ("(3,)", "(3, dim)")),
    Mistake("rows of two lengths", lambda _: of([[1], [1, 2]], ["a", "b"]), TypeError, ("one length",)),
    Mistake("a matrix of words", lambda _: of([["x"]], ["a"]), TypeError, ("numbers",)),
    Mistake("NaN", lambda _: of([[1.0], [np.nan]], ["a", "b"]), ValueError, ("row 1", "finite")),
    Mistake("a word twice", lambda _: of(np.eye(2), ["a", "a"]), ValueError, ("'a'", "more than once")),
    Mistake("words and numbers", lambda _: of(np.eye(2), ["a", 2]), TypeError, ("2", "int", "strings")),
    Mistake("one string", lambda _: of(np.eye(2), "ab"), TypeError, ("'ab'", "one word for each row")),
    Mistake("arguments exchanged", lambda _: of(["a", "b"], np.eye(2)), TypeError, ("strings",)),
]


@each(MISTAKES)
def test_mistake_is_explained(mistake: Mistake, tmp_path: Path) -> None:
    """Each message says what is wrong and what to do."""
    check(mistake, tmp_path)
