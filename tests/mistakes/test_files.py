"""What users pass instead of a file of vectors, and what the messages say."""

import gzip
import io
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mistakes import Mistake, check, each
from remote import source_of

import embedhub
from embedhub import RemoteFile
from embedhub.download.remote_file import Fetched
from embedhub.errors import DimNotFoundError, FormatError, LocalFileError, SourceNotFoundError
from embedhub.formats import FORMATS, get_format


def load_bytes(data: bytes) -> Callable[[Path], Any]:
    """Return the call that loads a file of these bytes."""

    def call(folder: Path) -> Any:
        path = folder / "mine.bin"
        path.write_bytes(data)
        return embedhub.load(path)

    return call


def tar() -> bytes:
    """Return a tar archive with one file, in a zip archive."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("mine.txt"))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as outer:
        outer.writestr("mine.tar", file.getvalue())
    return packed.getvalue()


def cut_zip() -> bytes:
    """Return the first half of a zip archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mine.txt", "rain 1 2\n" * 100)
    return file.getvalue()[:500]


def arrays(**named: Any) -> bytes:
    """Return an archive of arrays."""
    file = io.BytesIO()
    np.savez(file, **named)
    return file.getvalue()


def zipped(*names: str) -> bytes:
    """Return a zip archive with these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "rain 1 2\n")
    return file.getvalue()


ROWS = np.ones((2, 3), np.float32)


def misspell(folder: Path) -> Any:
    """Load a file by a name that lacks a letter."""
    (folder / "vectors.txt").write_text("rain 1 2\n")
    return embedhub.load(folder / "vectrs.txt")


OLD_FASTTEXT = struct.pack("<12id", 100, 5, 5, 5, 5, 1, 2, 2, 2_000_000, 3, 6, 100, 1e-4) + bytes(40)
FOREIGN: list[tuple[str, bytes, tuple[str, ...]]] = [
    *((f"a pickle of protocol {n}", b"\x80%c." % n, ("pickle", "save_word2vec_format")) for n in range(2, 6)),
    ("finalfusion", b"FiFu" + bytes(8), ("finalfusion", "convert")),
    ("finalfusion with metadata", b"FiFu" + bytes(8) + b"\n[a]\nb = 1\nc 2\n", ("finalfusion", "convert")),
    ("HDF5", b"\x89HDF\r\n\x1a\n" + bytes(8), ("HDF5", "h5py")),
    ("SQLite", b"SQLite format 3\0", ("SQLite", "made from")),
    ("an array", b"\x93NUMPY\x01\0", ("no words", "line of text")),
    ("Parquet", b"PAR1\x15\0", ("Parquet", "lines of text")),
    ("Arrow", b"ARROW1\0\0", ("Arrow", "lines of text")),
    ("Zstandard", b"(\xb5/\xfd\x04", ("Zstandard", "zstd -d")),
    ("7z", b"7z\xbc\xaf'\x1c\0", ("7z", "Unpack")),
    ("RAR", b"Rar!\x1a\x07\0", ("RAR", "Unpack")),
    ("PDF", b"%PDF-1.7\n", ("PDF", "Download")),
    ("UTF-16", "rain 1 2\n".encode("utf-16"), ("UTF-16", "iconv")),
    ("UTF-16, big-endian", b"\xfe\xff" + "rain 1 2\n".encode("utf-16-be"), ("UTF-16", "iconv")),
    ("tar", tar(), ("tar archive", "Unpack")),
    ("fastText of 2016", OLD_FASTTEXT, ("before 2017", ".vec")),
    ("empty", b"", ("empty file", "again")),
    ("a web page", b"<!doctype html><p>gone", ("got a web page", "Download the file of vectors itself")),
    (
        "XML",
        b"<?xml?><Error><Code>Gone</Code></Error>",
        ("an error document of the server (Gone)", "Download"),
    ),
    ("a pointer", b"version https://git-lfs.github.com/spec/v1\n", ("got a git-lfs pointer", "Download")),
    ("a zip in gzip", gzip.compress(zipped("a.txt")), ("zip archive inside of another file", "Unpack")),
]
CONTENTS = [
    *FOREIGN,
    ("a cut zip", cut_zip(), ("truncated", "download it again")),
    ("commas", b"rain,1,2\nwind,3,4\n", ("line 1", "commas", "sep='\\t'")),
    ("commas after words", b"rain,1 2\nwind,3 4\n", ("line 1", "commas")),
    ("decimal commas", b"rain 0,5 1,5\n", ("line 1", "decimal points", "commas")),
    ("semicolons", b"rain;1;2\n", ("line 1", "semicolons")),
    ("commas under a header", b"1 2\nrain,1,2\n", ("line 2", "commas")),
    ("a tab in one line", b"a b 1 2\nc d 3 4\nrain\t1 2\n", ("line 3", "A tab separates fields only if")),
    ("two spaces in one line", b"a b 1 2\nc d 3 4\nrain 1  2\n", ("line 3", "two spaces in a row")),
    ("a word of two in columns", b"rain  1  2\n" * 10 + b"new york 1 2\n", ("line 11", "'new york 1 2'")),
    ("a header of one number", b"2\nrain 1 2\nwind 3 4\n", ("line 1", "remove the line")),
    ("a header with the dimension first", b"2 1\nrain 1 2\n", ("line 1", "write the header as '1 2'")),
    ("a large header with the dimension first", b"2 400000\nrain 1 2\n", ("line 1", "as '400000 2'")),
    ("a header of more", b"3 2\nrain 1 2\n", ("declares 3 vectors", "has 1", "allow_truncated=True")),
    ("a header of fewer", b"1 2\nrain 1 2\nwind 3 4\n", ("declares 1 vectors", "has 2", "allow_truncated=")),
    ("no last newline", b"rain 1 2\nwind 3 4", ("line 2", "no newline at its end", "allow_truncated=True")),
    ("cut word2vec binary", b"2 2\nrain " + bytes(8) + b"wind ", ("inside vector 2", "allow_truncated=True")),
    ("other arrays", arrays(x=ROWS, y=ROWS), ("'matrix'", "'words'", "embedhub.export", "got 'x', 'y'")),
    ("words as objects", arrays(matrix=ROWS, words=np.array(["a", "b"], object)), ("dtype object", "pickle")),
    ("fewer words", arrays(matrix=ROWS, words=np.array(["a"])), ("1 words", "shape (2, 3)")),
    ("a matrix of integers", arrays(matrix=ROWS.astype(int), words=np.array(["a", "b"])), ("dtype int64",)),
    ("a PyTorch file", zipped("a/data.pkl", "a/data/0"), ("PyTorch", "pickle", "lines of text")),
    ("two members", zipped("a.txt", "b.txt"), ("2 members", "a.txt, b.txt", "archive.zip#member.txt")),
    ("prose", b"It was a dark and stormy night.\n", ("expected vectors",)),
]
MISTAKES = [
    *(Mistake(label, load_bytes(data), FormatError, ("mine.bin", *words)) for label, data, words in CONTENTS),
    Mistake("a folder", embedhub.load, LocalFileError, ("in this folder", "no files")),
    Mistake("a misspelt file", misspell, LocalFileError, ("vectrs.txt", "Did you mean 'vectors.txt'?")),
    Mistake(
        "a member that is not there",
        lambda folder: (load_bytes(zipped("a.txt"))(folder), embedhub.load(f"{folder}/mine.bin#c.txt")),
        FormatError,
        ("no member 'c.txt'", "a.txt"),
    ),
    Mistake(
        "a member of no archive",
        lambda folder: (load_bytes(b"rain 1 2\n")(folder), embedhub.load(f"{folder}/mine.bin#c.txt")),
        FormatError,
        ("not a zip or tar archive", "no member 'c.txt'"),
    ),
    Mistake(
        "a truncated source",
        lambda _: embedhub.load("wordnet-ppmi", 25, allow_truncated=True),
        ValueError,
        ("allow_truncated", "file of your own"),
    ),
    Mistake(
        "an address of plain http",
        lambda _: embedhub.load("http://example.org/vectors.txt"),
        SourceNotFoundError,
        ("plain http is not supported", "use https://"),
    ),
    Mistake(
        "an address of the Hub",
        lambda _: embedhub.load("hf://owner/model"),
        SourceNotFoundError,
        ("hf:// needs the plugin embedhub-huggingface", "(docs/install.md)"),
    ),
    Mistake(
        "a model of the Hub",
        lambda _: embedhub.load("no-such-owner/model"),
        SourceNotFoundError,
        ("Hugging Face Hub", "'hf://no-such-owner/model'"),
    ),
    Mistake(
        "a dimension without its source",
        lambda _: embedhub.load("50"),
        SourceNotFoundError,
        ("follows the name", "'glove-6b:50'"),
    ),
    Mistake(
        "a dimension twice",
        lambda _: embedhub.load("glove-6b:50", 100),
        DimNotFoundError,
        ("'glove-6b:50' has dim 50 in its name", "dim 100 was given too"),
    ),
    Mistake(
        "a name with another dimension",
        lambda _: embedhub.load("glove-6b:51"),
        DimNotFoundError,
        ("no dim 51", "50, 100, 200, 300"),
    ),
    Mistake(
        "a misspelled name with a dimension",
        lambda _: embedhub.load("glove-6c:50"),
        SourceNotFoundError,
        ("No source is named 'glove-6c'", "'glove-6b'"),
    ),
]


@each(MISTAKES)
def test_mistake_is_explained(mistake: Mistake, tmp_path: Path) -> None:
    """Each message says what the file is and what to do."""
    check(mistake, tmp_path)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("data", [data for _, data, _ in FOREIGN], ids=[label for label, _, _ in FOREIGN])
def test_file_of_another_kind_is_explained_in_a_named_format_too(
    data: bytes, name: str, tmp_path: Path
) -> None:
    """A source that names the format of its file has the same message as a file that is recognized."""
    with pytest.raises(FormatError) as recognized:
        load_bytes(data)(tmp_path)
    source = source_of(RemoteFile("https://example.org/a", format=name))
    with pytest.raises(FormatError) as named:
        list(source.parse(Fetched(tmp_path / "mine.bin"), 2))
    assert str(named.value) == str(recognized.value)


@pytest.mark.parametrize("name", FORMATS)
def test_error_of_a_reader_stays_where_it_says_more(name: str, tmp_path: Path) -> None:
    """One array in an .npz archive is not taken for an array without words, nor prose for anything."""
    source = source_of(RemoteFile("https://example.org/a", format=name))
    path = tmp_path / "mine.bin"
    for data in (arrays(x=ROWS), b"It was a dark and stormy night.\n"):
        path.write_bytes(data)
        with pytest.raises(FormatError) as direct:
            list(get_format(name).read(path, 2))
        with pytest.raises(FormatError) as named:
            list(source.parse(Fetched(path), 2))
        assert str(named.value) == str(direct.value)


def test_folder_by_its_bare_name_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder beside the program is not taken for a misspelt name of a source."""
    (tmp_path / "model").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LocalFileError, match="in this folder, but it has no files"):
        embedhub.load("model")


def test_newlines_before_a_word_of_word2vec_binary_are_no_part_of_it(tmp_path: Path) -> None:
    """Some writers end a vector with more than one newline."""
    path = tmp_path / "mine.bin"
    row = struct.pack("<2f", 0.5, 1)
    path.write_bytes(b"2 2\nrain " + row + b"\n\nwind " + row + b"\n")
    assert list(embedhub.load(path).words) == ["rain", "wind"]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_member_of_a_zip_is_read_however_it_is_compressed(method: int, tmp_path: Path) -> None:
    """Archives need not use deflate."""
    path = tmp_path / "mine.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("mine.txt", "rain 1 2\nwind 3 4\n")
    assert list(embedhub.load(path).words) == ["rain", "wind"]
