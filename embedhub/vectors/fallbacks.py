"""Fallbacks: other words to look up for an out-of-vocabulary word, by name or by function."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from embedhub.vectors.vectors import Vectors

Fallback = str | Callable[[str], str | None]
"""The name of a fallback, or a function that returns another word to look up, or None."""

WORD_STARTS = ("\u2581", "\u0120")
"""Marks that tokenizers put at the start of a word: SentencePiece's, and that of byte-level BPE."""

_MISSING, _AVERAGED = -1, -2  # in place of a row number
_ACCENTS = re.compile("[\u0300-\u036f]")
_NUMBER = re.compile("[0-9][0-9]")
_DIGIT = re.compile("[0-9]")

_Parts = tuple[str, ...]


def _unaccent(word: str) -> _Parts:
    # Only marks of Latin, Greek and Cyrillic: in other scripts a mark may be a vowel.
    unaccented = _ACCENTS.sub("", unicodedata.normalize("NFD", word))
    return (unicodedata.normalize("NFC", unaccented),)


def _mask_digits(word: str) -> _Parts:
    return (_DIGIT.sub("#", word),) if _NUMBER.search(word) else ()


def _split_at_hyphens(word: str) -> _Parts:
    parts = tuple(word.split("-"))
    return parts if len(parts) > 1 and all(parts) else ()


def _without_word_start(word: str) -> _Parts:
    return (word[1:],) if word.startswith(WORD_STARTS) and len(word) > 1 else ()


# Each returns the words whose vectors are averaged: one word, several parts, or none.
_FALLBACKS: dict[str, Callable[[str], _Parts]] = {
    "lower": lambda word: (word.lower(),),
    "unaccent": _unaccent,
    "title": lambda word: (word.title(),),
    "digits": _mask_digits,
    "hyphen": _split_at_hyphens,
    "word-start": _without_word_start,
}


def validate_fallbacks(fallbacks: Iterable[Any], label: str = "fallbacks") -> tuple[Fallback, ...]:
    """Return a chain of fallbacks as a tuple.

    Raises:
        ValueError: An element is neither the name of a fallback nor a function.
        TypeError: The chain is a string, or not iterable.
    """
    expected = f"the fallbacks are {', '.join(map(repr, _FALLBACKS))}, or a function of a word"
    if isinstance(fallbacks, str) or not isinstance(fallbacks, Iterable):
        raise TypeError(f"{label} is {fallbacks!r}; expected a tuple, like ('lower', 'hyphen'); {expected}.")
    chain = tuple(fallbacks)
    for fallback in chain:
        if not callable(fallback) and not (isinstance(fallback, str) and fallback in _FALLBACKS):
            raise ValueError(f"{label} has {fallback!r}; {expected}.")
    return chain


@dataclass(frozen=True, slots=True)
class Match:
    """Rows of the words of a vocabulary in a source.

    Args:
        rows: The source's row of each word, ``(k,)`` int64; negative if it has none, or several.
        averaged: Rows of several parts, whose mean is the vector, by position of the word.
        by_fallback: Positions of the words that each fallback has found, by its name.
    """

    rows: NDArray[np.int64]
    averaged: dict[int, NDArray[np.int64]]
    by_fallback: dict[str, list[int]]

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Whether each word is missing."""
        missing: NDArray[np.bool_] = self.rows == _MISSING
        return missing

    def vectors(self, vectors: "Vectors") -> NDArray[np.float32]:
        """Return the vectors of the words, ``(k, dim)`` float32, zeros for missing words."""
        matrix: NDArray[np.float32] = np.take(vectors.matrix, self.rows, axis=0, mode="clip")
        matrix[self.missing] = 0
        for position, mean in self.mean_vectors(vectors):
            matrix[position] = mean
        return matrix

    def mean_vectors(self, vectors: "Vectors") -> Iterator[tuple[int, NDArray[np.float64]]]:
        """Yield the position of each word that was found as several parts, and the mean of their vectors."""
        for position, rows in self.averaged.items():
            yield position, vectors.matrix[rows].mean(axis=0, dtype=np.float64)


def lookup(vectors: "Vectors", words: list[str], fallbacks: tuple[Fallback, ...]) -> Match:
    """Look up words, and apply fallbacks to the missing ones.

    Each fallback is applied to the word and to all results of the previous fallbacks; the first result that
    is in the vocabulary counts. It costs one look-up of all words that are still missing.
    """
    rows = vectors.indices(words)
    averaged: dict[int, NDArray[np.int64]] = {}
    by_fallback: dict[str, list[int]] = {}
    candidates = {i: [words[i]] for i in np.flatnonzero(rows < 0).tolist()}
    for fallback in fallbacks:
        name, apply = _as_function(fallback)
        attempts = [(i, parts) for i, tried in candidates.items() for word in tried if (parts := apply(word))]
        attempts = [(i, parts) for i, parts in attempts if len(parts) > 1 or parts[0] not in candidates[i]]
        part_rows = vectors.indices([part for _, parts in attempts for part in parts])
        positions = by_fallback.setdefault(name, [])
        start = 0
        for i, parts in attempts:
            current = part_rows[start : start + len(parts)]
            start += len(parts)
            if i not in candidates:
                continue  # an earlier candidate of the word was found
            if (current >= 0).all():
                if len(parts) == 1:
                    rows[i] = current[0]
                else:
                    rows[i], averaged[i] = _AVERAGED, current
                positions.append(i)
                del candidates[i]
            elif len(parts) == 1:
                candidates[i].append(parts[0])
    return Match(rows, averaged, by_fallback)


def alternatives(words: Iterable[str], fallbacks: tuple[Fallback, ...]) -> set[str]:
    """Return words, and all that `lookup` may look up in place of them.

    Args:
        words: The words.
        fallbacks: As for `lookup`.
    """
    found: set[str] = set()
    for word in words:
        tried = [word]
        for fallback in fallbacks:
            _, apply = _as_function(fallback)
            for parts in [apply(one) for one in tried]:
                found.update(parts)
                tried += parts if len(parts) == 1 else ()
        found.update(tried)
    return found


def _as_function(fallback: Fallback) -> tuple[str, Callable[[str], _Parts]]:
    """Return the name of a fallback, and a function from a word to words."""
    if isinstance(fallback, str):
        return fallback, _FALLBACKS[fallback]
    name = getattr(fallback, "__name__", type(fallback).__name__)

    def apply(word: str) -> _Parts:
        result = fallback(word)
        if result is not None and not isinstance(result, str):
            raise TypeError(f"The fallback {name} returned {result!r} for {word!r}; expected a word or None.")
        return () if result is None else (result,)

    return name, apply
