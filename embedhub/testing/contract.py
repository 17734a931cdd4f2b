"""Contract of sources: tests that plugin authors inherit. They need pytest."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, cast

import pytest

from embedhub.errors import DimNotFoundError
from embedhub.registry.registry import sources
from embedhub.registry.source import EmbeddingSource
from embedhub.testing._blocks import check_expected, fetch, parse, same
from embedhub.testing._declared import read_once
from embedhub.testing._failures import describe, expect, fail
from embedhub.testing._loaded import Group
from embedhub.testing._sample_tests import SampleTests, file_names
from embedhub.testing._table import candidates, check_hashes, check_metadata, check_value


class SourceContract(SampleTests):
    """Tests that every source must pass; a subclass names its sources, and has samples of their files.

    The sources must be installed, since their entry point is tested too. Nothing is downloaded.

    Example:
        The complete test file of a plugin::

            class TestMyCorpus(SourceContract):
                sources = [embedhub_my_corpus.SOURCE]
                samples = {3: [Path(__file__).with_name("sample.txt").read_bytes()]}
                expected = {3: {"the": [0.25, -0.5, 1.0], "cat": [0.125, 2.0, -0.75]}}

    Attributes:
        sources: The tested sources, in any iterable; all of them read the samples.
        samples: For one or more dimensions, the content of a tiny file for each candidate, in order, with the
            same words and vectors; the contents of its companion files follow each. Each format of each
            source needs a sample. Sources that compute their vectors do not need samples.
        expected: For each dimension of the samples, all words of a sample in order, each with the first
            numbers of its vector; for sources without samples, any of their words.
    """

    sources: ClassVar[Iterable[EmbeddingSource]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        """Read what the class has once, since it may be a generator."""
        super().__init_subclass__(**options)
        cls.sources, problem = read_once("sources", cls.sources, EmbeddingSource)
        if problem:
            cls._add_problem(problem)

    def _sources(self) -> Sequence[EmbeddingSource]:
        return cast("Sequence[EmbeddingSource]", self.sources)  # made a tuple in __init_subclass__

    def _group(self) -> Group:
        return Group(
            sources().plugins,
            "embedhub_sources",
            "embedhub",
            "name = 'module:<SOURCE', or a module with a function embedhub_sources marked with @hookimpl "
            "that returns the source",
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
                any(dim in other.dims for other in self._sources()),
                f"There is a sample of dim {dim}, which none of the sources has.",
            )
            expect(dim in self.expected, f"samples has dim {dim}, but expected has only {[*self.expected]}.")
            if dim in source.dims:
                count = sum(map(len, file_names(source, dim)))
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
            first, second = (parse(source, fetch(source, dim), dim) for _ in range(2))
            expect(
                first[0] == second[0] and same(first[1], second[1]),
                f"{source.name}: dim {dim} has other words or vectors when it is computed again. Seed random "
                "numbers, and sort what is in a set or a folder.",
            )
            check_expected(source.name, f"dim {dim}", first, self.expected[dim], complete=False)
