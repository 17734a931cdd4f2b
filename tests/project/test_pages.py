"""What the pages of the documentation tell a reader to do can be done, and does what they say."""

import inspect
import re
from pathlib import Path

import pytest
from pages import PAGES, ROOT, blocks_of, run

import embedhub

KINDS = {"python", "sh", "output", "text", "toml"}
# Pages that are run elsewhere: on engines, under each backend, with other tools, where they may install.
ELSEWHERE = {
    f"docs/{name}.md"
    for name in ("bigger-than-one-machine", "several-backends", "use-it-with", "writing-a-plugin")
}
GLOVE = ('"glove-6b", 50', '"glove-6b:50"')
# Each takes more than 7 s.
SLOW = {
    f"docs/{name}.md" for name in ("choose-a-source", "serving", "text-classification", "texts-to-vectors")
}
HERE = [page for page in PAGES if str(page.relative_to(ROOT)) not in ELSEWHERE and blocks_of(page)]


def name_of(page: Path) -> str:
    """Return the name of a page in the project."""
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=pytest.mark.slow if name_of(page) in SLOW else ()) for page in HERE],
    ids=map(name_of, HERE),
)
def test_page_prints_the_shown_output(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """All code of a page runs in order, offline, without a warning, and prints the output that is shown.

    Where a page opens glove-6b, that is the real one cut to 20,000 words.
    """
    if any(opening in block.code for block in blocks_of(page) for opening in GLOVE):
        request.getfixturevalue("small_mirror")
    folder = tmp_path / "reader"
    folder.mkdir()
    monkeypatch.chdir(folder)
    run(page, monkeypatch)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_code_blocks_are_run_or_marked(page: Path) -> None:
    """Every block of a page is of a kind that is run, or marked with the reason why it is not."""
    for block in blocks_of(page):
        assert block.kind in KINDS, f"{name_of(page)}, line {block.line}: {block.kind!r}"
        assert (block.order is None) == (not block.detail), f"{name_of(page)}, line {block.line}"


def test_page_of_parameters_has_each_of_them() -> None:
    """The page of parameters lists those of `keras_embedding`, in their order, with their defaults."""
    page = (ROOT / "docs" / "parameters.md").read_text("utf-8")
    shown = re.findall(r"(?m)^\| `(\w+)` \| ([^|]*) \|", page)
    parameters = inspect.signature(embedhub.keras_embedding).parameters.values()
    assert [name for name, _ in shown] == [parameter.name for parameter in parameters]
    for (name, default), parameter in zip(shown, parameters, strict=True):
        if parameter.default is not parameter.empty:
            assert default.strip("`").replace('"', "'") == repr(parameter.default), name


PAGE = """
```python
print("so")
```

```output
{shown}
```

<!-- {order} -->
```{kind}
no such thing
```

```output
never
```
"""


@pytest.mark.parametrize("order", ["not run: why not", "needs: no_such_module"])
def test_what_is_not_for_us_is_passed_over(
    order: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A block that says so is not run, nor is its output looked at."""
    page = tmp_path / "page.md"
    page.write_text(PAGE.format(shown="s...", order=order, kind="python"), "utf-8")
    assert run(page, monkeypatch)[1] == "so\n"


@pytest.mark.parametrize(
    ("shown", "order", "kind", "raised"),
    [
        ("else", "not run: why not", "sh", pytest.fail.Exception),
        ("so", "instead: false", "sh", AssertionError),
        ("so", "instead: echo something", "sh", pytest.fail.Exception),
        ("so", "anything", "sh", AssertionError),
        ("so", "anything", "python", SyntaxError),
    ],
)
def test_a_page_that_is_wrong_fails(
    shown: str,
    order: str,
    kind: str,
    raised: type[BaseException],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Code that fails, and output that is not what is shown, fail the page, whatever else it says."""
    page = tmp_path / "page.md"
    page.write_text(PAGE.format(shown=shown, order=order, kind=kind), "utf-8")
    with pytest.raises(raised):
        run(page, monkeypatch)
