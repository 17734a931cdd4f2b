"""Contract of benchmarks: tests that plugin authors inherit. They need pytest."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from embedhub.errors import FormatError
from embedhub.testing._declared import read_once, shorten
from embedhub.testing._failures import SKIP, describe, expect, fail
from embedhub.testing._loaded import Group, check_loaded, check_side_effects
from embedhub.testing._metadata import check_homepage, check_host, check_language, check_text
from embedhub.vectors.blocks import Block
from embedhub.vectors.store import open_store
from embedhub.vectors.store_writer import StoreWriter
from embedhub_eval import hookspecs, registry
from embedhub_eval.analogies import Analogy
from embedhub_eval.benchmark import Benchmark
from embedhub_eval.evaluation import evaluate
from embedhub_eval.word_pairs import WordPair

Item = WordPair | Analogy

_TRUNCATIONS = 50
_CORRUPTIONS = 50
_DIM = 8
_WEB_PAGE = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head>\n<body></body></html>\n"
_OWN_PACKAGES = ("imports embedhub_eval",)  # which every such plugin imports
_ADVICE = {
    "description": "Say what is rated or asked for.",
    "license": "Write the license that the owner of the benchmark chose, if possible as an SPDX expression.",
    "citation": "Write whom to cite: authors, year, title.",
}
_GROUP = Group(
    registry.PLUGINS,
    "embedhub_benchmarks",
    hookspecs.PROJECT,
    "a module with a function embedhub_benchmarks marked with @hookimpl that returns the benchmark",
)


class BenchmarkContract:
    r"""Tests that every benchmark must pass; a subclass names its benchmarks, and has a sample of each.

    The benchmarks must be installed, since their entry point is tested too. Nothing is downloaded.

    Example:
        The complete test file of a plugin::

            class TestMyPairs(BenchmarkContract):
                benchmarks = my_pairs.BENCHMARKS
                samples = {"my-pairs": b"rain\tstorm\t8\n"}
                expected = {"my-pairs": [WordPair("rain", "storm", 8)]}

    Attributes:
        benchmarks: The tested benchmarks, in any iterable.
        samples: For each benchmark, by name, the content of a tiny file in its format.
        expected: For each benchmark, by name, all items of its sample in order.
    """

    benchmarks: ClassVar[Iterable[Benchmark]] = ()
    samples: ClassVar[Mapping[str, bytes]] = {}
    expected: ClassVar[Mapping[str, Sequence[Item]]] = {}
    _problem: ClassVar[str] = ""

    def __init_subclass__(cls, **options: Any) -> None:
        """Read the attributes of the class once, since they may be generators."""
        super().__init_subclass__(**options)
        cls.benchmarks, problem = read_once("benchmarks", cls.benchmarks, Benchmark)
        cls._problem = problem or _find_problem(cls.samples, cls.expected)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each test for each benchmark."""
        if "benchmark" in metafunc.fixturenames:
            if self._problem:
                metafunc.parametrize("benchmark", [pytest.param(None, id="none", marks=SKIP)])
            else:
                metafunc.parametrize("benchmark", self.benchmarks, ids=lambda benchmark: benchmark.name)

    def test_class_is_complete(self) -> None:
        """The class has benchmarks, samples and expected items, in their form."""
        expect(not self._problem, f"{type(self).__name__}: {self._problem}")

    def test_plugin_is_loaded(self, benchmark: Benchmark) -> None:
        """An installed plugin provides the benchmark under its name, and none has failed to do so."""
        check_loaded(_GROUP, benchmark, tuple(self.benchmarks))

    def test_loading_has_no_side_effects(self, benchmark: Benchmark) -> None:
        """Listing names reads only installed files, and uses no network, process or further package."""
        check_side_effects(_GROUP, benchmark, _OWN_PACKAGES)

    def test_metadata_is_complete(self, benchmark: Benchmark) -> None:
        """The metadata describes the benchmark, its language, its license and its authors."""
        name = benchmark.name
        for field, advice in _ADVICE.items():
            check_text(name, field, getattr(benchmark, field), advice)
        check_homepage(name, benchmark.homepage)
        urls = [("homepage", benchmark.homepage), *(("a url of files", file.url) for file in benchmark.files)]
        for field, url in urls:
            check_host(name, field, url)
        check_language(name, benchmark.language)
        total = benchmark.total
        expect(
            total is None or (type(total) is int and total > 0),
            f"{name}: total is {total!r}; expected a positive int, or None if unknown.",
        )

    def test_sample_has_the_expected_items(self, benchmark: Benchmark, tmp_path: Path) -> None:
        """The sample has all expected word pairs or analogies in order, and no others."""
        items = benchmark.read(self._write_sample(benchmark, tmp_path))
        expected = list(self.expected[benchmark.name])
        expect(items == expected, f"{benchmark.name}: the sample has the items {items}; expected {expected}.")
        for item in items:
            _check_item(item, benchmark, "the sample")
        expect(
            benchmark.total is None or benchmark.total >= len(items),
            f"{benchmark.name}: total is {benchmark.total}, but the sample alone has {len(items)} items.",
        )

    def test_scores_are_in_range(self, benchmark: Benchmark, tmp_path: Path) -> None:
        """Vectors with all words cover all items, and their score is undefined or within its range."""
        local = replace(benchmark, files=(), path=self._write_sample(benchmark, tmp_path))
        words = list(dict.fromkeys(word for item in self.expected[benchmark.name] for word in _words(item)))
        numbers = np.random.default_rng(0).normal(size=(len(words), _DIM)).astype(np.float32)
        with StoreWriter(tmp_path / "store", name="random", dim=_DIM) as writer:
            writer.write(Block(words, numbers))
        whole, *categories = evaluate(open_store(tmp_path / "store"), local)
        total = len(self.expected[benchmark.name])
        expect(
            whole.covered == whole.total == total,
            f"{benchmark.name}: vectors with all words cover {whole.covered} of {whole.total} items; "
            f"expected {total}.",
        )
        low = -1 if benchmark.kind == "similarity" else 0
        for score in (whole, *categories):
            expect(
                score.score is None or low <= score.score <= 1,
                f"{benchmark.name}: the score {score} is not between {low} and 1.",
            )

    def test_damaged_files_raise_only_format_errors(self, benchmark: Benchmark, tmp_path: Path) -> None:
        """A truncated or corrupted file has well-formed items, or raises FormatError."""
        path = self._write_sample(benchmark, tmp_path)
        content = path.read_bytes()
        for size in sorted({*range(0, len(content), -(-len(content) // _TRUNCATIONS)), len(content) - 1}):
            path.write_bytes(content[:size])
            _read_or_none(benchmark, path, f"the sample truncated to {size} of {len(content)} bytes")
        for seed in range(_CORRUPTIONS):
            random = np.random.default_rng(seed)
            corrupted = np.frombuffer(content, np.uint8).copy()
            places = random.integers(len(corrupted), size=random.integers(1, 9))
            corrupted[places] = random.integers(256, size=len(places))
            path.write_bytes(corrupted.tobytes())
            _read_or_none(benchmark, path, f"the sample corrupted at the bytes {places.tolist()}")

    def test_web_page_raises_format_error(self, benchmark: Benchmark, tmp_path: Path) -> None:
        """The error page of a server in place of the file raises FormatError."""
        path = tmp_path / "page"
        path.write_bytes(_WEB_PAGE)
        items = _read_or_none(benchmark, path, "a web page in place of its file")
        expect(items is None, f"{benchmark.name}: a web page has the items {items}; expected a FormatError.")

    def _write_sample(self, benchmark: Benchmark, folder: Path) -> Path:
        __tracebackhide__ = True
        for attribute, values in (("samples", self.samples), ("expected", self.expected)):
            expect(bool(values.get(benchmark.name)), f"{attribute} has nothing for {benchmark.name!r}.")
        path = folder / "sample"
        path.write_bytes(self.samples[benchmark.name])
        return path


def _words(item: Item) -> Iterator[str]:
    yield from (item.word1, item.word2) if isinstance(item, WordPair) else (*item[:3], *item.answers)


def _check_item(item: Any, benchmark: Benchmark, label: str) -> None:
    """Fail unless an item has the type of its kind, words, and a finite rating."""
    __tracebackhide__ = True
    kind = WordPair if benchmark.kind == "similarity" else Analogy
    well_formed = (
        isinstance(item, kind)
        and all(isinstance(word, str) and word and word == word.strip() for word in _words(item))
        and (math.isfinite(item.score) if isinstance(item, WordPair) else bool(item.answers))
    )
    expect(
        well_formed,
        f"{benchmark.name}: {label} has the item {item!r}; expected a {kind.__name__} of words without "
        "surrounding spaces, with a finite rating or at least one answer.",
    )


def _read_or_none(benchmark: Benchmark, path: Path, label: str) -> list[Item] | None:
    """Return the items of a file, None if it raises FormatError; any other error fails the test."""
    __tracebackhide__ = True
    try:
        items = benchmark.read(path)
    except FormatError:
        return None
    except Exception as error:  # noqa: BLE001 - the type of the error is what is tested
        fail(f"{benchmark.name}: {label} raises {describe(error)}; expected a FormatError.")
    for item in items:
        _check_item(item, benchmark, label)
    return items


def _find_problem(samples: object, expected: object) -> str:
    """Return the problem of the samples and expected items of a class; empty if they are valid."""
    if not isinstance(samples, Mapping) or not all(isinstance(sample, bytes) for sample in samples.values()):
        return f"samples is {shorten(samples)}; expected the bytes of a file by name: {{'my-pairs': b'...'}}."
    if not isinstance(expected, Mapping) or not all(isinstance(items, list) for items in expected.values()):
        return (
            f"expected is {shorten(expected)}; it should have a list of items by name: "
            "{'my-pairs': [WordPair('rain', 'storm', 8)]}."
        )
    return ""
