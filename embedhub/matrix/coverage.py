"""Coverage of a vocabulary by a source, and diagnosis of low coverage."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embedhub._html import html_table
from embedhub.errors import VocabularyError
from embedhub.matrix.word_index import WordIndex
from embedhub.vectors.fallbacks import Match
from embedhub.vectors.tokens import strip_marks, word_start
from embedhub.vectors.vectors import Vectors

if TYPE_CHECKING:
    from rich.table import Table

_COLUMNS = ("", "words", "ratio", "examples")
_MAX_LISTED = 5
_MAX_LISTED_IN_TABLE = 10
_MAX_SHOWN = 40  # characters of a word
_SAMPLE_SIZE = 1000
_HINT_THRESHOLD = 0.2  # of the sample
_TOKENIZER = "tokenizer.json"


@dataclass(frozen=True, slots=True, repr=False)
class Coverage:
    """The coverage of a vocabulary by a source: the words found, and the words missing.

    Padding, gaps, tokens for unknown words, and tokens such as ``[CLS]`` that the source does not have are
    not counted: they are neither found nor missing.

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
        missing: The words that were not found, in the order of their indices; with counts, the most frequent
            first.
        by_fallback: The words that each fallback found, by the name of the fallback.
        tokens: Number of occurrences of all words; None without counts.
        tokens_found: Number of occurrences of the words that were found; None without counts.
    """

    total: int
    missing: tuple[str, ...]
    by_fallback: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tokens: int | None = None
    tokens_found: int | None = None

    @property
    def found(self) -> int:
        """Number of words found, including those found by fallbacks."""
        return self.total - len(self.missing)

    @property
    def ratio(self) -> float:
        """Fraction of the words that were found, between 0 and 1."""
        return self.found / self.total

    @property
    def token_ratio(self) -> float | None:
        """Fraction of the tokens whose word was found, between 0 and 1; None without counts."""
        return None if self.tokens is None or self.tokens_found is None else self.tokens_found / self.tokens

    def __repr__(self) -> str:
        return f"<Coverage: {self}>"

    def __str__(self) -> str:
        details = [f"{len(words):,} by {name}" for name, words in self.by_fallback.items() if words]
        ratios = "; ".join([f"{self.ratio:.1%}", *([", ".join(details)] if details else [])])
        return (
            f"{self.found:,} of {self.total:,} words found ({ratios})"
            + (f", {self.token_ratio:.1%} of {self.tokens:,} tokens" if self.tokens else "")
            + (f"; missing: {_list_words(self.missing, _MAX_LISTED)}" if self.missing else "")
        )

    def to_dict(self) -> dict[str, Any]:
        """Return all fields and ratios as plain dicts, lists, strings and numbers, ready for JSON.

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
        """Return a table of the words found exactly, found by each fallback, and missing."""
        # Imported here, because importing rich takes longer than looking up 20,000 words.
        from rich.markup import escape
        from rich.table import Table

        table = Table(*_COLUMNS, title=f"Coverage of {self.total:,} words")
        for row in self._rows():
            table.add_row(*map(escape, row))
        return table

    def _repr_html_(self) -> str:
        title = f"Coverage of {self.total:,} words"
        return html_table(title, _COLUMNS, self._rows(), right_aligned=_COLUMNS[1:3])

    def _rows(self) -> Iterator[tuple[str, str, str, str]]:
        """Yield the rows of the table."""
        exact = self.found - sum(map(len, self.by_fallback.values()))
        yield "found", f"{exact:,}", f"{exact / self.total:.1%}", ""
        by_fallback = {f"found by {name}": words for name, words in self.by_fallback.items()}
        for name, words in (by_fallback | {"missing": self.missing}).items():
            examples = _list_words(words, _MAX_LISTED_IN_TABLE)
            yield name, f"{len(words):,}", f"{len(words) / self.total:.1%}", examples
        if self.token_ratio is not None:
            yield "tokens found", f"{self.tokens_found:,}", f"{self.token_ratio:.1%}", ""


def occurrences(words: list[str], counts: Mapping[str, int] | None) -> NDArray[np.signedinteger[Any]] | None:
    """Return how often each word occurs, ``(len(words),)`` integers; None without counts.

    Raises:
        VocabularyError: ``counts`` is not a mapping, has a value that is not an integer from 0, or has none
            of the words.
    """
    expected = (
        "expected a mapping of word -> number of occurrences, like collections.Counter or "
        "Tokenizer.word_counts"
    )
    if counts is None:
        return None
    if not isinstance(counts, Mapping):
        raise VocabularyError(f"counts is of type {type(counts).__name__}; {expected}.")
    tokens = np.asarray([counts.get(word, 0) for word in words])
    if tokens.dtype.kind != "i":
        raise VocabularyError(f"counts has values that are not integers ({tokens.dtype}); {expected}.")
    if tokens.min() < 0:
        word = words[int(tokens.argmin())]
        raise VocabularyError(f"counts has {word!r}: {tokens.min()}; {expected}.")
    if not tokens.any():
        raise VocabularyError(
            f"counts has none of the words of word_index, such as {words[0]!r}; {expected}."
        )
    return tokens


def compute_coverage(
    vocabulary: WordIndex, match: Match, tokens: NDArray[np.signedinteger[Any]] | None
) -> Coverage:
    """Return the coverage of a vocabulary, from the look-up of its words and their occurrences if known."""
    words, control = vocabulary.words, vocabulary.control_tokens
    missing = np.flatnonzero(match.missing)
    is_control = np.fromiter((words[i] in control for i in missing.tolist()), np.bool_, len(missing))
    uncounted, missing = missing[is_control], missing[~is_control]
    missing = missing[np.argsort(vocabulary.indices[missing], kind="stable")]
    if tokens is not None:
        missing = missing[np.argsort(-tokens[missing], kind="stable")]
    return Coverage(
        len(words) - len(uncounted),
        tuple(words[i] for i in missing.tolist()),
        {name: tuple(words[i] for i in positions) for name, positions in match.by_fallback.items()},
        tokens=None if tokens is None else int(tokens.sum() - tokens[uncounted].sum()),
        tokens_found=None if tokens is None else int(tokens[~match.missing].sum()),
    )


# A preparation that the words may lack, a function that applies it, and advice for the user.
_HINTS: tuple[tuple[str, Callable[[str], str], str], ...] = (
    ("in lower case", str.lower, "pass fallbacks=('lower',)"),
    ("without surrounding white space", str.strip, "strip the lines of your file"),
    (
        "without the marks of word pieces",
        strip_marks,
        "they are subwords: fallbacks=('word-start', 'lower') finds those that start a word",
    ),
    (
        "without b'...' around them",
        lambda word: word[2:-1] if word[:2] in {"b'", 'b"'} else word,
        "they are bytes converted by str(); use .decode()",
    ),
)


def diagnose(vectors: Vectors, missing: tuple[str, ...]) -> str:
    """Return likely reasons for missing words: preparations that find some of them, or else common causes."""
    sample = missing[:_SAMPLE_SIZE]
    hints = []
    for prepared, prepare, advice in (*_HINTS, *_mark_hints(vectors)):
        count = int((vectors.indices([prepare(word) for word in sample]) >= 0).sum())
        if count >= _HINT_THRESHOLD * len(sample):
            hints.append(f"{count:,} of {len(sample):,} would be found {prepared} ({advice})")
    texts = sum(map(is_phrase, sample))
    if texts >= _HINT_THRESHOLD * len(sample):
        hints.append(
            f"{texts:,} of {len(sample):,} contain spaces: they may be texts, where words are "
            "expected, such as a TextVectorization after adapt(texts)"
        )
    found = f"Of the missing words, {'; '.join(hints)}." if hints else ""
    if vectors.unit == "token":
        return f"{_token_hint(vectors)} {found}".rstrip()
    return f"{found}{vectors.limit_note}".lstrip() or (
        "Likely causes: words of another language, cased words with an uncased source, word pieces ('##ing', "
        "'\u2581the'), or indices in place of words."
    )


def is_phrase(word: str) -> bool:
    """Return whether an entry of a vocabulary consists of several words."""
    return len(word.split()) > 1


def _mark_hints(vectors: Vectors) -> list[tuple[str, Callable[[str], str], str]]:
    """Return a hint like those above for tokens that have a mark where a word starts."""
    mark = word_start(vectors) if vectors.unit == "token" else ""
    advice = f"pass fallbacks=(lambda word: {mark!r} + word,)"
    return [(f"with the tokenizer's mark {mark!r}", lambda word: mark + word, advice)] if mark else []


def _token_hint(vectors: Vectors) -> str:
    opened = f"tokenizers.Tokenizer.from_file(vectors.files[{_TOKENIZER!r}])"
    own = f"its tokenizer, {opened}," if _TOKENIZER in vectors.files else "its tokenizer"
    return (
        f"The vectors of {vectors.name} belong to the tokens of a tokenizer, not to words: a missing "
        f"word consists of several tokens, such as 'rain' and '##ing'. Tokenize texts with {own} and pass "
        "that in place of the vocabulary (embedhub_static.layer_and_tokenizer does both), or as tokenize= to "
        "embedhub_text.TextEmbedder. Or use a source of words."
    )


def _list_words(words: tuple[str, ...], limit: int) -> str:
    """Return the first words on one line; empty and unprintable ones are escaped."""
    short = [word if len(word) <= _MAX_SHOWN else f"{word[:_MAX_SHOWN]}..." for word in words[:limit]]
    printable = [word if word.isprintable() and word else repr(word) for word in short]
    return ", ".join(printable) + (", ..." if len(words) > limit else "")
