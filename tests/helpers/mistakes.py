"""Tables of mistakes: a call that a user may write, and what the error has to say about it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

_LIMIT = 900  # characters; a longer message is not read


class Mistake(NamedTuple):
    """A wrong call, and its error.

    Args:
        label: What is wrong, in a few words; the id of the test.
        call: Makes the mistake, in a folder of its own.
        error: Type of the error.
        words: What its message has to contain: what is wrong, what was expected, what to do.
    """

    label: str
    call: Callable[[Path], Any]
    error: type[Exception]
    words: tuple[str, ...]


def each(mistakes: list[Mistake]) -> pytest.MarkDecorator:
    """Return the decorator that runs a test with each mistake."""
    labels = [mistake.label for mistake in mistakes]
    assert len(set(labels)) == len(labels), "two mistakes have the same label"
    return pytest.mark.parametrize("mistake", mistakes, ids=labels)


def check(mistake: Mistake, folder: Path) -> None:
    """Make the mistake, and compare its error with the table."""
    with pytest.raises(mistake.error) as raised:
        mistake.call(folder)
    message = str(raised.value)
    assert type(raised.value).__module__.startswith(("embedhub", "builtins")), "a foreign error"
    absent = [word for word in mistake.words if word not in message]
    assert not absent, f"not in the message: {absent}\n{message}"
    assert len(message) <= _LIMIT, message
