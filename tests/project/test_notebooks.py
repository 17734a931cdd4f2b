"""The notebooks in examples/ run, and their stored outputs are what they show."""

import re
from pathlib import Path
from typing import Any

import pytest

nbformat: Any = pytest.importorskip("nbformat", reason="the notebooks are read and run with nbclient")
tool: Any = pytest.importorskip("run_notebooks", reason="the notebooks are read and run with nbclient")
NOTEBOOKS: list[Path] = tool.NOTEBOOKS
ROOT: Path = tool.ROOT
KINDS = {"text/plain", "text/html", "image/png"}
TIME = re.compile(r"\d+\.\d+s\b")
ACCURACY = re.compile(r"(?<=accuracy on the test sentences: )\d\.\d+")  # depends on the processor
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(path: Path) -> list[Any]:
    """Return the cells with code."""
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def shown_by(cells: list[Any]) -> list[list[tuple[str, str]]]:
    """Return the texts that each cell shows, with their kinds; pictures have an empty text."""
    return [[text for output in cell.outputs for text in _texts_of(output)] for cell in cells]


def _texts_of(output: Any) -> list[tuple[str, str]]:
    if output.output_type == "stream":
        return [(output.name, output.text)]
    if output.output_type == "error":
        return [("error", output.evalue)]
    data = output.data.items()
    return [(kind, "" if kind.startswith("image/") else text) for kind, text in sorted(data)]


def comparable(shown: list[list[tuple[str, str]]]) -> list[list[tuple[str, str]]]:
    """Return the same without times, and without figures that depend on the processor."""
    return [[(kind, ACCURACY.sub("?", TIME.sub("?", text))) for kind, text in cell] for cell in shown]


def accuracies(shown: list[list[tuple[str, str]]]) -> list[float]:
    """Return the accuracies of models that are shown."""
    return [float(number) for cell in shown for _, text in cell for number in ACCURACY.findall(text)]


def test_there_are_notebooks() -> None:
    """A reader finds three, which are linked in the README."""
    names = [path.name for path in NOTEBOOKS]
    assert names == ["choose_a_source.ipynb", "first_layer.ipynb", "write_a_plugin.ipynb"]
    readme = (ROOT / "README.md").read_text("utf-8")
    assert all(f"](examples/{name})" in readme for name in names)


@each_notebook
def test_stored_notebooks_are_valid(path: Path) -> None:
    """A notebook is of nbformat's form, as the tool writes it, with the fewest metadata."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert nbformat.writes(notebook) + "\n" == path.read_text("utf-8")
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert dict(notebook.metadata.language_info) == {"name": "python"}
    assert all(not cell.metadata for cell in notebook.cells)


@each_notebook
def test_stored_outputs_are_of_one_run(path: Path) -> None:
    """All cells were run once in their order, without errors and warnings, and their pictures are small."""
    cells = code_cells(path)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    kinds = {kind for cell in shown_by(cells) for kind, _ in cell}
    assert kinds <= KINDS | {"stdout"}
    assert path.stat().st_size < 200_000


@each_notebook
def test_notebooks_do_not_name_a_machine(path: Path) -> None:
    """No folder of the machine on which a notebook ran is in it."""
    text = path.read_text("utf-8")
    assert not re.search(r"(?<![\w.:/])/(?:home|root|tmp|usr|var|opt|work|Users)/|[A-Z]:\\\\", text)
    assert str(ROOT) not in text


@each_notebook
def test_links_of_notebooks_resolve(path: Path) -> None:
    """Each link to a file of the project resolves from examples/."""
    prose = "".join(
        cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type != "code"
    )
    links = re.findall(r"\]\((?!https?:)([^)#]+)", prose)
    assert links
    assert [link for link in links if not (path.parent / link).is_file()] == []


@pytest.mark.slow
@each_notebook
def test_notebooks_show_the_stored_outputs(path: Path, tmp_path: Path) -> None:
    """A run in an empty folder, offline, has the stored outputs, but for times; accuracies are similar."""
    shown = shown_by([cell for cell in tool.run(path, tmp_path).cells if cell.cell_type == "code"])
    stored = shown_by(code_cells(path))
    assert comparable(shown) == comparable(stored)
    assert accuracies(shown) == pytest.approx(accuracies(stored), abs=0.1)
