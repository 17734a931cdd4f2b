"""Readers of GloVe text, word2vec text and Numberbatch."""

import gzip
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from embedhub import FormatError
from embedhub.errors import UnexpectedEndError
from embedhub.formats import glove, numberbatch, word2vec
from embedhub.formats.detect import detect
from embedhub.vectors.blocks import Reader


def read(reader: Reader, path: Path, dim: int) -> tuple[list[str], NDArray[np.float32]]:
    """Read all blocks of a file."""
    blocks = [block for block in reader(path, dim) if isinstance(block, tuple)]
    return [word for words, _ in blocks for word in words], np.concatenate([rows for _, rows in blocks])


@pytest.fixture
def write(tmp_path: Path) -> Callable[[bytes], Path]:
    """Return a function that writes bytes to a file."""

    def write(data: bytes) -> Path:
        path = tmp_path / "vectors.txt"
        path.write_bytes(data)
        return path

    return write


def test_glove_line_is_a_word_and_its_vector(write: Callable[[bytes], Path]) -> None:
    """Each line yields a word and its numbers, in the order of the file."""
    words, rows = read(glove.read, write(b"the 0.25 -1\n, 1e-3 +.5\nand 7. -0\n"), 2)
    assert words == ["the", ",", "and"]
    assert rows.dtype == np.float32
    assert rows.tolist() == [[0.25, -1], [np.float32(1e-3), 0.5], [7, 0]]
    assert np.signbit(rows[2, 1])


def test_last_fields_of_a_line_are_its_numbers(write: Callable[[bytes], Path]) -> None:
    """Only the last dim fields are numbers; a word keeps its spaces, even if it contains numbers."""
    data = b"the 1 2\n. . . 3 4\n 5 6\nfrom 7 to 8 9 10\n3 11 12\n"
    words, rows = read(glove.read, write(data), 2)
    assert words == ["the", ". . .", "", "from 7 to 8", "3"]
    assert rows.ravel().tolist() == [1, 2, 3, 4, 5, 6, 9, 10, 11, 12]


def test_only_line_ends_are_stripped(write: Callable[[bytes], Path]) -> None:
    r"""``\r\n`` ends a line; other white space belongs to the word, and bytes that are not UTF-8 survive."""
    words, rows = read(glove.read, write(b"a\xc2\xa0b 1\r\n\xc2\x85 2\n\t 3\n\xff\xfe 4\r\n"), 1)
    assert words == ["a\u00a0b", "\u0085", "\t", "\udcff\udcfe"]
    assert rows.ravel().tolist() == [1, 2, 3, 4]


def test_blocks_keep_the_order_of_the_file(write: Callable[[bytes], Path]) -> None:
    """The vectors of a file of several MiB are complete and in order, whichever block is parsed first."""
    count = 60_000
    data = b"".join(b"w%d %d %d.5 0.125 -3e2\n" % (i, i, i) for i in range(count)) * 3
    words, rows = read(glove.read, write(data), 4)
    assert words == [f"w{i}" for i in range(count)] * 3
    assert (rows[:, 0] == np.tile(np.arange(count), 3)).all()
    assert (rows[:, 1] == rows[:, 0] + np.float32(0.5)).all()


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        (
            b"the 1 2\nof 1\n",
            2,
            "expected a word and 2 numbers separated by single spaces, got 1 numbers: 'of 1'",
        ),
        (b"the 1 2\n\nof 1 2\n", 2, "got 0 numbers: ''"),
        (b"the 1 2\nthe end 1  2\n", 2, "got '' as number 1"),
        (b"the 1 2\nof 1 2 \n", 2, "got '' as number 2"),
        (b"the 1 2\nof 1 x\n", 2, "got 'x' as number 2: 'of 1 x'"),
        (b"the 1 nan\n", 1, "got 'nan' as number 2"),
        (b"the 1 1_0\n", 1, "got '1_0' as number 2"),
        (b"the 1 0x1\n", 1, "got '0x1' as number 2"),
        (b"the 1 1e\n", 1, "got '1e' as number 2"),
        (b"the 1 .\n", 1, "got '.' as number 2"),
        (b"the 1 --1\n", 1, "got '--1' as number 2"),
        (b"the 1 2\r\r\n", 1, r"got '2\r' as number 2"),
        (b"the 1 2\nof 1 2", 2, "has no newline at its end; the file may be truncated there: 'of 1 2'"),
        (b"the 1 2\nof 1", 2, "got 1 numbers: 'of 1'"),
        (b"the 1 2 3\n", 1, "expected 2 numbers, got 3. This file has another dimension"),
        (b"the\t1 2 3\n", 1, "expected 2 numbers, got 3. This file has another dimension"),
        (b"a b 1 2\nof\t1 2\n", 2, r"got 1 numbers: 'of\t1 2'. A tab separates fields only if it does"),
        (b"a b 1 2\nof 1  2\n", 2, "It has two spaces in a row, or one at its end, unlike the first lines"),
        (b"2\nthe 1 2\nof 1 2\n", 1, "looks like a header of one number, which no format has: remove the"),
        (
            b"the\t1\t2\nof\t1\t2\nnew york\t1\t2\t3\n",
            3,
            "separated by tabs or spaces as in the first lines, got",
        ),
        (b"the  1  2\n" * 10 + b"new york 1 2\n", 11, "as in the first lines, got 'new york 1 2'"),
        (b"400000 2\nthe 1 2\n", 1, "looks like the header of a word2vec text file"),
        (b"a 1 2\n" * 400_000 + b"bad\n", 400_001, "got 0 numbers: 'bad'"),
    ],
)
def test_malformed_line_is_reported_with_its_number(
    write: Callable[[bytes], Path], data: bytes, line: int, message: str
) -> None:
    """An error names the path and the line, with what was expected and what was got."""
    path = write(data)
    with pytest.raises(FormatError, match=re.escape(message)) as caught:
        read(glove.read, path, 2)
    assert str(caught.value).startswith(f"{path}: line {line}")


def test_empty_file_is_a_format_error(write: Callable[[bytes], Path]) -> None:
    """A file without lines is an error, not an empty vocabulary."""
    with pytest.raises(FormatError, match="the file contains no vectors"):
        read(glove.read, write(b""), 2)


def test_file_without_newlines_is_rejected_early(write: Callable[[bytes], Path]) -> None:
    """A file without newlines is not read into memory to its end."""
    with pytest.raises(FormatError, match="line 1"):
        read(glove.read, write(bytes(40 << 20)), 2)


@pytest.mark.parametrize("keep", [10, 100, -1])
def test_truncated_gzip_is_a_format_error(write: Callable[[bytes], Path], keep: int) -> None:
    """Compressed bytes that end too early are reported as damaged."""
    data = gzip.compress(b"".join(b"w%d 1 2\n" % i for i in range(1000)))[:keep]
    with pytest.raises(FormatError, match="damaged or truncated"):
        read(glove.read, write(data), 2)


NUMBERS = st.one_of(
    st.floats(width=32, allow_nan=False, allow_infinity=False).map(repr),
    st.floats(min_value=-3e38, max_value=3e38).map(repr),
    st.floats(min_value=-9, max_value=9).map(lambda x: f"{x:.5g}"),
    st.integers(min_value=-(10**30), max_value=10**30).map(str),
    st.from_regex(r"\A[+-]?([0-9]{1,25}\.?[0-9]{0,25}|\.[0-9]{1,25})([eE][+-]?[0-3]?[0-9])?\Z").filter(
        lambda text: abs(float(text)) < 3e38
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(NUMBERS, min_size=1, max_size=40))
def test_number_equals_numpy_float32_of_its_text(write: Callable[[bytes], Path], texts: list[str]) -> None:
    """Each number equals numpy.float32(text) bit for bit, however it is written."""
    _, rows = read(glove.read, write(("w " + " ".join(texts) + "\n").encode()), len(texts))
    expected = np.array([np.float32(text) for text in texts])
    assert rows[0].view(np.uint32).tolist() == expected.view(np.uint32).tolist()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300) | st.text("01 .-e\n\rw", max_size=300).map(str.encode), st.integers(1, 4))
def test_arbitrary_bytes_are_split_like_rsplit_or_rejected(
    write: Callable[[bytes], Path], data: bytes, dim: int
) -> None:
    """Whatever the bytes, the reader yields what rsplit returns, or split at all spaces, or raises.

    A space at the end of each line does not count.
    """
    path = write(data)
    try:
        words, rows = read(glove.read, path, dim)
    except FormatError:
        return
    lines = [line.removesuffix(b"\r") for line in data.split(b"\n")[:-1]]
    readings = (
        [line.rsplit(b" ", dim) for line in lines],
        [line.removesuffix(b" ").rsplit(b" ", dim) for line in lines],
        [[field for field in line.replace(b"\t", b" ").split(b" ") if field] for line in lines],
    )
    assert (words, rows.tolist()) in [vectors_of(reading) for reading in readings]


def vectors_of(lines: list[list[bytes]]) -> tuple[list[str], list[list[float]]] | None:
    """Return the words and vectors of split lines; None if they are not of a word and numbers each."""
    try:
        words = [line[0].decode("utf-8", "surrogateescape") for line in lines]
        return words, [[float(np.float32(text)) for text in line[1:]] for line in lines]
    except (IndexError, ValueError):
        return None


def test_word2vec_header_is_checked(write: Callable[[bytes], Path]) -> None:
    """The header's dimension must match, and line numbers count the header."""
    assert read(word2vec.read_text, write(b"2 3\na 1 2 3\nb 4 5 6\n"), 3)[0] == ["a", "b"]
    for data, message in [
        (b"a 1 2 3\n", "line 1: expected a header '<words> <dim>'"),
        (b"", "line 1: expected a header '<words> <dim>', got b''"),
        (b"2 4\na 1 2 3 4\n", "line 1: the header declares dimension 4; expected 3"),
        (b"2 3\na 1 2 3\nb 4 5\n", "line 3: expected a word and 3 numbers"),
        (b"1 3\na 1 2 3 4\n", "line 2: expected 3 numbers, got 4. This file has another dimension"),
        (b"0 3\n", "the file contains no vectors"),
    ]:
        with pytest.raises(FormatError, match=re.escape(message)) as caught:
            read(word2vec.read_text, write(data), 3)
        assert type(caught.value) is FormatError


@pytest.mark.parametrize(
    ("reader", "data", "message"),
    [
        (
            word2vec.read_text,
            b"3 2\na 1 2\nb 3 4\n",
            "the header declares 3 vectors, but the file has 2. It may be truncated",
        ),
        (word2vec.read_text, b"1 2\na 1 2\nb 3 4\n", "the header declares 1 vectors, but the file has 2."),
        (
            word2vec.read_text,
            b"2 2\na 1 2\nb 3 4",
            "line 3 has no newline at its end; the file may be truncated",
        ),
        (
            word2vec.read_text,
            b"2 2\na 1 2 \nb 3 4 ",
            "line 3 has no newline at its end; the file may be truncated",
        ),
        (
            glove.read,
            b"a 1 2\nb 3 4",
            "line 2 has no newline at its end; the file may be truncated there: 'b 3 4'",
        ),
    ],
)
def test_unexpected_end_is_raised_after_all_vectors(
    write: Callable[[bytes], Path], reader: Reader, data: bytes, message: str
) -> None:
    """A wrong count, or a last line without newline, is an UnexpectedEndError after all vectors."""
    path = write(data)
    words: list[str] = []

    def read_all() -> None:
        for block in reader(path, 2):
            assert isinstance(block, tuple)
            words.extend(block[0])

    with pytest.raises(UnexpectedEndError, match=re.escape(message)) as caught:
        read_all()
    assert str(caught.value).startswith(f"{path}: ")
    assert words == ["a", "b"]


def test_any_word2vec_line_may_end_with_a_space(write: Callable[[bytes], Path]) -> None:
    """One space at the end of some word2vec lines is ignored; of GloVe text, of all first lines."""
    data = b"3 2\n</s> 1 2 \nof the 3 4 \r\nb 5 6\n"
    words, rows = read(word2vec.read_text, write(data), 2)
    assert words == ["</s>", "of the", "b"]
    assert rows.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert read(glove.read, write(b"a 1 2 \nof the 3 4 \r\n"), 2)[0] == ["a", "of the"]
    with pytest.raises(FormatError, match=r"line 2: .* got '' as number 2"):
        read(glove.read, write(b"a 1 2\nb 1 2 \n"), 2)


SEPARATED = {
    "tabs": b"rain\t1\t2\nnew york\t3\t-4e1\n\xc2\xa0\t5\t6\n",
    "tabs after the words": b"rain\t1 2\nnew york\t3 -4e1\n\xc2\xa0\t5 6\n",
    "tabs at the ends": b"rain\t1\t2\t\nnew york\t3\t-4e1\t\n\xc2\xa0\t5\t6\t\n",
    "tabs and returns": b"rain\t1\t2\r\nnew york\t3\t-4e1\r\n\xc2\xa0\t5\t6\r\n",
    "spaces at the ends": b"rain 1 2 \nnew york 3 -4e1 \n\xc2\xa0 5 6 \n",
    "several spaces": b"rain    1   2\nnew_york 3  -4e1\n\xc2\xa0      5   6\n",
    "leading spaces": b" rain 1 2\n new_york 3 -4e1\n \xc2\xa0 5 6\n",
    "leading tabs": b"\train\t1 2\n\tnew_york\t3 -4e1\n\t\xc2\xa0\t5 6\n",
}


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte-order mark"])
@pytest.mark.parametrize("header", [b"", b"3 2\n"], ids=["no header", "header"])
@pytest.mark.parametrize("name", SEPARATED)
def test_separators_are_found_out(
    write: Callable[[bytes], Path], name: str, header: bytes, mark: bytes
) -> None:
    """Tabs, several spaces and spaces at the ends are read as single spaces, if the first lines agree."""
    path = write(mark + header + SEPARATED[name])
    detected = detect(path)
    assert (detected.format.name, detected.dim) == ("word2vec-text" if header else "glove", 2)
    words, rows = read(detected.format.read, path, 2)
    assert [word.replace("_", " ") for word in words] == ["rain", "new york", "\u00a0"]
    assert rows.tolist() == [[1, 2], [3, -40], [5, 6]]


@pytest.mark.slow
def test_tabs_are_read_in_files_of_any_size(write: Callable[[bytes], Path]) -> None:
    """The vectors of several blocks with tabs are complete and in order, also without a last newline."""
    data = b"\n".join(b"w%d\t%d\t0.5" % (i, i) for i in range(200_000))
    words, rows = read(glove.read, write(data + b"\n"), 2)
    assert words == [f"w{i}" for i in range(200_000)]
    assert rows[:, 0].tolist() == list(range(200_000))
    with pytest.raises(UnexpectedEndError, match="line 200000 has no newline at its end"):
        read(glove.read, write(data), 2)


@pytest.mark.parametrize("separator", [b",", b";"])
@pytest.mark.parametrize(
    "line", [b"rain,1,2", b"rain,1 2", b"rain 0,5 1,5", b"rain, 1, 2", b"1,000,0.5,0.25"]
)
@pytest.mark.parametrize("header", [b"", b"1 2\n"])
def test_other_separators_are_named(
    write: Callable[[bytes], Path], header: bytes, line: bytes, separator: bytes
) -> None:
    """Commas and semicolons, which may be a part of words or numbers, are refused by their name."""
    name = {b",": "commas", b";": "semicolons"}[separator]
    path = write(header + line.replace(b",", separator) + b"\n")
    for act in (lambda: detect(path), lambda: read(word2vec.read_text if header else glove.read, path, 2)):
        with pytest.raises(FormatError, match=rf"line {1 + bool(header)}: .*got {name}: .*to_csv\("):
            act()


def test_commas_in_words_are_no_separators(write: Callable[[bytes], Path]) -> None:
    """Words such as ``1,000`` and ``,`` stay whole."""
    assert read(glove.read, write(b"1,000 0.5 2\n, 1 2\n"), 2)[0] == ["1,000", ","]
    assert read(glove.read, write(b"1,000 0.5 2\n"), 2)[0] == ["1,000"]


def test_word_may_be_white_space(write: Callable[[bytes], Path]) -> None:
    """Words that are, or contain, white space other than a newline stay whole."""
    words = ["\u00a0", "\u0085", "\t", "\u2009»", "hussarde\u202f»", "\u3000", "\x1c", " ", "a b"]
    data = "".join(f"{word} {i} {i}.5 \n" for i, word in enumerate(words))
    result, rows = read(word2vec.read_text, write(f"{len(words)} 2\n{data}".encode()), 2)
    assert result == words
    assert rows[:, 0].tolist() == list(range(len(words)))


def test_numberbatch_yields_keys_or_the_words_of_one_language(write: Callable[[bytes], Path]) -> None:
    """Keys are unchanged, unless one language is selected: then its words come without the prefix."""
    path = write(b"4 1\n/c/en/cat 1\n/c/fr/chat 2\n/c/en/new_york 3\n/c/enm/cat 4\n")
    assert read(numberbatch.read, path, 1)[0] == ["/c/en/cat", "/c/fr/chat", "/c/en/new_york", "/c/enm/cat"]
    words, rows = read(numberbatch.language("en"), path, 1)
    assert words == ["cat", "new_york"]
    assert rows.tolist() == [[1], [3]]
    assert read(numberbatch.read, write(b"2 1\ncat 1\n## 2\n"), 1)[0] == ["cat", "##"]
    with pytest.raises(FormatError, match="no word of this file starts with '/c/de/'"):
        read(numberbatch.language("de"), path, 1)


def test_archive_member_is_named_unless_it_is_the_only_one(tmp_path: Path) -> None:
    """A member of an archive with several is named after a #; the error lists them."""
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("README", "read me")
        archive.writestr("deep/a#b.txt", "a 1 2\n")
        archive.writestr("c.txt", "c 3 4\n")
    assert read(glove.read, Path(f"{path}#c.txt"), 2)[0] == ["c"]
    with pytest.raises(
        FormatError, match=r"has 3 members, not one; they are: README, deep/a#b.txt, c.txt. Name"
    ):
        read(glove.read, path, 2)
    with pytest.raises(FormatError, match=r"has no member 'd.txt'; they are: README, deep/a#b.txt, c.txt"):
        read(glove.read, Path(f"{path}#d.txt"), 2)
    text = tmp_path / "c.txt"
    text.write_bytes(b"c 3 4\n")
    with pytest.raises(
        FormatError, match=r"c.txt#d.txt: this is not a zip or tar archive, so it has no member 'd.txt'"
    ):
        read(glove.read, Path(f"{text}#d.txt"), 2)
    hashed = tmp_path / "x#y.txt"
    hashed.write_bytes(b"c 3 4\n")
    assert read(glove.read, hashed, 2)[0] == ["c"]


def test_encrypted_archive_is_a_format_error(tmp_path: Path) -> None:
    """An archive that zipfile cannot open is reported as such."""
    path = tmp_path / "secret.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("c.txt", "c 3 4\n")
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"this zip archive cannot be opened .*encrypted"):
        read(glove.read, path, 2)


def test_real_glove_lines_are_read_bit_for_bit(
    glove_lines: list[bytes], write: Callable[[bytes], Path]
) -> None:
    """Every number is the float32 of its text, with LF and CRLF, with and without a header, also in gzip."""
    fields = [line.decode().split(" ") for line in glove_lines]
    expected = np.array([[float(number) for number in numbers] for _, *numbers in fields], np.float32)
    text = b"".join(glove_lines)
    for reader, data in (
        (glove.read, text),
        (glove.read, gzip.compress(text, 1)),
        (glove.read, text.replace(b"\n", b"\r\n")),
        (word2vec.read_text, b"%d 50\n" % len(glove_lines) + text),
        (word2vec.read_text, b"%d 50\n" % len(glove_lines) + text.replace(b"\n", b" \n")),
    ):
        words, rows = read(reader, write(data), 50)
        assert words == [word for word, *_ in fields]
        assert rows.tobytes() == expected.tobytes()


def test_no_break_space_belongs_to_the_word(glove_lines: list[bytes], write: Callable[[bytes], Path]) -> None:
    """The token of three dots in GloVe 840B contains U+00A0; the numbers follow the last dot."""
    named, other = glove_lines[0].replace(b"the", ".\u00a0.\u00a0.".encode(), 1), glove_lines[1]
    words, rows = read(glove.read, write(named + other), 50)
    assert words == [".\u00a0.\u00a0.", ","]
    assert rows[0].tolist() == [np.float32(number) for number in named.split(b" ")[1:]]
