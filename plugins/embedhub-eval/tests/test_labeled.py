"""Files of texts with a label each."""

import gzip
from pathlib import Path

import pytest
from embedhub_eval.labeled import Layout, read_labelled
from hypothesis import given
from hypothesis import strategies as st

from embedhub.errors import FormatError, LocalFileError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the path of a file that is not there yet."""
    return tmp_path / "texts.tsv"


EXPECTED = [("it rains", "sky"), ("it snows", "sky"), ("a cat", "pet"), ("a dog", "pet")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tsv", "it rains\tsky\nit snows\tsky\na cat\tpet\na dog\tpet\n"),
        ("a.tsv", "sky\tit rains\nsky\tit snows\npet\ta cat\npet\ta dog"),
        (
            "a.tsv",
            "\ufeffSentence\tLabel\r\nit rains\tsky\r\nit snows\tsky\r\na cat\tpet\r\n\r\na dog\tpet\r\n",
        ),
        ("a.tsv", "id\ttopic\ttext\n1\tsky\tit rains\n2\tsky\tit snows\n3\tpet\ta cat\n4\tpet\ta dog\n"),
        ("a.tsv", "what\tlabel\nit rains\tsky\nit snows\tsky\na cat\tpet\na dog\tpet\n"),
        ("a.csv", 'text,label\n"it rains",sky\nit snows,sky\na cat,pet\na dog,pet\n'),
        ("a.csv", "it rains,sky\nit snows,sky\na cat,pet\na dog,pet\n"),
        ("a.txt", "sky:wet it rains\nsky:cold it snows\npet:small a cat\npet:large a dog\n"),
        ("a.txt", "__label__sky it rains\n__label__sky it snows\n__label__pet a cat\n__label__pet a dog\n"),
    ],
)
def test_texts_and_labels_are_found_in_the_usual_layouts(tmp_path: Path, name: str, content: str) -> None:
    """A tab in either order, names of columns, CSV, and the label first as TREC and fastText have it."""
    file = tmp_path / name
    file.write_text(content, "utf-8", newline="")
    read = read_labelled(file)
    assert list(zip(read.texts, read.labels, strict=True)) == EXPECTED


def test_what_was_found_is_said(file: Path) -> None:
    """The reader tells how many texts and labels there are, and which column it took for what."""
    file.write_text("topic\ttext\n" + "sky\tit rains\npet\ta cat\n" * 2)
    assert str(read_labelled(file)) == (
        "4 texts with 2 labels (pet, sky); 'text' is the text, 'topic' the label, a tab between"
    )
    file.write_text("".join(f"it rains {i}\tlabel{i % 9}\n" for i in range(18)))
    assert "with 9 labels (label0, label1, label2, label3, label4, label5, label6, label7, ...)" in str(
        read_labelled(file)
    )


def test_bytes_that_are_no_utf8_are_latin_1(file: Path) -> None:
    """TREC's questions have one such byte; the reader says so."""
    file.write_bytes("a caf\xe9\tfood\na naïve tea\tfood\n".encode("latin-1"))
    read = read_labelled(file)
    assert read.texts == ["a café", "a naïve tea"]
    assert str(read).endswith("latin-1, since it is no UTF-8")


def test_quotes_are_quotes_between_tabs_and_csvs_own_in_csv(tmp_path: Path) -> None:
    """An unpaired quote in a tab-separated text swallows no lines; CSV may have line ends within quotes."""
    (tmp_path / "a.tsv").write_text('a 12" record\tmusic\nthe "best\tmusic\n')
    assert read_labelled(tmp_path / "a.tsv").texts == ['a 12" record', 'the "best']
    (tmp_path / "a.csv").write_text('"two\nlines, and ""more""",music\none,music\n')
    assert read_labelled(tmp_path / "a.csv").texts == ['two\nlines, and "more"', "one"]


def test_compressed_files_are_read_too(tmp_path: Path) -> None:
    """Gzip is seen by its bytes."""
    (tmp_path / "a.tsv.gz").write_bytes(gzip.compress(b"it rains\tsky\nit snows\tsky\n"))
    assert read_labelled(tmp_path / "a.tsv.gz").labels == ["sky", "sky"]


@pytest.mark.parametrize("columns", [("body", "stars"), ("3", "2")])
def test_the_caller_can_name_the_columns(file: Path, columns: tuple[str, str]) -> None:
    """By the names in the first line, or by numbers from 1 where there are none."""
    header = "id\tstars\tbody\n" if columns[0] == "body" else ""
    file.write_text(header + "1\t5\tgood\n2\t1\tbad\n3\t5\tnice\n4\t1\tpoor\n")
    read = read_labelled(file, columns=columns)
    assert read.texts == ["good", "bad", "nice", "poor"]
    assert read.labels == ["5", "1", "5", "1"]


def test_a_test_file_is_read_as_the_training_file_is(tmp_path: Path) -> None:
    """In a small test file the columns cannot be told by their values, so the layout is handed over."""
    train, test = tmp_path / "train.tsv", tmp_path / "test.tsv"
    train.write_text("sky\tit rains\nsky\tit snows\npet\ta cat\npet\ta dog\n")
    test.write_text("sky\ta storm\nsky\ta storm\n")
    assert read_labelled(test, layout=read_labelled(train).layout).texts == ["a storm", "a storm"]
    train.write_text("text\tlabel\nit rains\tsky\nit snows\tsky\n")
    with pytest.raises(
        FormatError, match=r"line 1 is 'sky.ta storm'; expected the names of the columns, text"
    ):
        read_labelled(test, layout=read_labelled(train).layout)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.tsv", b"", "it is empty; expected a text and its label with a tab between them"),
        ("a.tsv", b"a\0b\tc\n", "this is no text, there are zero bytes in it"),
        ("a.tsv", b"it rains\tsky\nrain\n", "line 2 is 'rain'; expected a text and its label with a tab"),
        ("a.tsv", b"a\tb\nc\td\tx\n", r"line 2 has 3 columns, 'c\\td\\tx'; expected 2"),
        ("a.tsv", b"a\tx\nb\tx\nc\t \n", r"line 3 has no label, 'c\\t '"),
        ("a.tsv", b"1\ta\tb\n", r"line 1 has 3 columns, .*; which are the text and the label is not clear"),
        ("a.tsv", b"text\tlabel\n", "there are no texts in it, only the names of the columns"),
        (
            "a.tsv",
            b"a\t1\nb\t2\nc\t3\n",
            "taken for labels, there are 3 different ones in 3 lines, such as '1'",
        ),
        ("a.txt", b"These are\nplain sentences\nwithout labels\n", "there are 3 different ones in 3 lines"),
        ("a.csv", b'a,x\n"b,x\n', "line 2 is no CSV"),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    """The message has the file, the line, and what was expected."""
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(FormatError, match=message) as error:
        read_labelled(file)
    assert str(file) in str(error.value)


def test_columns_that_are_not_there_are_refused(file: Path) -> None:
    """The message lists the columns; a wrong number of names is the caller's mistake."""
    file.write_text("text\tlabel\nit rains\tsky\nit snows\tsky\n")
    with pytest.raises(FormatError, match="there is no column 'stars'; the first line has 2: 'text, label'"):
        read_labelled(file, columns=("text", "stars"))
    for columns in (("text",), ("1", "1"), "ab"):
        with pytest.raises(ValueError, match="expected that of the text and that of the label"):
            read_labelled(file, columns=columns)


def test_a_file_that_is_not_there_is_named(file: Path) -> None:
    """A path that leads nowhere, or to a folder, is an error with that path."""
    for path in (file, file.parent):
        with pytest.raises(LocalFileError, match="expected texts with labels, but"):
            read_labelled(path)


_CELL = st.text(st.characters(exclude_characters="\t\n\r\0", exclude_categories=["Cs"]), min_size=1)


@given(st.lists(st.tuples(_CELL, st.sampled_from(["a", "b"])), min_size=4))
def test_whatever_the_texts_are_they_come_out_as_they_went_in(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    """No character of a text ends a line or a column but the line feed and the tab."""
    file = tmp_path_factory.mktemp("texts") / "texts.tsv"
    file.write_text("".join(f"{text}\t{label}\n" for text, label in rows), "utf-8", newline="")
    read = read_labelled(file, layout=Layout("\t", text=0, label=1))
    assert list(zip(read.texts, read.labels, strict=True)) == rows


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (
            "{text}\t{label}",
            "6 labels (animals, food, medicine, money, music, weather); column 1 is the text",
        ),
        (
            "{label}\t{text}",
            "6 labels (animals, food, medicine, money, music, weather); column 2 is the text",
        ),
        (
            "{label}:fine {text}",
            "6 labels (animals, food, medicine, money, music, weather); the label, a blank",
        ),
    ],
    ids=["sst2", "reversed", "trec"],
)
def test_sets_of_sentences_are_read_whole(
    form: str, expected: str, demo_texts: tuple[Path, Path], file: Path
) -> None:
    """150 sentences in the form of SST-2 and of TREC, with a byte in Latin-1, come back with their labels."""
    rows = [line.split("\t") for line in demo_texts[0].read_text("utf-8").splitlines()]
    rows[0][0] += " caf\xe9"
    lines = [form.format(text=text, label=label) for text, label in rows]
    file.write_bytes("\n".join(lines).encode("latin-1"))
    read = read_labelled(file)
    assert str(read).startswith(f"150 texts with {expected}")
    assert list(zip(read.texts, read.labels, strict=True)) == [tuple(row) for row in rows]
