"""Word counts of files: texts and vocabularies."""

import bz2
import gzip
import io
import re
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedhub.errors import FormatError, LocalFileError
from embedhub.matrix import word_counts
from embedhub.matrix.tokenizers import count_words
from embedhub.matrix.word_counts import read_counts


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the path of a file that does not exist yet."""
    return tmp_path / "words"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("It rains.\nIt rains, and rains!\n", {"It": 2, "rains": 3, ".": 1, ",": 1, "and": 1, "!": 1}),
        ("music\nrain\nmusic\n", {"music": 2, "rain": 1}),
        ("\ufeffmusic 12\r\nrain\t0\r\n\r\n", {"music": 12, "rain": 0}),
        ("rain 2\n" * 1000 + "new york\t7", {"rain": 2000, "new york": 7}),
        (".\u00a0. 3\n1994\n", {".\u00a0.": 3, "1994": 1}),
        ('{"music": 12, "a\\nb": 0}', {"music": 12, "a\nb": 0}),
        ('{"music": 2, "rain": 1, "the": 3}', {"music": 1, "rain": 1, "the": 1}),
        ('["music", "", "music"]', {"music": 2, "": 1}),
    ],
    ids=["text", "words", "counts", "tab", "no-break", "json", "word-index", "list"],
)
def test_kind_of_a_file_is_inferred_from_its_first_lines(
    content: str, expected: dict[str, int], file: Path
) -> None:
    """A file whose lines are a word and an optional count, or JSON, is a vocabulary; any other is a text."""
    file.write_text(content, "utf-8", newline="")
    assert read_counts(file) == expected


def test_kind_overrides_the_inferred_one(file: Path) -> None:
    """With ``kind``, a file that looks like a vocabulary is read as a text, and the other way round."""
    file.write_text("chapter 12\nit's\n", "utf-8")
    assert read_counts(file) == {"chapter": 12, "it's": 1}
    assert read_counts(file, kind="text") == {"chapter": 1, "12": 1, "it": 1, "'s": 1}
    file.write_text("new york\t1\n", "utf-8")
    assert read_counts(file) == {"new": 1, "york": 1, "1": 1}
    assert read_counts(file, kind="vocabulary") == {"new york": 1}
    file.write_text('["a"', "utf-8")
    assert read_counts(file, kind="text") == {"[": 1, '"': 2, "a": 1}


def test_tokenize_is_a_name_or_a_function(file: Path) -> None:
    """A text is tokenized as asked for; an unknown name is an error before the file is opened."""
    file.write_text("It's a well-known film.", "utf-8")
    assert read_counts(file, tokenize="whitespace") == {"It's": 1, "a": 1, "well-known": 1, "film.": 1}
    assert read_counts(file, tokenize=lambda text: [text]) == {"It's a well-known film.": 1}
    with pytest.raises(ValueError, match="tokenize is 'word'; expected one of words, whitespace"):
        read_counts("nowhere", tokenize="word")
    with pytest.raises(ValueError, match="kind is 'words'; expected"):
        read_counts("nowhere", kind="words")  # type: ignore[arg-type]  # the point


def test_compressed_files_are_decompressed(file: Path) -> None:
    """A file compressed by gzip or bzip2 is read like its content."""
    for content in (gzip.compress(b"It rains. It rains."), bz2.compress(b"It rains. It rains.")):
        file.write_bytes(content)
        assert read_counts(file) == {"It": 2, "rains": 2, ".": 2}


def test_standard_input_is_read_and_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """The path "-" is standard input, which is not closed."""
    stdin = io.BytesIO("naïve rain".encode())
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=stdin))
    assert read_counts("-") == {"naïve": 1, "rain": 1}
    assert not stdin.closed


@pytest.mark.slow
@given(
    st.lists(st.text(st.characters(exclude_characters="\0\ufeff\r", codec="utf-8")), max_size=5),
    st.sampled_from(["text", "vocabulary"]),
    st.integers(1, 20),
)
def test_chunks_do_not_split_words(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], kind: word_counts.Kind, chunk: int
) -> None:
    """Counts do not depend on the size of the chunks in which a file is read."""
    file = tmp_path_factory.mktemp("chunks") / "words"
    if kind == "vocabulary":
        lines = [line for text in lines for line in re.findall(r"[^ \t\n0-9\[{]+", text)]
    content = "\n".join(lines)
    expected = Counter(lines) if kind == "vocabulary" else count_words([content])
    file.write_text(content, "utf-8", newline="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_counts, "CHUNK_CHARS", chunk)
        if expected:
            assert read_counts(file, kind=kind) == expected
        else:
            with pytest.raises(FormatError, match="has no words"):
                read_counts(file, kind=kind)


class Searched(str):
    """A part of a text that counts how much of it is searched."""

    __slots__ = ()
    searched = 0

    def rfind(self, *arguments: Any) -> int:
        """Count the characters."""
        Searched.searched += len(self)
        return super().rfind(*arguments)


def test_text_in_one_line_is_searched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work grows with the text, not with its square, where nothing separates words for long."""
    monkeypatch.setattr(word_counts, "CHUNK_CHARS", 10)
    chunks = [Searched("x" * 10)] * 500 + [Searched("x y" * 3)]
    assert list(word_counts._pieces(chunks, "\n \t")) == ["x" * 5_001 + " yx yx ", "y"]  # noqa: SLF001
    assert 5_009 <= Searched.searched <= 3 * 5_009


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file has no words"),
        (b"\xff\xfem\x00u\x00", "the file is not UTF-8 text"),
        (b"PNG\x00\x01 bytes", "the file is not UTF-8 text"),
        (b"\x1f\x8b\x08 and then nothing", "compressed bytes are damaged"),
        (b"rain\nit rains again\n", "line 2 is 'it rains again'; expected a vocabulary"),
        (b'{"rain": 1,', "the file starts like JSON but is not valid JSON"),
        (b'{"rain": 1.5}', "'rain' has the value '1.5'; expected a JSON list of words"),
        (b'{"rain": {"deep": 1}}', "'rain' has the value \"{'deep': 1}\""),
        (b'["rain", 5]', "the list has '5'"),
    ],
)
def test_invalid_file_is_reported_with_its_name_and_place(content: bytes, words: str, file: Path) -> None:
    """The error names the file, the line or value, and the expected form."""
    file.write_bytes(content)
    with pytest.raises(FormatError, match=re.escape(words)) as caught:
        read_counts(file, kind="vocabulary")
    assert str(file) in str(caught.value)


def test_missing_file_and_folder_are_reported(tmp_path: Path) -> None:
    """A path that cannot be read is an error that names it and the reason."""
    for path, why in ((tmp_path / "nowhere", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(LocalFileError, match=f"{path}: this text or vocabulary cannot be read: {why}"):
            read_counts(path)


def test_large_file_has_a_progress_bar(
    file: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The progress bar counts bytes, also where characters take several, and reaches the end."""
    monkeypatch.setattr(word_counts, "MIN_BYTES_FOR_PROGRESS", 1000)
    monkeypatch.setenv("EMBEDHUB_PROGRESS", "1")
    file.write_text("дождь\n" * 10_000, "utf-8")
    assert read_counts(file) == {"дождь": 10_000}
    assert re.search(r"Reading words.*110\.0/110\.0 kB", capfd.readouterr().err)


def test_counts_of_a_long_text_equal_str_split(glove_lines: list[bytes], file: Path) -> None:
    """The counts of 100,000 tokens from 20,000 real words are those of ``str.split``."""
    words = [line.partition(b" ")[0].decode() for line in glove_lines]
    ranks = np.random.default_rng(0).zipf(1.2, 100_000) % len(words)  # Zipfian, as in texts
    chosen = [words[rank] for rank in ranks.tolist()]
    file.write_text("\n".join(" ".join(chosen[i : i + 20]) for i in range(0, len(chosen), 20)), "utf-8")
    plain = Counter(file.read_text("utf-8").split())
    assert read_counts(file, tokenize="whitespace") == plain
    assert len(plain) > 10_000
