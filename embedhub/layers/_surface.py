"""Words as a stock TextVectorization leaves them, with the vectors of what the source has for them."""

import string
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from embedhub._text_lines import is_utf8
from embedhub.matrix.tokenizers import tokenizer_of
from embedhub.vectors import fallbacks as chains
from embedhub.vectors.fallbacks import Fallback
from embedhub.vectors.tokens import whole_words
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
"""What the standardizations of TextVectorization do, as tables for ``str.translate``."""

_SPACES = frozenset(" \t\n\r\f\v")
SPECIAL_TOKENS = frozenset({"", "[UNK]"})
"""Of TextVectorization: padding at 0, unknown words at 1."""

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
# Words that contractions become without their apostrophe.
_WORDS = frozenset(["its", "were", "well", "ill", "hell", "shell", "shed", "wed", "id", "lets", "whore"])


@dataclass(frozen=True)
class Surface:
    """The words of a TextVectorization.

    Args:
        words: The words, the source's most frequent first.
        vectors: The vectors of those that the source has.
        ambiguous: Words that keep their own vector, and what else they may stand for in a text.
    """

    words: list[str]
    vectors: Vectors
    ambiguous: dict[str, str] = field(default_factory=dict)


def surface_forms(
    vectors: Vectors,
    max_tokens: int,
    texts: Iterable[str],
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
        max_tokens: Number of the source's words.
        texts: Texts whose words are added.
        standardize: One of `STANDARDIZATIONS`.
        fallbacks: For pieces that the source does not have.
    """
    table, own = STANDARDIZATIONS[standardize], whole_words(vectors)
    rows = list(_reachable(own, max_tokens, table))
    plain = own.words[: rows[-1] + 1] if rows else []
    words = dict.fromkeys(plain[row] for row in rows)
    tokenize = tokenizer_of(vectors)
    derived: dict[str, list[str]] = {}
    ambiguous: dict[str, str] = {}
    for raw in _contractions(standardize) if max_tokens else ():
        form = raw.translate(table)
        if form.lower() in _WORDS:
            if form in words:
                ambiguous[form] = raw
        else:
            derived[form] = tokenize(raw)
    of_contractions = set(derived)
    order = Counter[str]()
    readings: dict[str, Counter[str]] = {}
    for raw in chain.from_iterable(map(_split, texts)):
        form = raw.translate(table)
        if form not in SPECIAL_TOKENS and is_utf8(form):
            order[form] += 1
            readings.setdefault(form, Counter())[raw] += 1
    for form, _ in order.most_common():
        raw = readings[form].most_common(1)[0][0]
        pieces = _without_outer_marks(tokenize(raw))
        if form not in words and form not in of_contractions:
            derived[form] = pieces
        elif form in words and [piece.translate(table) for piece in pieces] != [form]:
            ambiguous[form] = raw
    means = _means(vectors, derived, fallbacks)
    # Of contractions only those that the source has; a missing word of the texts is a missing word.
    extra = {form: means.get(form) for form in derived if form in means or form not in of_contractions}
    replaced = [form for form in words if form in extra]
    matrix = own.matrix[np.array(rows, np.int64)]
    positions = {form: position for position, form in enumerate(words)} if replaced else {}
    for form in replaced:
        matrix[positions[form]] = extra.pop(form)
    known = [form for form, vector in extra.items() if vector is not None]
    matrix = np.concatenate([matrix, *(extra[form][None] for form in known)])  # type: ignore[index]
    return Surface(
        [*words, *extra],
        Vectors(
            matrix,
            Vocabulary.of([*words, *known]),
            name=vectors.name,
            manifest=vectors.manifest,
            composer=vectors.composer,
            files=vectors.files,
        ),
        ambiguous,
    )


def _reachable(vectors: Vectors, number: int, table: dict[int, int | None]) -> Iterator[int]:
    """Yield the rows of the first words that a text can have after standardization."""
    found = 0
    for row, word in enumerate(vectors.words):
        if found == number:
            return
        if (
            word.translate(table) == word
            and word not in SPECIAL_TOKENS
            and _SPACES.isdisjoint(word)
            and is_utf8(word)
        ):
            found += 1
            yield row


def _contractions(standardize: str | None) -> Iterator[str]:
    """Yield contractions with a straight and with a curly apostrophe, which Keras does not strip."""
    cased = standardize in {None, "strip_punctuation"}
    for word in _CONTRACTIONS:
        for spelled in (word, word.capitalize()) if cased else (word,):
            yield spelled
            yield spelled.replace("'", "\u2019")


def _split(text: str) -> list[str]:
    return [piece.decode("utf-8", "surrogateescape") for piece in _encoded(text).split()]


def _encoded(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


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
    flat = list(chain.from_iterable(pieces.values()))
    match = chains.lookup(vectors, flat, fallbacks)
    averaged = dict(match.mean_vectors(vectors))
    means: dict[str, NDArray[np.float32]] = {}
    start = 0
    for word, parts in pieces.items():
        places = range(start, start + len(parts))
        start += len(parts)
        if parts and not match.missing[places.start : places.stop].any():
            each = [averaged[i] if i in averaged else vectors.matrix[match.rows[i]] for i in places]
            means[word] = np.asarray(np.mean(each, axis=0, dtype=np.float64), np.float32)
    return means
