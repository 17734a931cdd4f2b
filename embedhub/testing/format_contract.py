"""Contract of file formats: tests that plugin authors inherit. They need pytest."""

from collections.abc import Sequence
from typing import Any, ClassVar

from embedhub.download.remote_file import RemoteFile
from embedhub.registry.registry import sources
from embedhub.registry.remote_source import RemoteSource
from embedhub.registry.source import EmbeddingSource
from embedhub.testing._declared import shorten
from embedhub.testing._failures import describe, expect
from embedhub.testing._loaded import Group
from embedhub.testing._sample_tests import SampleTests
from embedhub.testing._table import candidates, check_value
from embedhub.vectors.blocks import Format


class FormatContract(SampleTests):
    r"""Tests that every format of local files must pass; a subclass names its format, and has samples.

    The format must be installed, since its entry point is tested too. A format with companion files, or one
    that only sources use, is tested by `embedhub.testing.SourceContract`.

    Example:
        The complete test file of a plugin::

            class TestBread(FormatContract):
                format = embedhub_bread.FORMAT
                samples = {2: [b"BRED\x02...", Path(__file__).with_name("sample.gz").read_bytes()]}
                expected = {2: {"the": [0.25, -0.5], "cat": [0.125, 2.0]}}

    Attributes:
        format: The tested format.
        samples: For one or more dimensions, the contents of tiny files, all with the same words and vectors.
        expected: For each of these dimensions, all words of a sample in order, each with the first numbers of
            its vector.
    """

    format: ClassVar[Format | None] = None
    _source: ClassVar[RemoteSource | None] = None

    def __init_subclass__(cls, **options: Any) -> None:
        """Make a source that reads the samples in the format."""
        super().__init_subclass__(**options)
        cls._source = None
        if not isinstance(cls.format, Format):
            cls._add_problem(f"format is {shorten(cls.format)}; expected a Format, as in format = FORMAT.")
        elif not any(cls.samples.values()):
            cls._add_problem(
                "samples is empty, so that nothing is tested; expected small files by dimension, as in "
                "{3: [b'...']}."
            )
        else:
            try:
                cls._source = _source_of(cls.format, {dim: len(files) for dim, files in cls.samples.items()})
            except ValueError as error:
                cls._add_problem(f"the format cannot be used: {describe(error)}.")

    def _sources(self) -> Sequence[EmbeddingSource]:
        return [self._source] if self._source else []

    def _group(self) -> Group:
        return Group(
            sources().plugins,
            "embedhub_formats",
            "embedhub",
            "name = 'module:<FORMAT', or a module with a function embedhub_formats marked with @hookimpl "
            "that returns the format",
        )

    def _given(self, source: EmbeddingSource) -> Format:
        return _format_of(source)

    def test_format_is_a_value(self, source: RemoteSource) -> None:
        """The format recognizes files, and can be compared and pickled."""
        expect(
            _format_of(source).detect is not None,
            f"{source.name}: detect is None; expected a function: without it, no file of a user is "
            "read in this format.",
        )
        check_value(source)

    def test_samples_have_expected_vectors_by_dim(self, source: RemoteSource) -> None:
        """Each dimension of the samples has its expected words."""
        missing = [dim for dim in source.dims if dim not in self.expected]
        expect(not missing, f"samples has the dims {missing}, but expected has only {[*self.expected]}.")


def _source_of(tested: Format, counts: dict[int, int]) -> RemoteSource:
    files = {
        dim: [
            RemoteFile(f"https://samples.invalid/{dim}d/sample-{number}", format=tested)
            for number in range(count)
        ]
        for dim, count in counts.items()
    }
    return RemoteSource(
        name=tested.name, files=files, description="", language="und", cased=True, license="", citation="",
        homepage="",
    )  # fmt: skip


def _format_of(source: EmbeddingSource) -> Format:
    tested = candidates(source, source.dims[0])[0].format
    assert isinstance(tested, Format)  # noqa: S101 - _source_of has put it there
    return tested
