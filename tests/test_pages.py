"""What the pages of the documentation tell a reader to do can be done, and does what they say."""

from pathlib import Path

import pytest
from pages import PAGES, ROOT, blocks_of, run

KINDS = {"python", "sh", "output", "text", "toml"}
# Pages that are run elsewhere: on engines, under each backend, with a place to install into.
ELSEWHERE = {"docs/bigger-than-one-machine.md", "docs/several-backends.md", "docs/writing-a-plugin.md"}
GLOVE = '"glove-6b", 50'  # the one dim of which the real data has all rows
HERE = [page for page in PAGES if str(page.relative_to(ROOT)) not in ELSEWHERE and blocks_of(page)]


def name_of(page: Path) -> str:
    """Return the name of a page in the project."""
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", HERE, ids=name_of)
def test_a_page_does_what_it_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """All code of a page runs in its order, offline, without a warning, and prints what is shown."""
    if any(GLOVE in block.code for block in blocks_of(page)):
        mirror = request.getfixturevalue("real_data") / "mirror"
        monkeypatch.setenv("EMBEDHUB_CACHE", str(request.getfixturevalue("_glove_cache")))
        monkeypatch.setenv("EMBEDHUB_MIRROR", str(mirror))
    folder = tmp_path / "reader"
    folder.mkdir()
    monkeypatch.chdir(folder)
    run(page, monkeypatch)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_code_hides_from_the_tests(page: Path) -> None:
    """Every block of a page is of a kind that is run, or known not to be; what is not run says why."""
    for block in blocks_of(page):
        assert block.kind in KINDS, f"{name_of(page)}, line {block.line}: {block.kind!r}"
        assert (block.order is None) == (not block.detail), f"{name_of(page)}, line {block.line}"
