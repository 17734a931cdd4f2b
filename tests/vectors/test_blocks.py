"""`Format`: its fields are checked when it is made."""

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedhub import Block, Format


def read(path: Path, dim: int) -> Iterator[Block]:
    """Yield one word."""
    yield Block(["rain"], np.ones((1, dim), np.float32))


@pytest.mark.parametrize(
    ("name", "reader", "version", "message"),
    [
        ("", read, 1, "name is ''; expected the name of a format"),
        (None, read, 1, "name is None"),
        ("bread", "glove", 1, "has the reader 'glove'; expected a function"),
        ("bread", read, 0, "has the version 0; expected 1 or a larger int"),
        ("bread", read, "2", "has the version '2'"),
        ("bread", read, True, "has the version True"),
    ],
)
def test_invalid_field_is_refused(name: Any, reader: Any, version: Any, message: str) -> None:
    """A wrong argument is an error when the format is made."""
    with pytest.raises((TypeError, ValueError), match=message):
        Format(name, reader, version=version)


def test_format_is_a_value() -> None:
    """Formats with the same fields are equal, and can be pickled."""
    assert Format("bread", read) == pickle.loads(pickle.dumps(Format("bread", read)))  # noqa: S301 - our own bytes
    assert len({Format("bread", read), Format("bread", read), Format("bread", read, version=2)}) == 2
