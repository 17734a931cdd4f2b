"""Tests of sample files, shared by the contracts of sources and of formats."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from embedhub.download.remote_file import Fetched, RemoteFile
from embedhub.registry.remote_source import RemoteSource
from embedhub.registry.source import EmbeddingSource
from embedhub.testing._blocks import Parsed, check_expected, fetch, parse, parse_or_none, place_of, same
from embedhub.testing._declared import find_problem_of_expected, read_samples
from embedhub.testing._failures import SKIP, expect
from embedhub.testing._formats import check_detection
from embedhub.testing._loaded import Group, check_loaded, check_side_effects
from embedhub.testing._stores import build_store, check_composer, open_again
from embedhub.testing._table import candidates
from embedhub.vectors.blocks import Format

_TRUNCATIONS = 50
_CORRUPTIONS = 50
_WEB_PAGE = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head>\n<body></body></html>\n"


class SampleTests:
    """Tests of samples; a subclass has the samples by dimension, and the sources that read them."""

    samples: ClassVar[Mapping[int, Sequence[bytes]]] = {}
    expected: ClassVar[Mapping[int, Mapping[str, Sequence[float]]]] = {}
    _problems: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        """Read the attributes of the class once, since they may be generators."""
        super().__init_subclass__(**options)
        cls.samples, problem = read_samples(cls.samples)
        cls._problems = tuple(filter(None, (problem, find_problem_of_expected(cls.expected))))

    @classmethod
    def _add_problem(cls, problem: str) -> None:
        cls._problems = (problem, *cls._problems)

    def _sources(self) -> Sequence[EmbeddingSource]:
        """Return the tested sources."""
        raise NotImplementedError

    def _group(self) -> Group:
        """Return the plugins of the tested kind."""
        raise NotImplementedError

    def _given(self, source: EmbeddingSource) -> EmbeddingSource | Format:
        """Return the objects that the plugin provides."""
        return source

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each test for each source, but tests of samples only once for sources with the same reader."""
        tested = {
            "source": self._sources,
            "sampled": lambda: [source for source in self._representatives() if self._has_samples(source)],
            "stored": self._representatives,
        }
        for argument in tested.keys() & set(metafunc.fixturenames):
            if self._problems:
                metafunc.parametrize(argument, [pytest.param(None, id="none", marks=SKIP)])
            else:
                metafunc.parametrize(argument, tested[argument](), ids=lambda source: source.name)

    def _representatives(self) -> list[EmbeddingSource]:
        first: dict[object, EmbeddingSource] = {}
        for source in self._sources():
            formats = [(dim, file.format) for dim in self.samples for file in candidates(source, dim)]
            read = (type(source), *formats) if self._has_samples(source) else (source,)
            first.setdefault(read, source)
        return list(first.values())

    def _has_samples(self, source: EmbeddingSource) -> bool:
        return isinstance(source, RemoteSource) or any(dim in self.samples for dim in source.dims)

    def test_class_is_complete(self) -> None:
        """The class has what is tested, samples and expected vectors, in their form."""
        expect(not self._problems, f"{type(self).__name__}: {' '.join(self._problems)}")

    def test_plugin_is_loaded(self, source: EmbeddingSource) -> None:
        """An installed plugin provides what is tested under its name, and none has failed to do so."""
        check_loaded(self._group(), self._given(source), [*map(self._given, self._sources())])

    def test_loading_has_no_side_effects(self, source: EmbeddingSource) -> None:
        """Listing names reads only installed files, and uses no network, process or further package."""
        check_side_effects(self._group(), self._given(source))

    def test_samples_have_the_expected_vectors(self, sampled: EmbeddingSource, tmp_path: Path) -> None:
        """Every candidate has the expected words in order, and the expected vectors in float32."""
        for dim, fetched in self._write_samples(sampled, tmp_path):
            check_expected(sampled.name, fetched.path.name, parse(sampled, fetched, dim), self.expected[dim])

    def test_candidates_have_the_same_vectors(self, sampled: EmbeddingSource, tmp_path: Path) -> None:
        """The samples of a dimension have the same words and vectors, bit for bit."""
        first_of_dim: dict[int, Parsed] = {}
        for dim, fetched in self._write_samples(sampled, tmp_path):
            words, vectors = parse(sampled, fetched, dim)
            first_words, first_vectors = first_of_dim.setdefault(dim, (words, vectors))
            expect(
                words == first_words and same(vectors, first_vectors),
                f"{sampled.name}: {fetched.path.name} has other words or vectors than the first sample of "
                f"dim {dim}. Cut both samples from files of the same vectors.",
            )

    def test_formats_are_recognized(self, sampled: EmbeddingSource, tmp_path: Path) -> None:
        """A format of the plugin's own recognizes its samples by their bytes, and no file of another."""
        for dim, fetched in self._write_samples(sampled, tmp_path):
            if fetched.file and isinstance(fetched.file.format, Format) and fetched.file.format.detect:
                check_detection(sampled.name, fetched.file.format, fetched.path, dim)

    def test_store_returns_the_parsed_vectors(
        self, stored: EmbeddingSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A look-up returns the vectors that were parsed; of duplicate words, the first one's."""
        monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
        for number, (dim, fetched) in enumerate(self._inputs(stored, tmp_path)):
            opened = build_store(stored, fetched, dim, tmp_path / f"store-{number}")
            words, vectors = parse(stored, fetched, dim)
            first: dict[str, int] = {}
            for row, word in enumerate(words):
                first.setdefault(word, row)
            expected = vectors[[*first.values()]]
            expect(
                list(opened.words) == list(first)
                and same(opened.matrix, expected)
                and same(opened.lookup(list(first)), expected),
                f"{stored.name}: the store of {place_of(fetched, dim)} has other words or vectors than were "
                "read or computed.",
            )

    def test_composer_makes_vectors(
        self, stored: EmbeddingSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """If the source or its format has a composer, it makes a finite float32 vector for any word."""
        if type(stored).composer is EmbeddingSource.composer:
            return
        monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
        for number, (dim, fetched) in enumerate(self._inputs(stored, tmp_path)):
            folder = tmp_path / f"store-{number}"
            check_composer(build_store(stored, fetched, dim, folder), open_again(stored, folder))

    def test_truncated_files_have_no_wrong_vectors(self, sampled: EmbeddingSource, tmp_path: Path) -> None:
        """A truncated file has the vectors before its end, or raises FormatError."""
        for dim, fetched in self._write_samples(sampled, tmp_path):
            words, vectors = parse(sampled, fetched, dim)
            content = fetched.path.read_bytes()
            length = len(content)
            for size in sorted({*range(0, length, -(-length // _TRUNCATIONS)), length - 1}):
                fetched.path.write_bytes(content[:size])
                label = f"{fetched.path.name} truncated to {size} of {length} bytes"
                first_words, first_vectors = parse_or_none(sampled, fetched, dim, label) or ([], vectors[:0])
                count = len(first_words)
                expect(
                    first_words == words[:count] and same(first_vectors, vectors[:count]),
                    f"{sampled.name}: {label} has words or vectors that the complete file does not have. "
                    "Raise embedhub.FormatError where a vector is incomplete.",
                )

    def test_corrupted_files_raise_only_format_errors(self, sampled: EmbeddingSource, tmp_path: Path) -> None:
        """A file with wrong bytes has well-formed blocks, or raises FormatError."""
        for dim, fetched in self._write_samples(sampled, tmp_path):
            content = fetched.path.read_bytes()
            expect(bool(content), f"{sampled.name}: {fetched.path.name} is empty; expected a small file.")
            for seed in range(_CORRUPTIONS):
                random = np.random.default_rng(seed)
                corrupted = np.frombuffer(content, np.uint8).copy()
                places = random.integers(len(corrupted), size=random.integers(1, 9))
                corrupted[places] = random.integers(256, size=len(places))
                fetched.path.write_bytes(corrupted.tobytes())
                label = f"{fetched.path.name} corrupted at the bytes {places.tolist()}"
                parse_or_none(sampled, fetched, dim, label)

    def test_web_pages_raise_format_errors(self, sampled: EmbeddingSource, tmp_path: Path) -> None:
        """The error page of a server in place of the file raises FormatError."""
        for dim, fetched in self._write_samples(sampled, tmp_path):
            fetched.path.write_bytes(_WEB_PAGE)
            label = f"a web page in place of {fetched.path.name}"
            parsed = parse_or_none(sampled, fetched, dim, label)
            expect(parsed is None, f"{sampled.name}: {label} has the vectors {parsed}; expected FormatError.")

    def _inputs(self, source: EmbeddingSource, folder: Path) -> Iterator[tuple[int, Fetched | None]]:
        """Yield the inputs of stores: samples, or None for each computed dimension."""
        if self._has_samples(source):
            yield from self._write_samples(source, folder)
            return
        yield from ((dim, fetch(source, dim)) for dim in source.dims if dim in self.expected)

    def _write_samples(self, source: EmbeddingSource, folder: Path) -> Iterator[tuple[int, Fetched]]:
        """Write the samples of a source as if they had been downloaded, and yield each with its dimension."""
        for dim in source.dims:
            contents = iter(self.samples.get(dim, ()))
            files: Sequence[RemoteFile | None] = candidates(source, dim) or (None,)
            for number, (file, names) in enumerate(zip(files, file_names(source, dim), strict=True)):
                paths = [folder / f"{dim}d" / str(number) / name for name in names]
                written = list(zip(paths, contents, strict=False))
                for path, content in written:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content)
                if written:
                    companions = dict(zip(names[1:], paths[1:], strict=True))
                    yield dim, Fetched(paths[0], file, companions)


def file_names(source: EmbeddingSource, dim: int) -> list[list[str]]:
    """Return for each candidate the names of its file and of its companion files."""
    files = candidates(source, dim)
    return [[Path(file.cache_name).name for file in first.all_files] for first in files] or [["sample"]]
