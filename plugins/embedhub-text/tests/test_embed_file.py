"""`embedhub embed` and `embed_file`: a file of texts to a file of vectors, in real processes."""

import csv
import gzip
import json
import os
import signal
import subprocess
import tracemalloc
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import embedhub_text
import numpy as np
import pyarrow as pa
import pytest
from children import PATIENCE, read_until
from command import executable, run
from pyarrow import parquet

import embedhub

TEXTS = ["a stirring , funny film", "", "qwxz", 'he said "music"\nand then\tsang', "naïve music", None]
SOURCE = ("wordnet-ppmi:25",)
ROWS, SMALL = 500, 50  # of a run that is interrupted, and of each of its parts


@pytest.fixture(scope="module")
def _warm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the store once."""
    folder = tmp_path_factory.mktemp("warm")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBEDHUB_CACHE", str(folder))
        embedhub_text.TextEmbedder("wordnet-ppmi", 25)(["music"])
    return folder


@pytest.fixture(autouse=True)
def _in_warm_cache(_warm: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDHUB_CACHE", str(_warm))


@pytest.fixture
def begin(start: Callable[..., "subprocess.Popen[str]"]) -> Callable[..., "subprocess.Popen[str]"]:
    """Return a function that starts the command, which waits after the given number of parts."""

    def begin(*arguments: object, parts: int) -> subprocess.Popen[str]:
        # The rename that would be the next one: a part is a file that is renamed.
        return start(executable(), "embed", *SOURCE, *arguments, at=f"os.rename *.arrow {parts + 1}")

    return begin


def run_embed(*arguments: object, **options: Any) -> Any:
    """Run the command to its end, and return its JSON."""
    done = run("embed", *SOURCE, *arguments, "--json", **options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refused(*arguments: object) -> str:
    """Run the command, which fails with one paragraph, and return that."""
    done = run("embed", *SOURCE, *arguments)
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
    return done.stderr


def write_parquet(path: Path, texts: list[str | None], **options: Any) -> Path:
    """Write texts with their numbers and something nested."""
    numbers = list(range(len(texts)))
    table = pa.table({"id": numbers, "text": texts, "more": [{"is_odd": [n % 2 == 1]} for n in numbers]})
    parquet.write_table(table, path, **options)
    return path


def write_long(path: Path, rows: int, **options: Any) -> Path:
    """Write many texts in one row group."""
    words = list(embedhub.load("wordnet-ppmi", 25).words[:5000])
    chosen = np.random.default_rng(rows).integers(0, len(words), (rows, 30))
    texts: list[str | None] = [" ".join(words[n] for n in row) for row in chosen]
    return write_parquet(path, texts, row_group_size=rows, **options)


def names(folder: Path) -> list[str]:
    """Return the names in a folder."""
    return sorted(path.name for path in folder.iterdir())


def vectors_of(path: Path) -> Any:
    """Return the vectors in a file of either format."""
    if path.suffix == ".npy":
        return np.load(path, allow_pickle=False)
    column = parquet.read_table(path).column("vector").combine_chunks()
    return column.flatten().to_numpy().reshape(len(column), -1)


@pytest.mark.slow
def test_parquet_output_has_the_columns_of_the_input_and_vectors(tmp_path: Path) -> None:
    """The output has the input's rows and columns, with types and order, and the vectors last."""
    table = write_parquet(tmp_path / "in.parquet", TEXTS)
    report = run_embed(table, "--out", tmp_path / "out.parquet", "--batch-size", 4)
    expected = embedhub_text.TextEmbedder("wordnet-ppmi", 25)(TEXTS)
    output = parquet.read_table(tmp_path / "out.parquet")
    assert output.drop_columns("vector").equals(parquet.read_table(table))
    assert output.column_names[-1] == "vector"
    assert output.schema.field("vector").type == pa.list_(pa.float32(), 25)
    assert np.array_equal(vectors_of(tmp_path / "out.parquet"), expected)
    assert parquet.ParquetFile(tmp_path / "out.parquet").num_row_groups == 2
    assert (report["rows"], report["zero_vectors"], report["nulls"]) == (6, 3, 1)
    assert 0 < report["tokens_found"] < report["tokens"]
    assert report["output_path"] == str(tmp_path / "out.parquet")
    assert names(tmp_path) == ["in.parquet", "out.parquet"]


@pytest.mark.slow
def test_keep_selects_the_columns_of_the_output(tmp_path: Path) -> None:
    """`--keep` names the columns of the output, in their order; the text is a column like the others."""
    table = write_parquet(tmp_path / "in.parquet", TEXTS)
    run_embed(table, "--out", tmp_path / "out.parquet", "--keep", "more", "--keep", "id")
    assert parquet.read_table(tmp_path / "out.parquet").column_names == ["more", "id", "vector"]


FLAT = [text for text in TEXTS if text is not None and "\n" not in text]


def _csv(path: Path) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([["id", "text"], *enumerate(FLAT)])


def _tsv(path: Path) -> None:
    path.write_text("".join(f"{a}\t{b}\n" for a, b in [("id", "text"), *enumerate(FLAT)]), "utf-8")


def _jsonl(path: Path) -> None:
    lines = (json.dumps({"id": number, "text": text}) for number, text in enumerate(FLAT))
    path.write_text("\n\n".join(lines), "utf-8")


def _text(path: Path) -> None:
    path.write_bytes("\r\n".join([*FLAT, ""]).encode())


FORMATS: dict[str, Callable[[Path], None]] = {
    "in.csv": _csv,
    "in.tsv": _tsv,
    "in.jsonl": _jsonl,
    "in.txt": _text,
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("compressed", [False, True])
def test_every_format_has_the_same_vectors(name: str, compressed: bool, tmp_path: Path) -> None:
    """CSV, TSV, JSON lines and plain text, compressed or not, have the vectors of `TextEmbedder`."""
    path = tmp_path / name
    FORMATS[name](path)
    if compressed:
        data, path = path.read_bytes(), tmp_path / f"{name}.gz"
        path.write_bytes(gzip.compress(data))
    done = embedhub_text.embed_file("wordnet-ppmi", 25, path, tmp_path / "out.npy", batch_size=2)
    expected = embedhub_text.TextEmbedder("wordnet-ppmi", 25)(FLAT)
    assert done.rows == len(FLAT)
    assert np.array_equal(vectors_of(tmp_path / "out.npy"), expected)
    embedhub_text.embed_file("wordnet-ppmi", 25, path, tmp_path / "out.parquet", batch_size=2)
    output = parquet.read_table(tmp_path / "out.parquet")
    assert output.column("text").to_pylist() == FLAT
    assert np.array_equal(vectors_of(tmp_path / "out.parquet"), expected)


@pytest.mark.slow
def test_standard_input_is_read(tmp_path: Path) -> None:
    """The standard input is plain text, or has the format of `--format`."""
    lines = tmp_path / "lines"
    _jsonl(lines)
    report = run_embed(
        "-", "--format", "jsonl", "--out", tmp_path / "json.parquet", stdin=lines.read_text("utf-8")
    )
    assert report["rows"] == len(FLAT)
    _text(lines)
    run_embed("-", "--out", tmp_path / "text.npy", stdin=lines.read_text("utf-8"))
    assert np.array_equal(vectors_of(tmp_path / "json.parquet"), vectors_of(tmp_path / "text.npy"))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kills"), [("out.parquet", (3, 4)), ("out.npy", (7,))])
def test_killed_run_is_resumed(
    name: str,
    kills: tuple[int, ...],
    begin: Callable[..., "subprocess.Popen[str]"],
    tmp_path: Path,
) -> None:
    """After SIGKILL the same call embeds the remaining rows, and writes the bytes of an undisturbed run."""
    table = write_long(tmp_path / "in.parquet", ROWS)
    for parts in kills:  # number of further parts, of ten
        process = begin(table, "--out", tmp_path / name, "--batch-size", SMALL, parts=parts)
        process.kill()
        process.communicate(timeout=PATIENCE)
        assert not (tmp_path / name).exists()
    done = run_embed(table, "--out", tmp_path / name, "--batch-size", SMALL)
    assert (done["resumed"], done["rows"]) == (7 * SMALL, ROWS)
    embedhub_text.embed_file("wordnet-ppmi", 25, table, tmp_path / f"whole-{name}", batch_size=SMALL)
    assert (tmp_path / name).read_bytes() == (tmp_path / f"whole-{name}").read_bytes()
    assert names(tmp_path) == sorted(["in.parquet", name, f"whole-{name}"])


@pytest.mark.slow
@pytest.mark.posix
def test_control_c_keeps_the_parts(begin: Callable[..., "subprocess.Popen[str]"], tmp_path: Path) -> None:
    """An interrupted command exits with 130, keeps its parts, and prints how to resume, no traceback."""
    table = write_long(tmp_path / "in.parquet", ROWS)
    process = begin(table, "--out", tmp_path / "out.npy", "--batch-size", SMALL, parts=2)
    process.send_signal(signal.SIGINT)
    shown = read_until(process, "Interrupted.", "stderr")
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert shown == "The rows that are done are kept; run the same command again to resume.\nInterrupted.\n"
    done = embedhub_text.embed_file("wordnet-ppmi", 25, table, tmp_path / "out.npy", batch_size=SMALL)
    assert (done.resumed, done.rows) == (2 * SMALL, ROWS)


@pytest.mark.slow
@pytest.mark.posix
def test_output_has_one_writer(begin: Callable[..., "subprocess.Popen[str]"], tmp_path: Path) -> None:
    """While a process writes an output a second one is refused, and the first goes on."""
    table = write_long(tmp_path / "in.parquet", ROWS)
    options = (table, "--out", tmp_path / "out.npy", "--batch-size", SMALL)
    process = begin(*options, parts=1)
    assert "another process is writing this file" in refused(*options, "--force")
    _, complained = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, complained
    assert len(vectors_of(tmp_path / "out.npy")) == ROWS


@pytest.mark.slow
@pytest.mark.parametrize("file_format", ["parquet", "txt"])
def test_memory_does_not_grow_with_the_file(file_format: str, tmp_path: Path) -> None:
    """Python, NumPy and Arrow allocate no more for a file four times as long, in one row group."""
    of_python, of_arrow = [], []
    for rows in (500, 2_000, 8_000):
        # Parquet is read page by page; here all pages have one size.
        table = write_long(tmp_path / f"{rows}.parquet", rows, use_dictionary=False, data_page_size=1 << 16)
        if file_format == "txt":
            texts = parquet.read_table(table).column("text").to_pylist()
            table = tmp_path / f"{rows}.txt"
            table.write_text("\n".join(texts), "utf-8")
        usual = pa.default_memory_pool()
        pool = pa.proxy_memory_pool(usual)
        pa.set_memory_pool(pool)
        tracemalloc.start()
        try:
            embedhub_text.embed_file(
                "wordnet-ppmi", 25, table, tmp_path / f"{rows}-out.parquet", batch_size=500
            )
            of_python.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
            pa.set_memory_pool(usual)
        of_arrow.append(pool.max_memory())
    # The first run also imports; the texts of the others are 0.6 and 2.3 MB as strings.
    assert of_python[2] < of_python[1] + 300_000
    assert of_arrow[2] < of_arrow[1] + 300_000


@pytest.mark.slow
def test_existing_output_is_not_changed(tmp_path: Path) -> None:
    """An existing output is replaced with `--force` only."""
    _text(tmp_path / "in.txt")
    (tmp_path / "out.npy").write_text("mine")
    assert f"{tmp_path / 'out.npy'}: the output exists already" in refused(
        tmp_path / "in.txt", "--out", tmp_path / "out.npy"
    )
    assert (tmp_path / "out.npy").read_text() == "mine"
    run_embed(tmp_path / "in.txt", "--out", tmp_path / "out.npy", "--force")
    assert vectors_of(tmp_path / "out.npy").shape == (len(FLAT), 25)


@pytest.mark.slow
def test_parts_of_another_run_are_not_used(
    begin: Callable[..., "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    """Parts of another input or other settings are refused, and deleted with `overwrite`."""
    table = write_long(tmp_path / "in.parquet", ROWS)
    out = tmp_path / "out.npy"
    process = begin(table, "--out", out, "--batch-size", SMALL, parts=2)
    process.kill()
    process.communicate(timeout=PATIENCE)
    with pytest.raises(embedhub.errors.OutputError, match="batch_size was 50, is 600"):
        embedhub_text.embed_file("wordnet-ppmi", 25, table, out, batch_size=600)
    os.utime(table, (1, 1))
    with pytest.raises(embedhub.errors.OutputError, match="state was"):
        embedhub_text.embed_file("wordnet-ppmi", 25, table, out, batch_size=SMALL)
    done = embedhub_text.embed_file("wordnet-ppmi", 25, table, out, batch_size=SMALL, overwrite=True)
    assert (done.resumed, done.rows) == (0, ROWS)
    assert names(tmp_path) == ["in.parquet", "out.npy"]


BAD = [
    ("in.csv", b'id,text\n1,"a\nb"\n2,c,d\n', "line 4: 3 cells; expected 2, as in the header"),
    ("in.csv", b'id,text\n1,good\n2,"never closed\n3,more\n', "line 3 (to 4): invalid CSV"),
    ("in.csv", b"id,review\n1,good\n", "no column 'text'; the columns are 'id', 'review'."),
    ("in.csv", b"id,text,id\n1,good,2\n", "two columns are named 'id'"),
    ("in.csv", b"", "the file is empty; expected a header"),
    ("in.csv", b"text,vector\ngood,1\n", "a column is named 'vector', like the column of vectors"),
    ("in.csv", "id,text\n1,good\n2,café\n".encode("latin-1"), "line 3: these bytes are not utf-8"),
    ("in.txt", b"good\nbad \xff\n", "line 2: these bytes are not utf-8"),
    ("in.tsv", b"id\ttext\n1\n", "line 2: 1 cells; expected 2"),
    ("in.jsonl", b'{"text": "good"}\n\n{"text": bad}\n', "line 3, character 10: invalid JSON"),
    ("in.jsonl", b'{"text": "good"}\n["bad"]\n', 'line 2: expected an object, got ["bad"]'),
    ("in.jsonl", b'{"text": "good"}\n{"text": 7}\n', "line 2: 'text' is 7; expected a string or null."),
    ("in.jsonl", b'{"review": "good"}\n{"id": 7}\n', "no column 'text'; the columns are 'review', 'id'."),
    ("in.jsonl", b'{"text": "a", "b": 1}\n{"text": "a", "b": "x"}\n', "line 2: 'b' is 'x', whose type"),
    ("in.jsonl", b'{"text": "a"}\n{"text": "\\ud83d"}\n', "line 2: 'text' is"),
    ("in.jsonl", b'{"text": "a"}\n' + b"[" * 200_000 + b"\n", "line 2: this JSON is nested too deep"),
    ("in.parquet", b"PAR1 and no more", "this Parquet file cannot be read"),
    ("in.csv.gz", gzip.compress(b"id,text\n1,good\n" * 9999)[:-20], "compressed bytes are damaged"),
    ("in.docx", b"", "unknown suffix; expected one of .parquet"),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("name", "data", "message"), BAD)
def test_invalid_input_leaves_nothing(name: str, data: bytes, message: str, tmp_path: Path) -> None:
    """An invalid file is an error with its line or row, and no part is left."""
    (tmp_path / name).write_bytes(data)
    with pytest.raises(embedhub.FormatError) as caught:
        embedhub_text.embed_file(
            "wordnet-ppmi", 25, tmp_path / name, tmp_path / "out.parquet", batch_size=100
        )
    assert str(tmp_path / name) in str(caught.value)
    assert message in str(caught.value)
    assert names(tmp_path) == [name]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (pa.array([1, 2]), "column 'text' has type int64; expected texts"),
        (pa.array([b"good", b"bad \xff"]), "row 1 of column 'text' is not UTF-8"),
    ],
)
def test_column_that_holds_no_texts_is_refused(values: Any, message: str, tmp_path: Path) -> None:
    """The column of Parquet must have texts, or bytes of UTF-8."""
    parquet.write_table(pa.table({"text": values}), tmp_path / "in.parquet")
    with pytest.raises(embedhub.FormatError, match=message):
        embedhub_text.embed_file("wordnet-ppmi", 25, tmp_path / "in.parquet", tmp_path / "out.npy")


@pytest.mark.parametrize("kind", ["large_string", "string_view", "binary", "dictionary"])
def test_every_string_type_is_read(kind: str, tmp_path: Path) -> None:
    """Arrow's other string types have the same vectors, and keep their type in the output."""
    type_ = pa.dictionary(pa.int32(), pa.string()) if kind == "dictionary" else getattr(pa, kind)()
    texts = pa.table({"text": pa.array(TEXTS, pa.string()).cast(type_)})
    try:
        parquet.write_table(texts, tmp_path / "in.parquet")
    except pa.ArrowNotImplementedError as error:
        pytest.skip(f"this pyarrow does not write it: {error}")
    embedhub_text.embed_file(
        "wordnet-ppmi", 25, tmp_path / "in.parquet", tmp_path / "out.parquet", batch_size=4
    )
    expected = embedhub_text.TextEmbedder("wordnet-ppmi", 25)(TEXTS)
    assert np.array_equal(vectors_of(tmp_path / "out.parquet"), expected)
    output = parquet.read_table(tmp_path / "out.parquet").column("text")
    assert output.type == parquet.read_table(tmp_path / "in.parquet").column("text").type
    assert output.cast(pa.string()).to_pylist() == TEXTS


def test_fields_of_json_lines_may_be_absent_and_widen(tmp_path: Path) -> None:
    """A field that a line lacks is null, integers may be mixed with floats, and the vectors stay last."""
    (tmp_path / "in.jsonl").write_text(
        '{"text": "good", "n": 1, "none": null}\n'
        '{"text": null, "n": 2.5}\n'
        '{"n": null, "new": ["x"], "none": "y"}\n'
    )
    done = embedhub_text.embed_file(
        "wordnet-ppmi", 25, tmp_path / "in.jsonl", tmp_path / "out.parquet", batch_size=1
    )
    assert (done.rows, done.zero_vectors, done.nulls) == (3, 2, 2)
    output = parquet.read_table(tmp_path / "out.parquet")
    assert output.column_names == ["text", "n", "none", "new", "vector"]
    assert output.drop_columns("vector").to_pylist() == [
        {"text": "good", "n": 1.0, "none": None, "new": None},
        {"text": None, "n": 2.5, "none": None, "new": None},
        {"text": None, "n": None, "none": "y", "new": ["x"]},
    ]


def test_field_that_changes_its_type_is_refused(tmp_path: Path) -> None:
    """A field of numbers in one part and of strings in another is an error."""
    (tmp_path / "in.jsonl").write_text('{"text": "good", "b": 1}\n{"text": "good", "b": "x"}\n')
    with pytest.raises(embedhub.FormatError, match=r"rows 1 to 2: .*Field b has incompatible types"):
        embedhub_text.embed_file(
            "wordnet-ppmi", 25, tmp_path / "in.jsonl", tmp_path / "out.parquet", batch_size=1
        )
    assert names(tmp_path) == ["in.jsonl"]
    embedhub_text.embed_file("wordnet-ppmi", 25, tmp_path / "in.jsonl", tmp_path / "out.npy", batch_size=1)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_encoding_option_is_used(encoding: str, tmp_path: Path) -> None:
    """A file in another encoding is read with its name."""
    (tmp_path / "in.csv").write_text("text\ncafé\n", encoding)
    out = tmp_path / "out.parquet"
    embedhub_text.embed_file("wordnet-ppmi", 25, tmp_path / "in.csv", out, encoding=encoding)
    assert parquet.read_table(out).column("text").to_pylist() == ["café"]


def test_wrong_usage_is_exit_code_2(tmp_path: Path) -> None:
    """An unknown encoding is wrong usage, and nothing is written."""
    _csv(tmp_path / "in.csv")
    done = run("embed", *SOURCE, tmp_path / "in.csv", "--out", tmp_path / "2.npy", "--encoding", "utf-7a")
    assert "unknown encoding: utf-7a" in done.stderr
    assert done.returncode == 2
    assert names(tmp_path) == ["in.csv"]


@pytest.mark.parametrize(
    ("name", "data", "columns"),
    [("in.txt", b"", ["text"]), ("in.csv", b"id,text\n", ["id", "text"]), ("in.jsonl", b"\n", [])],
)
def test_file_without_rows_has_an_output_without_rows(
    name: str, data: bytes, columns: list[str], tmp_path: Path
) -> None:
    """The output of a file without rows has its columns."""
    (tmp_path / name).write_bytes(data)
    embedhub_text.embed_file("wordnet-ppmi", 25, tmp_path / name, tmp_path / "out.parquet")
    output = parquet.read_table(tmp_path / "out.parquet")
    assert (output.num_rows, output.column_names) == (0, [*columns, "vector"])
    embedhub_text.embed_file("wordnet-ppmi", 25, tmp_path / name, tmp_path / "out.npy")
    assert vectors_of(tmp_path / "out.npy").shape == (0, 25)


def test_invalid_paths_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    """An unknown suffix, a missing input and a missing folder of the output raise errors."""
    with pytest.raises(ValueError, match=r"expected a suffix \.parquet or \.npy"):
        embedhub_text.embed_file("wordnet-ppmi", 25, "in.csv", tmp_path / "out.csv")
    with pytest.raises(embedhub.errors.LocalFileError, match=r"in\.csv: expected a file of texts"):
        embedhub_text.embed_file("wordnet-ppmi", 25, tmp_path / "in.csv", tmp_path / "out.npy")
    _csv(tmp_path / "in.csv")
    with pytest.raises(embedhub.errors.LocalFileError, match="the folder of the output does not exist"):
        embedhub_text.embed_file("wordnet-ppmi", 25, tmp_path / "in.csv", tmp_path / "no" / "out.npy")


@pytest.mark.slow
def test_options_of_the_embedder_are_passed_on(tmp_path: Path) -> None:
    """Every pooling with a vector per text is an option; fitted weights are passed as their folder."""
    _text(tmp_path / "in.txt")
    embed = embedhub_text.TextEmbedder("wordnet-ppmi", 25, pooling="idf")
    embed.fit(FLAT, tmp_path / "fitted")
    run_embed(
        tmp_path / "in.txt", "--out", tmp_path / "a.npy", "--pooling", "idf", "--weights", embed.weights
    )
    assert np.array_equal(vectors_of(tmp_path / "a.npy"), embed(FLAT))
    for options in ({"pooling": None}, {"pooling": "idf"}):
        with pytest.raises(ValueError, match="pooling"):
            embedhub_text.embed_file("wordnet-ppmi", 25, tmp_path / "in.txt", tmp_path / "b.npy", **options)
    assert names(tmp_path) == ["a.npy", "fitted", "in.txt"]


@pytest.mark.slow
def test_progress_bar_and_summary_are_shown(tmp_path: Path) -> None:
    """The bar shows the rows done of all rows, and rows per second; the summary counts and the output."""
    table = write_long(tmp_path / "in.parquet", 1_200)
    options = ("--out", tmp_path / "out.npy", "--batch-size", SMALL)
    done = run("embed", *SOURCE, table, *options, EMBEDHUB_PROGRESS="1")
    assert done.returncode == 0
    assert "Embedding in.parquet" in done.stderr
    assert "1200/1200" in done.stderr
    assert "items/s" in done.stderr
    assert done.stdout.startswith("1,200 rows; 0 without a known word (0 of them null)")
    assert "rows per second" in done.stdout
    assert done.stdout.endswith(f"{tmp_path / 'out.npy'}\n")


def test_vector_of_a_real_text_is_the_mean_of_its_words_vectors(
    glove_lines: list[bytes], glove_20k: embedhub.Vectors, tmp_path: Path
) -> None:
    """With GloVe 6B, the vector of a sentence of the demo is the mean of the numbers in GloVe's text."""
    numbers = dict(line.decode().split(" ", 1) for line in glove_lines)
    table = (resources.files("embedhub") / "demo_texts.tsv").read_text("utf-8").lower()
    (tmp_path / "in.tsv").write_text(table, "utf-8")
    done = embedhub_text.embed_file(
        "glove-6b-20k",
        50,
        tmp_path / "in.tsv",
        tmp_path / "out.parquet",
        tokenize="whitespace",
        batch_size=100,
    )
    _, topics, texts = zip(*(line.split("\t") for line in table.splitlines()[1:]), strict=True)
    assert (done.rows, done.zero_vectors) == (len(texts), 0) == (330, 0)
    words = [[word for word in text.split() if word in numbers] for text in texts]
    assert sum(map(len, words)) > 2500
    expected = [
        np.mean([np.array(numbers[word].split(), np.float32) for word in each], axis=0) for each in words
    ]
    np.testing.assert_allclose(vectors_of(tmp_path / "out.parquet"), expected, atol=1e-6)
    assert parquet.read_table(tmp_path / "out.parquet").column("topic").to_pylist() == list(topics)
