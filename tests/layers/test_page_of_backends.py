"""The page of the documentation on backends, under the one in use."""

from pathlib import Path

import pages
import pytest


@pytest.mark.slow
def test_the_page_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its code gives what is shown, under each backend."""
    monkeypatch.chdir(tmp_path)
    pages.run(pages.ROOT / "docs" / "several-backends.md", monkeypatch)
