"""Benchmarks: their table, their files, and the forms of these."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import embedhub_eval
import pytest
from children import PATIENCE
from command import add_distribution
from embedhub_eval import Benchmark, Pair, Question, word_pairs
from embedhub_eval import analogies as questions
from embedhub_eval.benchmark import open_benchmark
from embedhub_eval.registry import Benchmarks
from real_files import REAL_SETS
from small_sets import SETS

from embedhub import FormatError, RemoteFile
from embedhub.errors import (
    LocalFileError,
    OfflineError,
    SourceClashError,
    SourceNotFoundError,
    UnverifiedWarning,
)

NAMES = [
    "bats", "google-analogies", "mc-30", "men", "msr-analogies", "mturk-287", "mturk-771", "rare-words",
    "rg-65", "scws", "simlex-999", "simverb-3500", "wordsim-353", "wordsim-353-relatedness",
    "wordsim-353-similarity",
]  # fmt: skip


def bats(lines: bytes = b"mouse\tmice\nfoot\tfeet/foots\n") -> bytes:
    """Return an archive as that of BATS, with two relations in two folders."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("BATS_3.0/1_Inflectional_morphology/I02 [noun - plural_irreg].txt", lines)
        archive.writestr(
            "BATS_3.0/3_Encyclopedic_semantics/E05 [animal - young].txt", b"cat kitten\ndog pup\n"
        )
        archive.writestr("__MACOSX/BATS_3.0/._1.txt", b"\0\1")
        archive.writestr("BATS_3.0/metadata.json", b"{}")
    return file.getvalue()


# For each set a small file of our own in the form that is documented for its own one, and its first item.
SAMPLES: dict[str, tuple[bytes, Pair | Question]] = {
    "wordsim-353": (b"# Word 1\tWord 2\tHuman (mean)\nfog\tmist\t8.50\n", Pair("fog", "mist", 8.5)),
    "wordsim-353-similarity": (b"Fog\tmist\t8.50\n", Pair("Fog", "mist", 8.5)),
    "wordsim-353-relatedness": (b"fog\tcoast\t6.00\n", Pair("fog", "coast", 6)),
    "simlex-999": (b"# a comment\nfog\tmist\t8.50\n", Pair("fog", "mist", 8.5)),
    "men": (b"fog\tmist\t41.0\n", Pair("fog", "mist", 41)),
    "rare-words": (b"unfogged\tclear\t5.5\n", Pair("unfogged", "clear", 5.5)),
    "rg-65": (b"fog\tmist\t3.9\n", Pair("fog", "mist", 3.9)),
    "mc-30": (b"fog\tmist\t3.9\n", Pair("fog", "mist", 3.9)),
    "mturk-287": (b"fog\tmist\t4.714285714", Pair("fog", "mist", 4.714285714)),
    "mturk-771": (b"fog\tmist\t4\r\n", Pair("fog", "mist", 4)),
    "simverb-3500": (b"fog\tcloud\t6.81\r\nlift\tclear\t1.2", Pair("fog", "cloud", 6.81)),
    "scws": (
        b'1\tfog\tn\tmist\tn\tthe "<b> fog </b> came\tin <b> mist </b> 9\t7.5\t7.0\t8.0\n',
        Pair("fog", "mist", 7.5),
    ),
    "google-analogies": (
        b": capital-world\nOslo Norway Rome Italy\n: gram8-plural\nfog fogs day days\n",
        Question("Oslo", "Norway", "Rome", ("Italy",), "semantic"),
    ),
    "msr-analogies": (b"big\tbigger\tsmall\tsmaller\r\n", Question("big", "bigger", "small", ("smaller",))),
    "bats": (bats(), Question("mouse", "mice", "foot", ("feet", "foots"), "inflectional morphology")),
}  # fmt: skip


def lay(file: RemoteFile, folder: Path, data: bytes) -> None:
    """Write bytes where a mirror has them, in an archive if they are a member's."""
    place = folder / file.url.removeprefix("https://")
    place.parent.mkdir(parents=True, exist_ok=True)
    if file.member:
        with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(file.member, data)
    else:
        place.write_bytes(data)


def test_the_table_is_the_fields() -> None:
    """All sets are there, by the hook, with terms and citation, and all but SCWS with a pin."""
    benchmarks = Benchmarks()
    assert list(benchmarks) == NAMES == sorted(SAMPLES)
    assert list(benchmarks.providers()["men"]) == ["embedhub_eval.builtin_benchmarks"]
    for name, one in benchmarks.items():
        assert one.kind == (
            "analogy" if name in {"bats", "google-analogies", "msr-analogies"} else "similarity"
        )
        assert one.description
        assert one.license
        assert one.citation.endswith(".") or one.citation.endswith(").")
        assert one.homepage.startswith("https://")
        assert all(file.hash is not None for file in one.files) == (name != "scws")


@pytest.mark.parametrize("name", SETS)
def test_benchmark_is_downloaded_by_its_pin_and_read_whole(
    name: str,
    small_mirror: Path,
    small_benchmarks: dict[str, Benchmark],
    serve: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    cache: Path,
) -> None:
    """From the mirror come the pinned bytes, with all pairs or questions; later ones come from the cache."""
    serving = serve(small_mirror)
    monkeypatch.setenv("EMBEDHUB_MIRROR", serving.base)
    benchmark = embedhub_eval.benchmarks()[name]
    items = benchmark.read()
    assert len(items) == benchmark.total
    rows = [line.split() for line in SETS[name].decode().splitlines() if line[0] not in "#:"]
    if benchmark.kind == "similarity":
        assert items == [Pair(left, right, float(score)) for left, right, score in rows]
    else:
        assert [[item.a, item.b, item.c, *item.answers] for item in items] == rows
        assert [item.part for item in items] == ["semantic"] * 30 + ["syntactic"] * 20
    assert serving.sent == len(SETS[name]) + 1  # one byte first, to see how the server answers
    monkeypatch.setenv("EMBEDHUB_MIRROR", "http://127.0.0.1:9")
    assert benchmark.read() == items  # of the cache
    suffix = Path(benchmark.files[0].url).suffix
    assert [path.suffix for path in (cache / "downloads").iterdir()] == [suffix]


def test_published_sets_have_their_pins_totals_and_ends(
    real_mirror: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    """The published bytes have the pinned hash and size, and hold what is known of them."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(real_mirror))
    sets = {name: embedhub_eval.benchmarks()[name].read() for name in REAL_SETS}
    for name, items in sets.items():
        assert len(items) == embedhub_eval.benchmarks()[name].total
    assert {name: (items[0], items[-1]) for name, items in sets.items()} == {
        "wordsim-353": (Pair("love", "sex", 6.77), Pair("architecture", "century", 3.78)),
        "simlex-999": (Pair("old", "new", 1.58), Pair("attend", "arrive", 6.08)),
        "men": (Pair("sun", "sunlight", 50), Pair("bakery", "zebra", 0)),
        "google-analogies": (
            Question("Athens", "Greece", "Baghdad", ("Iraq",), "semantic"),
            Question("write", "writes", "work", ("works",), "syntactic"),
        ),
    }
    parts = [question.part for question in sets["google-analogies"]]
    assert (parts.count("semantic"), parts.count("syntactic")) == (8869, 10675)
    monkeypatch.setenv("EMBEDHUB_MIRROR", "http://127.0.0.1:9")
    assert embedhub_eval.benchmarks()["men"].read() == sets["men"]  # of the cache
    assert sorted(path.suffix for path in (cache / "downloads").iterdir()) == [".tsv", ".txt", ".txt", ".txt"]


@pytest.mark.parametrize("name", SAMPLES)
def test_each_set_is_read_in_its_documented_form(name: str, tmp_path: Path) -> None:
    """The reader that the table has for a set reads a file of its form."""
    data, first = SAMPLES[name]
    path = tmp_path / "sample"
    path.write_bytes(data)
    assert next(iter(embedhub_eval.benchmarks()[name].parse(path))) == first


def test_the_archive_of_simlex_has_other_columns(tmp_path: Path) -> None:
    """The second candidate has a header, and the score in the fourth column of ten."""
    (tmp_path / "SimLex-999.txt").write_bytes(
        b"word1\tword2\tPOS\tSimLex999\tconc(w1)\tconc(w2)\tconcQ\tAssoc(USF)\tSimAssoc333\tSD(SimLex)\r\n"
        b"fog\tmist\tN\t8.5\t2.72\t2.81\t2\t7.25\t1\t0.41\r\n"
    )
    reader = embedhub_eval.benchmarks()["simlex-999"].files[1].reader
    assert list(reader(tmp_path / "SimLex-999.txt")) == [Pair("fog", "mist", 8.5)]


def test_bats_makes_questions_of_each_two_lines(tmp_path: Path) -> None:
    """Both orders are asked; the first answer of one line is the example, all of the other's are right."""
    (tmp_path / "bats.zip").write_bytes(bats())
    assert list(questions.read_bats(tmp_path / "bats.zip")) == [
        Question("mouse", "mice", "foot", ("feet", "foots"), "inflectional morphology"),
        Question("foot", "feet", "mouse", ("mice",), "inflectional morphology"),
        Question("cat", "kitten", "dog", ("pup",), "encyclopedic semantics"),
        Question("dog", "pup", "cat", ("kitten",), "encyclopedic semantics"),
    ]
    (tmp_path / "bats.zip").write_bytes(bats(b"mouse\n"))
    with pytest.raises(FormatError, match=r"I02 \[noun - plural_irreg\].txt: line 1: expected a word, a tab"):
        list(questions.read_bats(tmp_path / "bats.zip"))
    (tmp_path / "bats.zip").write_bytes(b"no archive")
    with pytest.raises(FormatError, match="this zip archive cannot be opened"):
        list(questions.read_bats(tmp_path / "bats.zip"))


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
        pytest.param(b"a\tb\t1\t2\t3\n", [("a", "b", 1)], id="more scores"),
        pytest.param(b"nan\tinf\t1\n", [("nan", "inf", 1)], id="words that float() takes"),
        pytest.param(b"a\tb\t1\n1984\tc\t2\n", [("a", "b", 1), ("1984", "c", 2)], id="a word of digits"),
        pytest.param(b"a b 1\na b 1\n", [("a", "b", 1)] * 2, id="twice"),
    ],
)  # fmt: skip
def test_word_pairs_come_in_many_forms(
    data: bytes, pairs: list[tuple[str, str, float]], tmp_path: Path
) -> None:
    """Separators, headers, comments, line ends and orders of columns are found out."""
    (tmp_path / "pairs").write_bytes(data)
    assert list(word_pairs.read(tmp_path / "pairs")) == pairs
    assert open_benchmark(tmp_path / "pairs").read() == pairs


@pytest.mark.parametrize(
    ("data", "columns", "words"),
    [
        (b"a b\nc d\n", None, "line 2: expected two words and a number, got 'c d'") ,
        (b"a b 1\nc d\n", None, r"line 2: expected two words and a number in columns 1, 2, 3, got 'c d'"),
        (b"a b 1\nc d x\n", None, "line 2: expected two words and a number"),
        (b"h h h\nh h h\na b 1\n", (0, 1, 2), "line 2: expected"),
        (b"a\tb\t1\n\tb\t1\n", None, "line 2: expected"),
        (b"1 2 3\n", None, "line 1: expected two words and a number"),
        (b"a b 1\n\xff b 1\n", None, "line 2: expected UTF-8"),
    ],
)  # fmt: skip
def test_a_bad_pair_is_named(
    data: bytes, columns: tuple[int, int, int] | None, words: str, tmp_path: Path
) -> None:
    """The error has file and line, what was expected, and what is there."""
    (tmp_path / "pairs").write_bytes(data)
    with pytest.raises(FormatError, match=words) as caught:
        list(word_pairs.read(tmp_path / "pairs", columns=columns))
    assert str(tmp_path / "pairs") in str(caught.value)


@pytest.mark.parametrize(
    ("data", "items"),
    [
        (b"a b c d\n", [Question("a", "b", "c", ("d",))]),
        (b": one\r\na b c d\r\n:two\r\na\tNew York\tc\td\r\n",
         [Question("a", "b", "c", ("d",), "one"), Question("a", "New York", "c", ("d",), "two")]),
        (b"# x\n\n: s\na b c d", [Question("a", "b", "c", ("d",), "s")]),
    ],
)  # fmt: skip
def test_questions_come_in_sections(data: bytes, items: list[Question], tmp_path: Path) -> None:
    """Sections, comments, several words between tabs; the file is known for one of analogies."""
    (tmp_path / "questions").write_bytes(data)
    assert list(questions.read(tmp_path / "questions")) == items
    benchmark = open_benchmark(tmp_path / "questions")
    assert (benchmark.kind, benchmark.read()) == ("analogy", items)


def test_a_bad_question_is_named(tmp_path: Path) -> None:
    """Three words are no question."""
    (tmp_path / "questions").write_bytes(b": s\na b c\n")
    with pytest.raises(FormatError, match="line 2: expected four words, or ': ' and the name"):
        open_benchmark(tmp_path / "questions").read()


def test_an_own_file_must_be_there_and_hold_something(tmp_path: Path) -> None:
    """A file that is missing, or a folder, or empty, is an error that says so."""
    with pytest.raises(LocalFileError, match="expected a file of word pairs or analogies"):
        open_benchmark(tmp_path / "nothing.tsv")
    with pytest.raises(LocalFileError, match="cannot be read"):
        open_benchmark(tmp_path)
    (tmp_path / "empty.tsv").write_bytes(b"# nothing\n")
    with pytest.raises(FormatError, match="expected each Pair of empty-tsv, got nothing"):
        open_benchmark(tmp_path / "empty.tsv").read()


def a_benchmark(**changes: Any) -> Benchmark:
    """Return a benchmark with one unpinned file."""
    file = RemoteFile(url="https://example.org/pairs.tsv", hash=None, size=None, reader=word_pairs.read)
    facts: dict[str, Any] = {
        "name": "mine", "kind": "similarity", "files": (file,), "total": 1, "description": "",
        "language": "en", "license": "", "citation": "", "homepage": "",
    }  # fmt: skip
    return Benchmark(**(facts | changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "Mine"}, "name is 'Mine'"),
        ({"kind": "analogies"}, "kind is 'analogies'; expected 'similarity' or 'analogy'"),
        ({"files": ["x"]}, "expected RemoteFile objects in a tuple"),
    ],
)
def test_a_benchmark_is_checked_when_it_is_made(changes: dict[str, Any], words: str) -> None:
    """A wrong field is an error at once."""
    with pytest.raises(ValueError, match=words):
        a_benchmark(**changes)


def test_a_benchmark_is_fetched_as_vectors_are(
    serve: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a mirror over HTTP, once; unpinned with a warning and then remembered; offline with advice."""
    benchmark = a_benchmark()
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    with pytest.raises(OfflineError, match=r"embedhub.benchmarks\(\)\['mine'\].fetch\(\)"):
        benchmark.read()
    monkeypatch.delenv("EMBEDHUB_OFFLINE")
    lay(benchmark.files[0], tmp_path / "mirror", b"a\tb\t1\n")
    serving = serve(tmp_path / "mirror")
    monkeypatch.setenv("EMBEDHUB_MIRROR", serving.base)
    with pytest.warns(UnverifiedWarning):
        assert benchmark.read() == [Pair("a", "b", 1)]
    asked = len(serving.asked)
    assert benchmark.read() == [Pair("a", "b", 1)]
    assert len(serving.asked) == asked


def test_a_member_and_what_lies_beside_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SCWS is a member of an archive; a reader gets the path of what lies beside its file."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path))
    scws = embedhub_eval.benchmarks()["scws"]
    lay(scws.files[0], tmp_path, SAMPLES["scws"][0])
    with pytest.warns(UnverifiedWarning):
        assert scws.read() == [SAMPLES["scws"][1]]

    def read_beside(path: Path, scores: Path) -> Any:
        words = path.read_text("utf-8").split()
        yield Pair(words[0], words[1], float(scores.read_text("utf-8")))

    beside = RemoteFile(url="https://example.org/scores", hash=None, size=None, reader=word_pairs.read)
    file = RemoteFile(
        url="https://example.org/words", hash=None, size=None, reader=read_beside, beside=(beside,)
    )
    lay(file, tmp_path, b"a b")
    lay(beside, tmp_path, b"3")
    with pytest.warns(UnverifiedWarning):
        assert a_benchmark(files=(file,)).read() == [Pair("a", "b", 3)]


def test_other_bytes_than_the_pinned_ones_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A changed file is an error, and nothing is kept."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path))
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    benchmark = embedhub_eval.benchmarks()["mc-30"]
    size = benchmark.files[0].size
    assert size is not None
    lay(benchmark.files[0], tmp_path, b"a\tb\t1\n" + b"#" * (size - 6))
    with pytest.raises(OfflineError, match=r"EN-MC-30\.txt: expected "):
        benchmark.read()


def test_a_reader_must_give_what_the_kind_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A benchmark of analogies whose reader gives pairs is an error."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path))
    benchmark = a_benchmark(kind="analogy")
    lay(benchmark.files[0], tmp_path, b"a\tb\t1\n")
    with (
        pytest.warns(UnverifiedWarning),
        pytest.raises(FormatError, match="expected each Question of mine, got Pair"),
    ):
        benchmark.read()


def test_benchmarks_are_registered_as_sources_are() -> None:
    """A second one replaces the first; unknown and taken names are errors that speak of benchmarks."""
    registry = Benchmarks()
    registry.register(a_benchmark())
    registry.register(a_benchmark(total=2))
    assert registry["mine"].total == 2
    with pytest.raises(
        SourceNotFoundError, match=r"No benchmark is named 'simlex'. Did you mean 'simlex-999'"
    ):
        embedhub_eval.benchmarks()["simlex"]
    with pytest.raises(
        SourceClashError, match=r"benchmark name 'men' is taken by embedhub_eval\.builtin_benchmarks"
    ):
        embedhub_eval.register(a_benchmark(name="men"))
    with pytest.raises(TypeError, match="expected a Benchmark, got 'mine'"):
        embedhub_eval.register("mine")  # type: ignore[arg-type]  # the point


PLUGIN = """
from embedhub import RemoteFile
from embedhub_eval import Benchmark, Pair, hookimpl, word_pairs

@hookimpl
def embedhub_benchmarks():
    file = RemoteFile(url="https://example.org/a.tsv", hash=None, size=None, reader=word_pairs.read)
    facts = dict(description="", language="en", license="", citation="", homepage="", total=None)
    yield Benchmark(name="from-plugin", kind="similarity", files=(file,), **facts)
    {last}
"""
LOOK = """
import json, warnings, embedhub, embedhub_eval
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    names, sources = list(embedhub_eval.benchmarks()), list(embedhub.sources())
print(json.dumps([names, sources, [str(warning.message) for warning in caught]]))
"""


def test_plugins_offer_benchmarks_each_by_itself(tmp_path: Path) -> None:
    """A plugin may have that hook alone; what a broken one has done is one warning, and hurts no other."""
    for name, last in (("good", "pass"), ("bad", "yield 'no benchmark'")):
        add_distribution(tmp_path, f"embedhub-{name}", PLUGIN.format(last=last), group="embedhub_eval")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{LOOK}"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    names, sources, told = json.loads(done.stdout)
    assert sorted({"from-plugin", *NAMES}) == names
    assert "glove-6b" in sources
    (message,) = told
    assert "embedhub-bad (embedhub-bad) is skipped" in message
    assert "embedhub_benchmarks returned 'no benchmark'; expected Benchmark objects" in message


def test_columns_can_be_said(tmp_path: Path) -> None:
    """A reader with columns takes just these."""
    (tmp_path / "pairs").write_bytes(b"7\ta\t1\tb\n")
    assert list(partial(word_pairs.read, columns=(1, 3, 0))(tmp_path / "pairs")) == [Pair("a", "b", 7)]
