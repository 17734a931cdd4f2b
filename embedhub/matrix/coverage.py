"""`Coverage`: how much of a vocabulary a source knows, and why it may be little."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embedhub.errors import VocabularyError
from embedhub.vectors.fallbacks import Match
from embedhub.vectors.vectors import Vectors

if TYPE_CHECKING:
    from rich.table import Table

_SHOWN = 5
_SHOWN_IN_TABLE = 10
_SAMPLE = 1000
_LIKELY = 0.2  # of the sample


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a vocabulary a source knows.

    Padding, gaps, and rows for unknown words are no words of it: they are neither found nor missing.

    Example:
        >>> import embedhub
        >>> counts = {"rain": 8, "qwxz": 2}
        >>> coverage = embedhub.coverage("wordnet-ppmi", 25, ["Music", "rain", "qwxz"], counts=counts)
        >>> print(coverage)
        2 of 3 words found (66.7%; 1 by lower), 80.0% of 10 tokens; missing: qwxz
        >>> coverage.by_fallback
        {'lower': ('Music',)}

    Args:
        total: Number of words in the vocabulary.
        missing: The words that were not found: the most frequent first where their counts were given, else
            in the order of their indices.
        by_fallback: The words that each fallback has found, by its name.
        tokens: How often the words of the vocabulary occur in all, None without counts.
        tokens_found: How often the words that were found occur, None without counts.
    """

    total: int
    missing: tuple[str, ...]
    by_fallback: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tokens: int | None = None
    tokens_found: int | None = None

    @property
    def found(self) -> int:
        """Number of words that were found, by fallbacks too."""
        return self.total - len(self.missing)

    @property
    def ratio(self) -> float:
        """Share of words found, between 0 and 1."""
        return self.found / self.total

    @property
    def token_ratio(self) -> float | None:
        """Share of tokens whose word was found, between 0 and 1; None without counts."""
        return None if self.tokens is None or self.tokens_found is None else self.tokens_found / self.tokens

    def __str__(self) -> str:
        served = ", ".join(f"{len(words):,} by {name}" for name, words in self.by_fallback.items() if words)
        return (
            f"{self.found:,} of {self.total:,} words found ({self.ratio:.1%}{'; ' if served else ''}{served})"
            + (f", {self.token_ratio:.1%} of {self.tokens:,} tokens" if self.tokens else "")
            + (f"; missing: {_listed(self.missing, _SHOWN)}" if self.missing else "")
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts, lists, strings and numbers, as JSON has them.

        Example:
            >>> Coverage(2, ("qwxz",)).to_dict()["ratio"]
            0.5
        """
        return {
            "total": self.total,
            "found": self.found,
            "ratio": self.ratio,
            "by_fallback": {name: list(words) for name, words in self.by_fallback.items()},
            "missing": list(self.missing),
            "tokens": self.tokens,
            "tokens_found": self.tokens_found,
            "token_ratio": self.token_ratio,
        }

    def __rich__(self) -> "Table":
        """Return a table: what was found as it is, what by each fallback, what is missing."""
        # An import of rich takes longer than a look-up of 20,000 words.
        from rich.markup import escape
        from rich.table import Table

        exact = self.found - sum(map(len, self.by_fallback.values()))
        table = Table("", "words", "ratio", "examples", title=f"Coverage of {self.total:,} words")
        table.add_row("found", f"{exact:,}", f"{exact / self.total:.1%}", "")
        served = {f"found by {name}": words for name, words in self.by_fallback.items()}
        for name, words in (served | {"missing": self.missing}).items():
            share = f"{len(words) / self.total:.1%}"
            table.add_row(escape(name), f"{len(words):,}", share, escape(_listed(words, _SHOWN_IN_TABLE)))
        if self.token_ratio is not None:
            table.add_row("tokens found", f"{self.tokens_found:,}", f"{self.token_ratio:.1%}", "")
        return table


def tokens_of(words: list[str], counts: Mapping[str, int] | None) -> NDArray[np.signedinteger[Any]] | None:
    """Return how often each word occurs, ``(len(words),)`` integers; None without counts.

    Raises:
        VocabularyError: ``counts`` is no mapping of words to numbers, or counts none of these words.
    """
    expected = "expected word -> how often it occurs, as collections.Counter or Tokenizer.word_counts have it"
    if counts is None:
        return None
    if not isinstance(counts, Mapping):
        raise VocabularyError(f"counts is of type {type(counts).__name__}; {expected}.")
    tokens = np.asarray([counts.get(word, 0) for word in words])
    if tokens.dtype.kind != "i":
        raise VocabularyError(f"counts has values that are no integers ({tokens.dtype}); {expected}.")
    if tokens.min() < 0:
        word = words[int(tokens.argmin())]
        raise VocabularyError(f"counts has {word!r}: {tokens.min()}; {expected}.")
    if not tokens.any():
        raise VocabularyError(
            f"counts has none of the words of word_index, such as {words[0]!r}; {expected}."
        )
    return tokens


def measure(
    words: list[str],
    indices: NDArray[np.int64],
    match: Match,
    tokens: NDArray[np.signedinteger[Any]] | None,
) -> Coverage:
    """Return the coverage of words.

    Args:
        words: ``k`` words.
        indices: ``(k,)`` the index of each.
        match: What was found of them.
        tokens: ``(k,)`` how often each occurs, or None.
    """
    absent = np.flatnonzero(match.missing)
    absent = absent[np.argsort(indices[absent], kind="stable")]
    if tokens is not None:
        absent = absent[np.argsort(-tokens[absent], kind="stable")]
    return Coverage(
        len(words),
        tuple(words[i] for i in absent.tolist()),
        {name: tuple(words[i] for i in positions) for name, positions in match.by_fallback.items()},
        tokens=None if tokens is None else int(tokens.sum()),
        tokens_found=None if tokens is None else int(tokens[~match.missing].sum()),
    )


# What a user may have forgotten to do to the words, and what to do about it.
_CURES: tuple[tuple[str, Callable[[str], str], str], ...] = (
    ("in lower case", str.lower, "pass fallbacks=('lower',)"),
    ("without white space around them", str.strip, "strip the lines of the file they come from"),
    (
        "without the marks of word pieces",
        lambda word: word.removeprefix("##").lstrip(
            "\u0120\u2581"
        ),  # WordPiece; byte-level BPE, SentencePiece
        "word pieces are no words, but pass a function that takes the marks off as a fallback",
    ),
    (
        "without b'...' around them",
        lambda word: word[2:-1] if word[:2] in {"b'", 'b"'} else word,
        "they were bytes, and str() is not how to decode them",
    ),
)


def causes(vectors: Vectors, missing: tuple[str, ...]) -> str:
    """Say why so many words may be missing: what would have helped, tried on some of them, else a guess."""
    sample = missing[:_SAMPLE]
    likely = []
    for changed, change, advice in _CURES:
        helped = int((vectors.indices([change(word) for word in sample]) >= 0).sum())
        if helped >= _LIKELY * len(sample):
            what = f"{helped:,} of {len(sample):,} of them" if len(sample) > 1 else "it"
            likely.append(f"{changed} {what} would be found ({advice})")
    if likely:
        return f"Of what is missing, {'; '.join(likely)}."
    return (
        "Likely causes: words of another language, cased words in an uncased source, word pieces ('##ing', "
        "'\u2581the'), or indices where words should be."
    )


def _listed(words: tuple[str, ...], shown: int) -> str:
    """Return the first words in one line, whatever is in them."""
    printable = [word if word.isprintable() and word else repr(word) for word in words[:shown]]
    return ", ".join(printable) + (", ..." if len(words) > shown else "")
