"""Suggestions of similarly spelled words, for errors about out-of-vocabulary words."""

from collections.abc import Iterable, Iterator

from embedhub.errors import WordNotFoundError
from embedhub.vectors import fallbacks
from embedhub.vectors.vectors import Vectors

_ONE_WORD_FALLBACKS = ("lower", "unaccent", "title", "digits")
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-_'."
_MAX_LENGTH = 40  # characters; a longer word is unlikely to be a misspelling


def suggest(vectors: Vectors, word: str, topn: int = 5) -> list[str]:
    """Return words of a source whose spelling is close to a word that it does not have.

    The first one is the result of the fallbacks. Then come the words at edit distance 1 (a letter deleted,
    inserted or replaced, or two neighbors swapped), in the order of the source, which is mostly by frequency.
    All of them are looked up at once, so the time does not depend on the size of the source: P. Norvig, "How
    to write a spelling corrector", 2007.
    """
    if not word or len(word) > _MAX_LENGTH:
        return []
    (row,) = fallbacks.lookup(vectors, [word], _ONE_WORD_FALLBACKS).rows.tolist()
    edits = list(dict.fromkeys(edit for base in {word: 0, word.lower(): 0} for edit in _edits(base)))
    rows = vectors.indices(edits)
    candidates = sorted(rows[rows >= 0].tolist())
    if row >= 0:
        candidates = [row, *candidates]
    return [vectors.words[row] for row in dict.fromkeys(candidates)][:topn]


def _edits(word: str) -> Iterator[str]:
    """Yield all words at edit distance 1."""
    letters = "".join(dict.fromkeys(word + _LETTERS))
    for place in range(len(word) + 1):
        before, after = word[:place], word[place:]
        yield from (before + letter + after for letter in letters)
        if after:
            yield before + after[1:]
            yield from (before + letter + after[1:] for letter in letters)
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]


def require_words(vectors: Vectors, words: Iterable[str]) -> None:
    """Raise an error with suggestions if a word is missing.

    Raises:
        WordNotFoundError: At least one of the words is missing.
    """
    if missing := [word for word in words if word not in vectors]:
        raise WordNotFoundError(" ".join(describe_missing(vectors, word) for word in missing))


def describe_missing(vectors: Vectors, word: str) -> str:
    """Return a sentence about a missing word, with suggestions."""
    suggestions = ", ".join(map(repr, suggest(vectors, word)))
    hint = f"; close to it: {suggestions}" if suggestions else ""
    return f"{vectors.name} {vectors.dim}d has no word {word!r}{hint}.{vectors.limit_note}"
