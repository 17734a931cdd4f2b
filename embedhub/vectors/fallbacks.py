"""What is tried for a word that a source does not have: a chain of fallbacks, as data."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedhub.vectors.vectors import Fallback as Fallback  # noqa: PLC0414 - also for others
from embedhub.vectors.vectors import Vectors

_MISSING, _MEAN = -1, -2
_ACCENTS = re.compile("[\u0300-\u036f]")
_NUMBER = re.compile("[0-9][0-9]")
_DIGIT = re.compile("[0-9]")

_Parts = tuple[str, ...]


def _unaccent(word: str) -> _Parts:
    # Of all marks only those of Latin, Greek and Cyrillic: in other scripts a mark may be a vowel.
    bare = _ACCENTS.sub("", unicodedata.normalize("NFD", word))
    return (unicodedata.normalize("NFC", bare),)


def _digits(word: str) -> _Parts:
    return (_DIGIT.sub("#", word),) if _NUMBER.search(word) else ()


def _hyphen(word: str) -> _Parts:
    parts = tuple(word.split("-"))
    return parts if len(parts) > 1 and all(parts) else ()


# Each gives the words whose rows' mean is the answer: one, or the parts, or none if it has nothing to say.
_NAMED: dict[str, Callable[[str], _Parts]] = {
    "lower": lambda word: (word.lower(),),
    "unaccent": _unaccent,
    "title": lambda word: (word.title(),),
    "digits": _digits,
    "hyphen": _hyphen,
}


def check(fallbacks: Iterable[Any], where: str = "fallbacks") -> tuple[Fallback, ...]:
    """Return a chain of fallbacks as a tuple.

    Raises:
        ValueError: One is neither a known name nor a function.
        TypeError: This is no chain.
    """
    known = f"the fallbacks are {', '.join(map(repr, _NAMED))}, or a function of a word"
    if isinstance(fallbacks, str) or not isinstance(fallbacks, Iterable):
        raise TypeError(f"{where} is {fallbacks!r}; expected a tuple, like ('lower', 'hyphen'); {known}.")
    chain = tuple(fallbacks)
    for fallback in chain:
        if not callable(fallback) and not (isinstance(fallback, str) and fallback in _NAMED):
            raise ValueError(f"{where} has {fallback!r}; {known}.")
    return chain


@dataclass(frozen=True, slots=True)
class Match:
    """Where the words of a vocabulary are in a source.

    Args:
        rows: ``(k,)`` int64, the source's row of each word; negative where it has none, or several.
        means: The rows whose mean is the answer, by the position of the word.
        by_fallback: Positions of the words that each fallback has found, by its name.
    """

    rows: NDArray[np.int64]
    means: dict[int, NDArray[np.int64]]
    by_fallback: dict[str, list[int]]

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Tell of each word whether it was not found."""
        missing: NDArray[np.bool_] = self.rows == _MISSING
        return missing


def find(vectors: Vectors, words: list[str], fallbacks: tuple[Fallback, ...]) -> Match:
    """Look for words, then for what fallbacks make of the missing ones.

    Each fallback is tried on the word, and on what the ones before it have made of the word; the first that
    is found wins. Each costs one look-up of all words that are still missing.

    Args:
        vectors: Where to look.
        words: ``k`` words.
        fallbacks: The chain; see `check`.
    """
    rows = vectors.indices(words)
    means: dict[int, NDArray[np.int64]] = {}
    by_fallback: dict[str, list[int]] = {}
    forms = {i: [words[i]] for i in np.flatnonzero(rows < 0).tolist()}
    for fallback in fallbacks:
        name, step = _step(fallback)
        tries = [(i, parts) for i, known in forms.items() for form in known if (parts := step(form))]
        tries = [(i, parts) for i, parts in tries if len(parts) > 1 or parts[0] not in forms[i]]
        found = vectors.indices([part for _, parts in tries for part in parts])
        served = by_fallback.setdefault(name, [])
        start = 0
        for i, parts in tries:
            here = found[start : start + len(parts)]
            start += len(parts)
            if i not in forms:
                continue  # an earlier form of the word was found
            if (here >= 0).all():
                if len(parts) == 1:
                    rows[i] = here[0]
                else:
                    rows[i], means[i] = _MEAN, here
                served.append(i)
                del forms[i]
            elif len(parts) == 1:
                forms[i].append(parts[0])
    return Match(rows, means, by_fallback)


def _step(fallback: Fallback) -> tuple[str, Callable[[str], _Parts]]:
    if isinstance(fallback, str):
        return fallback, _NAMED[fallback]
    name = getattr(fallback, "__name__", type(fallback).__name__)

    def step(word: str) -> _Parts:
        form = fallback(word)
        if form is not None and not isinstance(form, str):
            raise TypeError(f"The fallback {name} made {form!r} of {word!r}; expected a word or None.")
        return () if form is None else (form,)

    return name, step
