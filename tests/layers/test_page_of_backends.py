"""The documentation page on backends, with the backend in use."""

from pathlib import Path

import pages
import pytest


@pytest.mark.slow
def test_code_of_the_page_prints_its_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The code on the page prints what is shown, with each backend."""
    monkeypatch.chdir(tmp_path)
    pages.run(pages.ROOT / "docs" / "several-backends.md", monkeypatch)
