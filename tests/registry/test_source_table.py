"""The table of a source in a TOML file is a source, and its mistakes are named."""

import json
import pickle
import re
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from command import run

import embedhub
from embedhub import FormatError
from embedhub.errors import ChecksumError, DimNotFoundError, LocalFileError
from embedhub.registry.remote_source import RemoteSource
from embedhub.registry.source_table import open_source_table

THREE = b"the 0.25 -0.5 1\nrain 0.125 2 -0.75\n"
TWO = b"the 0.25 -0.5\nrain 0.125 2\n"


def digest(data: bytes) -> str:
    """Return the hash of bytes, as a table has it."""
    return f"sha256:{sha256(data).hexdigest()}"


HEAD = """\
name = "quiet-rivers"
description = "GloVe on texts about rivers"
language = "en"
cased = false
vocab_size = 2
license = "CC-BY-4.0"
citation = "Me (2026). Quiet rivers."
homepage = "https://quiet-rivers.example/"
unit = "word"
fallbacks = ["lower"]
"""
FILES = f"""
[[files]]
dim = 3
url = "https://quiet-rivers.example/gone.3d.txt"
known_hash = "{digest(THREE)}"
format = "glove"

[[files]]
dim = 2
url = "https://quiet-rivers.example/rivers.2d.txt"
known_hash = "{digest(TWO)}"
size = {len(TWO)}

[[files]]
dim = 3
url = "https://quiet-rivers.example/rivers.3d.txt"
known_hash = "{digest(THREE)}"
size = {len(THREE)}
format = "glove"
"""

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Return what writes a table; a mirror has the files of FILES but for the first."""
    mirror = tmp_path / "mirror" / "quiet-rivers.example"
    mirror.mkdir(parents=True)
    (mirror / "rivers.2d.txt").write_bytes(TWO)
    (mirror / "rivers.3d.txt").write_bytes(THREE)
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(mirror.parent))
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)

    def write(text: str) -> Path:
        path = tmp_path / "quiet-rivers.toml"
        path.write_text(text, "utf-8")
        return path

    return write


def test_a_table_is_a_source(write: Write) -> None:
    """A path that ends in .toml is the source of that table, whose files are downloaded and verified."""
    path = write(HEAD + FILES)
    vectors = embedhub.load(path, 3)
    assert vectors["rain"].tolist() == [0.125, 2, -0.75]
    assert repr(embedhub.load("./quiet-rivers.toml", 2)) == "<Vectors quiet-rivers: 2 words, dim 2>"
    assert embedhub.coverage("quiet-rivers.toml", 2, ["Rain", "qwxz"]).missing == ("qwxz",)
    with pytest.raises(DimNotFoundError, match=r"'quiet-rivers' has several dims.*: 2, 3"):
        embedhub.load(path)


def test_a_table_has_what_remote_source_has(write: Write) -> None:
    """Every key arrives in the RemoteSource; several files of one dim are candidates in their order."""
    source = open_source_table(write(HEAD + FILES))
    assert type(source) is RemoteSource
    assert (source.dims, source.cased, source.vocab_size, source.fallbacks) == ((2, 3), False, 2, ("lower",))
    assert [file.url[-11:] for file in source.candidates(3)] == ["gone.3d.txt", "vers.3d.txt"]
    assert [file.format for file in source.candidates(2)] == [None]
    assert replace(source, name="other").candidates(3) == source.candidates(3)
    (file,) = open_source_table(
        write(
            HEAD
            + '[[files]]\ndim = 4\nurl = "https://a.example/b.zip"\nmember = "m.safetensors"\n'
            + f'archive_hash = "{digest(b"z")}"\narchive_size = 9\nformat = "static-embeddings"\n'
            + 'companions = [{url = "https://a.example/tokenizer.json", size = 7}]\n'
        )
    ).candidates(4)
    assert (file.member, file.archive_hash, file.archive_size) == ("m.safetensors", digest(b"z"), 9)
    assert [(part.url[-14:], part.size) for part in file.companions] == [("tokenizer.json", 7)]


def test_vectors_of_a_table_can_be_pickled(write: Write) -> None:
    """The source and its vectors can be pickled, and opened where the table is not."""
    path = write(HEAD + FILES)
    source, vectors = open_source_table(path), embedhub.load(path, 2)
    assert source == open_source_table(path)
    assert hash(source) == hash(open_source_table(path))
    data = pickle.dumps((source, vectors))
    path.unlink()
    assert pickle.loads(data)[0] == source  # noqa: S301 - our own bytes
    assert pickle.loads(data)[1]["the"].tolist() == [0.25, -0.5]  # noqa: S301


@pytest.mark.slow
def test_commands_take_a_table(write: Write) -> None:
    """`info`, `download` and `coverage` take a table as any source."""
    write(HEAD + FILES)
    entry = json.loads(run("info", "./quiet-rivers.toml", "--json").stdout)
    assert (entry["name"], entry["license"], len(entry["dims"])) == ("quiet-rivers", "CC-BY-4.0", 2)
    assert run("download", "quiet-rivers.toml:2", "quiet-rivers.toml:3").returncode == 0
    done = run("coverage", "quiet-rivers.toml:3", "-", "--json", stdin="the rain falls")
    assert json.loads(done.stdout)["found"] == 2


def test_wrong_bytes_are_refused(write: Write, tmp_path: Path) -> None:
    """The hash of a table is held to, as that of a plugin."""
    (tmp_path / "mirror" / "quiet-rivers.example" / "rivers.2d.txt").write_bytes(TWO.upper())
    with pytest.raises(ChecksumError, match=digest(TWO)):
        embedhub.load(write(HEAD + FILES), 2)


def test_a_missing_table_is_a_local_file_error(tmp_path: Path) -> None:
    """A table that is not there is the error of a file that is not there."""
    with pytest.raises(LocalFileError, match=r"none\.toml: expected the TOML table of a source"):
        embedhub.load(tmp_path / "none.toml")


def test_a_byte_order_mark_is_ignored(write: Write) -> None:
    """A table that an editor of Windows saved is a table."""
    assert open_source_table(write("\ufeff" + HEAD + FILES)).name == "quiet-rivers"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "quiet-rivers"', "name = quiet-rivers", r"expected TOML: .*at line 1, column 8"),
        ("license", "licnse", "unknown key 'licnse'; expected one of .*Did you mean 'license'"),
        (
            'citation = "Me (2026). Quiet rivers."\n',
            "",
            "missing key 'citation'; expected citation = a str",
        ),
        ("cased = false", 'cased = "no"', "cased is 'no'; expected true or false"),
        ("vocab_size = 2", "vocab_size = true", "vocab_size is True; expected an integer"),
        ('["lower"]', '["lower", 1]', r"fallbacks is \['lower', 1\]; expected a list of strings"),
        ('["lower"]', '["lowest"]', "quiet-rivers: fallbacks .*'lowest'.*Correct the table"),
        ('"word"', '"letter"', "unit is 'letter'; expected 'word' or 'token'"),
        ('"quiet-rivers"', '"quiet rivers"', "name is 'quiet rivers'; expected printable"),
        ("dim = 2\n", "", r"\[\[files\]\] number 2: missing key 'dim'; expected dim = an integer"),
        ("dim = 2", "dim = 2.0", r"\[\[files\]\] number 2: dim is 2.0; expected an integer"),
        ("dim = 2", "dim = 0", "files has the dim 0; expected a positive int"),
        ("\nsize =", "\nsise =", r"\[\[files\]\] number 2: unknown key 'sise'.*Did you mean 'size'"),
        ('"glove"', '"glovex"', "format is 'glovex'; expected one of 'fasttext'"),
        ('"glove"', '"os:system"', "format is 'os:system'; expected one of 'fasttext'"),
        ("https://quiet-rivers.example/gone", "http://a.example/", r"number 1: url is 'http://a\.example"),
        ('format = "glove"', "headers = {}", "unknown key 'headers'"),
        ('format = "glove"', 'companions = ["x"]', "companions number 1: expected a table, got 'x'"),
        (FILES, "files = []\n", "files is empty; expected a "),
        (FILES, "", r"missing key 'files'; expected files = a list of tables"),
    ],
)
def test_mistakes_are_named(old: str, new: str, words: str, write: Write) -> None:
    """An error names the file, the key, what is expected, what it got, and what to do."""
    text = HEAD + FILES
    assert old in text
    with pytest.raises(FormatError, match=rf"(?s)quiet-rivers\.toml: .*{words}"):
        embedhub.load(write(text.replace(old, new, 1)))


def test_name_of_a_plugins_format_is_explained(write: Write) -> None:
    """A table names only formats of embedhub; the message says how a plugin's format is named."""
    with pytest.raises(FormatError, match=r"format is 'tide'; .* with RemoteFile\(\.\.\., format=FORMAT\)"):
        embedhub.load(write((HEAD + FILES).replace('"glove"', '"tide"')))


def test_bytes_of_an_unknown_format_are_explained(write: Write, tmp_path: Path) -> None:
    """No format of a plugin is looked for in a source's file, which has to name it; the message says so."""
    table = write(re.sub(r"\n(known_hash|size) = .*", "", HEAD + FILES))
    (tmp_path / "mirror" / "quiet-rivers.example" / "rivers.2d.txt").write_bytes(b"TIDE\0\0")
    with pytest.raises(FormatError, match="expected vectors as GloVe text") as caught:
        embedhub.load(table, 2)
    assert "of a plugin" not in str(caught.value)
    assert "A format of your own has to be named: RemoteFile(..., format=FORMAT)" in str(caught.value)


def test_bytes_that_are_not_utf_8_are_named(tmp_path: Path) -> None:
    """A table in another encoding is an error that says where, and to save it as UTF-8."""
    (tmp_path / "latin.toml").write_bytes('name = "caf\xe9"'.encode("latin-1"))
    with pytest.raises(FormatError, match=r"got the byte 0xe9 at byte 11\. Save the file as UTF-8"):
        embedhub.load(tmp_path / "latin.toml")
