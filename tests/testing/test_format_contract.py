"""The contract of a format that a plugin gives without a source."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import add_distribution
from contracts import BREAD, RIGHT_PLUGIN, by_mark, read_bread, run_contract

from embedhub import Detected, Format
from embedhub.testing import FormatContract
from embedhub.vectors.blocks import Block

FORMAT = Format("bread", read_bread, detect=by_mark)
TESTS = r"""
import gzip

import embedhub_right
from embedhub.testing import FormatContract

SAMPLE = b"BRED\x02" + b"\x00\x00\x80?" + b"\x00\x00\x00@"


class TestBread(FormatContract):
    format = embedhub_right.BREAD
    samples = {2: [SAMPLE, SAMPLE]}
    expected = {2: {"bread": [1, 2]}}
"""


def made(tested: Any = FORMAT, **changes: Any) -> FormatContract:
    """Return the contract of a format."""
    facts = {"format": tested, "samples": {2: [BREAD]}, "expected": {2: {"bread": [1, 2]}}} | changes
    contract: FormatContract = type("TestBread", (FormatContract,), facts)()
    return contract


def source_of(contract: FormatContract) -> Any:
    """Return the source with which a contract reads its samples."""
    (source,) = contract._sources()  # noqa: SLF001 - pytest has it from pytest_generate_tests
    return source


@pytest.mark.slow
def test_a_plugin_with_only_a_format_keeps_the_contract(tmp_path: Path) -> None:
    """All tests of an installed format pass, without a source."""
    code = RIGHT_PLUGIN.partition("\n\n\n@hookimpl")[0] + "\n"
    add_distribution(tmp_path / "site", "embedhub-right", code, attribute="BREAD")
    assert re.search(r"\n\d+ passed in", run_contract(tmp_path, TESTS))


@pytest.mark.slow
def test_a_format_that_no_plugin_gives_is_reported(tmp_path: Path) -> None:
    """The failure says how a plugin gives a format, and the test of its side effects is skipped."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "embedhub_right.py").write_text(RIGHT_PLUGIN, "utf-8")
    printed = run_contract(tmp_path, TESTS)
    assert "No installed plugin provides 'bread'. Its pyproject.toml needs" in printed
    assert "embedhub_formats marked with @hookimpl that returns the format" in printed
    assert re.search(r"\n1 failed, \d+ passed, 1 skipped in", printed)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tested": None}, "format is None; expected a Format"),
        ({"samples": {}}, "samples is empty, so that nothing is tested"),
        ({"samples": {2: []}}, "samples is empty, so that nothing is tested"),
        ({"tested": Format("two words", read_bread)}, "the format cannot be used: ValueError"),
    ],
)
def test_incomplete_classes_are_reported(changes: dict[str, Any], message: str) -> None:
    """A class without a format or without samples is a failure."""
    with pytest.raises(pytest.fail.Exception, match=message):
        made(**changes).test_class_is_complete()


def test_a_format_for_files_of_users_recognizes_them() -> None:
    """A format without detect breaks the contract: no file would ever be read in it."""
    contract = made(replace(FORMAT, detect=None))
    with pytest.raises(pytest.fail.Exception, match="bread: detect is None; expected a function"):
        contract.test_format_is_a_value(source_of(contract))


def test_each_dimension_of_samples_has_expected_words() -> None:
    """Samples of a dimension of which nothing is expected break the contract."""
    contract = made(expected={3: {"bread": [1]}})
    with pytest.raises(
        pytest.fail.Exception, match=r"samples has the dims \[2\], but expected has only \[3\]"
    ):
        contract.test_samples_have_expected_vectors_by_dim(source_of(contract))


def wrong(path: Path, dim: int) -> Iterator[Block]:
    """Read whatever numbers there are."""
    yield Block(["bread"], np.zeros((1, dim), np.float32))


def test_a_faulty_reader_is_reported(tmp_path: Path) -> None:
    """A reader that yields other numbers than expected breaks the contract."""
    contract = made(replace(FORMAT, read=wrong))
    with pytest.raises(
        pytest.fail.Exception, match=r"'bread' in \S+ starts with \[0.0, 0.0\]; expected \[1.0"
    ):
        contract.test_samples_have_the_expected_vectors(source_of(contract), tmp_path)


def marked(dim: Callable[[bytes], Any]) -> Callable[..., Any]:
    """Return what recognizes the mark, and gets the dimension by a function."""
    return lambda start, _: Detected(dim(start)) if start[:4] == b"BRED" else None


@pytest.mark.parametrize(
    ("detect", "message"),
    [
        (marked(lambda start: start[4]), r"truncated to 4 of 13 bytes \(b'BRED'\), raises IndexError"),
        (
            marked(lambda start: start[4] if start[4:] else 7),
            r"at byte 4 \(b'BRED.x00.*returns Detected\(dim=0",
        ),
        (
            marked(lambda start: start[4] if len(start) == 13 else -1),
            r"\(b'BRED'\), returns Detected\(dim=-1",
        ),
        (
            marked(lambda start: 2 if len(start) == 13 else "2"),
            r"returns Detected\(dim='2'.*expected None, or",
        ),
        (
            lambda start, path: by_mark(start, path) if start != bytes(3) else 1 // 0,
            r"with 3 bytes \(b'.x00.x00.x00'\), raises ZeroDivisionError",
        ),
    ],
)
def test_a_format_that_fails_on_damaged_files_is_reported(detect: Any, message: str, tmp_path: Path) -> None:
    """Damaged files are not recognized, or give a valid dimension; the failure shows the bytes."""
    contract = made(replace(FORMAT, detect=detect))
    with pytest.raises(pytest.fail.Exception, match=message):
        contract.test_formats_are_recognized(source_of(contract), tmp_path)
