"""The notebooks in `examples/`, and the outputs that are stored in them.

    python tools/run_notebooks.py [first_layer] [choose_a_source] [write_a_plugin]

Each notebook runs in an empty folder, offline, with an empty cache, and is then stored with its outputs.
Needs embedhub, embedhub-text and embedhub-eval, and the dependency group `test`.
"""

import os
import re
import sys
import sysconfig
import tempfile
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
SECONDS = 240
"""Longest time for a cell."""

_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_LOG_OF_TENSORFLOW = re.compile(r"(WARNING: All log messages before absl|[IWE]\d{4} \d\d:\d\d).*\n?")
_STYLE = re.compile("\x1b\\[[0-9;]*m")


def run(path: Path, folder: Path) -> Any:
    """Run a notebook, and return it with its outputs.

    Args:
        path: The notebook.
        folder: An empty folder, in which the cells run, and into which they install packages.

    Raises:
        nbclient.exceptions.CellExecutionError: A cell raised an error.
    """
    work, site = folder / "work", folder / "site"
    work.mkdir()
    site.mkdir()
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(work)}},
        record_timing=False,
        coalesce_streams=True,
    )
    kernel: Any = client.create_kernel_manager()
    kernel.kernel_spec_manager = KernelSpecManager(kernel_dirs=[])  # this Python, not that of a user's kernel
    client.execute(env=_environment(folder, site))
    notebook.metadata = nbformat.from_dict(_METADATA)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})
        if cell.cell_type == "code":
            for output in cell.outputs:
                if output.output_type == "stream":
                    output.text = _portable(output.text, work)
            cell.outputs = [output for output in cell.outputs if output.get("text") != ""]
    return notebook


def _environment(folder: Path, site: Path) -> dict[str, str]:
    """Return the variables of a reader without network, cache and plugins, who installs into a folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EMBEDHUB_", "PIP_"))}
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    pip = {"NO_BUILD_ISOLATION": "0", "NO_DEPS": "1", "NO_INDEX": "1", "TARGET": str(site)}
    return (
        kept
        | {f"PIP_{name}": value for name, value in pip.items()}
        | {
            "EMBEDHUB_CACHE": str(folder / "cache"),
            "EMBEDHUB_DISABLE_PLUGINS": ",".join(point.name for point in entry_points(group="embedhub")),
            "EMBEDHUB_OFFLINE": "1",
            "EMBEDHUB_PROGRESS": "0",  # whether a bar is shown depends on the time that work takes
            "IPYTHONDIR": str(folder / "ipython"),
            "KERAS_BACKEND": "tensorflow",
            "PATH": path,
            "PYTHONPATH": str(site),
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
    )


def _portable(text: str, work: Path) -> str:
    """Return text without what depends on the machine: its folders, and what TensorFlow's C++ code logs."""
    return _LOG_OF_TENSORFLOW.sub("", _STYLE.sub("", text)).replace(f"{work}{os.sep}", "")


def main() -> None:
    """Run the notebooks, and store their outputs."""
    for path in NOTEBOOKS:
        if path.stem in (sys.argv[1:] or path.stem):
            with tempfile.TemporaryDirectory() as folder:
                nbformat.write(run(path, Path(folder)), path)


if __name__ == "__main__":
    main()
