"""The plugin as a whole: each of its problems fails the contract, once and with its reason."""

from pathlib import Path

import pytest
from command import add_distribution
from contracts import BROKEN_TESTS, run_contract

MINE = """
from embedhub import RemoteFile, RemoteSource, hookimpl


def source(name):
    return RemoteSource(
        name=name, files={2: RemoteFile("https://vectors.example/a")}, description="Mine", language="en",
        cased=False, license="CC0-1.0", citation="Me", homepage="https://vectors.example",
    )


SOURCE = source("mine")


@hookimpl
def embedhub_sources():
    return [SOURCES]
"""
GOOD_SAMPLE = BROKEN_TESTS.replace('b"the 1 2"', 'b"the 1 2\\n"')


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (
            "SOURCE, SOURCE",
            "embedhub-mine (embedhub-mine) provides the name 'mine' twice; the first one is used.",
        ),
        (
            "SOURCE, source('glove-6b')",
            "provides the name 'glove-6b', which is embedhub's own; that one is skipped.",
        ),
    ],
)
def test_problems_of_a_plugin_are_a_failure(sources: str, message: str, tmp_path: Path) -> None:
    """A plugin that works but for some of its names fails with that problem."""
    add_distribution(tmp_path / "site", "embedhub-mine", MINE.replace("SOURCES", sources))
    printed = run_contract(tmp_path, GOOD_SAMPLE)
    assert message in printed
    assert ".." not in printed.partition(message)[2].partition("\n")[0]
    assert "\n1 failed, " in printed


@pytest.mark.slow
def test_another_entry_point_of_the_distribution_is_part_of_the_plugin(tmp_path: Path) -> None:
    """A second entry point that cannot be loaded fails the contract of the first one's source."""
    add_distribution(tmp_path / "site", "embedhub-mine", MINE.replace("SOURCES", "SOURCE"))
    (facts,) = (tmp_path / "site").glob("*.dist-info/entry_points.txt")
    facts.write_text(f"{facts.read_text('utf-8')}other = embedhub_mine:ABSENT\n", "utf-8")
    printed = run_contract(tmp_path, GOOD_SAMPLE)
    assert "The plugin has problems" in printed
    assert "embedhub-mine (other) is skipped, because it is broken: AttributeError" in printed


@pytest.mark.slow
def test_a_plugin_that_is_not_installed_fails_once(tmp_path: Path) -> None:
    """Only one test fails, with the cause; the others that need the plugin are skipped."""
    two = GOOD_SAMPLE.replace("sources = [", "sources = [*(embedhub.sources()[name] for name in ()), ")
    printed = run_contract(tmp_path, two)
    assert "Failed: No installed plugin provides 'mine'. Its pyproject.toml needs" in printed
    assert "SourceNotFoundError" not in printed
    assert "\n1 failed, " in printed
