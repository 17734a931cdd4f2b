"""The shape of the package: what imports what, what loads when, what is shipped."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib import metadata, resources
from pathlib import Path

import pytest
from children import PATIENCE

import embedhub

PACKAGE = Path(str(resources.files("embedhub")))
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    """Return the name of a module inside the package."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


@cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(path.read_text("utf-8"))


@cache
def imports(path: Path) -> frozenset[str]:
    """Return the full names of all modules that a module imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= (
                {f"{node.module}.{alias.name}" for alias in node.names}
                if node.module == "embedhub"
                else {str(node.module)}
            )
    return frozenset(names)


def test_heavy_packages_are_imported_in_one_module() -> None:
    """Only the module of a task imports the package for it."""
    homes: dict[str, set[str]] = {}
    for path in MODULES:
        for name in imports(path):
            homes.setdefault(name.split(".")[0], set()).add(name_of(path))
    assert homes["pooch"] == {"download.fetch"}
    layers = {
        f"layers.{name}"
        for name in (
            "_distribution",
            "_matrix_layer",
            "_partly_trainable",
            "initializer",
            "keras",
            "keras_text",
        )
    }
    assert homes["keras"] == layers | {"cli.demo"}
    assert homes["torch"] == {"layers.torch"}
    assert homes["orjson"] == {"formats.selection"}
    assert homes["pluggy"] == {"registry.hookspecs", "registry.plugins"}
    assert homes["numba"] == {"formats._machine_code"}
    assert homes["tensorflow"] == {"layers._matrix_layer"}
    assert homes["gensim"] == {"bridges.gensim"}
    assert not homes.keys() & {"jax", "matplotlib", "pyarrow", "scipy", "sklearn"}
    assert homes["pytest"] == {"testing._failures", "testing._sample_tests", "testing.contract"}


def test_pickle_is_not_imported() -> None:
    """No module imports pickle but the contract, which tests that a source can be; NumPy never may use it."""
    for path in MODULES:
        allowed_here = {"pickle"} if name_of(path) == "testing._table" else set()
        assert not imports(path) & {"pickle", "marshal", "shelve", "joblib"} - allowed_here, path
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"np.load", "numpy.load"}:
                allowed = {word.arg: ast.unparse(word.value) for word in node.keywords}.get("allow_pickle")
                assert allowed == "False", path


def test_modules_have_at_most_400_lines() -> None:
    """A module over 400 lines should be two."""
    lines = {path: len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert {path: count for path, count in lines.items() if count > 400} == {}


HEAVY = {
    "tensorflow",
    "jax",
    "torch",
    "keras",
    "pooch",
    "requests",
    "numba",
    "rich",
    "typer",
    "pluggy",
    "pyarrow",
    "numpy",
}


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import embedhub", set()),
        ("import embedhub; list(embedhub.sources())", {"pluggy", "numpy"}),
        ("import embedhub; embedhub.load('wordnet-ppmi', 25)", {"pluggy", "numpy"}),
        ("import embedhub.cli", {"typer"}),
    ],
)
def test_heavy_packages_are_loaded_lazily(code: str, allowed: set[str]) -> None:
    """Importing embedhub loads none of the heavy packages, listing and opening only the light ones."""
    code += f"\nimport sys; print([name for name in sys.modules if name in {HEAVY!r}])"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    assert set(json.loads(run.stdout.replace("'", '"'))) <= allowed


def test_public_names_have_docstrings() -> None:
    """Each public name has a docstring, and no helper is public; another name is an AttributeError."""
    for name in dir(embedhub):
        assert getattr(embedhub, name).__doc__
    assert len(dir(embedhub)) < 32
    with pytest.raises(AttributeError, match="No embedhub attribute nothing"):
        embedhub.nothing  # type: ignore[attr-defined]  # noqa: B018 - the point


def test_lowest_versions_match_pyproject() -> None:
    """`tox -e lowest` installs each dependency in the version that pyproject.toml has as its floor."""
    root = Path(__file__).parents[2]
    pyproject = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    floors = dict(line.split(">=") for line in pyproject["project"]["dependencies"])
    lowest = (root / "tox.ini").read_text("utf-8").split("[testenv:lowest]")[1]
    pins = dict(re.findall(r"(?m)^ +([\w-]+)==([\d.]+)$", lowest))
    assert floors.keys() == pins.keys()
    for name, floor in floors.items():
        assert f"{pins[name]}.".startswith(f"{floor}."), name


def test_installed_package_is_complete() -> None:
    """The installed package is typed, has one version, ships its vectors with their license, and no tests."""
    files = {str(file) for file in metadata.files("embedhub") or ()}
    if any(file.endswith(".pth") for file in files):
        pytest.skip("an editable install ships nothing")
    assert {
        "embedhub/py.typed",
        "embedhub/registry/builtin/wordnet_ppmi.npz",
        "embedhub/demo_texts.tsv",
    } <= files
    assert sum("_LICENSE" in file for file in files) >= 2
    assert not any(part.startswith(("test_", "tests")) for file in files for part in Path(file).parts)
    assert metadata.version("embedhub") == embedhub.__version__
