"""Tables of texts: what is read is what was written, wherever one begins and however much one takes."""

import csv
import json
from pathlib import Path

import pyarrow as pa
import pytest
from embedhub_text.tables import FORMATS, Table, format_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

# Surrogates are no Unicode. A lone carriage return ends a line for csv's writer and for no other.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"))


def write(path: Path, rows: list[tuple[str, str]]) -> None:
    """Write rows in the format that the name says."""
    kind = format_of(path)
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
def test_what_is_read_is_what_was_written(kind: str, tmp_path: Path, data: st.DataObject) -> None:
    """Any texts come back, in batches of any size, from any row on, with the columns beside them."""
    forbidden = {"tsv": "\t\n\r", "text": "\n"}.get(kind, "")
    own = texts.map(lambda text: text.translate(dict.fromkeys(map(ord, forbidden))))
    rows = data.draw(st.lists(st.tuples(st.uuids().map(str), own), max_size=12))
    size, skip = data.draw(st.integers(1, 7)), data.draw(st.integers(0, 14))
    path = tmp_path / f"in.{'txt' if kind == 'text' else kind}"
    write(path, rows)
    if kind == "jsonl" and not rows:
        return  # nothing says that there is a column
    table = Table(path=path, column="text", keep=None, file_format=kind)
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
def test_a_name_says_its_format(name: str, kind: str) -> None:
    """The ending of a name is its format, in any case, before those of compressed files."""
    assert format_of(Path(name)) == kind


def test_how_much_was_read_is_known(tmp_path: Path) -> None:
    """The share of the file that was read grows to all of it, in plain and in compressed files."""
    rows = [(str(number), "some words " * 20) for number in range(5000)]
    for name in ("in.parquet", "in.csv", "in.jsonl", "in.txt"):
        write(tmp_path / name, rows)
        table = Table(path=tmp_path / name, column="text", keep=None, file_format=format_of(tmp_path / name))
        shares = [batch.share or 0 for batch in table.batches(1000)]
        assert shares == sorted(shares)
        assert 0 < shares[0] < 0.5
        assert shares[-1] == 1
