"""Vocabularies of tokenizers: marks at the start of words, control tokens, and tokenizers of KerasHub."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

import embedhub
from embedhub import Vectors, VocabularyError
from embedhub.matrix.tokenizers import get_tokenizer

TEXTS = ["walk in the rain", "Music in the night", "the rain walks in the night"] * 3
MARKS = ("\u0120", "\u2581")


class PieceTokenizer:
    """A tokenizer with the methods of those of KerasHub, and tokens in another order than their numbers."""

    def __init__(self) -> None:
        self.oov_token, self.pad_token = "<oov>", "<fill>"
        self.numbers = {"rain": 4, "<oov>": 1, "<fill>": 0, "[CLS]": 2, "##s": 3, "qwxz": 6}

    def get_vocabulary(self) -> Any:
        """Return the tokens."""
        return self.numbers.keys()

    def token_to_id(self, token: str) -> int:
        """Return the number of a token."""
        return self.numbers[token]

    def id_to_token(self, number: int) -> str:
        """Return the token of a number."""
        return next(token for token, other in self.numbers.items() if other == number)

    def tokenize(self, text: str) -> Any:
        """Return the numbers of the words of a text."""
        return np.array([self.numbers.get(word, 1) for word in text.split()], np.int32)


def byte_level() -> Tokenizer:
    """Return a byte-level BPE tokenizer, whose mark for the start of a word is a letter."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()
    trainer = trainers.BpeTrainer(special_tokens=["<|endoftext|>"], show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer


def sentence_pieces() -> Tokenizer:
    """Return a BPE tokenizer with the mark of SentencePiece."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.BpeTrainer(special_tokens=["<unk>", "</s>"], show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer


@pytest.mark.parametrize("train", [byte_level, sentence_pieces])
@pytest.mark.parametrize("passed_as", [lambda tokenizer: tokenizer, Tokenizer.get_vocab], ids=["it", "dict"])
def test_token_that_starts_a_word_has_the_vector_of_the_word(
    train: Callable[[], Tokenizer], passed_as: Callable[[Tokenizer], Any]
) -> None:
    """Its mark stands for a space. The source's fallbacks are tried after the mark is removed."""
    tokenizer, vectors = train(), embedhub.load("wordnet-ppmi", 25)
    result = embedhub.embedding_matrix(vectors, None, passed_as(tokenizer))
    for number, word in zip(
        tokenizer.encode("Music in the rain").ids, ["music", "in", "the", "rain"], strict=True
    ):
        assert (result.matrix[number] == vectors.get(word, np.zeros(25))).all()
    assert [word[1:] for word in result.coverage.by_fallback["word-start"]].count("rain") == 1
    assert [word[1:] for word in result.coverage.by_fallback["lower"]].count("Music") == 1


@pytest.mark.parametrize("mark", MARKS)
def test_mark_is_removed_only_if_it_is_itself_in_the_vocabulary(
    mark: str, make_vectors: Callable[..., Vectors]
) -> None:
    """Each tokenizer with a mark has it as a token; in other vocabularies it is a letter, as in Maltese."""
    vectors = make_vectors(["unju", "rain"], dim=3)
    words = [f"{mark}unju", "rain"]
    assert embedhub.coverage(vectors, None, words).missing == (f"{mark}unju",)
    assert embedhub.coverage(vectors, None, [*words, mark]).missing == (mark,)
    assert embedhub.coverage(vectors, None, [*words, mark], fallbacks=()).missing == (f"{mark}unju", mark)
    assert embedhub.coverage(vectors, None, words, fallbacks=("word-start",)).missing == ()


def test_token_of_a_source_of_tokens_keeps_its_mark(make_vectors: Callable[..., Vectors]) -> None:
    """Without the mark it is another token."""
    vectors = make_vectors(["\u2581", "rain"], dim=3)
    of_tokens = Vectors(vectors.matrix, vectors.words, manifest={"unit": "token"})
    assert embedhub.coverage(of_tokens, None, ["\u2581", "\u2581rain"]).missing == ("\u2581rain",)


@pytest.mark.parametrize("in_source", [False, True])
def test_control_token_is_no_missing_word(in_source: bool, make_vectors: Callable[..., Vectors]) -> None:
    """It has the vector of the source or of the policy, and counts only if the source has it."""
    vectors = make_vectors(["rain", *(["[CLS]"] if in_source else [])], dim=3)
    words = ["[CLS]", "[SEP]", "[MASK]", "rain", "qwxz"]
    counts = dict.fromkeys(words, 1)
    result = embedhub.embedding_matrix(vectors, None, words, oov=[7, 8, 9], counts=counts)
    assert result.coverage.missing == ("qwxz",)
    assert (result.coverage.total, result.coverage.found) == ((3, 2) if in_source else (2, 1))
    assert (result.coverage.tokens, result.coverage.tokens_found) == ((3, 2) if in_source else (2, 1))
    assert (result.matrix[[1, 2, 4]] == [7, 8, 9]).all()
    assert (result.matrix[0] == (vectors["[CLS]"] if in_source else [7, 8, 9])).all()
    assert result.found[0] == in_source


@pytest.mark.parametrize("token", ["</s>", "[unused1]", "<|endoftext|>", "<br>"])
def test_more_tokens_are_control_tokens_in_a_tokenizer_than_in_a_list(token: str) -> None:
    """Words in a list may be anything, such as tags of HTML that should have been removed."""
    tokenizer = Tokenizer(models.WordLevel({token: 0, "rain": 1}, unk_token="[UNK]"))
    assert embedhub.coverage("wordnet-ppmi", 25, tokenizer).missing == ()
    assert embedhub.coverage("wordnet-ppmi", 25, [token, "rain"]).missing == (token,)


@pytest.mark.parametrize("words", [["[CLS]", "[CLS]"], {"[PAD]": 0, "[UNK]": 1, "[SEP]": 2}])
def test_vocabulary_of_control_tokens_alone_is_rejected(words: Any) -> None:
    """No word is left of which there could be a share."""
    with pytest.raises(VocabularyError, match="has only special tokens: '"):
        embedhub.embedding_matrix("wordnet-ppmi", 25, words)


def test_object_with_the_methods_of_a_kerashub_tokenizer_is_a_vocabulary() -> None:
    """Row i is the vector of token i; the padding and unknown tokens are those that it names."""
    tokenizer, vectors = PieceTokenizer(), embedhub.load("wordnet-ppmi", 25)
    result = embedhub.embedding_matrix(vectors, None, tokenizer, oov=np.ones(25))
    assert (result.matrix[4] == vectors["rain"]).all()
    assert not result.matrix[[0, 5]].any()
    assert (result.matrix[[1, 2, 3, 6]] == 1).all()
    assert (result.coverage.total, result.coverage.missing) == (3, ("##s", "qwxz"))
    with pytest.raises(ValueError, match="num_words is 2, but a PieceTokenizer returns all its indices"):
        embedhub.coverage(vectors, None, tokenizer, num_words=2)


def test_object_with_the_methods_of_a_kerashub_tokenizer_tokenizes() -> None:
    """The words are the tokens of the numbers that it returns."""
    assert get_tokenizer(PieceTokenizer())("rain falls") == ["rain", "<oov>"]


WORD_PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "rain", "##ing", "music", "qwxz"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["WordPieceTokenizer", "BertTokenizer"])
def test_word_pieces_of_kerashub(name: str) -> None:
    """The layer has the vectors of the tokens whose numbers the tokenizer returns."""
    keras_hub = pytest.importorskip("keras_hub")
    tokenizer = getattr(keras_hub.tokenizers, name)(vocabulary=WORD_PIECES, lowercase=True)
    vectors = embedhub.load("wordnet-ppmi", 25)
    layer = embedhub.keras_embedding(vectors, None, tokenizer)
    output = np.asarray(layer(np.asarray(tokenizer(["Raining music"]))))[0]
    assert (output[[0, 2]] == vectors.lookup(["rain", "music"])).all()
    assert not output[1].any()
    assert embedhub.coverage(vectors, None, tokenizer).missing == ("##ing", "qwxz")
    assert get_tokenizer(tokenizer)("raining music") == ["rain", "##ing", "music"]


def test_byte_pairs_of_kerashub() -> None:
    """The mark for the start of words is removed, and the numbers may have any order."""
    keras_hub = pytest.importorskip("keras_hub")
    numbers = {"<|endoftext|>": 5, "\u0120": 0, "a": 1, "s": 2, "\u0120a": 3, "as": 4}
    tokenizer = keras_hub.tokenizers.GPT2Tokenizer(vocabulary=numbers, merges=["\u0120 a", "a s"])
    vectors = embedhub.load("wordnet-ppmi", 25)
    result = embedhub.embedding_matrix(vectors, None, tokenizer)
    assert (result.matrix[np.asarray(tokenizer("as a"))] == vectors.lookup(["as", "a"])).all()
    assert result.coverage.missing == ("\u0120",)
    assert get_tokenizer(tokenizer)("as a") == ["as", "\u0120a"]


def test_kerashub_tokenizer_without_a_vocabulary_is_rejected() -> None:
    """The error says to create it with one."""
    keras_hub = pytest.importorskip("keras_hub")
    with pytest.raises(
        VocabularyError, match=r"is a WordPieceTokenizer without a vocabulary; create it with"
    ):
        embedhub.coverage("wordnet-ppmi", 25, keras_hub.tokenizers.WordPieceTokenizer())
