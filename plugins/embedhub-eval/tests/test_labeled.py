"""Files of labeled texts."""

import gzip
from pathlib import Path
from typing import Any

import pytest
from embedhub_eval.labeled import read_labeled
from hypothesis import given
from hypothesis import strategies as st

from embedhub.errors import FormatError, LocalFileError

EXPECTED = [("it rains", "sky"), ("it snows", "sky"), ("a cat", "pet"), ("a dog", "pet")]


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("a.tsv", "it rains\tsky\nit snows\tsky\na cat\tpet\na dog\tpet\n", {"columns": (1, 2)}),
        ("a.tsv", "sky\tit rains\nsky\tit snows\npet\ta cat\npet\ta dog", {"columns": ("2", "1")}),
        (
            "a.tsv",
            "\ufefftext\tlabel\r\nit rains\tsky\r\nit snows\tsky\r\na cat\tpet\r\n\r\na dog\tpet\r\n",
            {},
        ),
        ("a.tsv", "id\tlabel\ttext\n1\tsky\tit rains\n2\tsky\tit snows\n3\tpet\ta cat\n4\tpet\ta dog\n", {}),
        ("a.csv", 'text,label\n"it rains",sky\nit snows,sky\na cat,pet\na dog,pet\n', {}),
        (
            "a.csv",
            "stars,body\nsky,it rains\nsky,it snows\npet,a cat\npet,a dog\n",
            {"columns": ("body", "stars")},
        ),
        ("a.csv", "it rains,sky\nit snows,sky\na cat,pet\na dog,pet\n", {"columns": (1, 2)}),
        (
            "a.txt",
            "sky:wet it rains\nsky:cold it snows\npet:small a cat\npet:large a dog\n",
            {"label_first": True},
        ),
        (
            "a.txt",
            "__label__sky it rains\n__label__sky it snows\n__label__pet a cat\n__label__pet a dog\n",
            {"label_first": True},
        ),
    ],
)
def test_labeled_texts_are_read_from_usual_layouts(
    tmp_path: Path, name: str, content: str, options: dict[str, Any]
) -> None:
    """Columns by name or number, separated by tabs or commas, or the label first as in TREC and fastText."""
    file = tmp_path / name
    file.write_text(content, "utf-8", newline="")
    labeled = read_labeled(file, **options)
    assert list(zip(labeled.texts, labeled.labels, strict=True)) == EXPECTED


def test_description_has_the_numbers_and_the_labels(tmp_path: Path) -> None:
    """At most eight labels are listed."""
    file = tmp_path / "texts.tsv"
    file.write_text("label\ttext\n" + "sky\tit rains\npet\ta cat\n" * 2)
    assert str(read_labeled(file)) == "4 texts with 2 labels (pet, sky)"
    file.write_text("".join(f"it rains {i}\tlabel{i % 9}\n" for i in range(18)))
    assert str(read_labeled(file, columns=(1, 2))).endswith("label6, label7, ...)")


def test_bytes_that_are_not_utf8_are_latin_1(tmp_path: Path) -> None:
    """TREC's questions have one such byte; the description reports it."""
    file = tmp_path / "texts.tsv"
    file.write_bytes("a caf\xe9\tfood\na naïve tea\tfood\n".encode("latin-1"))
    labeled = read_labeled(file, columns=(1, 2))
    assert labeled.texts == ["a café", "a naïve tea"]
    assert str(labeled).endswith("read as latin-1, not UTF-8")


def test_quotation_marks_quote_only_in_csv(tmp_path: Path) -> None:
    """An unpaired quotation mark in TSV belongs to its text; a quoted cell of CSV may have line ends."""
    (tmp_path / "a.tsv").write_text('a 12" record\tmusic\nthe "best\tmusic\n')
    assert read_labeled(tmp_path / "a.tsv", columns=(1, 2)).texts == ['a 12" record', 'the "best']
    (tmp_path / "a.csv").write_text('"two\nlines, and ""more""",music\none,music\n')
    assert read_labeled(tmp_path / "a.csv", columns=(1, 2)).texts == ['two\nlines, and "more"', "one"]


def test_compressed_file_is_read(tmp_path: Path) -> None:
    """Compression is recognized by the bytes."""
    (tmp_path / "a.tsv.gz").write_bytes(gzip.compress(b"it rains\tsky\nit snows\tsky\n"))
    assert read_labeled(tmp_path / "a.tsv.gz", columns=(1, 2)).labels == ["sky", "sky"]


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("a.tsv", b"", {}, "this file has no labeled texts"),
        ("a.tsv", b"text\tlabel\n", {}, "this file has no labeled texts"),
        ("a.tsv", b"a\0b\tc\n", {}, r"got a binary file \(it has zero bytes\)"),
        ("a.tsv", b"text\tlabel\nrain\n", {}, "line 2 has 1 columns, expected 2: 'rain'"),
        ("a.tsv", b"a\tb\nc\td\tx\n", {"columns": (1, 2)}, "line 2 has 3 columns, expected 2: 'c, d, x'"),
        ("a.tsv", b"a\tx\nb\tx\nc\t \n", {"columns": (1, 2)}, "line 3 has no label: 'c'"),
        (
            "a.tsv",
            b"it rains\tsky\n",
            {},
            "expected columns 'text' and 'label'; line 1 has 2: 'it rains, sky'",
        ),
        ("a.tsv", b"text\tlabel\na\tb\n", {"columns": ("text", "stars")}, "'text' and 'stars'; line 1 has 2"),
        ("a.tsv", b"it rains\tsky\n", {"columns": (1, 3)}, "expected columns 1 and 3; line 1 has 2"),
        ("a.csv", b"text\tlabel\na\tb\n", {}, "line 1 has tabs, .* Rename the file to 'a.tsv'"),
        (
            "a.txt",
            b"sky it rains\nsky\n",
            {"label_first": True},
            "line 2 is 'sky'; expected a label, a space",
        ),
        ("a.csv", b'a,x\n"b,x\n', {"columns": (1, 2)}, "line 2 is not CSV"),
    ],
)
def test_file_in_another_layout_is_an_error(
    tmp_path: Path, name: str, content: bytes, options: dict[str, Any], message: str
) -> None:
    """The message has the file, the line, and what was expected."""
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(FormatError, match=message) as error:
        read_labeled(file, **options)
    assert str(file) in str(error.value)


@pytest.mark.parametrize("columns", [("text",), ("1", "1"), "ab", (0, 1)])
def test_columns_are_two_names_or_two_numbers(tmp_path: Path, columns: Any) -> None:
    """Anything else is an error before the file is read."""
    with pytest.raises(ValueError, match=r"expected (two|numbers from 1)"):
        read_labeled(tmp_path / "missing.tsv", columns=columns)


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A path without a file, or of a folder, is an error with that path."""
    for path in (tmp_path / "missing.tsv", tmp_path):
        with pytest.raises(LocalFileError, match="these labeled texts cannot be read"):
            read_labeled(path)


_CELL = st.text(st.characters(exclude_characters="\t\n\r\0", exclude_categories=["Cs"]), min_size=1)


@pytest.mark.slow
@given(st.lists(st.tuples(_CELL, st.sampled_from(["a", "b"])), min_size=4))
def test_any_text_is_read_unchanged(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    """Only a line feed ends a line, and only a tab ends a column."""
    file = tmp_path_factory.mktemp("texts") / "texts.tsv"
    file.write_text("".join(f"{text}\t{label}\n" for text, label in rows), "utf-8", newline="")
    labeled = read_labeled(file, columns=(1, 2))
    assert list(zip(labeled.texts, labeled.labels, strict=True)) == rows


@pytest.mark.parametrize(
    ("line", "options"),
    [
        ("{text}\t{label}", {"columns": (1, 2)}),
        ("{label}\t{text}", {"columns": (2, 1)}),
        ("{label}:fine {text}", {"label_first": True}),
    ],
    ids=["sst2", "reversed", "trec"],
)
def test_sentences_are_read_whole(
    line: str, options: dict[str, Any], demo_texts: tuple[Path, Path], tmp_path: Path
) -> None:
    """150 sentences in the layouts of SST-2 and TREC, with a byte of Latin-1, keep their labels."""
    rows = [row.split("\t") for row in demo_texts[0].read_text("utf-8").splitlines()]
    rows[0][0] += " caf\xe9"
    file = tmp_path / "texts.tsv"
    file.write_bytes("\n".join(line.format(text=text, label=label) for text, label in rows).encode("latin-1"))
    labeled = read_labeled(file, **options)
    assert str(labeled).startswith("150 texts with 6 labels (animals, food, medicine, money, music, weather)")
    assert list(zip(labeled.texts, labeled.labels, strict=True)) == [tuple(row) for row in rows]
