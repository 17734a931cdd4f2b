"""The map of the code in CONTRIBUTING.md."""

import importlib
import inspect
import re
import sys
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

import embedhub

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def walk() -> list[CodeType]:
    """Return the code of the functions that the walk of the guide names, in its order."""
    steps = re.findall(r"(?m)^\| `(\w+)/` \| (`.+?`(?:, `.+?`)*) \| ", GUIDE)
    functions = []
    for room, names in steps:
        for name in re.findall(r"`([\w.]+)`", names):
            module, _, attributes = name.partition(".")
            value: Any = importlib.import_module(f"embedhub.{room}.{module}")
            for attribute in attributes.split("."):
                value = getattr(value, attribute)
            functions.append(inspect.unwrap(value).__code__)
    return functions


def test_walk_matches_keras_embedding(
    glove_6b_mirror: tuple[Path, embedhub.RemoteSource], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first use of GloVe calls each function of the walk, in the order of the guide."""
    folder, source = glove_6b_mirror
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(folder))
    expected = walk()
    assert len(expected) > 12
    called: list[CodeType] = []

    def record(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code in expected and frame.f_code not in called:
            called.append(frame.f_code)

    before = sys.getprofile()
    sys.setprofile(record)
    try:
        embedhub.keras_embedding(source, 50, {"music": 1, "qwxz": 2}, 40)
    finally:
        sys.setprofile(before)
    named_source = [code for code in expected if code.co_name != "load"]
    assert [code.co_qualname for code in called if code.co_name != "load"] == [
        code.co_qualname for code in named_source
    ]


def test_map_has_every_folder() -> None:
    """The drawing has each folder of the package."""
    drawing = GUIDE.split("```mermaid")[1].split("```")[0]
    rooms = {path.parent.name for path in (ROOT / "embedhub").glob("*/__init__.py")}
    assert rooms == set(re.findall(r'\["(\w+)/<br>', drawing))
