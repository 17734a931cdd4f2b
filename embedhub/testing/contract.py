"""The contract of a source: `SourceContract`, tests that the author of a plugin inherits. Needs pytest."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from inspect import signature
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from embedhub.download.remote_file import Fetched, RemoteFile
from embedhub.errors import DimNotFoundError, OfflineError, PluginWarning, SourceNotFoundError
from embedhub.registry.entry_points import entry_points
from embedhub.registry.registry import sources
from embedhub.registry.remote_source import RemoteSource
from embedhub.registry.source import EmbeddingSource
from embedhub.testing._blocks import Parsed, check_expected, parse, parse_or_none, same
from embedhub.testing._failures import describe, expect, fail
from embedhub.testing._formats import check_detection
from embedhub.testing._table import candidates, check_hashes, check_metadata, check_value
from embedhub.testing.import_audit import side_effects
from embedhub.vectors.blocks import Format
from embedhub.vectors.store import open_store
from embedhub.vectors.store_writer import StoreWriter

_TRUNCATIONS = 50
_CORRUPTIONS = 50
_SHOWN_EFFECTS = 20
_WEB_PAGE = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head>\n<body></body></html>\n"


class SourceContract:
    """Tests that hold for every source; a subclass names its sources, and has samples of their files.

    The sources must be installed, since their entry point is tested too. Nothing is downloaded.

    Example:
        The complete test file of a plugin::

            class TestMyCorpus(SourceContract):
                sources = [embedhub_my_corpus.SOURCE]
                samples = {3: [Path(__file__).with_name("sample.txt").read_bytes()]}
                expected = {3: {"the": [0.25, -0.5, 1.0], "cat": [0.125, 2.0, -0.75]}}

    Attributes:
        sources: The tested sources; the samples belong to all of them.
        samples: For one or more dimensions, the content of a tiny file for each candidate, in their order,
            with the same words and vectors; each is followed by the contents of its companion files. Each
            format of each source needs a sample. A source that computes its vectors needs none.
        expected: For each dimension of the samples, all words of a sample in order, each with the first
            numbers of its vector; of a source without samples, some of its words.
    """

    sources: ClassVar[Sequence[EmbeddingSource]]
    samples: ClassVar[Mapping[int, Sequence[bytes]]] = {}
    expected: ClassVar[Mapping[int, Mapping[str, Sequence[float]]]]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each test for each source; tests of samples for one of all sources that the same code reads."""
        if "source" not in metafunc.fixturenames:
            return
        uses_samples = "tmp_path" in signature(metafunc.function).parameters
        tested = self._representatives() if uses_samples else self.sources
        metafunc.parametrize("source", tested, ids=lambda source: source.name)

    def _representatives(self) -> list[EmbeddingSource]:
        first: dict[object, EmbeddingSource] = {}
        for source in filter(self._has_samples, self.sources):
            formats = [(dim, file.format) for dim in self.samples for file in candidates(source, dim)]
            first.setdefault((type(source), *formats), source)
        return list(first.values())

    def _has_samples(self, source: EmbeddingSource) -> bool:
        return isinstance(source, RemoteSource) or any(dim in self.samples for dim in source.dims)

    def test_plugin_is_loaded(self, source: EmbeddingSource) -> None:
        """An installed plugin provides the source under its name, and none has failed to do so."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PluginWarning)  # the failure has its reason
            providers = sources().providers().get(source.name, {})
        problems = sources().plugins.problems
        failed = [f"\n  {problem.provider} {problem.text}." for problem in problems]
        if not providers and failed:
            fail(
                f"No plugin provides {source.name!r}. If yours is one of these, this is why:{''.join(failed)}"
                "\nOtherwise its distribution is not installed: python -m pip install ."
            )
        expect(
            bool(providers),
            f"No installed plugin provides {source.name!r}. Its pyproject.toml needs, in "
            f"[project.entry-points.embedhub], {source.name} = '<module>:<SOURCE>', or a module with a "
            "function embedhub_sources marked with @hookimpl that returns the source. Install the "
            "distribution: python -m pip install .",
        )
        own = [f"{problem.provider} {problem.text}." for problem in problems if problem.provider in providers]
        expect(not own, f"The plugin has problems, which `embedhub doctor` shows too: {' '.join(own)}")
        try:
            registered = sources()[source.name]
        except SourceNotFoundError as error:
            fail(str(error))
        expect(
            registered == source,
            f"{source.name!r} is registered, but not as the tested source: {registered!r} of "
            f"{', '.join(providers)}. Install the distribution again: python -m pip install .",
        )

    def test_loading_has_no_side_effects(self, source: EmbeddingSource) -> None:
        """Listing names reads only installed files, and uses no network, process or further package."""
        provider = sources().provider(source.name)
        try:
            effects = side_effects(_modules().get(provider, provider))
        except RuntimeError as error:
            fail(str(error))
        shown = [*effects[:_SHOWN_EFFECTS], *(["..."] if len(effects) > _SHOWN_EFFECTS else [])]
        expect(
            not effects,
            f"The plugin {provider} {'; '.join(shown)}. It is loaded whenever sources are listed. Import "
            "large packages, read files other than code, compute and print in the function that needs it: "
            "`compute`, `read` or `parse`.",
        )

    def test_metadata_is_complete(self, source: EmbeddingSource) -> None:
        """The metadata describes the source, its language, its license and its authors."""
        check_metadata(source)

    def test_source_is_a_value(self, source: EmbeddingSource) -> None:
        """The source can be hashed, compared, pickled and replaced."""
        check_value(source)

    def test_unknown_dims_raise(self, source: EmbeddingSource, monkeypatch: pytest.MonkeyPatch) -> None:
        """The dimensions are sorted, each has a cache key, and any other one raises DimNotFoundError."""
        monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
        dims = source.dims
        expect(
            bool(dims) and list(dims) == sorted({dim for dim in dims if type(dim) is int and dim > 0}),
            f"{source.name}: dims is {dims!r}; expected positive ints, smallest first.",
        )
        for dim in dims:
            key = source.cache_key(dim)
            expect(
                isinstance(key, str) and bool(key),
                f"{source.name}: cache_key({dim}) is {key!r}; expected a string.",
            )
        absent = max(dims) + 1
        for method in (source.fetch, source.vectors):
            try:
                method(absent)
            except DimNotFoundError:
                continue
            except Exception as error:  # noqa: BLE001 - the type of the error is what is tested
                fail(
                    f"{source.name}: dim {absent} raises {describe(error)}; expected DimNotFoundError. Call "
                    "self.check_dim(dim) first."
                )
            fail(
                f"{source.name}: dim {absent} raises nothing, although it is not in dims. Call "
                "self.check_dim(dim) in fetch."
            )

    def test_published_hashes_are_plausible(self, source: EmbeddingSource) -> None:
        """No hash is that of an empty file or of files of different dimensions, and a URL has one hash."""
        check_hashes(source)

    def test_samples_cover_every_format(self, source: EmbeddingSource) -> None:
        """Each candidate has its sample, each format of the source has one, and each dimension its values."""
        for dim, contents in self.samples.items():
            expect(
                any(dim in other.dims for other in self.sources),
                f"There is a sample of dim {dim}, which none of the sources has.",
            )
            expect(dim in self.expected, f"samples has dim {dim}, but expected has only {[*self.expected]}.")
            if dim in source.dims:
                count = sum(map(len, _file_names(source, dim)))
                expect(
                    len(contents) == count,
                    f"{source.name}: samples[{dim}] has {len(contents)} files; expected {count}: one for "
                    "each candidate, and for each of its companion files.",
                )
        if not self._has_samples(source):
            expect(
                any(dim in source.dims for dim in self.expected),
                f"{source.name}: expected has the dims {[*self.expected]}; expected one or more of "
                f"{source.dims}, each with some words and the first numbers of their vectors.",
            )
            return
        sampled = [dim for dim in source.dims if dim in self.samples]
        expect(bool(sampled), f"{source.name}: there is no sample of one of its dims: {source.dims}.")
        formats = {file.format for dim in sampled for file in candidates(source, dim)}
        missing = {file.format for dim in source.dims for file in candidates(source, dim)} - formats
        expect(not missing, f"{source.name}: these formats have no sample: {missing}.")

    def test_computed_vectors_are_repeatable(
        self, source: EmbeddingSource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A source without samples yields well-formed blocks with the expected vectors, twice the same."""
        if self._has_samples(source):
            return
        monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
        for dim in (dim for dim in source.dims if dim in self.expected):
            first, second = (_computed(source, dim) for _ in range(2))
            expect(
                first[0] == second[0] and same(first[1], second[1]),
                f"{source.name}: dim {dim} has other words or vectors when it is computed again. Seed random "
                "numbers, and sort what is in a set or a folder.",
            )
            check_expected(source.name, f"dim {dim}", first, self.expected[dim], complete=False)

    def test_samples_have_the_expected_vectors(self, source: EmbeddingSource, tmp_path: Path) -> None:
        """Every candidate has the expected words in order, and the expected vectors in float32."""
        for dim, fetched in self._write_samples(source, tmp_path):
            check_expected(source.name, fetched.path.name, parse(source, fetched, dim), self.expected[dim])

    def test_candidates_have_the_same_vectors(self, source: EmbeddingSource, tmp_path: Path) -> None:
        """The samples of a dimension have the same words and vectors, bit for bit."""
        first_of_dim: dict[int, Parsed] = {}
        for dim, fetched in self._write_samples(source, tmp_path):
            words, vectors = parse(source, fetched, dim)
            first_words, first_vectors = first_of_dim.setdefault(dim, (words, vectors))
            expect(
                words == first_words and same(vectors, first_vectors),
                f"{source.name}: {fetched.path.name} has other words or vectors than the first sample of dim "
                f"{dim}. Cut both samples from files of the same vectors.",
            )

    def test_formats_are_recognized(self, source: EmbeddingSource, tmp_path: Path) -> None:
        """A format of the plugin's own recognizes its samples by their bytes, and no file of another."""
        for dim, fetched in self._write_samples(source, tmp_path):
            if fetched.file and isinstance(fetched.file.format, Format) and fetched.file.format.detect:
                check_detection(source.name, fetched.file.format, fetched.path, dim)

    def test_store_returns_the_parsed_vectors(self, source: EmbeddingSource, tmp_path: Path) -> None:
        """A look-up returns the vectors that were parsed; of duplicate words, the first one's."""
        for dim, fetched in self._write_samples(source, tmp_path):
            words, vectors = parse(source, fetched, dim)
            folder = fetched.path.with_name(f"{fetched.path.name}-store")
            with StoreWriter(folder, name=source.name, dim=dim) as writer:
                for block in source.parse(fetched, dim):
                    writer.write(block)
            opened = open_store(folder)
            distinct = list(dict.fromkeys(words))
            expected = vectors[[words.index(word) for word in distinct]]
            expect(
                list(opened.words) == distinct
                and same(opened.matrix, expected)
                and same(opened.lookup(distinct), expected),
                f"{source.name}: the store of {fetched.path.name} has other words or vectors than the file.",
            )

    def test_truncated_files_have_no_wrong_vectors(self, source: EmbeddingSource, tmp_path: Path) -> None:
        """A truncated file has the vectors before its end, or raises FormatError."""
        for dim, fetched in self._write_samples(source, tmp_path):
            words, vectors = parse(source, fetched, dim)
            content = fetched.path.read_bytes()
            length = len(content)
            for size in sorted({*range(0, length, -(-length // _TRUNCATIONS)), length - 1}):
                fetched.path.write_bytes(content[:size])
                label = f"{fetched.path.name} truncated to {size} of {length} bytes"
                first_words, first_vectors = parse_or_none(source, fetched, dim, label) or ([], vectors[:0])
                count = len(first_words)
                expect(
                    first_words == words[:count] and same(first_vectors, vectors[:count]),
                    f"{source.name}: {label} has words or vectors that the complete file does not have. "
                    "Raise embedhub.FormatError where a vector is incomplete.",
                )

    def test_corrupted_files_raise_only_format_errors(self, source: EmbeddingSource, tmp_path: Path) -> None:
        """A file with wrong bytes has well-formed blocks, or raises FormatError."""
        for dim, fetched in self._write_samples(source, tmp_path):
            content = fetched.path.read_bytes()
            for seed in range(_CORRUPTIONS):
                random = np.random.default_rng(seed)
                corrupted = np.frombuffer(content, np.uint8).copy()
                places = random.integers(len(corrupted), size=random.integers(1, 9))
                corrupted[places] = random.integers(256, size=len(places))
                fetched.path.write_bytes(corrupted.tobytes())
                label = f"{fetched.path.name} corrupted at the bytes {places.tolist()}"
                parse_or_none(source, fetched, dim, label)

    def test_web_pages_raise_format_errors(self, source: EmbeddingSource, tmp_path: Path) -> None:
        """The error page of a server in place of the file raises FormatError."""
        for dim, fetched in self._write_samples(source, tmp_path):
            fetched.path.write_bytes(_WEB_PAGE)
            label = f"a web page in place of {fetched.path.name}"
            parsed = parse_or_none(source, fetched, dim, label)
            expect(parsed is None, f"{source.name}: {label} has the vectors {parsed}; expected FormatError.")

    def _write_samples(self, source: EmbeddingSource, folder: Path) -> Iterator[tuple[int, Fetched]]:
        """Write the samples of a source as if they had been downloaded, and yield each with its dimension."""
        for dim in source.dims:
            contents = iter(self.samples.get(dim, ()))
            files: Sequence[RemoteFile | None] = candidates(source, dim) or (None,)
            for number, (file, names) in enumerate(zip(files, _file_names(source, dim), strict=True)):
                paths = [folder / f"{dim}d" / str(number) / name for name in names]
                written = list(zip(paths, contents, strict=False))
                for path, content in written:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content)
                if written:
                    companions = dict(zip(names[1:], paths[1:], strict=True))
                    yield dim, Fetched(paths[0], file, companions)


def _file_names(source: EmbeddingSource, dim: int) -> list[list[str]]:
    """Return for each candidate the names of its file and of its companion files."""
    files = candidates(source, dim)
    return [[Path(file.cache_name).name for file in first.all_files] for first in files] or [["sample"]]


@cache
def _modules() -> dict[str, str]:
    """Return the module of each plugin by its provider; embedhub's own modules are their providers."""
    return {provider: entry_point.value for provider, entry_point in entry_points("embedhub")}


def _computed(source: EmbeddingSource, dim: int) -> Parsed:
    """Return what a source without samples yields; it must need no download."""
    try:
        return parse(source, source.fetch(dim), dim)
    except OfflineError as error:
        fail(f"{source.name}: dim {dim} needs a download, so it needs samples of its files. {error}")
