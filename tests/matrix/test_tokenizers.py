"""Tokenizers."""

import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from children import PATIENCE
from hypothesis import given
from hypothesis import strategies as st

import embedhub
from embedhub import RemoteSource, Vectors, VocabularyError
from embedhub.matrix.tokenizers import (
    TOKENIZERS,
    count_words,
    get_tokenizer,
    splits_at_spaces,
    tokenizer_of,
    treebank_tokenize,
)
from embedhub.vectors.vectors import Tokenization

SENTENCE = "L'homme didn't: \u201cwell-known\u201d, 1,000.50 film's U.S. 9"
ABOUT: Any = dict.fromkeys(("description", "language", "license", "citation", "homepage"), "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It's a well-known film , isn't it?", "It 's a well-known film , is n't it ?"),
        ("They\u2019ll pay $1,000.50 in the U.S. by 3pm.", "They 'll pay $ 1,000.50 in the U.S. by 3pm ."),
        ("can't won't CAN'T rock'n'roll", "ca n't wo n't CA N'T rock ' n ' roll"),
        ("naïve café Straße 北京", "naïve café Straße 北京"),
        ("", ""),
    ],
)
def test_treebank_tokenize_splits_contractions_and_punctuation(text: str, expected: str) -> None:
    """Contractions are split, numbers and hyphenated words stay whole, punctuation marks are tokens."""
    assert treebank_tokenize(text) == expected.split()


@given(st.text())
def test_treebank_tokenize_drops_only_white_space(text: str) -> None:
    """The tokens together are the text without its white space."""
    tokens = "".join(treebank_tokenize(text))
    straight = "".join(c for c in text.replace("\u2019", "'") if not c.isspace())
    assert unicodedata.normalize("NFC", tokens) == unicodedata.normalize("NFC", straight)


def test_get_tokenizer_takes_names_functions_and_tokenizers() -> None:
    """Names, functions and Hugging Face tokenizers work; anything else is an error that lists the names."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    hugging_face = Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="a"))
    hugging_face.pre_tokenizer = pre_tokenizers.Whitespace()
    for tokenize in ("words", "whitespace", str.split, hugging_face):
        assert get_tokenizer(tokenize)("b a") == ["b", "a"]
    with pytest.raises(ValueError, match="expected one of words, whitespace"):
        get_tokenizer("spaces")
    with pytest.raises(TypeError, match="expected one of words, whitespace"):
        get_tokenizer(3)


def test_count_words_counts_over_all_texts() -> None:
    """Each occurrence in any text counts."""
    assert count_words(["a b", "a c"]) == {"a": 2, "b": 1, "c": 1}


@given(st.text())
def test_tokenizers_that_split_at_spaces_handle_pieces_independently(text: str) -> None:
    """Where ``splits_at_spaces`` holds, the tokens of a text are those of its pieces between white space."""
    names = list(filter(splits_at_spaces, TOKENIZERS))
    assert names == list(TOKENIZERS)
    for tokenize in map(get_tokenizer, names):
        assert tokenize(text) == [token for piece in text.split() for token in tokenize(piece)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("words", "L ' homme did n't : \u201c well-known \u201d , 1,000.50 film 's U.S. 9"),
        ("google-news", "L'homme didn't well known #,###.## film's U.S. 9"),
        ("europarl", "L 'homme didn 't : \u201c well-known \u201d , 1,000.50 film 's U.S. 9"),
        ("europarl-fr", "L' homme didn' t : \u201c well-known \u201d , 1,000.50 film' s U.S. 9"),
        ("fasttext", "L ' homme didn ' t \" well - known \" , , . film ' s U . S ."),
        ("whitespace", SENTENCE),
    ],
)
def test_each_named_tokenizer_cuts_as_its_sources(name: str, expected: str) -> None:
    """Contractions, hyphens, numbers and punctuation are cut as in the texts of the sources."""
    assert get_tokenizer(name)(SENTENCE) == expected.split()


@pytest.mark.parametrize("name", sorted(TOKENIZERS))
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("हिन्दी में लिखा वाक्य", id="Hindi"),
        pytest.param("தமிழ் மொழி", id="Tamil"),
        pytest.param("বাংলা ভাষা", id="Bengali"),
        pytest.param("ਪੰਜਾਬੀ ਬੋਲੀ", id="Punjabi"),
        pytest.param("ภาษาไทย", id="Thai"),
        pytest.param("الْعَرَبِيَّةُ لُغَة", id="vocalized Arabic"),
        pytest.param("שָׁלוֹם עוֹלָם", id="vocalized Hebrew"),
        pytest.param("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", id="Persian with a joiner"),
    ],
)
def test_no_script_is_cut_at_its_marks(name: str, text: str) -> None:
    """Vowels and other combining marks belong to their letters."""
    assert get_tokenizer(name)(text) == text.split()


def test_decomposed_letters_are_composed() -> None:
    """A text in NFD has the words of the same text in NFC, as sources have them."""
    text = "na\u00efve caf\u00e9, d\u00e9j\u00e0-vu"
    assert treebank_tokenize(unicodedata.normalize("NFD", text)) == treebank_tokenize(text)


def test_sources_state_their_tokenization() -> None:
    """Every name is known to the field, and every source states one of them or None."""
    assert set(get_args(Tokenization)) == {*TOKENIZERS, "tokenizer.json", "model2vec"}
    stated = {name: source.tokenization for name, source in embedhub.sources().items()}
    expected = {
        "glove-6b": "words",
        "wordnet-ppmi": "words",
        "glove-840b": "words",
        "word2vec-google-news": "google-news",
        "numberbatch-en": "google-news",
        "fasttext-wiki-en": "fasttext",
        "fasttext-aligned-fr": "fasttext",
        "fasttext-cc-en": "europarl",
        "fasttext-cc-fr-subword": "europarl-fr",
        "fasttext-cc-de": None,
        "potion-base-8m": "model2vec",
        "static-retrieval-mrl-en": "tokenizer.json",
    }
    assert {name: stated[name] for name in expected if name in stated} == {
        name: value for name, value in expected.items() if name in stated
    }


def test_unknown_tokenization_is_refused() -> None:
    """A source cannot state a tokenization that does not exist."""
    with pytest.raises(
        ValueError, match=r"mine: tokenization is 'moses'; expected one of words, google-news"
    ):
        RemoteSource(name="mine", files={2: ()}, cased=True, tokenization="moses", **ABOUT)  # type: ignore[arg-type]


def test_tokenizer_of_vectors_is_the_one_that_they_state(make_vectors: Callable[..., Vectors]) -> None:
    """Vectors that state a name are tokenized by it, and others by words."""
    for tokenization in TOKENIZERS:
        vectors = make_vectors(["rain"], tokenization=tokenization)
        assert vectors.tokenization == tokenization
        assert tokenizer_of(vectors)(SENTENCE) == TOKENIZERS[tokenization](SENTENCE)
    assert make_vectors(["rain"]).tokenization == "words"


def write_tokens(folder: Path, tensor: str) -> Path:
    """Write three token vectors with their tokenizer, as the package does that names its tensor so."""
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0, "rain": 1, "##y": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.enable_truncation(2)
    tokenizer.save(str(folder / "tokenizer.json"))
    save_file({tensor: np.arange(6, dtype=np.float32).reshape(3, 2)}, folder / "model.safetensors")
    return folder / "model.safetensors"


@pytest.mark.parametrize(
    ("tensor", "expected"),
    [("embeddings", "rain ##y rain"), ("embedding.weight", "rain ##y [UNK] rain")],
    ids=["model2vec", "sentence-transformers"],
)
def test_tokens_are_those_that_the_models_own_package_counts(
    tensor: str, expected: str, tmp_path: Path
) -> None:
    """model2vec leaves out the token for unknown text, sentence-transformers does not; neither cuts here."""
    vectors = embedhub.load(write_tokens(tmp_path, tensor))
    assert vectors.unit == "token"
    assert tokenizer_of(vectors)("rainy qwxz rain\udcff") == expected.split()


def test_tokens_without_their_tokenizer_are_an_error(make_vectors: Callable[..., Vectors]) -> None:
    """Vectors that state a tokenizer of their own, and do not have it, name what to pass."""
    vectors = make_vectors(["rain"], tokenization="model2vec")
    with pytest.raises(VocabularyError, match=r"came without a tokenizer\.json\. Pass tokenize="):
        tokenizer_of(vectors)


@pytest.mark.slow
def test_missing_package_of_tokenizers_is_named(tmp_path: Path) -> None:
    """Without the package the error says what to install."""
    path = write_tokens(tmp_path, "embeddings")
    code = (
        "import sys; sys.modules['tokenizers'] = None; import embedhub\n"
        "from embedhub.matrix.tokenizers import tokenizer_of\n"
        f"vectors = embedhub.load({str(path)!r})\n"
        "try: tokenizer_of(vectors)\nexcept embedhub.errors.DependencyError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert 'pip install "tokenizers"' in done.stdout, done.stderr
