"""Every kind of vocabulary, created by the package that it comes from."""

import re
from collections import Counter, OrderedDict
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

import embedhub
from embedhub import Vectors, VocabularyError
from embedhub.errors import CoverageWarning
from embedhub.matrix.word_index import parse_vocabulary

TEXTS = ["the rain and the music of the night", "a qwxz walks in the rain", "music qwxz zzyx"]

Encode = Callable[[list[str]], Any]
"""Returns the indices of words according to the package."""


def words_of(texts: list[str]) -> list[str]:
    """Return the words of texts, the most frequent first."""
    return [word for word, _ in Counter(" ".join(texts).split()).most_common()]


def a_dict(texts: list[str]) -> tuple[Any, Encode]:
    """Return a mapping of word -> index, from 1 and with gaps."""
    word_index = {word: 3 * i + 1 for i, word in enumerate(words_of(texts))}
    return word_index, lambda words: [word_index[word] for word in words]


def a_text_vectorization(texts: list[str]) -> tuple[Any, Encode]:
    """Return an adapted TextVectorization."""
    layer = keras.layers.TextVectorization(standardize=None)
    layer.adapt(texts)
    return layer, lambda words: keras.ops.convert_to_numpy(layer(words))[:, 0]


def vocabulary_as(make: Callable[[list[str]], Any]) -> Callable[[list[str]], tuple[Any, Encode]]:
    """Return a kind: ``get_vocabulary()`` of a TextVectorization, converted."""

    def kind(texts: list[str]) -> tuple[Any, Encode]:
        layer, encode = a_text_vectorization(texts)
        return make(layer.get_vocabulary()), encode

    return kind


def a_string_lookup(**options: Any) -> Callable[[list[str]], tuple[Any, Encode]]:
    """Return a kind: an adapted StringLookup."""

    def kind(texts: list[str]) -> tuple[Any, Encode]:
        layer = keras.layers.StringLookup(**options)
        layer.adapt(words_of(texts))
        return layer, lambda words: keras.ops.convert_to_numpy(layer(words))

    return kind


def a_legacy_tokenizer(texts: list[str]) -> tuple[Any, Encode]:
    """Return a fitted Tokenizer of Keras 2."""
    tokenizer = tf.keras.preprocessing.text.Tokenizer(filters="", lower=False, oov_token="<OOV>")
    tokenizer.fit_on_texts(texts)
    return tokenizer, lambda words: tokenizer.texts_to_sequences([words])[0]


def a_tokenizer(texts: list[str]) -> tuple[Tokenizer, Encode]:
    """Return a trained tokenizers.Tokenizer of whole words."""
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unknown>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordLevelTrainer(special_tokens=["[CLS]", "<unknown>", "<fill>"], vocab_size=10**6)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.enable_padding(pad_id=2, pad_token="<fill>")
    return tokenizer, lambda words: tokenizer.encode(" ".join(words)).ids


def a_pretrained_tokenizer(texts: list[str]) -> tuple[Any, Encode]:
    """Return a tokenizer of transformers."""
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # its __init__ has no types
        tokenizer_object=a_tokenizer(texts)[0], unk_token="<unknown>", pad_token="<fill>"
    )
    return tokenizer, lambda words: tokenizer(" ".join(words))["input_ids"]


KINDS: dict[str, Callable[[list[str]], tuple[Any, Encode]]] = {
    "dict": a_dict,
    "dict of bytes": lambda texts: (
        {word.encode(): i for word, i in a_dict(texts)[0].items()},
        a_dict(texts)[1],
    ),
    "ordered dict": lambda texts: (OrderedDict(a_dict(texts)[0]), a_dict(texts)[1]),
    "read-only mapping": lambda texts: (MappingProxyType(a_dict(texts)[0]), a_dict(texts)[1]),
    "dict of numpy integers": lambda texts: (
        {word: np.uint16(i) for word, i in a_dict(texts)[0].items()},
        a_dict(texts)[1],
    ),
    "list": vocabulary_as(list),
    "tuple": vocabulary_as(tuple),
    "list of bytes": vocabulary_as(lambda words: [word.encode() for word in words]),
    "array of str": vocabulary_as(np.array),
    "array of bytes": vocabulary_as(lambda words: np.array([word.encode() for word in words])),
    "array of objects": vocabulary_as(lambda words: np.array([word.encode() for word in words], object)),
    "tensor": vocabulary_as(tf.constant),
    "TextVectorization": a_text_vectorization,
    "StringLookup": a_string_lookup(),
    "StringLookup with mask": a_string_lookup(mask_token="<mask>", oov_token="<OOV>", num_oov_indices=3),
    "StringLookup without OOV": a_string_lookup(num_oov_indices=0),
    "Tokenizer of Keras": a_legacy_tokenizer,
    "Tokenizer of tokenizers": a_tokenizer,
    "PreTrainedTokenizer": a_pretrained_tokenizer,
}


@pytest.mark.parametrize("kind", KINDS)
def test_row_i_is_the_vector_of_the_word_with_index_i(kind: str) -> None:
    """The row at the index that the package assigns to a word is its vector, or zeros."""
    vectors = embedhub.load("wordnet-ppmi", 25)
    words = words_of(TEXTS)
    word_index, encode = KINDS[kind](TEXTS)
    result = embedhub.embedding_matrix(vectors, None, word_index)
    expected = vectors.lookup(words, missing="zeros")
    indices = np.asarray(encode(words))
    assert (result.matrix[indices] == expected).all()
    assert (result.found[indices] == [word in vectors for word in words]).all()
    assert result.found.sum() == result.coverage.found
    assert np.count_nonzero(result.matrix.any(axis=1)) == result.coverage.found
    missing = {word for word in words if word not in vectors}
    assert {"qwxz", "zzyx"} <= missing
    assert set(result.coverage.missing) == missing
    assert result.coverage == embedhub.coverage(vectors, None, word_index)


@pytest.fixture(scope="module")
def glove_text(glove_lines: list[bytes]) -> tuple[list[str], NDArray[np.float32]]:
    """Return 20,000 words of GloVe, and their vectors as parsed by Python."""
    fields = [line.decode().split(" ") for line in glove_lines]
    rows = np.array([[float(number) for number in numbers] for _, *numbers in fields], np.float32)
    return [word for word, *_ in fields], rows


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_layer_returns_the_numbers_of_the_text_file(
    kind: str, glove_20k: Vectors, glove_text: tuple[list[str], NDArray[np.float32]]
) -> None:
    """For 20,000 words of GloVe and some missing ones, the layer returns the published numbers, or zeros."""
    known, rows = glove_text
    unknown = [f"qwxz{i}" for i in range(1000)]
    texts = [*(" ".join(known[start : start + 20]) for start in range(0, len(known), 20)), " ".join(unknown)]
    word_index, encode = KINDS[kind](texts)
    layer = embedhub.keras_embedding("glove-6b-20k", 50, word_index, fallbacks=())
    output = keras.ops.convert_to_numpy(layer(np.asarray(encode(known + unknown))))
    assert output[: len(known)].tobytes() == rows.tobytes()
    assert not output[len(known) :].any()


OOV_ROW = [7.0, 8.0, 9.0]


@pytest.mark.parametrize(
    ("kind", "padding", "oov"),
    [
        ("dict", [0, 2, 3], []),
        ("list", [0], [1]),
        ("TextVectorization", [0], [1]),
        ("StringLookup", [], [0]),
        ("StringLookup with mask", [0], [1, 2, 3]),
        ("StringLookup without OOV", [], []),
        ("Tokenizer of Keras", [0], [1]),
        ("Tokenizer of tokenizers", [2], [1]),
        ("PreTrainedTokenizer", [2], [1]),
    ],
)
def test_padding_is_zeros_and_unknown_tokens_follow_the_policy(
    kind: str, padding: list[int], oov: list[int], make_vectors: Callable[..., Vectors]
) -> None:
    """The package's padding is zeros, its tokens for unknown words follow ``oov``, and none is missing."""
    vectors = make_vectors([*words_of(TEXTS), "", "<mask>", "[UNK]", "<OOV>", "<unknown>", "<fill>"], dim=3)
    word_index, encode = KINDS[kind](TEXTS)
    result = embedhub.embedding_matrix(vectors, None, word_index, oov=OOV_ROW)
    assert not result.matrix[padding].any()
    assert (result.matrix[oov] == OOV_ROW).all()
    assert not result.found[padding + oov].any()
    assert result.coverage.missing == ()
    if oov:
        assert set(np.asarray(encode(["qqq", "xxyyzz", "ww", "vvv", "uuu"]))) <= set(oov)


def test_special_tokens_of_dicts_and_lists(make_vectors: Callable[..., Vectors]) -> None:
    """At any index "", [PAD] and <pad> are padding, and [UNK] is unknown; <unk> is an ordinary word."""
    vectors = make_vectors(["the", "<unk>", "[PAD]", "[UNK]"], dim=3)
    words = ["[PAD]", "<pad>", "", "[UNK]", "<unk>", "the", ""]
    for word_index in (words, {word: i for i, word in enumerate(words[:-1])}):
        result = embedhub.embedding_matrix(vectors, None, word_index, oov=OOV_ROW)
        assert result.found.tolist()[:6] == [False, False, False, False, True, True]
        assert (result.matrix[[4, 5]] == vectors.lookup(["<unk>", "the"])).all()
        assert result.matrix[3].tolist() == OOV_ROW
        assert not result.matrix[[0, 1, 2, *range(6, len(result.matrix))]].any()
        assert (result.coverage.total, result.coverage.missing) == (2, ())


def test_unigram_tokenizer_has_conventional_special_tokens() -> None:
    """Unigram does not expose its unknown token, which is <unk> by convention."""
    tokenizer = Tokenizer(models.Unigram())
    trainer = trainers.UnigramTrainer(vocab_size=30, special_tokens=["<pad>", "<unk>"], unk_token="<unk>")
    tokenizer.train_from_iterator(TEXTS, trainer)
    vocabulary = parse_vocabulary(tokenizer)
    assert (vocabulary.unknown_tokens, vocabulary.unknown_indices.tolist()) == (["<unk>"], [1])
    assert vocabulary.rows == tokenizer.get_vocab_size()
    assert len(vocabulary.words) == vocabulary.rows - 2


def test_num_words_is_that_of_keras() -> None:
    """Only words with an index below ``num_words``, of the Tokenizer or given here, are used."""
    tokenizer = tf.keras.preprocessing.text.Tokenizer(num_words=4)
    tokenizer.fit_on_texts(TEXTS)
    assert max(map(max, tokenizer.texts_to_sequences(TEXTS))) == 3
    word_index = tokenizer.word_index
    expected = embedhub.embedding_matrix("wordnet-ppmi", 25, word_index).matrix[:4]
    limits: list[tuple[Any, Any]] = [
        (tokenizer, None),
        (word_index, 4),
        (["", *word_index], 4),
        (word_index, np.int64(4)),
    ]
    for vocabulary, num_words in limits:
        result = embedhub.embedding_matrix("wordnet-ppmi", 25, vocabulary, num_words=num_words)
        assert (result.matrix == expected).all()
        assert result.matrix.shape == (4, 25)
        assert result.coverage.total == 3
    layer = embedhub.keras_embedding("wordnet-ppmi", 25, word_index, num_words=4)
    assert (layer.get_weights()[0] == expected).all()
    assert embedhub.embedding_matrix("wordnet-ppmi", 25, word_index, num_words=10**9).coverage.total == len(
        word_index
    )


@pytest.mark.parametrize("num_words", [0, -1, 2.0, "3", True])
def test_invalid_num_words_is_rejected(num_words: Any) -> None:
    """``num_words`` is a positive integer or None."""
    with pytest.raises(
        ValueError, match=re.escape(f"num_words is {num_words!r}; expected an integer of 1 or more")
    ):
        embedhub.coverage("wordnet-ppmi", 25, {"music": 1}, num_words=num_words)


@pytest.mark.parametrize("kind", ["TextVectorization", "StringLookup", "Tokenizer of tokenizers"])
def test_num_words_is_rejected_for_layers_and_tokenizers(kind: str) -> None:
    """A layer would still return the indices that have no row."""
    with pytest.raises(ValueError, match=r"num_words is 4, but a .* returns all its indices"):
        embedhub.coverage("wordnet-ppmi", 25, KINDS[kind](TEXTS)[0], num_words=4)


def test_word_may_occur_several_times_in_a_sequence() -> None:
    """Each occurrence of a word in a sequence has its own row."""
    vectors = embedhub.load("wordnet-ppmi", 25)
    result = embedhub.embedding_matrix(vectors, None, ["music", "qwxz", "music", "qwxz"])
    assert (result.matrix[[0, 2]] == vectors["music"]).all()
    assert result.coverage.missing == ("qwxz", "qwxz")


def test_words_of_vectors_are_a_vocabulary(make_vectors: Callable[..., Vectors]) -> None:
    """The embedding matrix for the words of some vectors is the matrix of those vectors."""
    vectors = make_vectors(["a", "b", "c\nd", "\udcff", "e\x00"])
    assert (embedhub.embedding_matrix(vectors, None, vectors.words).matrix == vectors.matrix).all()


def lookup(**options: Any) -> Any:
    """Return a StringLookup of two words."""
    return keras.layers.StringLookup(vocabulary=["music", "rain"], **options)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (list, "word_index is empty; expected a sequence of words in the order of indices"),
        (lambda: ["", "[UNK]"], "word_index has only special tokens: '', '[UNK]'. Was it adapted"),
        (lambda: ["the", 3], "word_index has 3 of type int at position 1; expected a sequence of words"),
        (lambda: [("the", 1)], "For pairs of word and index, pass dict(...)"),
        (lambda: np.array([["the"]]), "word_index has shape (1, 1); expected a sequence of words"),
        (lambda: np.array([1, 2]), "word_index has 1 of type int at position 0"),
        (lambda: "the", "word_index is of type str; expected a mapping of word -> index, like"),
        (lambda: b"the", "word_index is of type bytes; expected a mapping of word -> index"),
        (lambda: 7, "word_index is of type int; expected a mapping of word -> index"),
        (lambda: None, "word_index is of type NoneType; expected a mapping of word -> index"),
        (
            lambda: (word for word in ["the"]),
            "word_index is of type generator; expected a mapping of word -> index",
        ),
        (
            lambda: {"the", "cat"},
            "word_index is a set, which is not ordered, so its words have no indices; expected",
        ),
        ({"the": 1}.keys, "word_index is a dict_keys, which is not ordered"),
        (
            keras.layers.TextVectorization,
            "word_index is a TextVectorization without a vocabulary; call its adapt",
        ),
        (
            keras.layers.StringLookup,
            "word_index is a StringLookup without a vocabulary; call its adapt(texts)",
        ),
        (
            lambda: lookup(output_mode="multi_hot"),
            "a StringLookup with output_mode='multi_hot', which returns no indices",
        ),
        (
            lambda: keras.layers.IntegerLookup(vocabulary=[4, 5]),
            "is of type IntegerLookup, whose vocabulary holds int64",
        ),
        (
            tf.keras.preprocessing.text.Tokenizer,
            "word_index is a Tokenizer that is not fitted; call its fit_on_texts",
        ),
        (
            lambda: Tokenizer(models.WordLevel()),
            "word_index is a Tokenizer without a vocabulary; train it first",
        ),
        (
            lambda: {"": 0, "[UNK]": 1},
            "word_index has only special tokens: '', '[UNK]'. Was it adapted to any texts?",
        ),
        (
            lambda: {b"the": 1, 2: b"cat"},
            "has the key 2 with the value b'cat'; expected a mapping of word -> index",
        ),
        (lambda: {0: b"the"}, "It looks inverted; pass {word: index for index, word in ...}"),
    ],
)
def test_invalid_vocabulary_is_rejected(make: Callable[[], Any], words: str) -> None:
    """The error shows what was passed and what is expected."""
    with pytest.raises(VocabularyError, match=re.escape(words)):
        embedhub.embedding_matrix("wordnet-ppmi", 25, make())


def test_num_words_without_words_below_it_is_rejected() -> None:
    """If no index is below ``num_words``, the error shows the smallest index."""
    with pytest.raises(VocabularyError, match="no index below num_words=1; its smallest is 1"):
        embedhub.coverage("wordnet-ppmi", 25, {"music": 1}, num_words=1)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: {"music": 0}, "music"),
        (lambda: ["music"], "music"),
        (lambda: np.array(["music"]), "music"),
        (lookup, "[UNK]"),
        (lambda: lookup(num_oov_indices=0), "music"),
        (lambda: a_tokenizer(TEXTS)[0], "[CLS]"),
        (lambda: a_pretrained_tokenizer(TEXTS)[0], "[CLS]"),
    ],
    ids=["dict", "list", "array", "StringLookup", "no OOV", "Tokenizer", "PreTrainedTokenizer"],
)
def test_mask_zero_is_rejected_if_a_word_has_index_0(make: Callable[[], Any], word: str) -> None:
    """Later layers would silently skip that word."""
    with pytest.raises(VocabularyError, match=re.escape(f"has {word!r} at index 0, which mask_zero=True")):
        embedhub.keras_embedding("wordnet-ppmi", 25, make(), mask_zero=True)


@pytest.mark.parametrize(
    "make",
    [lambda: {"music": 1}, lambda: ["", "music"], lambda: lookup(mask_token=""), lambda: {"": 0, "music": 1}],
    ids=["gap", "list", "StringLookup", "dict"],
)
def test_mask_zero_works_if_index_0_is_padding(make: Callable[[], Any]) -> None:
    """``mask_zero`` is accepted if index 0 is padding or a gap."""
    assert embedhub.keras_embedding("wordnet-ppmi", 25, make(), mask_zero=True).mask_zero


def test_word_pieces_are_diagnosed() -> None:
    """If the fallbacks leave the marks of word pieces, the warning names one that finds them."""
    pieces = ["\u0120rain", "\u0120Music", "\u0120", "##rain"]
    with pytest.warns(CoverageWarning, match="without the marks of word pieces") as caught:
        embedhub.coverage("wordnet-ppmi", 25, pieces, fallbacks=())
    assert "fallbacks=('word-start', 'lower')" in str(caught[0].message)
    coverage = embedhub.coverage("wordnet-ppmi", 25, pieces, fallbacks=("word-start", "lower"))
    assert coverage.missing == ("\u0120", "##rain")
