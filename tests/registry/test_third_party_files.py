"""Files that other programs wrote, whose licenses do not allow committing them: ../shared/data has them."""

import numpy as np
import pytest
from real_files import REAL_DATA

import embedhub
from embedhub import Vectors
from embedhub.errors import FormatWarning, UnexpectedEndError
from embedhub.formats import static_embeddings

if not (REAL_DATA / "formats").is_dir():
    pytest.skip(
        "needs files of other programs in ../shared/data/formats: this module names each",
        allow_module_level=True,
    )

FORMATS = REAL_DATA / "formats"
SAMPLES: dict[str, tuple[int, int, str, bool]] = {
    "fasttext/lee_fasttext.vec": (1762, 10, "the", False),
    "fasttext/lee_fasttext_new.bin": (1763, 10, "the", False),
    "fasttext/pytorchnlp_wiki.simple.vec": (5, 300, "</s>", True),
    "fasttext/toy-model.bin": (22, 5, "the", False),
    "fasttext/toy-model.vec": (22, 5, "the", False),
    "fasttext/wiki.en.first100.vec": (99, 300, ",", True),
    "glove/glove.6B.100d.first100.txt.gz": (100, 100, "the", False),
    "glove/glove.6B.300d.first100.txt.gz": (100, 300, "the", False),
    "glove/glove.840B.300d.first100.zip": (100, 300, ",", False),
    "glove/glove.twitter.27B.25d.first10.txt": (15, 25, "<user>", True),
    "glove/nbsp.glove.txt": (3, 300, "topaz", False),
    "static/model2vec-float32/model.safetensors": (29528, 2, "[PAD]", False),
    "word2vec/euclidean_vectors.bin": (2747, 10, "the", False),
}


@pytest.mark.filterwarnings("default::embedhub.errors.FormatWarning")
@pytest.mark.parametrize("name", SAMPLES)
def test_sample_format_is_recognized(name: str, recwarn: pytest.WarningsRecorder) -> None:
    """Each sample loads by its path alone; truncated ones only if that is allowed, with a warning."""
    words, dim, first, truncated = SAMPLES[name]
    if truncated:
        with pytest.raises(UnexpectedEndError, match="allow_truncated=True"):
            embedhub.load(FORMATS / name)
    vectors = embedhub.load(FORMATS / name, allow_truncated=truncated)
    assert (len(vectors), vectors.dim, vectors.words[0]) == (words, dim, first)
    assert [warning.category for warning in recwarn] == ([FormatWarning] if truncated else [])


def test_words_keep_no_break_spaces() -> None:
    """The token of three dots in GloVe 840B has no-break spaces, which do not separate fields."""
    assert list(embedhub.load(FORMATS / "glove" / "nbsp.glove.txt")) == ["topaz", ".\u00a0.\u00a0.", "CentOS"]
    zipped = embedhub.load(FORMATS / "glove" / "glove.840B.300d.first100.zip")
    assert zipped.words[:4] == [",", ".", "the", "and"]


def same(one: Vectors, other: Vectors) -> bool:
    """Return whether two stores have the same bytes of words and rows."""
    digests = [vectors.manifest["xxh3_128"] for vectors in (one, other)]
    return all(digests[0][name] == digests[1][name] for name in ("matrix.npy", "words.utf8"))


def test_word2vec_formats_are_equal() -> None:
    """The same vectors in binary, in text, and in text without header are the same words and bits."""
    twins = [
        embedhub.load(FORMATS / "word2vec" / f"similarity.{suffix}") for suffix in ("bin", "txt", "nodims")
    ]
    assert same(twins[0], twins[1])
    assert same(twins[0], twins[2])


def test_word2vec_binary_rounded_to_float16_is_the_rounded_text() -> None:
    """The binary twin of the high-precision sample was made of float16."""
    binary, text = (
        embedhub.load(FORMATS / "word2vec" / f"high_precision.kv.{end}") for end in ("bin", "txt")
    )
    assert list(binary) == list(text)
    assert (binary.matrix == text.matrix.astype(np.float16)).all()


def test_fasttext_formats_are_equal() -> None:
    """A model's vectors, printed with five digits as fastText prints them, are those of its .vec file."""
    model, text = (embedhub.load(FORMATS / "fasttext" / f"toy-model.{end}") for end in ("bin", "vec"))
    assert list(model) == list(text)
    printed = [[np.float32(f"{x:.5g}") for x in row] for row in model.matrix.tolist()]
    assert printed == text.matrix.tolist()


# By fastText 0.9.2's get_word_vector.
@pytest.mark.parametrize(
    ("name", "known", "unknown"),
    [
        (
            "toy-model.bin",
            "b8ec8c3d184a883e5417da3cf58184be4acae8b9",
            "6fbe5a3d33159b3d832a8a3c0001f4bd6e369bbc",
        ),
        (
            "lee_fasttext_new.bin",
            "ce12a9beb0e0a2be25d9cd3db32085bf8dd3b33dc55c44bff4a3cc3e4acb48be253109beb76f9c3e",
            "25fd68be785ae9bd03cc6b3e7fb784bf377a8f3d18836bbf85b5e43e00a7b0bc89fb3ebeaebdfa3d",
        ),
    ],
)
def test_fasttext_vectors_match_fasttext(name: str, known: str, unknown: str) -> None:
    """Models of versions 12 and 11 return the bits of fastText for a known and an unknown word."""
    vectors = embedhub.load(FORMATS / "fasttext" / name)
    assert vectors["the"].tobytes().hex() == known
    assert vectors.composer is not None
    assert vectors.composer.compose(["unknownword"]).tobytes().hex() == unknown


def test_static_embedding_layouts_are_equal() -> None:
    """Models of model2vec and of sentence-transformers have a vector for each token of one tokenizer."""
    model2vec = embedhub.load(FORMATS / "static" / "model2vec-float32" / "model.safetensors")
    assert model2vec.words[:2] == ["[PAD]", "[UNK]"]
    other = static_embeddings.read(
        FORMATS / "static" / "sentence-transformers" / "model.safetensors",
        2,
        FORMATS / "static" / "model2vec-float32" / "tokenizer.json",
    )
    blocks = [block for block in other if isinstance(block, tuple)]
    assert [word for words, _ in blocks for word in words] == list(model2vec)
    assert (np.concatenate([rows for _, rows in blocks]) == model2vec.matrix).all()
