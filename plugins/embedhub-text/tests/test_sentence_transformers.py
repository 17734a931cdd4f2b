"""Folders for sentence-transformers and model2vec: their vectors of texts are embedhub's."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from embedhub_text import TextEmbedder
from numpy.typing import NDArray

import embedhub
from embedhub.errors import FormatError
from embedhub.matrix.tokenizers import get_tokenizer

SENTENCES = Path(__file__).parents[3] / "benchmarks" / "sentences.txt"
REAL_TEXTS = Path(__file__).parents[4] / "shared" / "data" / "text"
HARD = [
    "",
    "qwxz zzyx",
    "I DON'T like the U.S. film\u2019s 2,000 well-made shots...",
    "it's 10:30 -- 5\u00b2 caf\u00e9s, cafe\u0301s; \u201cquoted\u201d (and more)!",
    "\u0939\u093f\u0928\u094d\u0926\u0940",
    "\u0644\u0627\u200c\u0647\u0627 \u4e2d\u6587 \U0001f600 na\u00efve_word",
    "rock'n'roll can't won't [UNK] the rock-'n'-roll 'tis o'clock",
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an embedded source."""
    folder = tmp_path_factory.mktemp("exported") / "model"
    embedhub.export("wordnet-ppmi:50", folder, format="sentence-transformers")
    return folder


@pytest.fixture(scope="module")
def expected() -> Callable[[list[str]], NDArray[np.float32]]:
    """Return a function that embeds texts with embedhub, to length 1."""
    return partial(TextEmbedder("wordnet-ppmi", 50).encode, normalize=True)


def texts() -> list[str]:
    """Texts of this repository, and thousands of real ones where the test data lies beside it."""
    found = [*HARD, *SENTENCES.read_text("utf-8").splitlines()]
    for path in sorted(REAL_TEXTS.glob("*/*")):
        found += path.read_text("utf-8", "replace").splitlines()[:1000]
    return found


def test_sentence_transformers_embeds_texts_alike(
    model: Path, expected: Callable[[list[str]], NDArray[np.float32]]
) -> None:
    """``SentenceTransformer(folder)`` gives the same vectors."""
    sentence_transformers = pytest.importorskip("sentence_transformers")
    vectors = sentence_transformers.SentenceTransformer(str(model), device="cpu").encode(texts())
    np.testing.assert_allclose(vectors, expected(texts()), atol=1e-6)


def test_model2vec_embeds_texts_alike(
    model: Path, expected: Callable[[list[str]], NDArray[np.float32]]
) -> None:
    """So does ``StaticModel.from_pretrained(folder)``."""
    model2vec = pytest.importorskip("model2vec")
    vectors = model2vec.StaticModel.from_pretrained(model).encode(texts(), max_length=None)
    np.testing.assert_allclose(vectors, expected(texts()), atol=1e-6)


@pytest.mark.slow
def test_embedhub_reads_the_folder_back(
    model: Path, expected: Callable[[list[str]], NDArray[np.float32]]
) -> None:
    """Each vector bit for bit, with a row of zeros for unknown words, and the same vectors of texts."""
    pytest.importorskip("tokenizers")
    source, read = embedhub.load("wordnet-ppmi", 50), embedhub.load(model)
    assert list(read.words) == [*source.words, "[UNK]"]
    np.testing.assert_array_equal(read.matrix[:-1], source.matrix)
    assert not read.matrix[-1].any()
    vectors = TextEmbedder(str(model))(texts())
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors, expected(texts()) * lengths, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["words", "europarl", "europarl-fr", "whitespace"])
def test_texts_are_split_as_by_the_source(
    make_vectors: Callable[..., embedhub.Vectors], tmp_path: Path, name: str
) -> None:
    """The tokenizer of the folder finds the same words as the tokenizer of that name."""
    tokenizers = pytest.importorskip("tokenizers")
    split = get_tokenizer(name)
    words = list(dict.fromkeys(word for text in texts() for word in split(text)))
    vectors = make_vectors(words, tokenization=name)
    embedhub.export(vectors, tmp_path / "model", format="sentence-transformers")
    tokenizer = tokenizers.Tokenizer.from_file(str(tmp_path / "model" / "tokenizer.json"))
    for text in texts():
        assert tokenizer.encode(text, add_special_tokens=False).tokens == split(text)


def test_card_names_license_and_citation(model: Path) -> None:
    """What a user of the vectors has to know is in the folder."""
    card = (model / "README.md").read_text("utf-8")
    source = embedhub.sources()["wordnet-ppmi"]
    assert source.license in card
    assert source.citation in card
    assert source.homepage in card


def test_word_named_like_the_unknown_token_keeps_its_vector(
    make_vectors: Callable[..., embedhub.Vectors], tmp_path: Path
) -> None:
    """The token for unknown words then has another name."""
    embedhub.export(make_vectors(["[UNK]", "rain"]), tmp_path / "model", format="sentence-transformers")
    content = json.loads((tmp_path / "model" / "tokenizer.json").read_text("utf-8"))
    assert content["model"]["vocab"] == {"[UNK]": 0, "rain": 1, "[[UNK]]": 2}


@pytest.mark.parametrize("name", ["fasttext", "google-news"])
def test_other_tokenizations_are_refused(
    make_vectors: Callable[..., embedhub.Vectors], tmp_path: Path, name: str
) -> None:
    """A folder that splits texts differently is not written."""
    with pytest.raises(FormatError, match=rf"splits texts by '{name}'.* Nothing was written"):
        embedhub.export(
            make_vectors(["rain"], tokenization=name), tmp_path / "model", format="sentence-transformers"
        )
    assert not list(tmp_path.iterdir())


def test_selected_words_are_written(tmp_path: Path) -> None:
    """As in the other formats: ``words`` and ``topn``."""
    result: Any = embedhub.export(
        "wordnet-ppmi:25", tmp_path / "m", words=["rain", "qwxz"], format="sentence-transformers"
    )
    assert (result.count, result.missing) == (1, ("qwxz",))
    assert set(result.files) == set((tmp_path / "m").iterdir())
