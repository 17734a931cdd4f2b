"""What the class of a contract declares: any iterable is read once, and what tests nothing is a failure."""

from pathlib import Path
from typing import Any

import pytest
from command import add_distribution
from contracts import MINE, RIGHT_PLUGIN, run_contract

from embedhub.testing import SourceContract

GOOD: dict[str, Any] = {"sources": [MINE], "samples": {2: [b"a 1 2\n"]}, "expected": {2: {"a": [1, 2]}}}


def made(**changes: object) -> SourceContract:
    """Return a contract whose class has some other attributes."""
    contract: SourceContract = type("TestMine", (SourceContract,), GOOD | changes)()
    return contract


def test_iterables_are_read_once() -> None:
    """Sources and samples may come from generators: every test sees all of them."""
    contract = made(sources=iter([MINE]), samples={2: (sample for sample in [b"a 1 2\n"])})
    contract.test_class_is_complete()
    assert contract.sources == (MINE,)
    assert contract.samples == {2: (b"a 1 2\n",)}


def failing() -> Any:
    """Raise an error at the first source."""
    yield 1 // 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sources": []}, "TestMine: sources is empty, so that nothing is tested; expected a list of Embe"),
        (
            {"sources": None},
            r"sources is None; expected a list of EmbeddingSource objects, as in sources = \[",
        ),
        ({"sources": MINE}, r"sources is RemoteSource\(.*; expected a list of EmbeddingSource"),
        ({"sources": failing}, r"sources is <function .*, or what it returns: sources = failing\(\)"),
        ({"sources": failing()}, r"sources cannot be listed: ZeroDivisionError \(.*\); expected"),
        ({"sources": ["mine"]}, "sources has 'mine'; expected a list of EmbeddingSource objects"),
        ({"samples": None}, "samples is None; expected a dict of lists of bytes"),
        ({"samples": {2: b"a 1 2\n"}}, r"samples\[2\] is b'a 1 2.*; expected a list of bytes, one for each"),
        ({"samples": {2: ["a 1 2\n"]}}, r"samples\[2\] has 'a 1 2.*; expected a list of bytes"),
        ({"samples": {"2": [b""]}}, "samples has the dim '2'; expected a positive int"),
        ({"expected": None}, "expected is None; it should have words and numbers by dimension"),
        ({"expected": {"a": [1, 2]}}, r"expected\['a'\] is \[1, 2\]; it should have words with numbers"),
        ({"expected": {2: {"a": 1}}}, r"expected\[2\]\['a'\] is 1; it should be the first numbers"),
        ({"expected": {2: {}}}, r"expected\[2\] is empty, so that nothing is tested"),
    ],
)
def test_a_class_that_tests_nothing_fails(changes: dict[str, Any], message: str) -> None:
    """An attribute that is empty or malformed is a failure that says what to write."""
    with pytest.raises(pytest.fail.Exception, match=message):
        made(**changes).test_class_is_complete()


INCOMPLETE = """
import embedhub_right
from embedhub.testing import FormatContract, SourceContract


class TestNothing(SourceContract):
    sources = []


class TestGenerator(SourceContract):
    sources = (source for source in embedhub_right.SOURCES[1:])
    expected = {2: {"a": [1, 0]}}


class TestNoFormat(FormatContract):
    pass
"""


@pytest.mark.slow
def test_an_incomplete_class_fails_once(tmp_path: Path) -> None:
    """Of a class without sources one test fails, and the others are skipped; a generator is not used up."""
    add_distribution(tmp_path / "site", "embedhub-right", RIGHT_PLUGIN)
    printed = run_contract(tmp_path, INCOMPLETE)
    assert "TestNothing: sources is empty, so that nothing is tested" in printed
    assert "TestNoFormat: format is None; expected a Format, as in format = FORMAT." in printed
    assert "\n2 failed, " in printed
