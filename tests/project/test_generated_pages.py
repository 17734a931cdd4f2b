"""Pages of docs/ that are made from the code are those of this code, and can be read without a site."""

import json
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer
from children import PATIENCE

import embedhub
from embedhub.cli.app import app

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


@pytest.fixture(scope="module")
def maker() -> Any:
    """Return the module that makes the pages."""
    pytest.importorskip("embedhub_eval", reason="the pages have the names and commands of embedhub-eval")
    pytest.importorskip("embedhub_text", reason="the pages have the names and commands of embedhub-text")
    return import_module("make_pages")


@pytest.fixture(scope="module")
def pages(maker: Any) -> dict[str, str]:
    """Return the pages by name."""
    before = set(sys.modules)
    made: dict[str, str] = maker.pages()
    for name in set(sys.modules) - before:
        if name.startswith("embedhub_"):  # a plugin of the checkout, not the installed one
            del sys.modules[name]
    return made


def test_generated_pages_are_current(pages: dict[str, str]) -> None:
    """The committed pages are what the code makes, and there are no others."""
    committed = {f"catalog/{path.name}" for path in (DOCS / "catalog").glob("*.md")}
    assert committed == {name for name in pages if name.startswith("catalog/")}
    old = {name for name, text in pages.items() if (DOCS / name).read_text("utf-8") != text}
    assert not old, (
        "run: python tools/make_pages.py (with embedhub, embedhub-text and embedhub-eval installed)"
    )


def test_reference_has_every_public_name(maker: Any, pages: dict[str, str]) -> None:
    """The reference has each name of the packages, each error, and each name of other public modules once."""
    shown = re.findall(r"(?m)^### ([\w.]+)$", pages["reference.md"])
    assert len(shown) == len(set(shown))
    names = {path.rpartition(".")[2] for path in shown if path.startswith("embedhub.")}
    assert set(dir(embedhub)) - {"errors"} <= names
    for package in ("embedhub_text", "embedhub_eval"):
        public = {name for names in maker.public_names(package).values() for name in names}
        assert public == {path.partition(".")[2] for path in shown if path.startswith(f"{package}.")}
    parts = re.findall(r"(?m)^### ([\w.]+)$", pages["parts.md"])
    assert parts == [f"{module}.{name}" for module, names in maker.MODULES.items() for name in names]


def test_commands_page_has_every_command(pages: dict[str, str]) -> None:
    """Each command is listed by its name, with its summary, all its options and its examples."""
    page = pages["commands.md"].replace("\\", "")
    root = typer.main.get_command(app)
    commands: dict[str, Any] = {"embedhub": root}
    for group in ("embedhub", "embedhub cache"):
        context = typer.Context(commands[group])
        names = commands[group].list_commands(context)
        commands |= {f"{group} {name}": commands[group].get_command(context, name) for name in names}
    assert sorted(re.findall(r"(?m)^## (.+)$", page)) == sorted(commands)
    parts = dict(zip(re.findall(r"(?m)^## (.+)$", page), re.split(r"(?m)^## .+\n", page)[1:], strict=True))
    for name, command in commands.items():
        assert command.help.splitlines()[0] in parts[name]
        for option in (option for param in command.params for option in param.opts if option[:2] == "--"):
            assert option in parts[name], f"{name} {option}"
        if not hasattr(command, "commands"):
            examples = command.help.split("Examples:\n")[1].split("\n")
            assert all(line.strip().replace("\\", "") in parts[name] for line in examples), name


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of the headings of a page, as GitHub and the site make them."""
    titles = re.findall(r"(?m)^#+ (.+)$", page.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_work_without_a_site(page: Path) -> None:
    """No page includes another; each link and picture is a file of the project, with the heading it names."""
    text = re.sub(r"(?ms)^ *```.*?^ *```$", "", page.read_text("utf-8"))
    assert "--8<--" not in text
    assert not re.search(r"(?m)^::: ", text)
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.is_file(), target
        assert not anchor or anchor in anchors_of(file), target


def test_pictures_are_described_and_load_nothing() -> None:
    """Each picture of README and pages has a text in place of it; the pictures name no other host."""
    for page in PAGES:
        assert "![](" not in page.read_text("utf-8"), page
    for picture in DOCS.rglob("*.svg"):
        text = picture.read_text("utf-8")
        assert not re.search(r"url\(\W*http|href=\"http|@import", text), picture


def test_picture_of_the_demo_has_the_figures_of_the_pages() -> None:
    """The accuracies in the picture are those that the quick start states."""
    picture = (DOCS / "images" / "demo.svg").read_text("utf-8")
    for figure in re.findall(r"(\d+\.\d)%", picture)[-5:]:
        assert f"{figure} %" in (DOCS / "start.md").read_text("utf-8"), figure


def test_plot_of_benchmarks_is_that_of_the_results(tmp_path: Path) -> None:
    """The committed plot and tables are those of the committed results, and the plot has them as text."""
    committed = DOCS / "benchmarks"
    shutil.copy(committed / "results.json", tmp_path)
    script = ROOT / "benchmarks" / "report.py"
    subprocess.run([sys.executable, script, tmp_path], check=True, timeout=PATIENCE)
    for name in ("results.json", "results.md", "results.svg"):
        assert (tmp_path / name).read_text("utf-8") == (committed / name).read_text("utf-8"), name
    plot = (tmp_path / "results.svg").read_text("utf-8")
    for result in json.loads((tmp_path / "results.json").read_text("utf-8"))["results"]:
        if (result["step"], result["way"]) == ("text to store", "polars"):
            assert f"polars {result['seconds']:.3g} s" in plot.partition("</desc>")[0]


def test_pictures_of_a_terminal_can_be_read_on_a_phone() -> None:
    """In a column of 388 pixels their letters are of 8.5 pixels or more."""
    make_screens = pytest.importorskip("make_screens", reason="the pictures are made in a terminal of POSIX")
    for name in make_screens.SCREENS:
        picture = (DOCS / "images" / f"{name}.svg").read_text("utf-8")
        (width,) = re.findall(r'viewBox="0 0 (\d+)', picture)
        (height,) = re.findall(r"(?s)terminal-matrix \{.*?font-size: (\d+)px", picture)
        assert int(height) * 388 / int(width) >= 8.5, name


def test_plots_are_those_of_the_commands() -> None:
    """The map of words has the words that its command names, the plot of quality its sources."""
    make_screens = pytest.importorskip("make_screens", reason="the pictures are made in a terminal of POSIX")
    for name, command in make_screens.PLOTS.items():
        picture = (DOCS / "images" / f"{name}.svg").read_text("utf-8")
        arguments = command.split()[2 : command.split().index("--topn" if name == "words" else "--text")]
        assert all(f">{argument.partition(':')[0]}" in picture for argument in arguments), name
