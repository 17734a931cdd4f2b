"""Any vocabulary -> words and the rows they have: dicts, lists, Keras layers, tokenizers."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedhub.errors import VocabularyError

_ALWAYS_ALLOWED = 1_000_000  # rows, whatever the vocabulary: a gap of that size costs 1.2 GB at dim 300
_SPARSEST = 100  # rows for each word

# What Keras and the tokenizers of Hugging Face call padding. "<unk>" is no special name, because some sources
# have a row for it; a tokenizer says itself what stands for unknown words.
_PADDING = frozenset({"", "[PAD]", "<pad>"})
_OOV = frozenset({"[UNK]"})

_EXPECTED = "expected word -> index, like {'the': 1, 'cat': 2}"
_EXPECTED_SEQUENCE = (
    "expected words, each at the position that is its index, like ['', '[UNK]', 'the', 'cat']"
)


@dataclass(frozen=True, slots=True)
class WordIndex:
    """What a vocabulary says of the rows of a matrix. A row that is named nowhere is padding or a gap.

    Args:
        words: The words to look for.
        indices: ``(len(words),)`` int64, the row of each word.
        oov: Names of the rows that stand for unknown words.
        oov_indices: ``(len(oov),)`` int64, their rows.
        rows: Number of rows, ``largest index + 1``, padding included.
    """

    words: list[str]
    indices: NDArray[np.int64]
    oov: list[str]
    oov_indices: NDArray[np.int64]
    rows: int

    def refuse_word_at(self, padding: int, who: str) -> None:
        """Raise VocabularyError if a row that ``who`` makes padding belongs to a word."""
        for words, indices in ((self.words, self.indices), (self.oov, self.oov_indices)):
            for i in np.flatnonzero(indices == padding).tolist():
                hint = (
                    "; start words at 1. (A StringLookup does with mask_token=''.)" if padding == 0 else "."
                )
                raise VocabularyError(
                    f"word_index gives {words[i]!r} the index {padding}, which {who} makes padding{hint}"
                )


def read(word_index: Any, num_words: int | None = None) -> WordIndex:
    """Return what a vocabulary says of the rows of a matrix.

    Args:
        word_index: What `embedhub.embedding_matrix` takes, or what this function has returned.
        num_words: Only indices below it count, as in the ``Tokenizer`` of Keras.

    Raises:
        VocabularyError: It is no vocabulary, or one whose words cannot have rows.
        ValueError: ``num_words`` is no positive integer, or the vocabulary has a limit of its own.
    """
    if isinstance(word_index, WordIndex):
        return word_index
    if num_words is not None and (
        isinstance(num_words, bool) or not isinstance(num_words, int | np.integer) or num_words < 1
    ):
        raise ValueError(f"num_words is {num_words!r}; expected 1 or more, or None.")
    kind = type(word_index).__name__
    # The packages of these objects are not imported: what an object can do tells what it is.
    if isinstance(word_index, Mapping):
        return _of_mapping(word_index, num_words, empty=f"is empty; {_EXPECTED}. Was the tokenizer fitted?")
    if hasattr(word_index, "texts_to_sequences"):
        return _of_mapping(
            word_index.word_index,
            num_words if num_words is not None else word_index.num_words,
            oov=_OOV | {word_index.oov_token},
            empty=f"is a {kind} that has seen no texts; call its fit_on_texts(texts) first.",
        )
    is_keras_layer = hasattr(word_index, "get_vocabulary") and hasattr(word_index, "adapt")
    if is_keras_layer or hasattr(word_index, "get_vocab"):
        if num_words is not None:
            raise ValueError(
                f"num_words is {num_words}, but a {kind} gives all its indices whatever is said here. "
                "Limit it when it is made: max_tokens= of a Keras layer, vocab_size= of a trainer."
            )
        return (_of_keras_layer if is_keras_layer else _of_tokenizer)(word_index)
    if isinstance(word_index, AbstractSet):
        raise VocabularyError(
            f"word_index is of type {kind}, whose words have no order and so no indices; "
            f"{_EXPECTED_SEQUENCE}. "
            "list(...) makes a sequence, sorted(...) one that is the same on every run."
        )
    if isinstance(word_index, str | bytes) or not (
        isinstance(word_index, Sequence) or hasattr(word_index, "__array__")
    ):
        raise VocabularyError(
            f"word_index is of type {kind}; {_EXPECTED}; or a sequence of words, whose positions are the "
            "indices; or a TextVectorization, StringLookup or tokenizer."
        )
    return _of_sequence(word_index, num_words)


def _of_mapping(
    word_index: Mapping[Any, Any],
    num_words: int | None = None,
    *,
    padding: frozenset[str | None] = _PADDING,
    oov: frozenset[str | None] = _OOV,
    empty: str,
) -> WordIndex:
    if not word_index:
        raise VocabularyError(f"word_index {empty}")
    keys, values = list(word_index), list(word_index.values())
    words = _decoded(keys)
    if words is None:
        key, value = next(
            (key, value) for key, value in word_index.items() if not isinstance(key, str | bytes)
        )
        inverted = " It looks inverted: pass {word: index for index, word in ...}."
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
    if largest >= _SPARSEST * len(words) + _ALWAYS_ALLOWED:
        raise VocabularyError(
            f"word_index has {len(words):,} words, but the largest index is {largest:,}: a matrix of so many "
            "rows would be nearly all zeros. Number the words anew."
        )
    owners = np.bincount(indices)
    if owners.max() > 1:
        twins = np.flatnonzero(indices == owners.argmax())
        first, second = (words[i] for i in twins[:2].tolist())
        raise VocabularyError(
            f"word_index gives {first!r} and {second!r} the same index {owners.argmax()}; one row cannot "
            "belong to two words."
        )
    return _sorted_out(words, indices, padding, oov)


def _of_sequence(word_index: Any, num_words: int | None) -> WordIndex:
    if hasattr(word_index, "__array__"):
        array = np.asarray(word_index)
        if array.ndim != 1:
            raise VocabularyError(f"word_index has shape {array.shape}; {_EXPECTED_SEQUENCE}.")
        raw = array.tolist()
    else:
        raw = list(word_index)
    words = _decoded(raw)
    if words is None:
        position = next(i for i, word in enumerate(raw) if not isinstance(word, str | bytes))
        raise VocabularyError(
            f"word_index has {raw[position]!r} of type {type(raw[position]).__name__} at position "
            f"{position}; {_EXPECTED_SEQUENCE}. Pairs of word and index are a dict: pass dict(...)."
        )
    words = words[:num_words]
    if not words:
        raise VocabularyError(f"word_index is empty; {_EXPECTED_SEQUENCE}.")
    return _sorted_out(words, np.arange(len(words), dtype=np.int64), _PADDING, _OOV)


def _of_keras_layer(layer: Any) -> WordIndex:
    """Read a TextVectorization or StringLookup: row of the mask, rows of unknown words, rows of words."""
    kind, config = type(layer).__name__, layer.get_config()
    if config.get("output_mode", "int") != "int":
        raise VocabularyError(
            f"word_index is a {kind} with output_mode={config['output_mode']!r}, which gives no indices; "
            "an Embedding needs output_mode='int'."
        )
    raw = layer.get_vocabulary(include_special_tokens=False)
    words = _decoded(raw)
    if words is None:
        raise VocabularyError(
            f"word_index is of type {kind}, whose vocabulary holds {type(raw[0]).__name__}; expected words."
        )
    if not words:
        raise VocabularyError(
            f"word_index is a {kind} without a vocabulary; call its adapt(texts) first, or make it with "
            "vocabulary=..."
        )
    rows = layer.vocabulary_size()
    start = rows - len(words)
    # A TextVectorization always has the mask token "", and so does not say that it has one.
    masked = int(config.get("mask_token", "") is not None)
    oov_token = config.get("oov_token", "[UNK]")
    # Names of their own, because policies go by name, and these are rows of different words.
    oov = [f"{oov_token}{number or ''}" for number in range(start - masked)]
    return WordIndex(
        words, np.arange(start, rows, dtype=np.int64), oov, np.arange(masked, start, dtype=np.int64), rows
    )


def _of_tokenizer(tokenizer: Any) -> WordIndex:
    """Read a ``tokenizers.Tokenizer`` or a ``transformers.PreTrainedTokenizer``."""
    if hasattr(tokenizer, "unk_token"):
        padding, unknown = tokenizer.pad_token, tokenizer.unk_token
    else:
        padding = (tokenizer.padding or {}).get("pad_token")
        # The model of SentencePiece, Unigram, does not say.
        unknown = getattr(getattr(tokenizer, "model", None), "unk_token", "<unk>")
    return _of_mapping(
        tokenizer.get_vocab(),
        padding=_PADDING | {padding},
        oov=_OOV | {unknown},
        empty=f"is a {type(tokenizer).__name__} without a vocabulary; train it first.",
    )


def _decoded(words: list[Any]) -> list[str] | None:
    """Return words as str, those that are bytes decoded; None if one is neither."""
    kinds = set(map(type, words))
    if kinds <= {str}:
        return words
    if not all(issubclass(kind, str | bytes) for kind in kinds):
        return None
    # str() makes plain words of numpy's, whose repr would be in every message.
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
        f"word_index has {word!r}: {value!r} of type {type(value).__name__}; {_EXPECTED}, integers from 0."
    )


def _sorted_out(
    words: list[str],
    indices: NDArray[np.int64],
    padding: frozenset[str | None],
    oov: frozenset[str | None],
) -> WordIndex:
    """Tell words from the names of padding and of unknown words."""
    rows = int(indices.max()) + 1
    names = padding | oov
    special = [] if names.isdisjoint(words) else [i for i, word in enumerate(words) if word in names]
    if len(special) == len(words):
        raise VocabularyError(
            f"word_index has no words but {', '.join(map(repr, words))}. Was it adapted to any texts?"
        )
    unknown = [i for i in special if words[i] not in padding]
    oov_words, oov_indices = [words[i] for i in unknown], indices[unknown]
    if special:
        keep = np.ones(len(words), np.bool_)
        keep[special] = False
        words, indices = list(compress(words, keep.tolist())), indices[keep]
    return WordIndex(words, indices, oov_words, oov_indices, rows)
