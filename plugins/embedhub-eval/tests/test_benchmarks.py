"""Benchmarks: their metadata, files and formats."""

import csv
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import embedhub_eval
import pytest
from benchmark_samples import SAMPLES, bats
from children import PATIENCE
from command import add_distribution, run, seeing
from embedhub_eval import Analogy, Benchmark, WordPair, analogies, word_pairs
from embedhub_eval.benchmark import open_benchmark
from real_files import REAL_SETS
from remote import zipped
from small_sets import SETS

from embedhub import FormatError, RemoteFile
from embedhub.errors import (
    ChecksumError,
    LocalFileError,
    OfflineError,
    UnverifiedWarning,
)

NAMES = [
    "bats", "google-analogies", "mc-30", "men", "msr-analogies", "mturk-287", "mturk-771", "rare-words",
    "rg-65", "scws", "simlex-999", "simverb-3500", "wordsim-353", "wordsim-353-relatedness",
    "wordsim-353-similarity",
]  # fmt: skip


def lay(file: RemoteFile, folder: Path, data: bytes) -> None:
    """Write bytes to a mirror, inside an archive if the file is a member of one."""
    place = folder / file.url.removeprefix("https://")
    place.parent.mkdir(parents=True, exist_ok=True)
    if file.member:
        with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(file.member, data)
    else:
        place.write_bytes(data)


def test_builtin_benchmarks_have_their_metadata() -> None:
    """Each has a license, a citation and a homepage, and all but SCWS have a known hash."""
    benchmarks = embedhub_eval.benchmarks()
    assert list(benchmarks) == NAMES == sorted(SAMPLES)
    for name, benchmark in benchmarks.items():
        is_analogy = name in {"bats", "google-analogies", "msr-analogies"}
        assert benchmark.kind == ("analogy" if is_analogy else "similarity")
        assert benchmark.description
        assert benchmark.license
        assert benchmark.citation.endswith((".", ")."))
        assert benchmark.homepage.startswith("https://")
        assert all(file.known_hash is not None for file in benchmark.files) == (name != "scws")


@pytest.mark.parametrize("name", SETS)
def test_benchmark_is_verified_and_read_whole(
    name: str,
    small_mirror: Path,
    small_benchmarks: dict[str, Benchmark],
    serve: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    cache: Path,
) -> None:
    """The mirror's bytes match the known hash and have all items; later they are read from the cache."""
    serving = serve(small_mirror)
    monkeypatch.setenv("EMBEDHUB_MIRROR", serving.base)
    benchmark = embedhub_eval.benchmarks()[name]
    items = benchmark.read()
    assert len(items) == benchmark.total
    rows = [line.split() for line in SETS[name].decode().splitlines() if line[0] not in "#:"]
    if benchmark.kind == "similarity":
        assert items == [WordPair(left, right, float(score)) for left, right, score in rows]
    else:
        assert [[item.a, item.b, item.c, *item.answers] for item in items] == rows
        assert [item.category for item in items] == ["semantic"] * 30 + ["syntactic"] * 20
    # One byte more shows how the server answers; the client may have gone on before that is counted.
    assert serving.sent - len(SETS[name]) in {0, 1}
    monkeypatch.setenv("EMBEDHUB_MIRROR", "http://127.0.0.1:9")
    assert benchmark.read() == items  # of the cache
    suffix = Path(benchmark.files[0].url).suffix
    assert [path.suffix for path in (cache / "downloads").rglob("*") if path.is_file()] == [suffix]


def test_published_benchmarks_have_their_known_hashes_and_totals(
    real_mirror: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    """The published files match their known hashes and sizes, and have the expected first and last items."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(real_mirror))
    sets = {name: embedhub_eval.benchmarks()[name].read() for name in REAL_SETS}
    for name, items in sets.items():
        assert len(items) == embedhub_eval.benchmarks()[name].total
    assert {name: (items[0], items[-1]) for name, items in sets.items()} == {
        "wordsim-353": (WordPair("love", "sex", 6.77), WordPair("architecture", "century", 3.78)),
        "simlex-999": (WordPair("old", "new", 1.58), WordPair("attend", "arrive", 6.08)),
        "men": (WordPair("sun", "sunlight", 50), WordPair("bakery", "zebra", 0)),
        "google-analogies": (
            Analogy("Athens", "Greece", "Baghdad", ("Iraq",), "semantic"),
            Analogy("write", "writes", "work", ("works",), "syntactic"),
        ),
    }
    categories = [analogy.category for analogy in sets["google-analogies"]]
    assert (categories.count("semantic"), categories.count("syntactic")) == (8869, 10675)
    monkeypatch.setenv("EMBEDHUB_MIRROR", "http://127.0.0.1:9")
    assert embedhub_eval.benchmarks()["men"].read() == sets["men"]  # of the cache
    suffixes = sorted(path.suffix for path in (cache / "downloads").rglob("*") if path.is_file())
    assert suffixes == [".tsv", ".txt", ".txt", ".txt"]


def test_columns_of_the_simlex_archive_are_inferred(tmp_path: Path) -> None:
    """The second candidate has a header, and the rating in the fourth column of ten."""
    (tmp_path / "SimLex-999.txt").write_bytes(
        b"word1\tword2\tPOS\tSimLex999\tconc(w1)\tconc(w2)\tconcQ\tAssoc(USF)\tSimAssoc333\tSD(SimLex)\r\n"
        b"fog\tmist\tN\t8.5\t2.72\t2.81\t2\t7.25\t1\t0.41\r\n"
    )
    simlex = embedhub_eval.benchmarks()["simlex-999"]
    assert simlex.read(tmp_path / "SimLex-999.txt") == [WordPair("fog", "mist", 8.5)]


BATS = [
    Analogy("mouse", "mice", "foot", ("feet", "foots"), "inflectional morphology"),
    Analogy("foot", "feet", "mouse", ("mice",), "inflectional morphology"),
    Analogy("cat", "kitten", "dog", ("pup",), "encyclopedic semantics"),
    Analogy("dog", "pup", "cat", ("kitten",), "encyclopedic semantics"),
]


def test_bats_pairs_of_lines_are_analogies(tmp_path: Path) -> None:
    """Two lines make two analogies: with the first answer of one as example, all of the other are correct."""
    (tmp_path / "bats.zip").write_bytes(bats())
    assert list(analogies.read_bats(tmp_path / "bats.zip")) == BATS
    (tmp_path / "bats.zip").write_bytes(bats(b"mouse\n"))
    with pytest.raises(FormatError, match=r"I02 \[noun - plural_irreg\].txt: line 1: expected a word, a tab"):
        list(analogies.read_bats(tmp_path / "bats.zip"))
    (tmp_path / "bats.zip").write_bytes(b"no archive")
    with pytest.raises(FormatError, match="this zip archive cannot be opened"):
        list(analogies.read_bats(tmp_path / "bats.zip"))


def test_bats_is_read_as_it_comes(tmp_path: Path) -> None:
    """The archive, its folder, a folder in it and one file are each a benchmark of analogies, by its path."""
    (tmp_path / "bats.zip").write_bytes(bats())
    with zipfile.ZipFile(tmp_path / "bats.zip") as archive:
        archive.extractall(tmp_path)
    (tmp_path / "BATS_3.0" / "README.txt").write_text("Two relations.\n")
    folder = tmp_path / "BATS_3.0" / "1_Inflectional_morphology"
    (file,) = folder.iterdir()
    without_category = [analogy._replace(category="") for analogy in BATS[:2]]
    for path, items in (
        (tmp_path / "bats.zip", BATS),
        (tmp_path / "BATS_3.0", BATS),
        (folder, BATS[:2]),
        (file, without_category),
    ):
        benchmark = open_benchmark(path)
        assert (benchmark.kind, benchmark.read()) == ("analogy", items)
    renamed = file.rename(tmp_path / "plurals.tsv")
    assert open_benchmark(renamed).read() == without_category  # by the slash
    renamed.write_bytes(b"mouse\tmice\nfoot\tfeet\n")
    with pytest.raises(FormatError, match="expected two words and a number"):
        open_benchmark(renamed).read()  # word pairs whose ratings were forgotten look like this
    assert Benchmark(name="plurals", format="bats", path=renamed).read() == [
        Analogy("mouse", "mice", "foot", ("feet",)), Analogy("foot", "feet", "mouse", ("mice",)),
    ]  # fmt: skip


OSLO = Analogy("Athens", "Greece", "Oslo", ("Norway",))
LIMA = Analogy("New York", "USA", "Lima", ("Peru",), "big")


def test_field_that_is_too_long_is_a_format_error(tmp_path: Path) -> None:
    """A line that Python's csv refuses, as of another file by that name, is named with its number."""
    path = tmp_path / "pairs.csv"
    path.write_text(f"sun,moon,5\nsun,{'x' * 200_000},5\n", "utf-8")
    limit = csv.field_size_limit(131_072)  # Python's own, which embed_file raises
    try:
        with pytest.raises(FormatError, match=r"pairs\.csv: line 2: expected two words"):
            open_benchmark(path).read()
    finally:
        csv.field_size_limit(limit)


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("Athens,Greece,Oslo,Norway\n", [OSLO]),
        ("Athens, Greece, Oslo, Norway\n", [OSLO]),
        ("Athens;Greece;Oslo;Norway\n", [OSLO]),
        (': big\n"New York",USA,Lima,Peru\n', [LIMA]),
        ("a,b,c,d\nAthens,Greece,Oslo,Norway\n", [OSLO]),
        ("word1\tword2\tword3\tword4\nAthens\tGreece\tOslo\tNorway\n", [OSLO]),
        (",relation,Word 1,Word 2,Word 3,Word 4\n0,big,New York,USA,Lima,Peru\n", [LIMA]),
        ("word_1;word_2;word_3;word_4;category\nNew York;USA;Lima;Peru;big\n", [LIMA]),
        ("1,000 2,000 3,000 4,000\n", [Analogy("1,000", "2,000", "3,000", ("4,000",))]),
    ],
)  # fmt: skip
def test_analogies_may_be_csv(text: str, items: list[Analogy], tmp_path: Path) -> None:
    """Commas and semicolons separate words, and a header may name the columns, also of the category."""
    (tmp_path / "analogies.csv").write_text(text, "utf-8")
    benchmark = open_benchmark(tmp_path / "analogies.csv")
    assert (benchmark.kind, benchmark.read()) == ("analogy", items)


def test_zip_of_another_benchmark_is_not_bats(tmp_path: Path) -> None:
    """An archive of one file is that file; of several that are not relations one must be named."""
    (tmp_path / "one.zip").write_bytes(zipped(**{"deep/pairs.txt": b"rain\tstorm\t8\n"}))
    assert open_benchmark(tmp_path / "one.zip").read() == [WordPair("rain", "storm", 8)]
    members = {"deep/README.txt": b"Pairs and\tratings.\n", "deep/pairs.txt": b"rain\tstorm\t8\n"}
    (tmp_path / "two.zip").write_bytes(zipped(**members))
    with pytest.raises(FormatError, match=r"deep/pairs\.txt"):
        open_benchmark(tmp_path / "two.zip")
    member = tmp_path / "two.zip#deep/pairs.txt"
    assert open_benchmark(member).read() == [WordPair("rain", "storm", 8)]


@pytest.mark.parametrize(
    ("data", "pairs"),
    [
        pytest.param(b"a\tb\t1\n", [("a", "b", 1)], id="tabs"),
        pytest.param(b"a b 1.5e1\n", [("a", "b", 15)], id="blanks"),
        pytest.param(b"a,b,.5\n", [("a", "b", 0.5)], id="commas"),
        pytest.param(b'"New York, NY";city;-1\n', [("New York, NY", "city", -1)], id="quoted"),
        pytest.param(b"New York\tbig city\t7\n", [("New York", "big city", 7)], id="several words"),
        pytest.param(b'it"s\t"q"\t7\n', [('it"s', '"q"', 7)], id="quotation marks between tabs"),
        pytest.param(b"Word 1,Word 2,Human (mean)\na,b,1\n", [("a", "b", 1)], id="header"),
        pytest.param(b"# x\n\n  \n#y\na b 1\n#z\nc d 2\n", [("a", "b", 1), ("c", "d", 2)], id="comments"),
        pytest.param(b"a b 1\r\nc d 2\r\n", [("a", "b", 1), ("c", "d", 2)], id="CRLF"),
        pytest.param(b"a b 1\rc d 2", [("a", "b", 1), ("c", "d", 2)], id="CR, no last end"),
        pytest.param("é ü 1\n".encode(), [("é", "ü", 1)], id="not ASCII"),
        pytest.param(b"\xef\xbb\xbfa b 1\n", [("a", "b", 1)], id="byte-order mark"),
        pytest.param("a\u2028b\tc\t1\n".encode(), [("a\u2028b", "c", 1)], id="a line end of Unicode only"),
        pytest.param(b"word1\tword2\tPOS\tscore\na\tb\tN\t1\n", [("a", "b", 1)], id="word word other score"),
        pytest.param(b"8.5\ta\tb\n7\tc\td\n", [("a", "b", 8.5), ("c", "d", 7)], id="score word word"),
        pytest.param(b"nan\tinf\t1\n", [("nan", "inf", 1)], id="words that float() takes"),
        pytest.param(b"a\tb\t1\n1984\tc\t2\n", [("a", "b", 1), ("1984", "c", 2)], id="a word of digits"),
        pytest.param(b"a b 1\na b 1\n", [("a", "b", 1)] * 2, id="twice"),
    ],
)  # fmt: skip
def test_layout_of_word_pairs_is_inferred(
    data: bytes, pairs: list[tuple[str, str, float]], tmp_path: Path
) -> None:
    """Separators, headers, comments, line ends and the order of columns are inferred."""
    (tmp_path / "pairs").write_bytes(data)
    assert list(word_pairs.read(tmp_path / "pairs")) == pairs
    assert open_benchmark(tmp_path / "pairs").read() == pairs


@pytest.mark.parametrize(
    ("data", "columns", "words"),
    [
        (b"a b\nc d\n", None, "line 2: expected two words and a number, got 'c d'") ,
        (b"a b 1\nc d\n", None, r"line 2: expected two words and a number in columns 1, 2, 3, got 'c d'"),
        (b"a b 1\nc d x\n", None, "line 2: expected two words and a number"),
        (b"h h h\nh h h\na b 1\n", (1, 2, 3), "line 2: expected"),
        (b"a\tb\t1\n\tb\t1\n", None, "line 2: expected"),
        (b"1 2 3\n", None, "line 1: expected two words and a number"),
        (b"a b 1\n\xff b 1\n", None, "line 2: expected UTF-8"),
    ],
)  # fmt: skip
def test_invalid_pair_is_an_error_with_its_line(
    data: bytes, columns: tuple[int, int, int] | None, words: str, tmp_path: Path
) -> None:
    """The message has the file, the line, what was expected and what was read."""
    (tmp_path / "pairs").write_bytes(data)
    with pytest.raises(FormatError, match=words) as caught:
        list(word_pairs.read(tmp_path / "pairs", columns=columns))
    assert str(tmp_path / "pairs") in str(caught.value)


@pytest.mark.parametrize(
    ("data", "items"),
    [
        (b"a b c d\n", [Analogy("a", "b", "c", ("d",))]),
        (b": one\r\na b c d\r\n:two\r\na\tNew York\tc\td\r\n",
         [Analogy("a", "b", "c", ("d",), "one"), Analogy("a", "New York", "c", ("d",), "two")]),
        (b"# x\n\n: s\na b c d", [Analogy("a", "b", "c", ("d",), "s")]),
    ],
)  # fmt: skip
def test_analogies_have_categories(data: bytes, items: list[Analogy], tmp_path: Path) -> None:
    """Categories, comments and phrases between tabs are read, and the file is recognized as analogies."""
    (tmp_path / "questions").write_bytes(data)
    assert list(analogies.read(tmp_path / "questions")) == items
    benchmark = open_benchmark(tmp_path / "questions")
    assert (benchmark.kind, benchmark.read()) == ("analogy", items)


def test_invalid_analogy_is_an_error_with_its_line(tmp_path: Path) -> None:
    """An analogy has four words."""
    (tmp_path / "questions").write_bytes(b": s\na b c\n")
    with pytest.raises(FormatError, match="line 2: expected four words, or ': ' and the name"):
        open_benchmark(tmp_path / "questions").read()


def test_missing_or_empty_file_is_an_error(tmp_path: Path) -> None:
    """A missing file, a folder and an empty file are errors."""
    with pytest.raises(LocalFileError, match="expected a file of word pairs or analogies"):
        open_benchmark(tmp_path / "nothing.tsv")
    with pytest.raises(FormatError, match="expected a file, or the folder of BATS"):
        open_benchmark(tmp_path)
    with pytest.raises(LocalFileError, match=r"nothing\.tsv: expected a file of word pairs"):
        Benchmark(name="mine", format="pairs", path=tmp_path / "nothing.tsv").read()
    (tmp_path / "empty.tsv").write_bytes(b"# nothing\n")
    with pytest.raises(FormatError, match="expected word pairs, but the file has none"):
        open_benchmark(tmp_path / "empty.tsv").read()


def a_benchmark(**changes: Any) -> Benchmark:
    """Return a benchmark with one file without a known hash."""
    file = RemoteFile(url="https://example.org/pairs.tsv")
    return Benchmark(**({"name": "mine", "format": "pairs", "files": (file,)} | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "my pairs"}, "name is 'my pairs'"),
        ({"name": "my,pairs"}, "name is 'my,pairs'; expected a name without a comma"),
        ({"format": "words"}, "format is 'words'; expected 'pairs' or 'analogies'"),
        ({"format": "analogies", "columns": (1, 2, 3)}, "for the format 'pairs' only"),
        ({"columns": (1, 2)}, "of those of two words and a rating"),
        ({"files": ["x"]}, "expected a tuple of RemoteFile objects"),
        ({"files": ()}, "mine: expected files or a path"),
    ],
)
def test_invalid_benchmark_is_an_error(changes: dict[str, Any], message: str) -> None:
    """Fields are validated when the object is made."""
    with pytest.raises(ValueError, match=message):
        a_benchmark(**changes)


def test_benchmark_is_downloaded_once(
    serve: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file without a known hash is downloaded once, with a warning; the offline error has a hint."""
    benchmark = a_benchmark()
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    with pytest.raises(OfflineError, match=r"embedhub_eval.benchmarks\(\)\['mine'\].read\(\)"):
        benchmark.read()
    monkeypatch.delenv("EMBEDHUB_OFFLINE")
    lay(benchmark.files[0], tmp_path / "mirror", b"a\tb\t1\n")
    serving = serve(tmp_path / "mirror")
    monkeypatch.setenv("EMBEDHUB_MIRROR", serving.base)
    with pytest.warns(UnverifiedWarning):
        assert benchmark.read() == [WordPair("a", "b", 1)]
    requests = len(serving.asked)
    assert benchmark.read() == [WordPair("a", "b", 1)]
    assert len(serving.asked) == requests


def test_member_of_an_archive_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SCWS is a member of a zip archive, and has its words and ratings in other columns."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path))
    scws = embedhub_eval.benchmarks()["scws"]
    assert not scws.is_cached
    lay(scws.files[0], tmp_path, SAMPLES["scws"][0])
    with pytest.warns(UnverifiedWarning):
        assert scws.read() == [SAMPLES["scws"][1]]
    assert scws.is_cached


def test_wrong_bytes_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that does not match its known hash is an error."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path))
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    benchmark = embedhub_eval.benchmarks()["mc-30"]
    size = benchmark.files[0].size
    assert size is not None
    lay(benchmark.files[0], tmp_path, b"a\tb\t1\n" + b"#" * (size - 6))
    with pytest.raises(ChecksumError, match=r"EN-MC-30\.txt: expected sha256:\w+, got "):
        benchmark.read()


def test_benchmark_can_be_registered() -> None:
    """A second one of the same name replaces the first; a name of a plugin is taken."""
    embedhub_eval.register(a_benchmark())
    embedhub_eval.register(a_benchmark(total=2))
    assert embedhub_eval.benchmarks()["mine"].total == 2
    with pytest.raises(ValueError, match="benchmark name 'men' is taken"):
        embedhub_eval.register(a_benchmark(name="men"))
    with pytest.raises(TypeError, match="expected a Benchmark, got 'mine'"):
        embedhub_eval.register("mine")  # type: ignore[arg-type]  # the point
    registered: Any = embedhub_eval.benchmarks()
    del registered["mine"]


TOML = """
[my-pairs]
format = "pairs"
columns = [2, 3, 1]
license = "CC0-1.0"
files = [{ url = "https://example.org/pairs.tsv", size = 6 }]
"""


def test_benchmarks_are_read_from_toml(tmp_path: Path) -> None:
    """A table has the fields of Benchmark, and a file those of RemoteFile; an unknown field is an error."""
    (tmp_path / "mine.toml").write_text(TOML)
    (benchmark,) = embedhub_eval.read_benchmarks(tmp_path / "mine.toml")
    assert (benchmark.name, benchmark.kind, benchmark.license) == ("my-pairs", "similarity", "CC0-1.0")
    assert (benchmark.files[0].url, benchmark.files[0].size) == ("https://example.org/pairs.tsv", 6)
    (tmp_path / "pairs.tsv").write_text("7\ta\tb\n")
    assert benchmark.read(tmp_path / "pairs.tsv") == [WordPair("a", "b", 7)]
    (tmp_path / "mine.toml").write_text(TOML.replace("license", "terms"))
    with pytest.raises(TypeError, match=r"mine\.toml: \[my-pairs\]: .*'terms'"):
        embedhub_eval.read_benchmarks(tmp_path / "mine.toml")


def test_benchmark_in_toml_may_be_a_local_file(tmp_path: Path) -> None:
    """A path is relative to the folder of the TOML file."""
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / "mine.toml").write_text('[mine]\nformat = "pairs"\npath = "pairs.tsv"\n')
    (tmp_path / "sets" / "pairs.tsv").write_text("rain\tstorm\t8\n")
    (benchmark,) = embedhub_eval.read_benchmarks(tmp_path / "sets" / "mine.toml")
    assert benchmark.is_cached
    assert benchmark.read() == [WordPair("rain", "storm", 8)]


PLUGIN = """
from embedhub import RemoteFile
from embedhub_eval import Benchmark, hookimpl

@hookimpl
def embedhub_benchmarks():
    file = RemoteFile(url="https://example.org/a.tsv")
    yield Benchmark(name="from-plugin", format="pairs", files=(file,))
    yield Benchmark(name="men", format="pairs", files=(file,))
    {last}
"""
LOOK = """
import json, warnings, embedhub, embedhub_eval
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    names, sources = list(embedhub_eval.benchmarks()), list(embedhub.sources())
print(json.dumps([names, sources, [str(warning.message) for warning in caught]]))
"""


def test_plugins_provide_benchmarks(tmp_path: Path) -> None:
    """A broken plugin and a name that is taken are a warning each, and do not affect the others."""
    for name, last in (("good", "pass"), ("bad", "yield 'no benchmark'")):
        add_distribution(tmp_path, f"embedhub-{name}", PLUGIN.format(last=last), group="embedhub_eval")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{LOOK}"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    names, sources, messages = json.loads(done.stdout)
    assert names == sorted({"from-plugin", *NAMES})
    assert "glove-6b" in sources
    taken, broken = sorted(messages, key=lambda message: "is broken" in message)
    assert "embedhub-good (embedhub-good) provides the name 'men', which is embedhub's own" in taken
    assert "embedhub-bad (embedhub-bad) is skipped" in broken
    assert "embedhub_benchmarks returned 'no benchmark'; expected Benchmark objects" in broken


@pytest.mark.slow
def test_doctor_shows_plugins_of_benchmarks(tmp_path: Path) -> None:
    """The doctor lists each plugin of benchmarks or its problems, such as a name that two plugins give."""
    hook = "from embedhub_eval import hookimpl\n\n@hookimpl\ndef embedhub_benchmark():\n    return []\n"
    benchmarks = PLUGIN.replace('    yield Benchmark(name="men", format="pairs", files=(file,))\n', "")
    for name, code in {
        "rivers": benchmarks.format(last="").replace("from-plugin", "rivers"),
        "one": benchmarks.format(last=""),
        "two": benchmarks.format(last=""),
        "fails": "1 / 0\n",
        "exits": "exit()\n",
        "typo": hook,
        "text": benchmarks.format(last="yield 'no benchmark'"),
    }.items():
        add_distribution(tmp_path, f"made-up-{name}", code, group="embedhub_eval")
    done = run("doctor", "--json", **seeing(tmp_path))
    assert (done.returncode, done.stderr) == (1, "")
    findings = {
        finding["name"].partition(" (made-up-")[0].removeprefix("made-up-"): finding
        for finding in json.loads(done.stdout)
        if finding["name"].startswith("made-up-")
    }
    assert (findings["rivers"]["value"], findings["rivers"]["advice"]) == ("1.0, benchmarks: 1", None)
    for name, text in {
        "one": "provides the name 'from-plugin', as does made-up-two (made-up-two); its own is used",
        "two": "provides the name 'from-plugin', as does made-up-one (made-up-one); that of made-up-one",
        "fails": "broken: ZeroDivisionError: division by zero (made_up_fails.py, line 1)",
        "exits": "broken: it called sys.exit() (made_up_exits.py, line 1)",
        "typo": "broken: there is no hook embedhub_benchmark. Did you mean embedhub_benchmarks?",
        "text": "broken: embedhub_benchmarks returned 'no benchmark'; expected Benchmark objects",
    }.items():
        assert text in findings[name]["value"]
        assert "EMBEDHUB_DISABLE_PLUGINS" in findings[name]["advice"]


ASKS = """
import embedhub, embedhub_eval
from embedhub_eval import hookimpl

@hookimpl
def embedhub_benchmarks():
    return [CALL]
"""


@pytest.mark.parametrize(
    "call",
    [
        "embedhub.sources()['glove-6b']",
        "embedhub_eval.benchmarks()['men']",
        "embedhub_eval.register(1)",
        "exit(3)",
    ],
)
def test_plugin_that_asks_or_exits_is_left_out(call: str, tmp_path: Path) -> None:
    """A plugin that asks for sources or benchmarks in its hook, or exits, is named; all others are there."""
    add_distribution(tmp_path, "embedhub-asks", ASKS.replace("CALL", call), group="embedhub_eval")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{LOOK}"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    names, sources, (message,) = json.loads(done.stdout)
    assert names == sorted(NAMES)
    assert "glove-6b" in sources
    assert message.startswith("The embedhub plugin embedhub-asks (embedhub-asks) is skipped")
    assert (f"{call.partition('(')[0]}() was called" in message) is (call != "exit(3)")


COUNT = """
import json, sys
from embedhub_eval import registry
calls = 0
def count(frame, event, argument):
    global calls
    calls += event in {"call", "c_call"}
registry.benchmarks()
registry.PLUGINS.refresh()
registry._collected.cache_clear()
sys.setprofile(count)
names = list(registry.benchmarks())
sys.setprofile(None)
print(json.dumps([calls, len(names)]))
"""
ONE = """
from embedhub import RemoteFile
from embedhub_eval import Benchmark, hookimpl

@hookimpl
def embedhub_benchmarks():
    return [Benchmark(name=__name__, format="pairs", files=(RemoteFile("https://example.org/a.tsv"),))]
"""


@pytest.mark.slow
def test_cost_is_linear_in_the_plugins(tmp_path: Path) -> None:
    """Twice as many plugins of benchmarks take at most twice as many calls of functions."""
    calls: list[int] = []
    for number in (0, 20, 40, 80):
        site = tmp_path / str(number)
        site.mkdir()
        for plugin in range(number):
            add_distribution(site, f"made-up-{plugin}", ONE, group="embedhub_eval")
        done = subprocess.run(
            [sys.executable, "-c", COUNT], env=os.environ | seeing(site),
            capture_output=True, text=True, check=True, timeout=PATIENCE,
        )  # fmt: skip
        made, names = json.loads(done.stdout)
        assert names == number + len(NAMES)
        calls.append(made)
    each = [(made - calls[0]) / number for made, number in zip(calls[1:], (20, 40, 80), strict=True)]
    assert max(each) < 1.05 * min(each), each


@pytest.mark.slow
def test_relation_of_bats_has_few_lines(tmp_path: Path) -> None:
    """Each two of its lines are an analogy, so that a file of a million lines would never end."""
    path = tmp_path / "E01.txt"
    path.write_text("".join(f"w{i}\ta/b\n" for i in range(1_000)))
    assert sum(1 for _ in analogies.read_bats(path)) == 999_000
    path.write_text("".join(f"w{i}\ta/b\n" for i in range(1_001)))
    with pytest.raises(FormatError, match="line 1001: expected a relation of at most 1,000 lines"):
        next(analogies.read_bats(path))
