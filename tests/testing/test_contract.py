"""The contract of a source: what is built in fulfils it, and whoever breaks a rule of it is told."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedhub import RemoteFile, RemoteSource
from embedhub.download.remote_file import Fetched
from embedhub.formats import glove
from embedhub.registry.builtin.glove import GLOVE_6B
from embedhub.registry.builtin.wordnet import WORDNET_PPMI
from embedhub.testing import SourceContract
from embedhub.testing.import_audit import side_effects
from embedhub.vectors.blocks import Block


def text(words: Sequence[str], dim: int) -> bytes:
    """Return lines as in GloVe text; the first number of each is the word's place, the others are -0.125."""
    return "".join(f"{word} {i}{(dim - 1) * ' -0.125'}\n" for i, word in enumerate(words)).encode()


class TestGlove6B(SourceContract):
    """The lines that Stanford's member and gensim-data's release both have."""

    sources = [GLOVE_6B]
    samples = {50: [text(["the", "naïve", "."], 50), b"3 50\n" + text(["the", "naïve", "."], 50)]}
    expected = {"the": [0, -0.125], "naïve": [1, -0.125], ".": [2, -0.125]}


def packed(**arrays: Any) -> bytes:
    """Return an .npz file."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


class TestWordNet(SourceContract):
    """Codes of two rows, one of them shared by two words."""

    sources = [WORDNET_PPMI]
    samples = {
        25: [
            packed(
                words=np.frombuffer(b"dog\ndogs\ncat", np.uint8),
                rows=np.array([1, 1, 0]),
                codes=np.array([100 * [-2], 100 * [3]], np.int8),
                step=np.float32(0.5),
            )
        ]
    }
    expected = {"dog": [1.5, 1.5], "dogs": [1.5], "cat": [-1, -1]}


def file(name: str = "a", **changes: Any) -> RemoteFile:
    """Return a file without a published hash."""
    return RemoteFile(url=f"https://example.org/{name}", **({"format": "glove"} | changes))


MINE = RemoteSource(
    name="mine", files={2: (file(),)}, description="Mine", language="en", cased=False,
    license="CC0-1.0", citation="Me", homepage="https://example.org",
)  # fmt: skip


def contract(
    source: RemoteSource,
    samples: Mapping[int, Sequence[bytes]] | None = None,
    expected: Mapping[str, Sequence[float]] | None = None,
) -> SourceContract:
    """Return the contract of a source."""
    facts = {
        "sources": [source],
        "samples": samples or {2: [b"the 0.25 -0.5\ncat 1 2.75\n"]},
        "expected": expected or {"the": [0.25], "cat": [1, 2.75]},
    }
    made: SourceContract = type("TestMine", (SourceContract,), facts)()
    return made


def test_samples_are_read_once_for_each_code() -> None:
    """Of sources that the same code reads, one stands for all in the tests of samples."""
    many = [replace(MINE, name=f"mine-{i}") for i in range(3)]
    other = replace(MINE, name="other", files={2: (file(format="word2vec-text"),)})
    made = contract(MINE)
    type(made).sources = [*many, other]
    assert made._representatives() == [many[0], other]  # noqa: SLF001 - what pytest is given


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (MINE, "No installed plugin provides 'mine'"),
        (replace(GLOVE_6B, vocab_size=1), "'glove-6b' is registered, but not as the tested source"),
    ],
)
def test_a_source_that_is_not_installed_is_told(source: RemoteSource, words: str) -> None:
    """A source that no entry point gives, or that another hides, breaks the contract."""
    with pytest.raises(pytest.fail.Exception, match=words):
        contract(source).test_installing_it_makes_its_name_appear(source)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("description", ""),
        ("description", "two\nlines"),
        ("license", ""),
        ("citation", " "),
        ("homepage", "http://example.org"),
        ("homepage", "https://"),
        ("language", "english"),
        ("language", "en_US"),
        ("language", "zh-hant"),
        ("cased", None),
        ("vocab_size", 0),
        ("vocab_size", "400,000"),
    ],
)
def test_poor_metadata_is_told(field: str, value: object) -> None:
    """A field that is empty or not of its form breaks the contract, which says what was expected."""
    source = replace(MINE, **{field: value})  # type: ignore[arg-type]  # the point
    with pytest.raises(pytest.fail.Exception, match=rf"mine: {field} is .*; expected"):
        contract(source).test_its_metadata_is_complete(source)


@pytest.mark.parametrize(
    "language", ["en", "mul", "zh-Hant", "de-AT", "sr-Latn-RS", "zh-yue", "ca-valencia", "es-419"]
)
def test_languages_are_bcp_47(language: str) -> None:
    """Tags with script, region or variant are fine."""
    source = replace(MINE, language=language)
    contract(source).test_its_metadata_is_complete(source)


class _Careless(RemoteSource):
    """A source with code of its own, which forgets to check."""

    def fetch(self, dim: int) -> Fetched:
        return Fetched(Path(str(dim)))


class _Unsorted(RemoteSource):
    @property
    def dims(self) -> tuple[int, ...]:
        return (50, 25)


@pytest.mark.parametrize(
    ("kind", "files", "words"),
    [
        (RemoteSource, {}, r"dims is \(\); expected positive ints"),
        (_Unsorted, {}, r"dims is \(50, 25\); expected positive ints, smallest first"),
        (_Careless, {2: (file(),)}, "dim 3 is given, but it is not in dims"),
    ],
)
def test_odd_dims_are_told(
    kind: type[RemoteSource], files: Any, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source without dims, with unsorted ones, or that takes any number for a dim, breaks the contract."""
    facts = {name: getattr(MINE, name) for name in MINE.__dataclass_fields__}
    source = kind(**(facts | {"files": files}))
    with pytest.raises(pytest.fail.Exception, match=words):
        contract(source).test_every_dim_can_be_had_and_no_other(source, monkeypatch)


ONE, OTHER = f"sha256:{64 * '1'}", f"sha256:{64 * '2'}"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            {2: (file(known_hash="md5:d41d8cd98f00b204e9800998ecf8427e"),)},
            "has the hash of an empty file, md5:d41d",
        ),
        (
            {2: (file("a", known_hash=ONE),), 3: (file("b", known_hash=ONE),)},
            "1 stands at files of several dims",
        ),
        (
            {2: (file("a", known_hash=ONE),), 3: (file("a", known_hash=OTHER),)},
            "/a is pinned to several hashes",
        ),
    ],
)
def test_slips_of_a_table_are_told(files: Any, words: str) -> None:
    """A hash of nothing, the hash of another line, or two hashes for one address break the contract."""
    source = replace(MINE, files=files)
    with pytest.raises(pytest.fail.Exception, match=words):
        contract(source).test_no_pin_is_a_slip(source)


def test_mirrors_and_prefixes_are_no_slips() -> None:
    """Two addresses of one file may share a hash, and so may dims that are read from one file."""
    source = replace(
        MINE, files=dict.fromkeys((2, 3), (file("a", known_hash=ONE), file("b", known_hash=ONE)))
    )
    contract(source).test_no_pin_is_a_slip(source)


@pytest.mark.parametrize(
    ("files", "samples", "words"),
    [
        ({2: (file(),)}, {3: [b""]}, "a sample of dim 3, which none of the sources has"),
        (
            {2: (file(), file("b"))},
            {2: [b""]},
            r"samples\[2\] has 1 files; expected 2: one for each cand",
        ),
        (
            {2: (file(),), 3: (file("b", format="word2vec-text"),)},
            {2: [b""]},
            "these formats have no sample: {'word2vec-text'}",
        ),
    ],
)
def test_absent_samples_are_told(files: Any, samples: Any, words: str) -> None:
    """Samples of no dim, too few, or not of each reader break the contract."""
    source = replace(MINE, files=files)
    with pytest.raises(pytest.fail.Exception, match=words):
        contract(source, samples).test_the_samples_show_every_reader(source)


class ReadBy(RemoteSource):
    """A source that reads its files with a function."""

    reader: Callable[..., Iterator[Block]]

    def parse(self, fetched: Fetched, dim: int) -> Iterator[Block]:
        """Call the function."""
        return type(self).reader(fetched.path, dim, *fetched.companions.values())


def read_by(reader: Callable[..., Iterator[Block]], *files: RemoteFile) -> RemoteSource:
    """Return a source that reads its files with a function."""
    kind: type[ReadBy] = type("ReadBy", (ReadBy,), {"reader": staticmethod(reader)})
    return kind(
        name="mine", files={2: files or (file(),)}, description="Mine", language="en", cased=False,
        license="CC0-1.0", citation="Me", homepage="https://example.org",
    )  # fmt: skip


def lenient(path: Path, dim: int) -> Iterator[Block]:
    """Read lines of text, and skip what looks otherwise."""
    for line in path.read_bytes().split(b"\n"):
        word, *numbers = line.split(b" ")
        if len(numbers) == dim and all(number[-1:].isdigit() for number in numbers):
            yield [word.decode()], np.array([numbers], np.float32)


def too_wide(path: Path, dim: int) -> Iterator[Block]:
    """Give rows of another dim."""
    for words, rows in glove.read(path, dim):
        yield words, np.hstack([rows, rows])


def double(path: Path, dim: int) -> Iterator[Block]:
    """Give rows in float64."""
    for words, rows in glove.read(path, dim):
        yield words, rows.astype(np.float64)


def infinite(path: Path, dim: int) -> Iterator[Block]:
    """Give a number that is none."""
    for words, rows in glove.read(path, dim):
        yield words, rows / np.float32(0)


@pytest.mark.parametrize(
    ("reader", "rule", "words"),
    [
        (
            too_wide,
            "a_sample_gives_what_is_expected",
            r"2 words with rows of .*shape \(2, 4\).*; expected .*shape \(2, 2\)",
        ),
        (double, "a_sample_gives_what_is_expected", "dtype float64; expected .*float32"),
        (lenient, "a_cut_file_is_never_taken_for_another", "cut to 1. of 25 bytes gives words or rows that"),
        (lenient, "a_garbled_file_raises_no_foreign_error", "garbled .* is a (Unicode|Value).*Error"),
        (lenient, "a_web_page_is_refused", r"a web page in place of \S+ gives \(\[\]"),
    ],
)
def test_a_careless_reader_is_told(reader: Callable[..., Any], rule: str, words: str, tmp_path: Path) -> None:
    """A reader that gives other rows or raises other errors than it should breaks the contract."""
    source = read_by(reader)
    with pytest.raises(pytest.fail.Exception, match=words):
        getattr(contract(source), f"test_{rule}")(source, tmp_path)


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_what_the_store_refuses_is_told(tmp_path: Path) -> None:
    """A reader whose rows the store does not take breaks the contract with the store's own error."""
    source = read_by(infinite)
    with pytest.raises(ValueError, match="holds a number that is not finite"):
        contract(source).test_the_store_keeps_every_bit(source, tmp_path)


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ({"the": [], "dog": []}, r"gives the words \['the', 'cat'\]; expected \['the', 'dog'\]"),
        ({"cat": [], "the": []}, r"gives the words \['the', 'cat'\]"),
        ({"the": [0.25], "cat": [1, 2.5]}, r"'cat' .* starts with \[1.0, 2.75\]; expected \[1.0, 2.5\]"),
    ],
)
def test_other_words_or_numbers_are_told(
    expected: Mapping[str, Sequence[float]], words: str, tmp_path: Path
) -> None:
    """A sample that gives other words, another order or other numbers breaks the contract."""
    with pytest.raises(pytest.fail.Exception, match=words):
        contract(MINE, expected=expected).test_a_sample_gives_what_is_expected(MINE, tmp_path)


def test_candidates_that_differ_are_told(tmp_path: Path) -> None:
    """A second candidate with other rows than the first breaks the contract."""
    source = replace(MINE, files={2: (file("a"), file("b"))})
    samples = {2: [b"the 1 2\n", b"the 1 2.5\n"]}
    with pytest.raises(pytest.fail.Exception, match="b gives other words or rows than the first sample"):
        contract(source, samples).test_all_candidates_hold_the_same_vectors(source, tmp_path)


def capital(path: Path, dim: int, *companions: Path) -> Iterator[Block]:
    """Read GloVe text, in capitals where the companion file says so."""
    for words, rows in glove.read(path, dim):
        capitals = any(other.read_bytes() == b"capital" for other in companions)
        yield [word.upper() for word in words] if capitals else words, rows


def test_what_lies_beside_a_file_is_part_of_its_sample(tmp_path: Path) -> None:
    """A candidate's sample is followed by those of the files beside it, which its reader gets."""
    source = read_by(capital, file(), file("b", companions=(file("c"),)))
    text = b"THE 1 2\nCAT 3 4\n"
    made = contract(source, {2: [text, text.lower(), b"capital"]}, {"THE": [1, 2], "CAT": [3, 4]})
    made.test_the_samples_show_every_reader(source)
    made.test_a_sample_gives_what_is_expected(source, tmp_path)
    made.test_all_candidates_hold_the_same_vectors(source, tmp_path)


HOOK = "\n\ndef embedhub_sources():\n    return []\n"


def test_side_effects_of_a_hook_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files written or read elsewhere, connections, processes and packages are all noticed."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    (tmp_path / "settings.txt").write_text("", "utf-8")
    (site / "busy_plugin.py").write_text(
        "import contextlib, pathlib, socket, subprocess, sys, scipy\n"
        f"elsewhere = pathlib.Path({str(tmp_path)!r})\n"
        "(elsewhere / 'settings.txt').read_text()\n"
        "def embedhub_sources():\n"
        "    (elsewhere / 'new.txt').write_text('')\n"
        "    (elsewhere / 'folder').mkdir()\n"
        "    subprocess.run([sys.executable, '-c', ''])\n"
        "    with contextlib.suppress(OSError):\n"
        "        socket.create_connection(('127.0.0.1', 9))\n"
        "    yield from ()\n",
        "utf-8",
    )
    told = "; ".join(side_effects("busy_plugin"))
    for phrase in (
        f"reads {tmp_path / 'settings.txt'}",
        f"writes {tmp_path / 'new.txt'}",
        "calls os.mkdir(",
        "calls subprocess.Popen(",
        "calls socket.connect(",
        "imports scipy",
    ):
        assert phrase in told


def test_a_plugin_that_imports_pytest_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the contract itself imports is not installed where a plugin is used."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "tested_plugin.py").write_text("import pytest" + HOOK, "utf-8")
    assert "imports pytest" in side_effects("tested_plugin")


def test_the_hook_of_benchmarks_is_watched_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin may have either hook or both; what each does is told."""
    monkeypatch.syspath_prepend(tmp_path)
    benchmarks = (
        f"import os\ndef embedhub_benchmarks():\n    os.mkdir({str(tmp_path / 'new')!r})\n    return []\n"
    )
    (tmp_path / "judging_plugin.py").write_text(benchmarks, "utf-8")
    assert len(side_effects("judging_plugin")) == 1
    assert "calls os.mkdir(" in side_effects("judging_plugin")[0]
    (tmp_path / "new").rmdir()
    (tmp_path / "twofold_plugin.py").write_text(benchmarks + HOOK, "utf-8")
    assert "calls os.mkdir(" in side_effects("twofold_plugin")[0]


def test_what_is_installed_with_a_plugin_may_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table beside the module is no side effect, nor are the standard library, numpy and embedhub."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "table.tsv").write_text("50\tmd5", "utf-8")
    (tmp_path / "calm_plugin.py").write_text(
        "import csv, decimal, numpy, pathlib\n"
        "from embedhub import EmbeddingSource, RemoteFile, hookimpl\n"
        "from embedhub.formats import glove, word2vec\n"
        "pathlib.Path(__file__).with_name('table.tsv').read_text()" + HOOK,
        "utf-8",
    )
    assert side_effects("calm_plugin") == ()
    assert not list(tmp_path.rglob("*.pyc"))


def test_a_hook_that_needs_others_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin that works only where something else ran before shows its own error."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "needy_plugin.py").write_text("raise OSError('no disk')" + HOOK, "utf-8")
    with pytest.raises(RuntimeError, match=r"(?s)needy_plugin fails when .*OSError: no disk"):
        side_effects("needy_plugin")
