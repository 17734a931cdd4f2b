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
        "no query",
        lambda _: wordnet().most_similar(),
        ValueError,
        ("a word", "(25,)", "got none"),
    ),
    Mistake(
        "neighbors of None",
        lambda _: wordnet().most_similar(None),
        TypeError,
        ("positive is None", "a word", "(25,)"),
    ),
    Mistake(
        "the number of words as second argument",
        lambda _: wordnet().most_similar("rain", 5),
        TypeError,
        ("negative is 5", "topn=5"),
    ),
    Mistake(
        "a word with its weight",
        lambda _: wordnet().most_similar([("king", 0.5)]),
        TypeError,
        ("positive has ('king', 0.5)", "(25,)"),
    ),
    Mistake(
        "a vector of another dim",
        lambda _: wordnet().most_similar(np.zeros(50)),
        ValueError,
        ("(50,)", "(25,)"),
    ),
    Mistake(
        "a vector with NaN",
        lambda _: wordnet().most_similar(["rain", np.full(25, np.nan)]),
        ValueError,
        ("positive", "NaN", "finite"),
    ),
    Mistake(
        "restrict_vocab=0",
        lambda _: wordnet().most_similar("rain", restrict_vocab=0),
        ValueError,
        ("restrict_vocab is 0", "1 or more"),
    ),
    Mistake(
        "restrict_vocab=0.5",
        lambda _: wordnet().most_similar("rain", restrict_vocab=0.5),
        TypeError,
        ("restrict_vocab is 0.5", "number of words"),
    ),
    Mistake(
        "only negative words of 3CosMul",
        lambda _: wordnet().most_similar_cosmul(negative="rain"),
        ValueError,
        ("positive is empty", "most_similar_cosmul('king')"),
    ),
    Mistake(
        "one word for many",
        lambda _: wordnet().most_similar_many("rain"),
        TypeError,
        ("queries is 'rain'", "several words", "(k, 25)"),
    ),
    Mistake(
        "one vector for many",
        lambda _: wordnet().most_similar_many(np.zeros(25)),
        ValueError,
        ("queries", "shape ()", "(k, 25)"),
    ),
    Mistake(
        "the odd one of one string",
        lambda _: wordnet().doesnt_match("rain"),
        TypeError,
        ("words is 'rain'", "several words"),
    ),
    Mistake("the odd one of none", lambda _: wordnet().doesnt_match([]), ValueError, ("empty",)),
    Mistake(
        "the odd one with a missing word",
        lambda _: wordnet().doesnt_match(["rain", "qwxz"]),
        WordNotFoundError,
        ("no word 'qwxz'", "word in vectors"),
    ),
    Mistake(
        "the rank of a missing word",
        lambda _: wordnet().rank("rain", "qwxz"),
        WordNotFoundError,
        ("no word 'qwxz'",),
    ),
    Mistake(
        "the row of a missing word",
        lambda _: wordnet().key_to_index["qwxz"],
        KeyError,
        ("'qwxz'",),
    ),
    Mistake(
        "topn=None",
        lambda _: wordnet().most_similar("rain", topn=None),
        TypeError,
        ("topn is None", "integer"),
    ),
    Mistake(
        "topn=0", lambda _: wordnet().most_similar("rain", topn=0), ValueError, ("topn is 0", "1 or more")
    ),
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
        ("no word 'qwxz'",),
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
    Mistake("a matrix without words", lambda _: of(np.eye(2), None), TypeError, ("words is missing", "dict")),
    Mistake("a dict and words", lambda _: of({"a": [1]}, ["a"]), TypeError, ("given twice",)),
    Mistake(
        "a dict of lists of two lengths", lambda _: of({"a": [1], "b": [1, 2]}, None), TypeError, ("length",)
    ),
    Mistake("one string", lambda _: of(np.eye(2), "ab"), TypeError, ("'ab'", "one word for each row")),
    Mistake("arguments exchanged", lambda _: of(["a", "b"], np.eye(2)), TypeError, ("strings",)),
]


@each(MISTAKES)
def test_mistake_is_explained(mistake: Mistake, tmp_path: Path) -> None:
    """Each message says what is wrong and what to do."""
    check(mistake, tmp_path)
