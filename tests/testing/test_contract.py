"""The contract of a source: the built-in sources keep it, and each broken rule is reported."""

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from children import PATIENCE
from command import add_distribution
from contracts import (
    BREAD,
    BROKEN_TESTS,
    MINE,
    RIGHT_PLUGIN,
    by_mark,
    computed,
    contract,
    file,
    read_bread,
    read_by,
    run_contract,
)

from embedhub import Detected, Format, RemoteFile, RemoteSource
from embedhub.download.remote_file import Fetched
from embedhub.formats import glove
from embedhub.registry.builtin.glove import GLOVE_6B
from embedhub.registry.builtin.wordnet import WORDNET_PPMI
from embedhub.testing import SourceContract
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


@pytest.mark.slow
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
        (replace(GLOVE_6B, vocab_size=1), "'glove-6b' is registered, but not as the tested object"),
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
    "language",
    [
        *("en", "mul", "zh-Hant", "de-AT", "sr-Latn-RS", "zh-yue", "ca-valencia", "es-419"),
        *("x-tide1", "x-a-b", "de-DE-u-co-phonebk", "en-t-fr", "qaa-Qaaa-QM-x-southern", "jv-x-bms"),
    ],
)
def test_languages_are_bcp_47(language: str) -> None:
    """Tags with script, region, variant, extension or private use keep the contract."""
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
        (_Unsorted, {2: (file(),)}, r"dims is \(50, 25\); expected positive ints, smallest first"),
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


def lenient(path: Path, dim: int) -> Iterator[Block]:
    """Read lines of text, and skip malformed ones."""
    for line in path.read_bytes().split(b"\n"):
        word, *numbers = line.split(b" ")
        if len(numbers) == dim and all(number[-1:].isdigit() for number in numbers):
            yield Block([word.decode()], np.array([numbers], np.float32))


def too_wide(path: Path, dim: int) -> Iterator[Block]:
    """Yield vectors of another dimension."""
    for words, rows in glove.read(path, dim):
        yield Block(words, np.hstack([rows, rows]))


def double(path: Path, dim: int) -> Iterator[Block]:
    """Yield vectors in float64."""
    for words, rows in glove.read(path, dim):
        yield Block(words, rows.astype(np.float64))


def infinite(path: Path, dim: int) -> Iterator[Block]:
    """Yield numbers that are not finite."""
    for words, rows in glove.read(path, dim):
        yield Block(words, rows / np.float32(0))


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
def test_an_error_of_the_store_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader whose vectors the store rejects breaks the contract with the error of the store."""
    source = read_by(infinite)
    with pytest.raises(pytest.fail.Exception, match=r"`load` fails: .* has a number that is not finite"):
        contract(source).test_store_returns_the_parsed_vectors(source, tmp_path, monkeypatch)


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
        yield Block([word.upper() for word in words] if capitals else words, rows)


def test_companion_files_are_part_of_a_sample(tmp_path: Path) -> None:
    """The sample of a candidate is followed by those of its companion files, which its reader gets."""
    source = read_by(capital, file(), file("b", companions=(file("c"),)))
    text = b"THE 1 2\nCAT 3 4\n"
    made = contract(source, {2: [text, text.lower(), b"capital"]}, {"THE": [1, 2], "CAT": [3, 4]})
    made.test_samples_cover_every_format(source)
    made.test_samples_have_the_expected_vectors(source, tmp_path)
    made.test_candidates_have_the_same_vectors(source, tmp_path)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        (
            "license",
            "fill in license",
            "license is 'fill in license', a placeholder. Write the license that",
        ),
        ("citation", "TODO", "citation is 'TODO', a placeholder. Write whom to cite"),
        ("description", "<what they are>", "description is .*, a placeholder. Say what the vectors are"),
        ("homepage", "https://example.org/me", "homepage is .*, a placeholder. Write the real address"),
        ("homepage", "https://www.example.com/me", "homepage is .*, a placeholder. Write the real address"),
        (
            "files",
            {2: RemoteFile("https://example.org/a", format="glove")},
            "the url of dim 2 is .*, a placeh",
        ),
    ],
)
def test_placeholders_are_reported(field: str, value: object, words: str) -> None:
    """A field that still has to be filled in breaks the contract, by its name."""
    source = replace(MINE, **{field: value})  # type: ignore[arg-type]  # the point
    with pytest.raises(pytest.fail.Exception, match=f"mine: {words}"):
        contract(source).test_metadata_is_complete(source)


@dataclass(frozen=True, kw_only=True)
class _Unhashable(RemoteSource):
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class _Changing(RemoteSource):
    def cache_key(self, dim: int) -> str:
        return f"{super().cache_key(dim)} {next(_COUNTER)}"


_COUNTER = count()


class _Stubborn(RemoteSource):
    def __init__(self) -> None:
        super().__init__(**{name: getattr(MINE, name) for name in MINE.__dataclass_fields__})


def unlike(kind: type[RemoteSource]) -> RemoteSource:
    """Return a source of another class with the fields of MINE."""
    return kind(**{name: getattr(MINE, name) for name in MINE.__dataclass_fields__})


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (unlike(_Unhashable), r"hash\(source\) raises TypeError \(unhashable type: 'list'\). Keep"),
        (
            replace(
                MINE, files={2: RemoteFile("https://a.example/b", format=Format("f", lambda *_: iter(())))}
            ),
            "cannot be pickled: .*lambda.* Keep in its fields",
        ),
        (unlike(_Changing), r"cache_key\(2\) differs from call to call"),
        (_Stubborn(), r"dataclasses.replace\(source, name=...\) raises TypeError"),
    ],
)
def test_sources_that_are_not_values_are_reported(source: RemoteSource, words: str) -> None:
    """A source that cannot be hashed, pickled or replaced, or whose cache key changes, breaks it."""
    with pytest.raises(pytest.fail.Exception, match=words):
        contract(source).test_source_is_a_value(source)


def test_each_dimension_has_its_expected_vectors(tmp_path: Path) -> None:
    """Samples of two dimensions are compared each with its own words and numbers."""
    source = replace(MINE, files={1: file("a"), 2: file("b")})
    made = contract(source, {1: [b"one 1\n"], 2: [b"two 1 2\n"]})
    type(made).expected = {1: {"one": [1]}, 2: {"two": [1, 2]}}
    made.test_samples_have_the_expected_vectors(source, tmp_path)
    type(made).expected = {1: {"one": [1]}, 2: {"two": [1, 3]}}
    with pytest.raises(
        pytest.fail.Exception, match=r"'two' in b starts with \[1.0, 2.0\]; expected \[1.0, 3"
    ):
        made.test_samples_have_the_expected_vectors(source, tmp_path)
    type(made).expected = {1: {"one": [1]}}
    with pytest.raises(pytest.fail.Exception, match=r"samples has dim 2, but expected has only \[1\]"):
        made.test_samples_cover_every_format(source)


def ones(dim: int) -> Iterator[Block]:
    """Yield two words."""
    yield Block(["a", "b"], np.ones((2, dim), np.float32))


def guesses(dim: int) -> Iterator[Block]:
    """Yield other vectors each time."""
    yield Block(["a"], np.random.default_rng().random((1, dim), np.float32))


def thin(dim: int) -> Iterator[Block]:
    """Yield vectors of another dimension."""
    yield Block(["a", "b"], np.ones((2, dim - 1), np.float32))


def test_computed_sources_need_no_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that computes its vectors keeps the contract with the expected values of some words."""
    source = computed(ones)
    made = type("TestMine", (SourceContract,), {"sources": [source], "expected": {3: {"b": [1, 1]}}})()
    made.test_source_is_a_value(source)
    made.test_unknown_dims_raise(source, monkeypatch)
    made.test_samples_cover_every_format(source)
    made.test_computed_vectors_are_repeatable(source, monkeypatch)


@pytest.mark.parametrize(
    ("compute", "expected", "words"),
    [
        (guesses, {3: {"a": []}}, "dim 3 has other words or vectors when it is computed again. Seed random"),
        (thin, {2: {"a": []}}, r"the block of dim 2 has 2 words .*shape \(2, 1\).*; expected .*\(2, 2\)"),
        (ones, {2: {"c": [1]}}, r"dim 2 has no \['c'\]"),
        (ones, {2: {"a": [2]}}, r"'a' in dim 2 starts with \[1.0\]; expected \[2.0\]"),
    ],
)
def test_faulty_computed_sources_are_reported(
    compute: Any, expected: Any, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Vectors that differ each time, have another shape or are not the expected ones break the contract."""
    source = computed(compute)
    made = type("TestMine", (SourceContract,), {"sources": [source], "expected": expected})()
    with pytest.raises(pytest.fail.Exception, match=words):
        made.test_computed_vectors_are_repeatable(source, monkeypatch)


def test_computed_sources_need_expected_values() -> None:
    """A computed source of which nothing is expected breaks the contract."""
    source = computed(ones)
    made = type("TestMine", (SourceContract,), {"sources": [source], "expected": {}})()
    with pytest.raises(
        pytest.fail.Exception, match=r"expected one or more of \(2, 3\), each with some words"
    ):
        made.test_samples_cover_every_format(source)


def none(*_: object) -> None:
    """Recognize nothing."""


def all_of(dim: int) -> Callable[..., Detected]:
    """Return what recognizes everything."""
    return lambda *_: Detected(dim)


def careless(start: bytes, path: Path) -> Detected | None:
    """Look at a byte that may not be there."""
    return by_mark(start, path) if start[4] else None


def hidden(start: bytes, _: Path) -> Detected | None:
    """Recognize what embedhub takes for its own."""
    return Detected(2) if start.startswith(b"7 2") else None


@pytest.mark.parametrize(
    ("detect", "sample", "words"),
    [
        (none, BREAD, r"returns None for a sample of dim 2; expected Detected\(dim=2\)"),
        (all_of(3), BREAD, r"returns Detected\(dim=3.* for a sample of dim 2"),
        (all_of(2), BREAD, r"returns Detected\(.*\) for GloVe text; expected None"),
        (careless, BREAD, "with an empty file, raises IndexError"),
        (hidden, b"7 2\n" + BREAD, "is not asked: its sample is read as 'word2vec-binary'"),
    ],
)
def test_a_format_that_recognizes_wrongly_is_reported(
    detect: Any, sample: bytes, words: str, tmp_path: Path
) -> None:
    """A format that misses its own files, takes others, fails or is never asked breaks the contract."""
    source = replace(MINE, files={2: file(format=Format("bread", read_bread, detect=detect))})
    with pytest.raises(pytest.fail.Exception, match=words):
        contract(source, {2: [sample]}).test_formats_are_recognized(source, tmp_path)


RIGHT_TESTS = r"""
import embedhub_right
from embedhub.testing import SourceContract


class TestBread(SourceContract):
    sources = embedhub_right.SOURCES[:1]
    samples = {2: [b"BRED\x02" + b"\x00\x00\x80?" + b"\x00\x00\x00@"]}
    expected = {2: {"bread": [1, 2]}}


class TestEyes(SourceContract):
    sources = embedhub_right.SOURCES[1:]
    expected = {2: {"a": [1, 0]}, 3: {"b": [0, 1, 0]}}
"""


@pytest.mark.slow
def test_right_plugins_keep_the_contract(tmp_path: Path) -> None:
    """A plugin with a format of its own and a computed source passes all tests."""
    add_distribution(tmp_path / "site", "embedhub-right", RIGHT_PLUGIN)
    assert re.search(r"\n\d+ passed, \d+ skipped in", run_contract(tmp_path, RIGHT_TESTS))


@pytest.mark.slow
def test_a_broken_plugin_is_told_its_own_error(tmp_path: Path) -> None:
    """The first test of a plugin that could not be loaded fails with the plugin's own error."""
    code = "from embedhub import hookimpl\n@hookimpl\ndef embedhub_sources():\n    return [1 // 0]\n"
    add_distribution(tmp_path / "site", "embedhub-mine", code)
    printed = run_contract(tmp_path, BROKEN_TESTS)
    first = printed.partition("= FAILURES =")[2].partition("\n____")[2].partition("\n____")[0]
    assert "test_plugin_is_loaded[mine]" in first
    assert "No plugin provides 'mine'. If yours is one of these, this is why:" in first
    assert "embedhub-mine (embedhub-mine) is skipped, because it is broken: ZeroDivisionError" in first
