"""Pieces are read from tar archives, and the tokenizer splits texts into them."""

import io
import pickle
import struct
import tarfile
from pathlib import Path

import embedhub_bpemb
import numpy as np
import pytest
from embedhub_bpemb import PieceTokenizer, tokenizer_of
from sentencepiece import SentencePieceTrainer

import embedhub
from embedhub.errors import (
    DimNotFoundError,
    FormatError,
    SourceNotFoundError,
    UnverifiedWarning,
    VocabularyError,
)
from embedhub.testing._table import check_hashes, check_metadata, check_value

TEXTS = ["the rain in stratford was cold 0000", "it rained again and again in the ford", "the strand of rain"]
DIM = 25


@pytest.fixture(scope="session")
def model() -> bytes:
    """Return a SentencePiece model of few pieces."""
    written = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS),
        model_writer=written,
        model_type="bpe",
        vocab_size=40,
        minloglevel=2,
    )
    return written.getvalue()


@pytest.fixture(scope="session")
def pieces(model: bytes) -> list[str]:
    """Return the pieces in the order of their numbers."""
    return list(PieceTokenizer(model).get_vocab())


def word2vec(pieces: list[str], dim: int = DIM) -> bytes:
    """Return a binary file of word2vec: a vector of each piece, whose numbers are the piece's."""
    vectors = (
        piece.encode() + b" " + struct.pack(f"<{dim}f", *[number] * dim) + b"\n"
        for number, piece in enumerate(pieces)
    )
    return b"%d %d\n" % (len(pieces), dim) + b"".join(vectors)


def tar(*members: tuple[str, bytes]) -> bytes:
    """Return a tar archive, compressed."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the English files in a mirror, offline."""
    folder = tmp_path / "mirror" / "bpemb.h-its.org" / "en"
    folder.mkdir(parents=True)
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setenv("EMBEDHUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    return folder


@pytest.fixture
def vectors(mirror: Path, model: bytes, pieces: list[str]) -> embedhub.Vectors:
    """Return the vectors of a small model in 25 dimensions."""
    path = "data/en/en.wiki.bpe.vs1000.d25.w2v.bin"
    (mirror / "en.wiki.bpe.vs1000.d25.w2v.bin.tar.gz").write_bytes(tar((path, word2vec(pieces))))
    (mirror / "en.wiki.bpe.vs1000.model").write_bytes(model)
    with pytest.warns(UnverifiedWarning):
        return embedhub.load("bpemb://en/1000:25")


def test_handle_opens_pieces(vectors: embedhub.Vectors, pieces: list[str]) -> None:
    """The words are the pieces, and a look-up returns the vector of a piece."""
    assert list(vectors.words) == pieces
    assert vectors.unit == "token"
    assert "\u2581rain" in pieces
    assert (vectors["\u2581rain"] == pieces.index("\u2581rain")).all()
    assert embedhub.load("bpemb://en/1000", 25).matrix.shape == (40, 25)


def test_texts_are_prepared_like_those_of_the_training(vectors: embedhub.Vectors) -> None:
    """Letters are lower-cased and digits are zeros before a text is split."""
    tokenizer = tokenizer_of(vectors)
    assert "".join(tokenizer.tokenize("Stratford 1871")) == "\u2581stratford\u25810000"
    assert tokenizer.tokenize("STRATFORD 1871") == tokenizer.tokenize("stratford 0000")
    assert tokenizer.tokenize("") == []
    assert tokenizer.tokenize("rain\udcff") == tokenizer.tokenize("rain")


def test_layer_has_the_vectors_of_a_text(vectors: embedhub.Vectors, pieces: list[str]) -> None:
    """The tokenizer is the vocabulary of a layer, whose row 0 is padding."""
    tokenizer = tokenizer_of(vectors)
    matrix = embedhub.embedding_matrix(vectors, None, tokenizer).matrix
    assert matrix.shape == (41, 25)
    assert not matrix[0].any()
    indices = tokenizer.encode("The rain")
    assert [pieces[index - 1] for index in indices] == tokenizer.tokenize("The rain")
    assert matrix[indices, 0].tolist() == [index - 1 for index in indices]


def test_tokenizer_is_pickled_by_value(vectors: embedhub.Vectors) -> None:
    """A copy splits texts in the same way, without the file."""
    tokenizer = tokenizer_of(vectors)
    copy = pickle.loads(pickle.dumps(tokenizer))  # noqa: S301 - our own bytes
    assert copy.tokenize(TEXTS[0]) == tokenizer.tokenize(TEXTS[0])


def test_other_vectors_have_no_tokenizer() -> None:
    """The error says which vectors have one."""
    with pytest.raises(
        VocabularyError, match=r"came without a sentencepiece\.model; expected .* bpemb://en/10000:100"
    ):
        tokenizer_of(embedhub.Vectors(np.ones((1, 2), np.float32), ["rain"]))


@pytest.mark.parametrize("path", ["../../escaped.bin", "/escaped.bin", "a/../../escaped.bin"])
def test_paths_in_archives_write_nothing(
    mirror: Path, tmp_path: Path, model: bytes, pieces: list[str], path: str
) -> None:
    """An archive is read as a stream: the path of its file names nothing on this machine."""
    (mirror / "en.wiki.bpe.vs1000.d25.w2v.bin.tar.gz").write_bytes(tar((path, word2vec(pieces))))
    (mirror / "en.wiki.bpe.vs1000.model").write_bytes(model)
    with pytest.warns(UnverifiedWarning):
        assert len(embedhub.load("bpemb://en/1000:25")) == 40
    assert not list(tmp_path.rglob("escaped.bin"))


def test_malformed_files_leave_nothing(mirror: Path, tmp_path: Path, model: bytes, pieces: list[str]) -> None:
    """Another file in place of one of the two is an error, and no store is built of it."""
    good = tar(("vectors.bin", word2vec(pieces)))
    link = tarfile.TarInfo("vectors.bin")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    links = io.BytesIO()
    with tarfile.open(fileobj=links, mode="w:gz") as archive:
        archive.addfile(link)
    for archive_bytes, model_bytes, message in (
        (good, b"not a model", "expected a SentencePiece model"),
        (good, model[: len(model) // 2], "SentencePiece model"),
        (good[: len(good) // 2], model, "damaged or truncated|cannot be opened"),
        (tar(("a.bin", word2vec(pieces)), ("b.bin", b"")), model, "has 2 members, not one"),
        (links.getvalue(), model, "has 0 members, not one"),
        (tar(("vectors.bin", word2vec(pieces, 50))), model, "dimension 50; expected 25"),
        (tar(("vectors.bin", b"<html></html>")), model, "expected a header"),
    ):
        (mirror / "en.wiki.bpe.vs1000.d25.w2v.bin.tar.gz").write_bytes(archive_bytes)
        (mirror / "en.wiki.bpe.vs1000.model").write_bytes(model_bytes)
        with pytest.raises(FormatError, match=message):
            embedhub.load("bpemb://en/1000:25")
        assert not [path for path in (tmp_path / "cache").rglob("*") if path.name == "manifest.json"]


def test_each_language_is_a_source() -> None:
    """The metadata of all numbers of pieces are complete, and there are as many languages as BPEmb has."""
    languages = embedhub_bpemb.languages()
    assert len(languages) == 275 + 1
    handles = [(code, count) for code, (_, _, counts) in languages.items() for count in counts]
    sources = [embedhub_bpemb.open_pieces(f"{code}/{count}", None) for code, count in handles]
    assert len({source.name for source in sources}) == len(handles) == 1497
    for source in sources:
        check_metadata(source)
        check_hashes(source)
    check_value(sources[0])
    english = embedhub_bpemb.open_pieces("en/10000", 100)
    assert english.dims == (25, 50, 100, 200, 300)
    (file,) = english.candidates(100)
    assert file.url == "https://bpemb.h-its.org/en/en.wiki.bpe.vs10000.d100.w2v.bin.tar.gz"
    assert file.companions[0].url == "https://bpemb.h-its.org/en/en.wiki.bpe.vs10000.model"
    assert embedhub_bpemb.open_pieces("multi/1000000", None).dims == (300,)


@pytest.mark.parametrize(
    ("handle", "message"),
    [
        ("en", "English has the numbers of pieces 1000, 3000, 5000, 10000, 25000, 50000, 100000, 200000;"),
        ("en/20000", "English has the numbers of pieces"),
        ("dummy/1000", "expected the code of one of 276 languages"),
        ("multi/10000", "has the numbers of pieces 100000, 320000, 1000000"),
    ],
)
def test_unknown_models_are_errors(handle: str, message: str) -> None:
    """The message says which languages and numbers of pieces there are."""
    with pytest.raises(SourceNotFoundError, match=message):
        embedhub.load(f"bpemb://{handle}:100")


def test_unknown_dimensions_are_errors(mirror: Path) -> None:
    """A handle without a dimension, or with another one, says which there are."""
    for handle in ("bpemb://en/1000", "bpemb://en/1000:64"):
        with pytest.raises(DimNotFoundError, match="25, 50, 100, 200, 300"):
            embedhub.load(handle)


def test_readme_has_every_language() -> None:
    """The README has a row of each language, with its numbers of pieces."""
    readme = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    for code, (_, name, counts) in embedhub_bpemb.languages().items():
        assert f"| `{code}` | {name} | {', '.join(f'{count:,}' for count in counts)} |" in readme
