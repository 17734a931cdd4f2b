"""The README says the truth."""

import json
import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


def test_links_of_the_readme_resolve() -> None:
    """Each link to a file of the project resolves; each guide of docs/ is linked."""
    links = set(re.findall(r"\]\((?!https?:)([^)#]+)\)", README))
    root = Path(__file__).parents[2]
    assert {link for link in links if not (root / link).is_file()} == set()
    of_the_site = {"index.md", "changelog.md", "contributing.md", "security.md"}
    pages = {path.relative_to(root).as_posix() for path in (root / "docs").rglob("*.md")}
    assert pages - links == {f"docs/{name}" for name in of_the_site}


def test_readme_has_the_command_of_ci() -> None:
    """The test command of the README is the one that .ci/run runs."""
    (command,) = re.findall(r"(?m)^    (python -m pip install tox && tox)$", README)
    assert command in (Path(__file__).parents[2] / ".ci" / "run").read_text("utf-8")


def test_readme_has_the_figures_of_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    """The README's table, and the page with all measurements, come from one run."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    import report

    folder = Path(__file__).parents[2] / "docs" / "benchmarks"
    written = json.loads((folder / "results.json").read_text("utf-8"))
    assert report.targets_table(written) in README
    assert report.markdown(written) == (folder / "results.md").read_text("utf-8")
