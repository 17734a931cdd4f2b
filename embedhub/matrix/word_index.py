"""Parsing of vocabularies: dicts, lists, Keras layers and tokenizers."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import compress
from typing import Any, Protocol, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from embedhub.errors import VocabularyError
from embedhub.vectors.tokens import is_control

_MAX_GAP_ROWS = 1_000_000  # for any vocabulary: a gap of that size costs 1.2 GB at dim 300
_MAX_ROWS_PER_WORD = 100

# Padding tokens of Keras and of Hugging Face's tokenizers. "<unk>" is not special, because some sources have
# a vector for it; a tokenizer names its own token for unknown words.
_PADDING = frozenset({"", "[PAD]", "<pad>"})
_UNKNOWN = frozenset({"[UNK]"})
_CONTROL = frozenset({"[CLS]", "[SEP]", "[MASK]"})

_EXPECTED = "expected a mapping of word -> index, like {'the': 1, 'cat': 2}"
_EXPECTED_SEQUENCE = "expected a sequence of words in the order of indices, like ['', '[UNK]', 'the', 'cat']"

_TEXTS = (
    "A text is not a vocabulary: adapt a TextVectorization to your texts and pass that, or let "
    "embedhub.keras_text_embedding(source, dim, include=texts) make both layers."
)
_COUNTS = (
    "If the numbers are counts, number the words: "
    "{word: i for i, word in enumerate(sorted(counts, key=counts.get, reverse=True), 1)}."
)


class _HasVocabulary(Protocol):
    """A ``TextVectorization`` or ``StringLookup`` of Keras."""

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]: ...  # noqa: FBT001, FBT002 - theirs


class _HasVocab(Protocol):
    """A tokenizer of Hugging Face."""

    def get_vocab(self) -> dict[str, int]: ...


class _HasTokens(Protocol):
    """A tokenizer of KerasHub."""

    def get_vocabulary(self) -> Any: ...
    def token_to_id(self, token: str) -> int: ...


class _HasWordIndex(Protocol):
    """A ``tf.keras.preprocessing.text.Tokenizer``."""

    word_index: Any


class _HasArray(Protocol):
    """An array or column of strings: of NumPy, pandas, Polars, Arrow, or a tensor."""

    def __array__(self, *arguments: Any, **options: Any) -> NDArray[Any]: ...


Vocabulary = (
    Mapping[str, SupportsIndex]
    | Mapping[bytes, SupportsIndex]
    | Sequence[str]
    | Sequence[bytes]
    | _HasArray
    | _HasVocabulary
    | _HasVocab
    | _HasTokens
    | _HasWordIndex
)
"""A mapping of word -> index; words in the order of their indices; a layer of Keras; or a tokenizer."""


@dataclass(frozen=True, slots=True)
class WordIndex:
    """The words of a vocabulary and their indices. All other indices are padding or gaps.

    Args:
        words: The words to look up.
        indices: ``(len(words),)`` int64, the index of each word.
        unknown_tokens: The tokens that stand for unknown words.
        unknown_indices: ``(len(unknown_tokens),)`` int64, their indices.
        rows: Number of rows of a matrix, ``largest index + 1``, padding included.
        control_tokens: Those of the words that are control tokens, such as ``[CLS]``. They are looked up, but
            do not count as missing words.
    """

    words: list[str]
    indices: NDArray[np.int64]
    unknown_tokens: list[str]
    unknown_indices: NDArray[np.int64]
    rows: int
    control_tokens: frozenset[str] = frozenset()

    def check_padding(self, index: int, option: str) -> None:
        """Raise VocabularyError if the index that ``option`` reserves for padding belongs to a word."""
        for words, indices in (
            (self.words, self.indices),
            (self.unknown_tokens, self.unknown_indices),
        ):
            for i in np.flatnonzero(indices == index).tolist():
                hint = " Start words at 1; a StringLookup does with mask_token=''." if index == 0 else ""
                raise VocabularyError(
                    f"word_index has {words[i]!r} at index {index}, which {option} reserves for "
                    f"padding.{hint}"
                )


def parse_vocabulary(word_index: Any, num_words: int | None = None) -> WordIndex:
    """Return the words of a vocabulary and their indices.

    Args:
        word_index: A vocabulary as `embedhub.embedding_matrix` takes it, or a `WordIndex`.
        num_words: Only words with an index below it count, as in Keras' ``Tokenizer``.

    Raises:
        VocabularyError: The vocabulary is of an unsupported type, is empty, or has indices that cannot be
            rows of a matrix.
        ValueError: ``num_words`` is not a positive integer; or it is given for a layer or tokenizer that
            returns all its indices anyway.
    """
    if isinstance(word_index, WordIndex):
        return word_index
    check_positive("num_words", num_words)
    kind = type(word_index).__name__
    # Recognized by their methods, so that neither Keras nor a tokenizer's package has to be imported.
    if isinstance(word_index, Counter):
        raise VocabularyError(f"word_index is a Counter, which has counts; {_EXPECTED}. {_COUNTS}")
    if isinstance(word_index, Mapping):
        return _from_mapping(word_index, num_words, empty=f"is empty; {_EXPECTED}. Was the tokenizer fitted?")
    if hasattr(word_index, "texts_to_sequences"):
        return _from_mapping(
            word_index.word_index,
            num_words if num_words is not None else word_index.num_words,
            unknown=_UNKNOWN | {word_index.oov_token},
            empty=f"is a {kind} that is not fitted; call its fit_on_texts(texts) first.",
        )
    is_keras_layer = hasattr(word_index, "get_vocabulary") and hasattr(word_index, "adapt")
    if is_keras_layer or hasattr(word_index, "get_vocab") or hasattr(word_index, "token_to_id"):
        if num_words is not None:
            raise ValueError(
                f"num_words is {num_words}, but a {kind} returns all its indices regardless. Limit its "
                "vocabulary instead: max_tokens= of a Keras layer, vocab_size= of a tokenizer's trainer."
            )
        return (_from_keras_layer if is_keras_layer else _from_tokenizer)(word_index)
    if isinstance(word_index, AbstractSet):
        raise VocabularyError(
            f"word_index is a {kind}, which is not ordered, so its words have no indices; "
            f"{_EXPECTED_SEQUENCE}. Use sorted(...) to get the same order on every run."
        )
    table = type(word_index)  # that of Polars computes the columns of a LazyFrame, with a warning
    if hasattr(table, "columns") or hasattr(table, "column_names"):
        raise VocabularyError(
            f"word_index is a {kind}, a table; {_EXPECTED}. Name its columns: "
            "dict(zip(table['word'].tolist(), table['index'].tolist())), with to_list() in Polars and "
            "to_pylist() in Arrow."
        )
    if not (isinstance(word_index, Sequence) or hasattr(word_index, "__array__")):
        raise VocabularyError(
            f"word_index is of type {kind}; {_EXPECTED}, a sequence of words in the order of indices, a "
            "TextVectorization, a StringLookup, or a tokenizer."
        )
    return _from_sequence(word_index, num_words)


def check_positive(name: str, value: Any) -> None:
    """Raise ValueError unless an optional argument is a positive integer or None."""
    if value is not None and (
        isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1
    ):
        raise ValueError(f"{name} is {value!r}; expected an integer of 1 or more, or None.")


def _from_mapping(
    word_index: Mapping[Any, Any],
    num_words: int | None = None,
    *,
    padding: frozenset[str | None] = _PADDING,
    unknown: frozenset[str | None] = _UNKNOWN,
    control: Callable[[str], bool] = _CONTROL.__contains__,
    empty: str,
) -> WordIndex:
    if not word_index:
        raise VocabularyError(f"word_index {empty}")
    keys, values = list(word_index), list(word_index.values())
    words = _decode(keys)
    if words is None:
        key, value = next(
            (key, value) for key, value in word_index.items() if not isinstance(key, str | bytes)
        )
        inverted = " It looks inverted; pass {word: index for index, word in ...}."
        raise VocabularyError(
            f"word_index has the key {key!r} with the value {value!r}; {_EXPECTED}."
            f"{inverted if isinstance(value, str | bytes) else ''}"
        )
    indices = _indices(words, values)
    if num_words is not None:
        keep = indices < num_words
        words, indices = list(compress(words, keep.tolist())), indices[keep]
        if not words:
            raise VocabularyError(
                f"word_index has no index below num_words={num_words}; its smallest is {min(values)}."
            )
    largest = int(indices.max())
    if largest >= _MAX_ROWS_PER_WORD * len(words) + _MAX_GAP_ROWS:
        raise VocabularyError(
            f"word_index has {len(words):,} words, but its largest index is {largest:,}: nearly all rows of "
            f"the matrix would be zeros. Renumber the words. {_COUNTS}"
        )
    owners = np.bincount(indices)
    if owners.max() > 1:
        duplicates = np.flatnonzero(indices == owners.argmax())
        first, second = (words[i] for i in duplicates[:2].tolist())
        raise VocabularyError(
            f"word_index has {first!r} and {second!r} at the same index {owners.argmax()}; each word needs "
            f"an index of its own. {_COUNTS}"
        )
    return _split_special_tokens(words, indices, padding, unknown, control)


def _from_sequence(word_index: Any, num_words: int | None) -> WordIndex:
    if isinstance(word_index, str | bytes):
        raise VocabularyError(f"word_index is of type {type(word_index).__name__}; {_EXPECTED}. {_TEXTS}")
    if hasattr(word_index, "__array__"):
        array = np.asarray(word_index)
        if array.ndim != 1:
            raise VocabularyError(f"word_index has shape {array.shape}; {_EXPECTED_SEQUENCE}.")
        raw = array.tolist()
    else:
        raw = list(word_index)
    words = _decode(raw)
    if words is None:
        position = next(i for i, word in enumerate(raw) if not isinstance(word, str | bytes))
        advice = (
            "If its index has the words, pass word_index.to_dict()."
            if hasattr(word_index, "to_dict") and hasattr(word_index, "index")
            else _TEXTS
            if isinstance(raw[position], list | tuple) and _decode(list(raw[position])) is not None
            else "For pairs of word and index, pass dict(...)."
        )
        raise VocabularyError(
            f"word_index has {raw[position]!r} of type {type(raw[position]).__name__} at position "
            f"{position}; {_EXPECTED_SEQUENCE}. {advice}"
        )
    words = words[:num_words]
    if not words:
        raise VocabularyError(f"word_index is empty; {_EXPECTED_SEQUENCE}.")
    return _split_special_tokens(words, np.arange(len(words), dtype=np.int64))


def _from_keras_layer(layer: Any) -> WordIndex:
    """Parse a TextVectorization or StringLookup, whose indices are mask, unknown tokens, words."""
    kind, config = type(layer).__name__, layer.get_config()
    if config.get("output_mode", "int") != "int":
        raise VocabularyError(
            f"word_index is a {kind} with output_mode={config['output_mode']!r}, which returns no indices; "
            "an Embedding needs output_mode='int'."
        )
    raw = layer.get_vocabulary(include_special_tokens=False)
    words = _decode(raw)
    if words is None:
        raise VocabularyError(
            f"word_index is of type {kind}, whose vocabulary holds {type(raw[0]).__name__}; expected words."
        )
    if not words:
        raise VocabularyError(
            f"word_index is a {kind} without a vocabulary; call its adapt(texts) first, or create it with "
            "vocabulary=..."
        )
    rows = layer.vocabulary_size()
    start = rows - len(words)
    # The config of a TextVectorization has no mask token, because it is always "".
    masked = int(config.get("mask_token", "") is not None)
    token = config.get("oov_token", "[UNK]")
    # Each OOV bucket has a name of its own: the noise of oov="normal" is seeded by name.
    unknown_tokens = [f"{token}{number or ''}" for number in range(start - masked)]
    return WordIndex(
        words=words,
        indices=np.arange(start, rows, dtype=np.int64),
        unknown_tokens=unknown_tokens,
        unknown_indices=np.arange(masked, start, dtype=np.int64),
        rows=rows,
    )


def _from_tokenizer(tokenizer: Any) -> WordIndex:
    """Parse a ``tokenizers.Tokenizer``, a ``transformers.PreTrainedTokenizer`` or a tokenizer of KerasHub."""
    empty = f"is a {type(tokenizer).__name__} without a vocabulary; "
    if not hasattr(tokenizer, "get_vocab"):
        try:
            tokens = tokenizer.get_vocabulary()
        except ValueError as error:
            raise VocabularyError(f"word_index {empty}create it with vocabulary=...") from error
        vocabulary = {token: int(tokenizer.token_to_id(token)) for token in tokens}
        padding = getattr(tokenizer, "pad_token", None)
        unknown = getattr(tokenizer, "oov_token", "<unk>")
    elif hasattr(tokenizer, "unk_token"):
        vocabulary, padding, unknown = tokenizer.get_vocab(), tokenizer.pad_token, tokenizer.unk_token
    else:
        vocabulary = tokenizer.get_vocab()
        padding = (tokenizer.padding or {}).get("pad_token")
        # Unigram, the model of SentencePiece, does not expose its unknown token.
        unknown = getattr(getattr(tokenizer, "model", None), "unk_token", "<unk>")
    return _from_mapping(
        vocabulary,
        padding=_PADDING | {padding},
        unknown=_UNKNOWN | {unknown},
        control=is_control,
        empty=f"{empty}train it first.",
    )


def _decode(words: list[Any]) -> list[str] | None:
    """Return words as str, decoding bytes; None if one of them is neither."""
    kinds = set(map(type, words))
    if kinds <= {str}:
        return words
    if not all(issubclass(kind, str | bytes) for kind in kinds):
        return None
    # str() converts numpy.str_, whose repr would appear in messages.
    return [
        word.decode("utf-8", "surrogateescape") if isinstance(word, bytes) else str(word) for word in words
    ]


def _indices(words: list[str], values: list[Any]) -> NDArray[np.int64]:
    if all(kind is int or issubclass(kind, np.integer) for kind in set(map(type, values))):
        try:
            indices = np.fromiter(values, np.int64, len(values))
        except OverflowError:
            pass
        else:
            if indices.min() >= 0:
                return indices
    limit = np.iinfo(np.int64).max
    word, value = next(
        (word, value)
        for word, value in zip(words, values, strict=True)
        if not (type(value) is int or isinstance(value, np.integer)) or not 0 <= value <= limit
    )
    raise VocabularyError(
        f"word_index has {word!r}: {value!r} of type {type(value).__name__}; {_EXPECTED}, with integers "
        "from 0."
    )


def _split_special_tokens(
    words: list[str],
    indices: NDArray[np.int64],
    padding: frozenset[str | None] = _PADDING,
    unknown: frozenset[str | None] = _UNKNOWN,
    control: Callable[[str], bool] = _CONTROL.__contains__,
) -> WordIndex:
    """Separate the words from the tokens for padding and for unknown words."""
    rows = int(indices.max()) + 1
    special_tokens = padding | unknown
    control_tokens = frozenset(filter(control, words)) - special_tokens
    special = (
        []
        if special_tokens.isdisjoint(words)
        else [i for i, word in enumerate(words) if word in special_tokens]
    )
    if all(word in special_tokens or word in control_tokens for word in words):
        raise VocabularyError(
            f"word_index has only special tokens: {', '.join(map(repr, words))}. Was it adapted to any texts?"
        )
    positions = [i for i in special if words[i] not in padding]
    unknown_tokens, unknown_indices = [words[i] for i in positions], indices[positions]
    if special:
        keep = np.ones(len(words), np.bool_)
        keep[special] = False
        words, indices = list(compress(words, keep.tolist())), indices[keep]
    return WordIndex(words, indices, unknown_tokens, unknown_indices, rows, control_tokens)
