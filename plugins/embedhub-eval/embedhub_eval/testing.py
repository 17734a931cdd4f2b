"""The contract of a benchmark: `BenchmarkContract`, tests that a plugin's author inherits. Needs pytest."""

import math
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, ClassVar, NoReturn
from urllib.parse import urlsplit

import numpy as np
import pytest

from embedhub.errors import FormatError
from embedhub.testing.import_audit import side_effects
from embedhub.vectors.blocks import Block
from embedhub.vectors.store import open_store
from embedhub.vectors.store_writer import StoreWriter
from embedhub_eval import builtin_benchmarks, hookspecs, registry
from embedhub_eval.analogies import Analogy
from embedhub_eval.benchmark import Benchmark
from embedhub_eval.evaluation import evaluate
from embedhub_eval.word_pairs import WordPair

Item = WordPair | Analogy

_TRUNCATIONS = 50
_CORRUPTIONS = 50
_DIM = 8
_WEB_PAGE = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head>\n<body></body></html>\n"
_OWN_PACKAGES = {"imports embedhub_eval"}  # which every such plugin imports
_PLACEHOLDER = re.compile(r"(?i)(fill in|todo|tbd|fixme|xxx+)\b.*|\?+|<.*>")
_PLACEHOLDER_HOST = re.compile(r"(.+\.)?example\.(org|com|net)")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?(-[a-z0-9]+)*")
_LOAD = "import embedhub_eval; embedhub_eval.benchmarks()"


class BenchmarkContract:
    r"""Tests that hold for every benchmark; a subclass names its benchmarks, and has a sample of each.

    The benchmarks must be installed, since their entry point is tested too. Nothing is downloaded.

    Example:
        The complete test file of a plugin::

            class TestMyPairs(BenchmarkContract):
                benchmarks = my_pairs.BENCHMARKS
                samples = {"my-pairs": b"rain\tstorm\t8\n"}
                expected = {"my-pairs": [WordPair("rain", "storm", 8)]}

    Attributes:
        benchmarks: The tested benchmarks.
        samples: By the name of each benchmark the content of a tiny file in its format.
        expected: By the name of each benchmark all items of its sample, in order.
    """

    benchmarks: ClassVar[Sequence[Benchmark]]
    samples: ClassVar[Mapping[str, bytes]]
    expected: ClassVar[Mapping[str, Sequence[Item]]]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each test for each benchmark."""
        if "benchmark" in metafunc.fixturenames:
            metafunc.parametrize("benchmark", self.benchmarks, ids=lambda benchmark: benchmark.name)

    def test_plugin_is_loaded(self, benchmark: Benchmark) -> None:
        """An installed plugin provides the benchmark under its name."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the failure has their text
            provided = registry.benchmarks().get(benchmark.name)
        if provided is None:
            _fail(
                f"No installed plugin provides {benchmark.name!r}. Its pyproject.toml needs a module in "
                f"[project.entry-points.{hookspecs.PROJECT}], and the module a function embedhub_benchmarks "
                "marked with @hookimpl, which returns the benchmark. Install the distribution: python -m pip "
                f"install . {_reported()}"
            )
        _expect(
            provided == benchmark,
            f"{benchmark.name!r} is provided, but not as the tested benchmark: {provided!r}. Install the "
            f"distribution again, or choose another name if another plugin has it. {_reported()}",
        )

    def test_loading_has_no_side_effects(self, benchmark: Benchmark) -> None:
        """Listing names reads only installed files, and uses no network, process or further package."""
        plugin = _plugin_of(benchmark)
        try:
            effects = [effect for effect in side_effects(plugin) if effect not in _OWN_PACKAGES]
        except RuntimeError as error:
            _fail(str(error))
        _expect(
            not effects,
            f"The plugin {plugin} {'; '.join(effects)}. It is loaded whenever benchmarks are listed. Import "
            "large packages, and read files other than its own, in the function that needs them.",
        )

    def test_metadata_is_complete(self, benchmark: Benchmark) -> None:
        """The metadata describes the benchmark, its language, its license and its authors."""
        name = benchmark.name
        for field in ("description", "license", "citation"):
            text = getattr(benchmark, field)
            _expect(
                isinstance(text, str) and bool(text) and text == " ".join(text.split()),
                f"{name}: {field} is {text!r}; expected one line.",
            )
            _expect(
                _PLACEHOLDER.fullmatch(text) is None,
                f"{name}: {field} is {text!r}, a placeholder; fill in {field}.",
            )
        _expect(
            re.fullmatch(r"https://[^/\s]+(/\S*)?", benchmark.homepage) is not None,
            f"{name}: homepage is {benchmark.homepage!r}; expected 'https://...'.",
        )
        urls = [("homepage", benchmark.homepage), *(("files", file.url) for file in benchmark.files)]
        for field, url in urls:
            _expect(
                _PLACEHOLDER_HOST.fullmatch(urlsplit(url).hostname or "") is None,
                f"{name}: {field} has {url!r}, a placeholder; fill in {field}.",
            )
        _expect(
            _LANGUAGE.fullmatch(benchmark.language) is not None,
            f"{name}: language is {benchmark.language!r}; expected a BCP 47 tag like 'en' or 'zh-Hant', "
            "'mul' for several, or 'und' if it is unknown.",
        )
        total = benchmark.total
        _expect(
            total is None or (type(total) is int and total > 0),
            f"{name}: total is {total!r}; expected a positive int, or None if unknown.",
        )

    def test_sample_has_the_expected_items(self, benchmark: Benchmark, tmp_path: Path) -> None:
        """The sample has all expected word pairs or analogies in order, and no others."""
        items = benchmark.read(self._write_sample(benchmark, tmp_path))
        expected = list(self.expected[benchmark.name])
        _expect(
            items == expected, f"{benchmark.name}: the sample has the items {items}; expected {expected}."
        )
        for item in items:
            _check_item(item, benchmark, "the sample")
        _expect(
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
        _expect(
            whole.covered == whole.total == total,
            f"{benchmark.name}: vectors with all words cover {whole.covered} of {whole.total} items; "
            f"expected {total}.",
        )
        low = -1 if benchmark.kind == "similarity" else 0
        for score in (whole, *categories):
            _expect(
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
        _expect(items is None, f"{benchmark.name}: a web page has the items {items}; expected a FormatError.")

    def _write_sample(self, benchmark: Benchmark, folder: Path) -> Path:
        __tracebackhide__ = True
        for attribute, values in (("samples", self.samples), ("expected", self.expected)):
            _expect(bool(values.get(benchmark.name)), f"{attribute} has nothing for {benchmark.name!r}.")
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
    _expect(
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
        _fail(f"{benchmark.name}: {label} raises {type(error).__name__} ({error}); expected a FormatError.")
    for item in items:
        _check_item(item, benchmark, label)
    return items


def _plugin_of(benchmark: Benchmark) -> str:
    """Return what the entry point of the plugin names that provides a benchmark."""
    __tracebackhide__ = True
    if benchmark in builtin_benchmarks.BENCHMARKS:
        return builtin_benchmarks.__name__
    for entry_point in entry_points(group=hookspecs.PROJECT):
        try:
            loaded = entry_point.load()
            provided = [loaded, *(getattr(loaded, "embedhub_benchmarks", tuple)() or ())]
        except Exception:  # noqa: BLE001, S112 - a plugin of others; of its own, test_plugin_is_loaded says why
            continue
        if benchmark in provided:
            return entry_point.value
    return _fail(f"No entry point provides {benchmark.name!r}; see the failure of test_plugin_is_loaded.")


def _reported() -> str:
    """Return the warnings about plugins that a new process shows, as a sentence; they say what is skipped."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-P", "-W", "always", "-c", _LOAD],
        env=environment,
        capture_output=True,
        encoding="utf-8",
        errors="backslashreplace",
        check=False,
    )
    text = done.stderr.strip()
    return f"Loading the plugins reports:\n{text}" if text else "Loading the plugins reports no problem."


def _expect(condition: bool, message: str) -> None:  # noqa: FBT001 - it reads like assert
    __tracebackhide__ = True
    if not condition:
        _fail(message)


def _fail(message: str) -> NoReturn:
    __tracebackhide__ = True
    pytest.fail(message)
