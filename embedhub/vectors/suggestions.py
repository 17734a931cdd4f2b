"""Words near to one that is missing, so that an error can name them."""

from collections.abc import Iterable, Iterator

from embedhub.errors import WordNotFoundError
from embedhub.vectors import fallbacks
from embedhub.vectors.vectors import Vectors

_FORMS = ("lower", "unaccent", "title", "digits")  # those that make one word of one
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-_'."
_LONGEST = 40  # letters; of a longer word nobody meant another


def suggest(vectors: Vectors, word: str, topn: int = 5) -> list[str]:
    """Return words of a source that are close to one that it does not have.

    First comes what fallbacks make of it, then the words at one edit from it (a letter left out, put in or
    changed, or two of them swapped), the ones of the earliest rows first: in most sources these are the most
    frequent. All edits are looked up at once, so the size of the source does not matter: P. Norvig, "How to
    write a spelling corrector", 2007.

    Example:
        >>> import embedhub
        >>> from embedhub.vectors.suggestions import suggest
        >>> suggest(embedhub.load("wordnet-ppmi", 25), "Musicc", topn=1)
        ['music']

    Args:
        vectors: Where to look.
        word: The word that is missing.
        topn: How many at most.
    """
    if not word or len(word) > _LONGEST:
        return []
    (form,) = fallbacks.lookup(vectors, [word], _FORMS).rows.tolist()
    near = list(dict.fromkeys(edit for base in {word: 0, word.lower(): 0} for edit in _edits(base)))
    rows = vectors.indices(near)
    close = [form, *sorted(rows[rows >= 0].tolist())] if form >= 0 else sorted(rows[rows >= 0].tolist())
    return [vectors.words[row] for row in dict.fromkeys(close)][:topn]


def _edits(word: str) -> Iterator[str]:
    """Give all words at one edit."""
    letters = "".join(dict.fromkeys(word + _LETTERS))
    for at in range(len(word) + 1):
        before, after = word[:at], word[at:]
        yield from (before + letter + after for letter in letters)
        if after:
            yield before + after[1:]
            yield from (before + letter + after[1:] for letter in letters)
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]


def require_words(vectors: Vectors, words: Iterable[str]) -> None:
    """Raise an error that names close words, if one of some words is missing.

    Raises:
        WordNotFoundError: At least one is.
    """
    words = list(words)
    missing = [words[i] for i in (vectors.indices(words) < 0).nonzero()[0].tolist()]
    if not missing:
        return
    told = []
    where = f"{vectors.name} {vectors.dim}d"
    for word in missing:
        close = ", ".join(map(repr, suggest(vectors, word)))
        told.append(f"{where} has no word {word!r}{f'; close to it: {close}' if close else ''}.")
    raise WordNotFoundError(" ".join(told))
