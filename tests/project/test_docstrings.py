"""Docstrings: every public name has one with arguments and an example, and all examples run."""

import doctest
import importlib
import inspect
import os
import pkgutil
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import FunctionType
from typing import Any

import make_pages
import pytest

import embedhub
from embedhub import bridges
from embedhub.testing import FormatContract, SourceContract

ROOT = Path(__file__).parents[2]
NO_TEXT = {"errors", "hookimpl"}  # a module, and a marker of pluggy
# The names of tests say what they do; only pytest calls its hooks.
NOT_CALLED = re.compile(r"test_|pytest_")
CALLED = (type, FunctionType, classmethod, staticmethod)


def public() -> Iterator[tuple[str, Any]]:
    """Give every public name with what it stands for: functions, classes, and the methods of those."""
    ours = {name: getattr(embedhub, name) for name in dir(embedhub) if name not in NO_TEXT}
    ours |= {f"bridges.{name}": getattr(bridges, name) for name in dir(bridges)}
    parts = {
        f"{module}.{name}": getattr(importlib.import_module(module), name)
        for module, names in make_pages.MODULES.items()
        for name in names
    }
    for name, value in (ours | parts).items():
        yield name, value
        if inspect.isclass(value):
            own = [member for member in value.__mro__ if member.__module__.startswith("embedhub")]
            for member in sorted({member for base in own for member in vars(base)}):
                if not member.startswith("_") and not NOT_CALLED.match(member):
                    yield f"{name}.{member}", inspect.getattr_static(value, member)


NAMES = dict(public())


def test_callables_have_docstrings() -> None:
    """A public callable has a docstring with an example, and describes its arguments."""
    callables: dict[str, Any] = {name: value for name, value in NAMES.items() if isinstance(value, CALLED)}
    wrong = []
    for name, value in callables.items():
        text = inspect.getdoc(value) or ""
        if inspect.isclass(value) and issubclass(value, Exception):
            continue  # raised by embedhub, and described in one sentence
        if "Example:" not in text:
            wrong.append(f"{name} shows no example")
        if inspect.isclass(value) and issubclass(value, SourceContract | FormatContract):
            continue  # instantiated by pytest
        parameters = inspect.signature(getattr(value, "__func__", value)).parameters  # of a classmethod too
        taken = [argument for argument in parameters if argument not in {"self", "cls"}]
        section = re.search(r"(?ms)^Args:\n(.*?)(?:^\w|\Z)", text)
        described = re.findall(r"(?m)^    \**(\w+):", section[1]) if section else []
        if taken and described != taken:
            wrong.append(f"{name} describes the arguments {described}; it takes {taken}")
    assert callables
    assert not wrong


def test_properties_have_docstrings() -> None:
    """A public property has a docstring."""
    properties = {
        name: value for name, value in NAMES.items() if isinstance(value, property | cached_property)
    }
    assert properties
    assert [name for name, value in properties.items() if not inspect.getdoc(value)] == []


def modules() -> Iterator[str]:
    """Give the names of all modules of the package."""
    yield "embedhub"
    for module in pkgutil.walk_packages(embedhub.__path__, "embedhub."):
        yield module.name


WANTS = {"embedhub.layers.torch": "torch"}
"""Modules whose examples want a package that embedhub does without."""


@pytest.mark.parametrize("name", list(modules()))
def test_docstring_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each example of a module prints the output that it shows, offline and without a warning."""
    if name in WANTS:
        pytest.importorskip(WANTS[name], reason=f"{WANTS[name]} is not installed: tox -e {WANTS[name]}")
    monkeypatch.chdir(tmp_path)
    finder, runner = (
        doctest.DocTestFinder(exclude_empty=True),
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS),
    )
    report: list[str] = []
    for test in finder.find(importlib.import_module(name)):
        with monkeypatch.context() as patch:
            patch.setattr(os, "environ", os.environ.copy())  # an example may set variables
            runner.run(test, out=report.append)
    assert not runner.failures, "".join(report)
