"""The page "Use it with ...": its code runs, with each package that is installed."""

from pathlib import Path

import pytest
from pages import ROOT, run


@pytest.mark.slow
def test_page_of_tools_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page prints what it shows; `tox -e bridges` has all its packages."""
    monkeypatch.setenv("EMBEDHUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("EMBEDHUB_PROGRESS", "0")
    (tmp_path / "reader").mkdir()
    monkeypatch.chdir(tmp_path / "reader")
    run(ROOT / "docs" / "use-it-with.md", monkeypatch)
