"""The README says the truth."""

import json
import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


def test_its_links_lead_somewhere() -> None:
    """Each link to a file of the project is to one that is there; each guide of docs/ is linked to."""
    links = set(re.findall(r"\]\((?!https?:)([^)#]+)\)", README))
    root = Path(__file__).parents[2]
    assert {link for link in links if not (root / link).is_file()} == set()
    of_the_site = {"index.md", "changelog.md", "contributing.md", "security.md"}
    pages = {path.relative_to(root).as_posix() for path in (root / "docs").rglob("*.md")}
    assert pages - links == {f"docs/{name}" for name in of_the_site}


def test_its_commands_are_the_ones_that_ci_runs() -> None:
    """The test command of the README is what .ci/run runs."""
    (command,) = re.findall(r"(?m)^    (python -m pip install tox && tox)$", README)
    assert command in (Path(__file__).parents[2] / ".ci" / "run").read_text("utf-8")


def test_its_figures_are_those_of_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    """The README's table, and the page with all measurements, are what one run wrote."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    import report

    folder = Path(__file__).parents[2] / "docs" / "benchmarks"
    written = json.loads((folder / "results.json").read_text("utf-8"))
    assert report.targets_table(written) in README
    assert report.markdown(written) == (folder / "results.md").read_text("utf-8")
