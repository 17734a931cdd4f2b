"""Decades are read, words that do not occur are skipped, and no pickle is ever loaded."""

import io
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import embedhub_histwords
import numpy as np
import pytest
from embedhub_histwords import reader
from numpy.typing import NDArray

import embedhub
from embedhub.errors import (
    DimNotFoundError,
    DownloadError,
    FormatError,
    SourceNotFoundError,
    UnverifiedWarning,
)
from embedhub.testing._table import check_metadata, check_value

WORDS = ["the", "gay", "caf\u00e9", "\u96e8", "television", "is"]


def matrix(dtype: str = "<f8") -> NDArray[Any]:
    """Return a row for each word: its place and a half, -0.5, 0, ..., but zeros for television."""
    rows = np.zeros((len(WORDS), 300), dtype)
    rows[:, 0] = np.arange(len(WORDS)) + 0.5
    rows[:, 1] = -0.5
    rows[4] = 0
    return rows


def npy(array: NDArray[Any]) -> bytes:
    """Return an array in NumPy's format."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def parse(folder: Path, content: bytes, words: bytes) -> tuple[list[str], NDArray[np.float32]]:
    """Return what is read of a matrix and a pickle."""
    (folder / "w.npy").write_bytes(content)
    (folder / "vocab.pkl").write_bytes(words)
    blocks = list(reader.read(folder / "w.npy", 300, folder / "vocab.pkl"))
    return [word for part, _ in blocks for word in part], np.concatenate([part for _, part in blocks])


@pytest.mark.parametrize("dtype", ["<f8", "<f4", ">f8", "<f2"])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_words_with_vectors_are_read(tmp_path: Path, protocol: int, dtype: str) -> None:
    """Every protocol and every floating-point type gives the same float32; a vector of zeros is skipped."""
    words, vectors = parse(tmp_path, npy(matrix(dtype)), pickle.dumps(WORDS, protocol))
    assert words == [word for word in WORDS if word != "television"]
    assert vectors.dtype == np.float32
    assert vectors[:, :3].tolist() == [
        [0.5, -0.5, 0],
        [1.5, -0.5, 0],
        [2.5, -0.5, 0],
        [3.5, -0.5, 0],
        [5.5, -0.5, 0],
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"(lp1\nVthe\np2\naVa\naVthat\np3\na.", ["the", "a", "that"]),  # as HistWords has them
        (b"\x80\x02]q\x01(U\x05caf\xc3\xa9q\x02U\x01aq\x03e.", ["caf\u00e9", "a"]),
        (b"(lp1\nS'caf\\xc3\\xa9'\np2\naS\"it's\"\na.", ["caf\u00e9", "it's"]),
        (b"\x80\x02]q\x01(U\x01\xffT\x02\x00\x00\x00abe.", ["\udcff", "ab"]),
        (b"(lp1\nV\\ud83d\\ude00\na.", ["\U0001f600"]),  # a narrow build of Python 2
        (b"\x80\x02].", []),
    ],
)
def test_pickles_of_python_2_are_read(tmp_path: Path, content: bytes, words: list[str]) -> None:
    """Byte strings are UTF-8, and invalid bytes become surrogates, as in other files."""
    (tmp_path / "vocab.pkl").write_bytes(content)
    assert reader.read_words(tmp_path / "vocab.pkl") == words


class Malicious:
    """An object that makes a folder when its pickle is loaded."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


def malicious() -> dict[str, bytes]:
    """Return pickles that no reader may load, by what they would do."""
    command = Malicious(os.system, "mkdir loaded")
    nested: Any = "a"
    for _ in range(200):
        nested = [nested, nested]
    return {
        "a command": pickle.dumps(command),
        "a command in a list": pickle.dumps(["the", command]),
        "a command, protocol 0": pickle.dumps(["the", command], 0),
        "nested reduce": pickle.dumps(Malicious(map, os.mkdir, ["loaded"])),
        "a name": b"cos\nsystem\n(S'mkdir loaded'\ntR.",
        "a name, protocol 4": pickle.dumps([os.system], 4),
        "an instance": b"(S'mkdir loaded'\nios\nsystem\n.",
        "an object": b"(lp1\n(S'mkdir loaded'\ncos\nsystem\no.",
        "an extension": b"\x80\x02]\x82\x01a.",
        "a persistent number": b"(lp1\nPloaded\na.",
        "a bomb of remembered lists": pickle.dumps(nested),
        "a huge number to remember": b"\x80\x02]q\x01(U\x01ar\xff\xff\xff\xff" + b"h\xffe.",
        "a huge string": b"\x80\x04](\x8d\xff\xff\xff\xff\xff\xff\xff\x7fae.",
        "a negative length": b"\x80\x02](T\xff\xff\xff\xffae.",
        "a dictionary": pickle.dumps({"the": 0}),
        "a tuple": pickle.dumps(("the",)),
        "numbers": pickle.dumps([1, 2]),
        "bytes": pickle.dumps([b"the"], 3),
        "lists in a list": pickle.dumps([["the"]]),
        "two lists": pickle.dumps(["the"]) + pickle.dumps(["the"]),
        "a string": pickle.dumps("the"),
        "a string that is not added": b"\x80\x02]U\x01a.",
        "two strings added as one": b"(lp1\nVa\nVb\na.",
        "no string": b"(lp1\na.",
        "a lone surrogate": b"(lp1\nV\\ud83d\na.",
        "an escape": b"(lp1\nS'\\q'\na.",
        "no end": pickle.dumps(["the"])[:-1],
        "half of a string": pickle.dumps(["the"])[:-5],
        "nothing": b"",
        "text": b"the\nof\n",
    }


@pytest.mark.parametrize("label", malicious())
def test_other_pickles_are_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, label: str) -> None:
    """Anything but one list of strings is a FormatError, and nothing of it is run."""
    monkeypatch.chdir(tmp_path)
    Path("vocab.pkl").write_bytes(malicious()[label])
    with pytest.raises(FormatError, match=r"vocab\.pkl: byte \d+: .*A pickle is not loaded"):
        reader.read_words(Path("vocab.pkl"))
    assert os.listdir() == ["vocab.pkl"]  # noqa: PTH208 - names


def test_damaged_pickles_are_errors(tmp_path: Path) -> None:
    """A pickle with wrong bytes is a list of strings or a FormatError."""
    for protocol in (0, 2, 4):
        content = pickle.dumps(WORDS, protocol)
        for place in range(len(content)):
            for byte in (0, 40, 46, 99, 255):
                damaged = content[:place] + bytes([byte]) + content[place + 1 :]
                (tmp_path / "vocab.pkl").write_bytes(damaged)
                try:
                    words = reader.read_words(tmp_path / "vocab.pkl")
                except FormatError:
                    continue
                assert all(isinstance(word, str) for word in words)


def test_large_pickles_are_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pickle of more than the limit is not read on, nor one that is compressed."""
    monkeypatch.setattr(reader, "MAX_PICKLE_BYTES", 1000)
    (tmp_path / "vocab.pkl").write_bytes(pickle.dumps(["the"] * 1000, 0))
    with pytest.raises(FormatError, match="more than 1,000 bytes"):
        reader.read_words(tmp_path / "vocab.pkl")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (npy(matrix()[:, :50]), "dimension 50; expected 300"),
        (npy(matrix()[:3]), "3 rows, but .* has 6 words"),
        (npy(matrix())[:-8], "ends after 5 of 6 rows"),
        (npy(matrix()) + b"x", "continues after 6 rows"),
        (npy(matrix().astype("<i4")), "dtype int32"),
        (npy(np.asfortranarray(matrix())), "in columns"),
        (npy(matrix()[:, 0]), "expected rows of float32"),
        (npy(np.array(["the"], object)), "dtype object"),
        (b"\x93NUMPY\x01\x00\xff\xff", "NumPy's format"),
        (b"<html></html>", "NumPy's format"),
    ],
)
def test_malformed_matrices_are_errors(tmp_path: Path, content: bytes, message: str) -> None:
    """A matrix must have a row of floating-point numbers for each word; an array of objects is a pickle."""
    with pytest.raises(FormatError, match=message):
        parse(tmp_path, content, pickle.dumps(WORDS))


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the archives in a mirror, offline."""
    folder = tmp_path / "mirror" / "snap.stanford.edu" / "historical_embeddings"
    folder.mkdir(parents=True)
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setenv("EMBEDHUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    return folder


def test_handle_opens_a_decade(mirror: Path) -> None:
    """The vectors of a decade come from its two files in the archive of the corpus."""
    with zipfile.ZipFile(mirror / "ger-all_sgns.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sgns/1800-w.npy", npy(np.ones((1, 300))))
        archive.writestr("sgns/1800-vocab.pkl", pickle.dumps(["alt"], 0))
        archive.writestr("sgns/1990-w.npy", npy(matrix()))
        archive.writestr("sgns/1990-vocab.pkl", pickle.dumps(WORDS, 0))
    with pytest.warns(UnverifiedWarning) as warned:
        vectors = embedhub.load("histwords://ger-all/1990")
    assert len(warned) == 2
    assert "television" not in vectors
    assert vectors["The"][:2].tolist() == [0.5, -0.5]
    assert len(vectors) == 5
    assert len(embedhub.load("histwords://ger-all/1990", 300)) == 5
    with pytest.raises(DimNotFoundError):
        embedhub.load("histwords://ger-all/1990:50")
    with pytest.raises(DownloadError, match=r"no member 'sgns/1810-vocab\.pkl'"):
        embedhub.load("histwords://ger-all/1810")


def test_malicious_archive_leaves_nothing(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pickle that would run a command is an error, no store is built, and the file does not stay."""
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile(mirror / "eng-all_sgns.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sgns/1990-w.npy", npy(matrix()))
        archive.writestr("sgns/1990-vocab.pkl", malicious()["a command in a list"])
    with pytest.raises(FormatError, match="A pickle is not loaded"):
        embedhub.load("histwords://eng-all/1990")
    assert not (tmp_path / "loaded").exists()
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.name == "manifest.json"]
    assert not list((tmp_path / "cache").rglob("*.gz"))


def test_each_decade_is_a_source() -> None:
    """The metadata of all decades are complete, and their names differ."""
    handles = [(name, year) for name, corpus in embedhub_histwords.CORPORA.items() for year in corpus.decades]
    sources = [embedhub_histwords.open_decade(f"{name}/{year}", None) for name, year in handles]
    assert len({source.name for source in sources}) == len(handles) == 123
    for source in sources:
        check_metadata(source)
    check_value(sources[0])


@pytest.mark.parametrize(
    ("handle", "message"),
    [
        ("eng-all", "has the decades 1800 to 1990"),
        ("eng-all/1995", "has the decades 1800 to 1990"),
        ("chi-sim-all/1940", "has the decades 1950 to 1990"),
        ("eng-all/../coha-word/1990", "has the decades"),
        ("eng/1990", "expected one of the corpora eng-all, "),
    ],
)
def test_unknown_decades_are_errors(handle: str, message: str) -> None:
    """The message says which corpora and decades there are."""
    with pytest.raises(SourceNotFoundError, match=message):
        embedhub.load(f"histwords://{handle}")
