"""Surface forms: words after the standardization of TextVectorization, with vectors of the source."""

import string
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from embedhub._text_lines import is_utf8
from embedhub.matrix.tokenizers import tokenizer_of
from embedhub.vectors import fallbacks as chains
from embedhub.vectors.fallbacks import Fallback
from embedhub.vectors.vectors import Vectors
from embedhub.vectors.vocabulary import Vocabulary

# TensorFlow lowers ASCII only, and Keras strips ASCII punctuation only.
_UPPER, _LOWER = string.ascii_uppercase, string.ascii_lowercase
STANDARDIZATIONS: dict[str | None, dict[int, int | None]] = {
    "lower_and_strip_punctuation": str.maketrans(_UPPER, _LOWER, string.punctuation),
    "strip_punctuation": str.maketrans("", "", string.punctuation),
    "lower": dict(str.maketrans(_UPPER, _LOWER)),
    None: {},
}
"""The standardizations of TextVectorization, as tables for ``str.translate``."""

_SPACES = frozenset(" \t\n\r\f\v")
SPECIAL_TOKENS = frozenset({"", "[UNK]"})
"""Indices that TextVectorization reserves: 0 for padding, 1 for unknown words."""

_PRONOUNS = ["i", "you", "he", "she", "it", "we", "they", "that", "there", "who", "what"]
_CONTRACTIONS = tuple(
    f"{stem}{ending}"
    for ending, stems in {
        "n't": [
            "ai",
            "are",
            "ca",
            "could",
            "did",
            "does",
            "do",
            "had",
            "has",
            "have",
            "is",
            "might",
            "must",
            "need",
            "ought",
            "sha",
            "should",
            "was",
            "were",
            "wo",
            "would",
        ],
        "'m": ["i"],
        "'re": ["you", "we", "they", "who", "what", "there"],
        "'ve": ["i", "you", "we", "they", "could", "should", "would", "might", "must", "who"],
        "'ll": _PRONOUNS,
        "'d": _PRONOUNS,
        "'s": ["it", "he", "she", "that", "what", "there", "here", "who", "where", "how", "let", "when"],
    }.items()
    for stem in stems
)
# Words that equal a contraction without its apostrophe.
_WORDS = frozenset(["its", "were", "well", "ill", "hell", "shell", "shed", "wed", "id", "lets", "whore"])


@dataclass(frozen=True)
class Surface:
    """The words of a TextVectorization.

    Args:
        words: The words, the source's most frequent first.
        vectors: The vectors of those that the source has.
        ambiguous: Words that keep their own vector, with the other words that they may stand for in a text.
    """

    words: list[str]
    vectors: Vectors
    ambiguous: dict[str, str] = field(default_factory=dict)


def surface_forms(
    vectors: Vectors,
    own: Vectors,
    max_tokens: int,
    texts: Iterable[str],
    *,
    standardize: str | None,
    fallbacks: tuple[Fallback, ...],
) -> Surface:
    """Return the words that texts have after standardization, with the vectors of the source's pieces.

    A word of the source counts if standardization leaves it unchanged. A contraction, and a word of ``texts``
    with punctuation inside, has the mean of the vectors of its pieces in the source ("can't": ``ca``,
    ``n't``), if the source has all of them, unless a word of the source is written the same without
    punctuation.

    Args:
        vectors: The source.
        own: Its `whole_words`.
        max_tokens: Number of them.
        texts: Texts whose words are added.
        standardize: One of `STANDARDIZATIONS`.
        fallbacks: For pieces that the source does not have.
    """
    table, tokenize = STANDARDIZATIONS[standardize], tokenizer_of(vectors)
    rows = _reachable(own, max_tokens, table)
    written = {raw.translate(table): raw for raw in _contractions(standardize)} if max_tokens else {}
    ambiguous = {form: raw for form, raw in written.items() if form.lower() in _WORDS and form in rows}
    contractions = {form: tokenize(raw) for form, raw in written.items() if form.lower() not in _WORDS}
    pieces = dict(contractions)
    for form, raw in _words(texts, table).items():
        parts = _without_outer_marks(tokenize(raw))
        if form not in rows:
            pieces.setdefault(form, parts)
        elif [piece.lower() for piece in parts] != [form.lower()]:
            ambiguous[form] = raw
    means = _means(vectors, pieces, fallbacks)
    # Of contractions only those that the source has; a missing word of the texts is a missing word.
    added = [form for form in pieces if form not in rows and (form in means or form not in contractions)]
    known = [form for form in added if form in means]
    new_rows = np.array([means[form] for form in known], np.float32).reshape(-1, own.dim)
    matrix = np.concatenate([own.matrix[np.array([*rows.values()], np.int64)], new_rows])
    for position, form in enumerate(rows):
        if form in means:
            matrix[position] = means[form]
    return Surface(
        [*rows, *added],
        Vectors(
            matrix,
            Vocabulary.of([*rows, *known]),
            name=vectors.name,
            manifest=own.manifest | {"xxh3_128": vectors.digests},  # it is made of the source's
            composer=vectors.composer,
            files=vectors.files,
        ),
        ambiguous,
    )


def _reachable(vectors: Vectors, number: int, table: dict[int, int | None]) -> dict[str, int]:
    """Return the first words that a text can have after standardization, and their rows."""
    reachable = (
        (word, row)
        for row, word in enumerate(vectors.words)
        if word.translate(table) == word
        and word not in SPECIAL_TOKENS
        and _SPACES.isdisjoint(word)
        and is_utf8(word)
    )
    return dict(islice(reachable, number))


def _contractions(standardize: str | None) -> Iterator[str]:
    """Yield contractions with a straight and with a curly apostrophe, which Keras does not strip."""
    cased = standardize in {None, "strip_punctuation"}
    for word in _CONTRACTIONS:
        for spelled in (word, word.capitalize()) if cased else (word,):
            yield spelled
            yield spelled.replace("'", "\u2019")


def _words(texts: Iterable[str], table: dict[int, int | None]) -> dict[str, str]:
    """Return the words of texts after standardization, the most frequent first, as most often written."""
    written: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for text in texts:
        # Bytes are split at ASCII white space, as TensorFlow does.
        for raw in text.encode("utf-8", "surrogateescape").split():
            word = raw.decode("utf-8", "surrogateescape")
            written[word.translate(table)][word] += 1
    by_frequency = sorted(written, key=lambda form: -written[form].total())
    return {
        form: written[form].most_common(1)[0][0]
        for form in by_frequency
        if form not in SPECIAL_TOKENS and is_utf8(form)
    }


def _without_outer_marks(pieces: list[str]) -> list[str]:
    """Return the pieces of a word without the punctuation before and after it."""
    is_word = [any(map(str.isalnum, piece)) for piece in pieces]
    if not any(is_word):
        return pieces
    return pieces[is_word.index(True) : len(pieces) - is_word[::-1].index(True)]


def _means(
    vectors: Vectors, pieces: dict[str, list[str]], fallbacks: tuple[Fallback, ...]
) -> dict[str, NDArray[np.float32]]:
    """Return the mean of the vectors of each word's pieces, of the words whose pieces are all found."""
    match = chains.lookup(vectors, list(chain.from_iterable(pieces.values())), fallbacks)
    found, missing = match.vectors(vectors), match.missing
    means: dict[str, NDArray[np.float32]] = {}
    stop = 0
    for word, parts in pieces.items():
        start, stop = stop, stop + len(parts)
        if parts and not missing[start:stop].any():
            means[word] = found[start:stop].mean(axis=0, dtype=np.float64).astype(np.float32)
    return means
