"""The README says the truth."""

import json
import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def test_its_commands_are_the_ones_that_ci_runs() -> None:
    """The test command of the README is what .ci/run runs."""
    (command,) = re.findall(r"(?m)^    (python -m pip install tox && tox)$", README)
    assert command in (Path(__file__).parents[1] / ".ci" / "run").read_text("utf-8")


def test_its_figures_are_those_of_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    """The README's table, and the page with all measurements, are what one run wrote."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    import report

    folder = Path(__file__).parents[1] / "docs" / "benchmarks"
    written = json.loads((folder / "results.json").read_text("utf-8"))
    assert report.targets_table(written) in README
    assert report.markdown(written) == (folder / "results.md").read_text("utf-8")
