"""Failures of a contract, with a message and without lines of the contract's own code."""

from typing import NoReturn

import pytest

SKIP = pytest.mark.skip(reason="test_class_is_complete fails: it says what the class must have")
"""Skip reason for all other tests of an incomplete class."""


def expect(condition: bool, message: str) -> None:  # noqa: FBT001 - it reads like assert
    """Fail the test unless a condition holds."""
    __tracebackhide__ = True
    if not condition:
        fail(message)


def fail(message: str) -> NoReturn:
    """Fail the test."""
    __tracebackhide__ = True
    pytest.fail(message)


def skip(reason: str) -> NoReturn:
    """Skip the test, because another test fails for the same reason."""
    __tracebackhide__ = True
    pytest.skip(reason)


def describe(error: BaseException) -> str:
    """Return the type and the message of an error."""
    return f"{type(error).__name__} ({error})"
