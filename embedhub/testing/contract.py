"""The contract of a source: `SourceContract`, tests that the author of a plugin inherits. Needs pytest."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from hashlib import new
from inspect import signature
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import numpy as np
import pytest
from numpy.typing import NDArray

from embedhub.download.remote_file import Fetched, RemoteFile
from embedhub.errors import DimNotFoundError, FormatError, SourceNotFoundError
from embedhub.registry.plugins import entry_points
from embedhub.registry.registry import sources
from embedhub.registry.remote_source import RemoteSource
from embedhub.registry.source import EmbeddingSource
from embedhub.testing.import_audit import side_effects
from embedhub.vectors.blocks import ExtraFile
from embedhub.vectors.store import open_store
from embedhub.vectors.store_writer import StoreWriter

_TRUNCATIONS = 50
_CORRUPTIONS = 50
_WEB_PAGE = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head>\n<body></body></html>\n"
# The subtags of RFC 5646 in their recommended case, without the irregular tags.
_BCP_47 = re.compile(
    r"[a-z]{2,3}(-[a-z]{3})?(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?(-([a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"
    r"(-x(-[a-z0-9]{1,8})+)?"
)

Parsed = tuple[list[str], NDArray[np.float32]]


class SourceContract:
    """Tests that hold for every source; a subclass names its sources, and has samples of their files.

    The sources must be installed, since their entry point is tested too. Nothing is downloaded.

    Example:
        The complete test file of a plugin::

            class TestMyCorpus(SourceContract):
                sources = [embedhub_my_corpus.SOURCE]
                samples = {3: [Path(__file__).with_name("sample.txt").read_bytes()]}
                expected = {"the": [0.25, -0.5, 1.0], "cat": [0.125, 2.0, -0.75]}

    Attributes:
        sources: The tested sources; the samples belong to all of them.
        samples: For one or more dimensions, the content of a tiny file for each candidate, in their order,
            with the same words and vectors; each is followed by the contents of its companion files. Each
            format of each source needs a sample.
        expected: All words of a sample in order, each with the first numbers of its vector.
    """

    sources: ClassVar[Sequence[EmbeddingSource]]
    samples: ClassVar[Mapping[int, Sequence[bytes]]]
    expected: ClassVar[Mapping[str, Sequence[float]]]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each test for each source; tests of samples for one of all sources that the same code reads."""
        uses_samples = "tmp_path" in signature(metafunc.function).parameters
        tested = self._representatives() if uses_samples else self.sources
        metafunc.parametrize("source", tested, ids=lambda source: source.name)

    def _representatives(self) -> list[EmbeddingSource]:
        first: dict[object, EmbeddingSource] = {}
        for source in self.sources:
            formats = [(dim, file.format) for dim in self.samples for file in _candidates(source, dim)]
            first.setdefault((type(source), *formats), source)
        return list(first.values())

    def test_source_is_registered(self, source: EmbeddingSource) -> None:
        """An installed plugin provides the source under its name."""
        try:
            registered = sources()[source.name]
        except SourceNotFoundError:
            _fail(
                f"No installed plugin provides {source.name!r}. Its pyproject.toml needs the module in "
                "[project.entry-points.embedhub], and the module a function embedhub_sources marked with "
                "@hookimpl, which returns the source. Install the distribution: python -m pip install ."
            )
        _expect(registered == source, f"{source.name!r} is registered, but not as the tested source.")

    def test_hook_has_no_side_effects(self, source: EmbeddingSource) -> None:
        """Listing names reads only installed files, and uses no network, process or further package."""
        provider = sources().provider(source.name)
        effects = side_effects(_modules().get(provider, provider))
        _expect(
            not effects,
            f"The plugin {provider} {'; '.join(effects)}. Its hook runs whenever sources are listed. Import "
            "large packages, and read files other than code, in the function that needs them.",
        )

    def test_metadata_is_complete(self, source: EmbeddingSource) -> None:
        """The metadata describes the source, its language, its license and its authors."""
        for field in ("description", "license", "citation"):
            text = getattr(source, field)
            _expect(
                isinstance(text, str) and bool(text) and text == " ".join(text.split()),
                f"{source.name}: {field} is {text!r}; expected one line.",
            )
        _expect(
            re.fullmatch(r"https://[^/\s]+(/\S*)?", source.homepage) is not None,
            f"{source.name}: homepage is {source.homepage!r}; expected 'https://...'.",
        )
        _expect(
            _BCP_47.fullmatch(source.language) is not None,
            f"{source.name}: language is {source.language!r}; expected a BCP 47 tag like 'en', 'zh-Hant', "
            "'de-AT', or 'mul' for several.",
        )
        _expect(type(source.cased) is bool, f"{source.name}: cased is {source.cased!r}; expected a bool.")
        size = source.vocab_size
        _expect(
            size is None or (type(size) is int and size > 0),
            f"{source.name}: vocab_size is {size!r}; expected a positive int, or None if unknown.",
        )

    def test_unknown_dims_raise(self, source: EmbeddingSource, monkeypatch: pytest.MonkeyPatch) -> None:
        """The dimensions are sorted, each has a cache key, and any other one raises DimNotFoundError."""
        monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
        dims = source.dims
        _expect(
            bool(dims) and list(dims) == sorted({dim for dim in dims if type(dim) is int and dim > 0}),
            f"{source.name}: dims is {dims!r}; expected positive ints, smallest first.",
        )
        for dim in dims:
            key = source.cache_key(dim)
            _expect(
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
                _fail(f"{source.name}: dim {absent} raises {_describe(error)}; expected DimNotFoundError.")
            _fail(f"{source.name}: dim {absent} raises nothing, although it is not in dims.")

    def test_published_hashes_are_plausible(self, source: EmbeddingSource) -> None:
        """No hash is that of an empty file or of files of different dimensions, and a URL has one hash."""
        by_location: dict[str, set[str | None]] = defaultdict(set)
        by_hash: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        for dim in source.dims:
            candidates = _candidates(source, dim)
            locations = tuple(file.location for file in candidates)
            for candidate in candidates:
                if candidate.known_hash:
                    by_hash[candidate.known_hash].add(locations)
            for file in (file for candidate in candidates for file in candidate.all_files):
                by_location[file.location].add(file.known_hash)
                for known_hash in filter(None, (file.known_hash, file.archive_hash)):
                    algorithm, _, value = known_hash.partition(":")
                    _expect(
                        value != new(algorithm, usedforsecurity=False).hexdigest(),
                        f"{source.name}: {file.location} has the hash of an empty file, {known_hash}.",
                    )
        for location, hashes in by_location.items():
            _expect(len(hashes) == 1, f"{source.name}: {location} has several hashes: {hashes}.")
        for known_hash, places in by_hash.items():
            _expect(
                len(places) == 1, f"{source.name}: {known_hash} is the hash of several dimensions: {places}."
            )

    def test_samples_cover_every_format(self, source: EmbeddingSource) -> None:
        """Each candidate has its sample, and each format of the source has one."""
        for dim, contents in self.samples.items():
            _expect(
                any(dim in other.dims for other in self.sources),
                f"There is a sample of dim {dim}, which none of the sources has.",
            )
            if dim in source.dims:
                count = sum(map(len, _file_names(source, dim)))
                _expect(
                    len(contents) == count,
                    f"{source.name}: samples[{dim}] has {len(contents)} files; expected {count}: one for "
                    "each candidate, and for each of its companion files.",
                )
        sampled = [dim for dim in source.dims if dim in self.samples]
        _expect(bool(sampled), f"{source.name}: there is no sample of one of its dims: {source.dims}.")
        formats = {file.format for dim in sampled for file in _candidates(source, dim)}
        missing = {file.format for dim in source.dims for file in _candidates(source, dim)} - formats
        _expect(not missing, f"{source.name}: these formats have no sample: {missing}.")

    def test_samples_have_the_expected_vectors(self, source: EmbeddingSource, tmp_path: Path) -> None:
        """Every candidate has the expected words in order, and the expected vectors in float32."""
        for dim, fetched in self._write_samples(source, tmp_path):
            words, vectors = _parse(source, fetched, dim)
            distinct = list(dict.fromkeys(words))
            _expect(
                distinct == list(self.expected),
                f"{source.name}: {fetched.path.name} has the words {distinct}; "
                f"expected {list(self.expected)}.",
            )
            for word, numbers in self.expected.items():
                expected = np.array(numbers, np.float32)
                actual = vectors[words.index(word)][: len(expected)]
                _expect(
                    _same(actual, expected),
                    f"{source.name}: the vector of {word!r} in {fetched.path.name} starts with "
                    f"{actual.tolist()}; expected {expected.tolist()} in float32.",
                )

    def test_candidates_have_the_same_vectors(self, source: EmbeddingSource, tmp_path: Path) -> None:
        """The samples of a dimension have the same words and vectors, bit for bit."""
        first_of_dim: dict[int, Parsed] = {}
        for dim, fetched in self._write_samples(source, tmp_path):
            words, vectors = _parse(source, fetched, dim)
            first_words, first_vectors = first_of_dim.setdefault(dim, (words, vectors))
            _expect(
                words == first_words and _same(vectors, first_vectors),
                f"{source.name}: {fetched.path.name} has other words or vectors than the first sample of dim "
                f"{dim}.",
            )

    def test_store_returns_the_parsed_vectors(self, source: EmbeddingSource, tmp_path: Path) -> None:
        """A look-up returns the vectors that were parsed; of duplicate words, the first one's."""
        for dim, fetched in self._write_samples(source, tmp_path):
            words, vectors = _parse(source, fetched, dim)
            folder = fetched.path.with_name(f"{fetched.path.name}-store")
            with StoreWriter(folder, name=source.name, dim=dim) as writer:
                for block in source.parse(fetched, dim):
                    writer.write(block)
            opened = open_store(folder)
            distinct = list(dict.fromkeys(words))
            expected = vectors[[words.index(word) for word in distinct]]
            _expect(
                list(opened.words) == distinct
                and _same(opened.matrix, expected)
                and _same(opened.lookup(distinct), expected),
                f"{source.name}: the store of {fetched.path.name} has other words or vectors than the file.",
            )

    def test_truncated_files_have_no_wrong_vectors(self, source: EmbeddingSource, tmp_path: Path) -> None:
        """A truncated file has the vectors before its end, or raises FormatError."""
        for dim, fetched in self._write_samples(source, tmp_path):
            words, vectors = _parse(source, fetched, dim)
            content = fetched.path.read_bytes()
            length = len(content)
            for size in sorted({*range(0, length, -(-length // _TRUNCATIONS)), length - 1}):
                fetched.path.write_bytes(content[:size])
                label = f"{fetched.path.name} truncated to {size} of {length} bytes"
                first_words, first_vectors = _parse_or_none(source, fetched, dim, label) or ([], vectors[:0])
                count = len(first_words)
                _expect(
                    first_words == words[:count] and _same(first_vectors, vectors[:count]),
                    f"{source.name}: {label} has words or vectors that the complete file does not have.",
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
                _parse_or_none(source, fetched, dim, label)

    def test_web_pages_raise_format_errors(self, source: EmbeddingSource, tmp_path: Path) -> None:
        """The error page of a server in place of the file raises FormatError."""
        for dim, fetched in self._write_samples(source, tmp_path):
            fetched.path.write_bytes(_WEB_PAGE)
            label = f"a web page in place of {fetched.path.name}"
            parsed = _parse_or_none(source, fetched, dim, label)
            _expect(parsed is None, f"{source.name}: {label} has the vectors {parsed}; expected FormatError.")

    def _write_samples(self, source: EmbeddingSource, folder: Path) -> Iterator[tuple[int, Fetched]]:
        """Write the samples of a source as if they had been downloaded, and yield each with its dimension."""
        for dim in source.dims:
            contents = iter(self.samples.get(dim, ()))
            candidates: Sequence[RemoteFile | None] = _candidates(source, dim) or (None,)
            for number, (file, names) in enumerate(zip(candidates, _file_names(source, dim), strict=True)):
                paths = [folder / f"{dim}d" / str(number) / name for name in names]
                written = list(zip(paths, contents, strict=False))
                for path, content in written:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content)
                if written:
                    companions = dict(zip(names[1:], paths[1:], strict=True))
                    yield dim, Fetched(paths[0], file, companions)


def _candidates(source: EmbeddingSource, dim: int) -> tuple[RemoteFile, ...]:
    return source.candidates(dim) if isinstance(source, RemoteSource) else ()


def _file_names(source: EmbeddingSource, dim: int) -> list[list[str]]:
    """Return for each candidate the names of its file and of its companion files."""
    candidates = _candidates(source, dim)
    return [[Path(file.cache_name).name for file in first.all_files] for first in candidates] or [["sample"]]


@cache
def _modules() -> dict[str, str]:
    """Return the module of each plugin by its provider; embedhub's own modules are their providers."""
    return {provider: entry_point.value for provider, entry_point in entry_points("embedhub")}


def _parse(source: EmbeddingSource, fetched: Fetched, dim: int) -> Parsed:
    """Parse a sample; a malformed block fails the test."""
    all_words: list[str] = []
    all_vectors = [np.empty((0, dim), np.float32)]
    for block in source.parse(fetched, dim):
        if isinstance(block, ExtraFile):
            continue
        words, vectors = block
        shape = (len(words), dim)
        _expect(
            isinstance(vectors, np.ndarray) and vectors.shape == shape and vectors.dtype == np.float32,
            f"{source.name}: the block of {fetched.path.name} has {len(words)} words with "
            f"{_describe_array(vectors)}; expected an array of shape {shape} and dtype float32.",
        )
        _expect(
            isinstance(words, list) and all(isinstance(word, str) for word in words),
            f"{source.name}: the block of {fetched.path.name} has the words {words!r}; expected a list.",
        )
        all_words += words
        all_vectors.append(vectors)
    return all_words, np.concatenate(all_vectors)


def _parse_or_none(source: EmbeddingSource, fetched: Fetched, dim: int, label: str) -> Parsed | None:
    """Parse a sample, or return None if it raises FormatError; any other error fails the test."""
    try:
        return _parse(source, fetched, dim)
    except FormatError:
        return None
    except Exception as error:  # noqa: BLE001 - the type of the error is what is tested
        _fail(f"{source.name}: {label} raises {_describe(error)}; expected embedhub's FormatError.")


def _same(left: NDArray[Any], right: NDArray[Any]) -> bool:
    """Return whether two float32 arrays are equal bit for bit."""
    return left.shape == right.shape and left.tobytes() == right.tobytes()


def _describe_array(vectors: object) -> str:
    shape, dtype = getattr(vectors, "shape", None), getattr(vectors, "dtype", None)
    return f"vectors of type {type(vectors).__name__}, shape {shape} and dtype {dtype}"


def _describe(error: Exception) -> str:
    return f"{type(error).__name__} ({error})"


def _expect(condition: bool, message: str) -> None:  # noqa: FBT001 - it reads like assert
    __tracebackhide__ = True
    if not condition:
        _fail(message)


def _fail(message: str) -> NoReturn:
    __tracebackhide__ = True
    pytest.fail(message)
