"""`TextTable`: every format, in batches of every size, from every row."""

import csv
import json
from pathlib import Path

import pyarrow as pa
import pytest
from embedhub_text.tables import FORMATS, TextTable, infer_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

# Surrogates are not Unicode. A lone carriage return ends a line for csv's writer only.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"))


def write(path: Path, rows: list[tuple[str, str]]) -> None:
    """Write rows in the format of the file's name."""
    kind = infer_format(path)
    if kind == "parquet":
        columns = {"id": [row[0] for row in rows], "text": [row[1] for row in rows]}
        table = pa.table(columns, pa.schema({"id": pa.string(), "text": pa.string()}))
        parquet.write_table(table, path, row_group_size=3)
    elif kind == "csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("id", "text"), *rows])
    elif kind == "tsv":
        path.write_bytes("".join(f"{a}\t{b}\n" for a, b in [("id", "text"), *rows]).encode())
    elif kind == "jsonl":
        path.write_bytes("".join(json.dumps({"id": a, "text": b}) + "\n" for a, b in rows).encode())
    else:
        path.write_bytes("".join(f"{b}\n" for _, b in rows).encode())


@pytest.mark.parametrize("kind", FORMATS)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_rows_survive_writing_and_reading(kind: str, tmp_path: Path, data: st.DataObject) -> None:
    """Every text is read as it was written, with its columns, in batches of any size, from any row."""
    forbidden = {"tsv": "\t\n\r", "text": "\n"}.get(kind, "")
    own = texts.map(lambda text: text.translate(dict.fromkeys(map(ord, forbidden))))
    rows = data.draw(st.lists(st.tuples(st.uuids().map(str), own), max_size=12))
    size, skip = data.draw(st.integers(1, 7)), data.draw(st.integers(0, 14))
    path = tmp_path / f"in.{'txt' if kind == 'text' else kind}"
    write(path, rows)
    if kind == "jsonl" and not rows:
        return  # no line has a column
    table = TextTable(path=path, column="text", keep=None, file_format=kind)
    batches = list(table.batches(size, skip=skip))
    assert [text for batch in batches for text in batch.texts] == [text for _, text in rows[skip:]]
    assert all(len(batch.texts) == size for batch in batches[:-1])
    assert all(batch.columns.column("text").to_pylist() == batch.texts for batch in batches)
    if kind != "text":
        ids = [number for batch in batches for number in batch.columns.column("id").to_pylist()]
        assert ids == [number for number, _ in rows[skip:]]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.PARQUET", "parquet"),
        ("a.b.csv.gz", "csv"),
        ("a.ndjson.xz", "jsonl"),
        ("a.txt", "text"),
        ("-", "text"),
    ],
)
def test_format_is_inferred_from_the_name(name: str, kind: str) -> None:
    """The suffix before those of compressed files is the format, in upper or lower case."""
    assert infer_format(Path(name)) == kind


def test_progress_grows_to_the_whole_file(tmp_path: Path) -> None:
    """The fraction of the file that was read grows with each batch, and ends at 1."""
    rows = [(str(number), "some words " * 20) for number in range(5000)]
    for name in ("in.parquet", "in.csv", "in.jsonl", "in.txt"):
        write(tmp_path / name, rows)
        table = TextTable(
            path=tmp_path / name, column="text", keep=None, file_format=infer_format(tmp_path / name)
        )
        fractions = [batch.progress or 0 for batch in table.batches(1000)]
        assert fractions == sorted(fractions)
        assert 0 < fractions[0] < 0.5
        assert fractions[-1] == 1
