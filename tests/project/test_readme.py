"""The README says the truth."""

import json
import re
from pathlib import Path

import compare_packages
import pytest

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


def test_links_of_the_readme_resolve() -> None:
    """Each link to a file of the project resolves; pages other than the catalog's are linked."""
    links = set(re.findall(r"\]\((?!https?:)([^)#]+)\)", README))
    root = Path(__file__).parents[2]
    assert {link for link in links if not (root / link).is_file()} == set()
    pages = {path.relative_to(root).as_posix() for path in (root / "docs").rglob("*.md")}
    assert {page for page in pages - links if not page.startswith("docs/catalog/")} == {"docs/index.md"}


def test_readme_fits_a_reader() -> None:
    """The README has at most 150 lines, and code before its first link."""
    assert len(README.splitlines()) <= 150
    assert README.index("embedhub.keras_embedding(") < README.index("](docs/")


def test_readme_has_the_checked_table() -> None:
    """The table of packages is the one whose cells `tox -e packages` checks."""
    written = README.partition(compare_packages.BEGIN)[2].partition(compare_packages.END)[0].strip()
    assert compare_packages.table({}).splitlines()[1:] == written.splitlines()[1:]
    versions = dict(re.findall(r"\| ([\w-]+) (\d[\w.]*)(?= \|)", written.splitlines()[0]))
    assert versions.keys() == {"gensim", "model2vec", "staticvectors", "keras-hub", "torchtext"}


def test_readme_has_the_command_of_ci() -> None:
    """The test command of the README is the one that .ci/run runs."""
    (command,) = re.findall(r"(?m)^    (python -m pip install tox && tox)$", README)
    assert command in (Path(__file__).parents[2] / ".ci" / "run").read_text("utf-8")


def test_readme_has_the_figures_of_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    """The README's figures, and the page with all measurements, come from one run."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    import report

    folder = Path(__file__).parents[2] / "docs" / "benchmarks"
    written = json.loads((folder / "results.json").read_text("utf-8"))
    assert report.highlights(written) in README
    assert report.markdown(written) == (folder / "results.md").read_text("utf-8")
