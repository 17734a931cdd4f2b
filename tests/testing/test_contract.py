"""The contract of a source: the built-in sources keep it, and each broken rule is reported."""

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from children import PATIENCE

from embedhub import RemoteFile, RemoteSource
from embedhub.download.remote_file import Fetched
from embedhub.formats import glove
from embedhub.registry.builtin.glove import GLOVE_6B
from embedhub.registry.builtin.wordnet import WORDNET_PPMI
from embedhub.testing import SourceContract
from embedhub.testing.import_audit import side_effects
from embedhub.vectors.blocks import Block


def text(words: Sequence[str], dim: int) -> bytes:
    """Return lines of GloVe text; the first number of each is its line number, the others are -0.125."""
    return "".join(f"{word} {i}{(dim - 1) * ' -0.125'}\n" for i, word in enumerate(words)).encode()


class TestGlove6B(SourceContract):
    """The formats of Stanford's archive and of gensim-data's release."""

    sources = [GLOVE_6B]
    samples = {50: [text(["the", "naïve", "."], 50), b"3 50\n" + text(["the", "naïve", "."], 50)]}
    expected = {50: {"the": [0, -0.125], "naïve": [1, -0.125], ".": [2, -0.125]}}


def packed(**arrays: Any) -> bytes:
    """Return an .npz file."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


class TestWordNet(SourceContract):
    """Codes of two vectors, one of them shared by two words."""

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
    expected = {25: {"dog": [1.5, 1.5], "dogs": [1.5], "cat": [-1, -1]}}


def file(name: str = "a", **changes: Any) -> RemoteFile:
    """Return a file without a published hash."""
    return RemoteFile(url=f"https://vectors.example/{name}", **({"format": "glove"} | changes))


MINE = RemoteSource(
    name="mine", files={2: (file(),)}, description="Mine", language="en", cased=False,
    license="CC0-1.0", citation="Me", homepage="https://vectors.example",
)  # fmt: skip


def contract(
    source: RemoteSource,
    samples: Mapping[int, Sequence[bytes]] | None = None,
    expected: Mapping[str, Sequence[float]] | None = None,
) -> SourceContract:
    """Return the contract of a source, with the same expected vectors for each dimension of its samples."""
    samples = samples or {2: [b"the 0.25 -0.5\ncat 1 2.75\n"]}
    facts = {
        "sources": [source],
        "samples": samples,
        "expected": dict.fromkeys(samples, expected or {"the": [0.25], "cat": [1, 2.75]}),
    }
    made: SourceContract = type("TestMine", (SourceContract,), facts)()
    return made


SEVERAL_SOURCES = """
from dataclasses import replace

from embedhub.registry.builtin.glove import GLOVE_6B
from embedhub.registry.builtin.wordnet import WORDNET_PPMI
from embedhub.testing import SourceContract


class TestSeveral(SourceContract):
    sources = [*(replace(GLOVE_6B, name=f"mine-{i}") for i in range(3)), WORDNET_PPMI]
    samples = {25: [b""]}
    expected = {}
"""


def test_sources_of_the_same_format_share_their_sample_tests(tmp_path: Path) -> None:
    """Of sources that the same code reads, only the first runs the tests of samples; all run the others."""
    (tmp_path / "test_several.py").write_text(SEVERAL_SOURCES, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-c", os.devnull, "test_several.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    sources_of = {
        name: re.findall(rf"::{name}\[(.+)\]", done.stdout)
        for name in ("test_metadata_is_complete", "test_samples_have_the_expected_vectors")
    }
    assert sources_of == {
        "test_metadata_is_complete": ["mine-0", "mine-1", "mine-2", "wordnet-ppmi"],
        "test_samples_have_the_expected_vectors": ["mine-0", "wordnet-ppmi"],
    }


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (MINE, "No installed plugin provides 'mine'"),
        (replace(GLOVE_6B, vocab_size=1), "'glove-6b' is registered, but not as the tested source"),
    ],
)
def test_a_source_that_is_not_installed_is_reported(source: RemoteSource, words: str) -> None:
    """A source that no plugin provides, or another source of its name, breaks the contract."""
    with pytest.raises(pytest.fail.Exception, match=words):
        contract(source).test_plugin_is_loaded(source)


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
def test_incomplete_metadata_is_reported(field: str, value: object) -> None:
    """A field that is empty or malformed breaks the contract, and the message has the expected form."""
    source = replace(MINE, **{field: value})  # type: ignore[arg-type]  # the point
    with pytest.raises(pytest.fail.Exception, match=rf"mine: {field} is .*; expected"):
        contract(source).test_metadata_is_complete(source)


@pytest.mark.parametrize(
    "language", ["en", "mul", "zh-Hant", "de-AT", "sr-Latn-RS", "zh-yue", "ca-valencia", "es-419"]
)
def test_languages_are_bcp_47(language: str) -> None:
    """Tags with script, region or variant keep the contract."""
    source = replace(MINE, language=language)
    contract(source).test_metadata_is_complete(source)


class _Careless(RemoteSource):
    """A source whose fetch does not check the dimension."""

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
        (_Careless, {2: (file(),)}, "dim 3 raises nothing, although it is not in dims"),
    ],
)
def test_invalid_dims_are_reported(
    kind: type[RemoteSource], files: Any, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source without dims, with unsorted ones, or that accepts any number breaks the contract."""
    facts = {name: getattr(MINE, name) for name in MINE.__dataclass_fields__}
    source = kind(**(facts | {"files": files}))
    with pytest.raises(pytest.fail.Exception, match=words):
        contract(source).test_unknown_dims_raise(source, monkeypatch)


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
            "1 is the hash of several dimensions",
        ),
        (
            {2: (file("a", known_hash=ONE),), 3: (file("a", known_hash=OTHER),)},
            "/a has several hashes",
        ),
    ],
)
def test_implausible_hashes_are_reported(files: Any, words: str) -> None:
    """The hash of an empty file, of another dimension, or a second hash of a URL breaks the contract."""
    source = replace(MINE, files=files)
    with pytest.raises(pytest.fail.Exception, match=words):
        contract(source).test_published_hashes_are_plausible(source)


def test_mirrors_and_prefixes_may_share_a_hash() -> None:
    """Two URLs of one file may share a hash, and so may dimensions that are read from one file."""
    source = replace(
        MINE, files=dict.fromkeys((2, 3), (file("a", known_hash=ONE), file("b", known_hash=ONE)))
    )
    contract(source).test_published_hashes_are_plausible(source)


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
def test_missing_samples_are_reported(files: Any, samples: Any, words: str) -> None:
    """A sample of an unknown dimension, too few samples, or a format without one break the contract."""
    source = replace(MINE, files=files)
    with pytest.raises(pytest.fail.Exception, match=words):
        contract(source, samples).test_samples_cover_every_format(source)


class WithReader(RemoteSource):
    """A source that reads its files with a function."""

    reader: Callable[..., Iterator[Block]]

    def parse(self, fetched: Fetched, dim: int) -> Iterator[Block]:
        """Call the function."""
        return type(self).reader(fetched.path, dim, *fetched.companions.values())


def read_by(reader: Callable[..., Iterator[Block]], *files: RemoteFile) -> RemoteSource:
    """Return a source that reads its files with a function."""
    kind: type[WithReader] = type("WithReader", (WithReader,), {"reader": staticmethod(reader)})
    return kind(
        name="mine", files={2: files or (file(),)}, description="Mine", language="en", cased=False,
        license="CC0-1.0", citation="Me", homepage="https://vectors.example",
    )  # fmt: skip


def lenient(path: Path, dim: int) -> Iterator[Block]:
    """Read lines of text, and skip malformed ones."""
    for line in path.read_bytes().split(b"\n"):
        word, *numbers = line.split(b" ")
        if len(numbers) == dim and all(number[-1:].isdigit() for number in numbers):
            yield [word.decode()], np.array([numbers], np.float32)


def too_wide(path: Path, dim: int) -> Iterator[Block]:
    """Yield vectors of another dimension."""
    for words, rows in glove.read(path, dim):
        yield words, np.hstack([rows, rows])


def double(path: Path, dim: int) -> Iterator[Block]:
    """Yield vectors in float64."""
    for words, rows in glove.read(path, dim):
        yield words, rows.astype(np.float64)


def infinite(path: Path, dim: int) -> Iterator[Block]:
    """Yield numbers that are not finite."""
    for words, rows in glove.read(path, dim):
        yield words, rows / np.float32(0)


@pytest.mark.parametrize(
    ("reader", "rule", "words"),
    [
        (
            too_wide,
            "samples_have_the_expected_vectors",
            r"2 words with vectors of .*shape \(2, 4\).*; expected .*shape \(2, 2\)",
        ),
        (double, "samples_have_the_expected_vectors", "dtype float64; expected .*float32"),
        (
            lenient,
            "truncated_files_have_no_wrong_vectors",
            "truncated to 1. of 25 bytes has words or vectors that",
        ),
        (lenient, "corrupted_files_raise_only_format_errors", "corrupted .* raises (Unicode|Value).*Error"),
        (lenient, "web_pages_raise_format_errors", r"a web page in place of \S+ has the vectors \(\[\]"),
    ],
)
def test_a_faulty_reader_is_reported(
    reader: Callable[..., Any], rule: str, words: str, tmp_path: Path
) -> None:
    """A reader that yields malformed vectors, or raises a foreign error, breaks the contract."""
    source = read_by(reader)
    with pytest.raises(pytest.fail.Exception, match=words):
        getattr(contract(source), f"test_{rule}")(source, tmp_path)


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_an_error_of_the_store_is_reported(tmp_path: Path) -> None:
    """A reader whose vectors the store rejects breaks the contract with the error of the store."""
    source = read_by(infinite)
    with pytest.raises(ValueError, match="holds a number that is not finite"):
        contract(source).test_store_returns_the_parsed_vectors(source, tmp_path)


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ({"the": [], "dog": []}, r"has the words \['the', 'cat'\]; expected \['the', 'dog'\]"),
        ({"cat": [], "the": []}, r"has the words \['the', 'cat'\]"),
        ({"the": [0.25], "cat": [1, 2.5]}, r"'cat' .* starts with \[1.0, 2.75\]; expected \[1.0, 2.5\]"),
    ],
)
def test_unexpected_words_or_vectors_are_reported(
    expected: Mapping[str, Sequence[float]], words: str, tmp_path: Path
) -> None:
    """A sample with other words, another order or other numbers breaks the contract."""
    with pytest.raises(pytest.fail.Exception, match=words):
        contract(MINE, expected=expected).test_samples_have_the_expected_vectors(MINE, tmp_path)


def test_different_candidates_are_reported(tmp_path: Path) -> None:
    """A second candidate with other vectors than the first breaks the contract."""
    source = replace(MINE, files={2: (file("a"), file("b"))})
    samples = {2: [b"the 1 2\n", b"the 1 2.5\n"]}
    with pytest.raises(pytest.fail.Exception, match="b has other words or vectors than the first sample"):
        contract(source, samples).test_candidates_have_the_same_vectors(source, tmp_path)


def capital(path: Path, dim: int, *companions: Path) -> Iterator[Block]:
    """Read GloVe text, in capitals where the companion file says so."""
    for words, rows in glove.read(path, dim):
        capitals = any(other.read_bytes() == b"capital" for other in companions)
        yield [word.upper() for word in words] if capitals else words, rows


def test_companion_files_are_part_of_a_sample(tmp_path: Path) -> None:
    """The sample of a candidate is followed by those of its companion files, which its reader gets."""
    source = read_by(capital, file(), file("b", companions=(file("c"),)))
    text = b"THE 1 2\nCAT 3 4\n"
    made = contract(source, {2: [text, text.lower(), b"capital"]}, {"THE": [1, 2], "CAT": [3, 4]})
    made.test_samples_cover_every_format(source)
    made.test_samples_have_the_expected_vectors(source, tmp_path)
    made.test_candidates_have_the_same_vectors(source, tmp_path)


HOOK = "\n\ndef embedhub_sources():\n    return []\n"


def test_side_effects_of_a_hook_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that are written, or read elsewhere, connections, processes and packages are reported."""
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
    effects = "; ".join(side_effects("busy_plugin"))
    for phrase in (
        f"reads {tmp_path / 'settings.txt'}",
        f"writes {tmp_path / 'new.txt'}",
        "calls os.mkdir(",
        "calls subprocess.Popen(",
        "calls socket.connect(",
        "imports scipy",
    ):
        assert phrase in effects


def test_a_plugin_that_imports_pytest_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest, which the contract imports, is not installed where a plugin is used."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "tested_plugin.py").write_text("import pytest" + HOOK, "utf-8")
    assert "imports pytest" in side_effects("tested_plugin")


def test_files_installed_with_a_plugin_may_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading a table next to the module, the standard library, numpy or embedhub is not a side effect."""
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


def test_a_failing_import_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin that cannot be loaded by itself is a RuntimeError with its traceback."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "needy_plugin.py").write_text("raise OSError('no disk')" + HOOK, "utf-8")
    with pytest.raises(RuntimeError, match=r"(?s)needy_plugin fails when .*OSError: no disk"):
        side_effects("needy_plugin")
