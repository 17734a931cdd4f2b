"""Hints for errors, from the arguments of the command line."""

import os
import re
import sys
from itertools import pairwise

import embedhub
from embedhub.errors import (
    DimNotFoundError,
    EmbedhubError,
    FormatError,
    SourceNotFoundError,
    WordNotFoundError,
)

_OF_ONE_SOURCE = ("analogy", "coverage", "neighbors", "plot")


def hint(error: EmbedhubError) -> str:
    """Return a sentence, after a space, on arguments that may be in the wrong place; empty if none is."""
    return _dim_hint(error) or _order_hint(error) or _text_hint(error)


def _dim_hint(error: EmbedhubError) -> str:
    """Return how to write a dimension that follows its source as a word."""
    for source, number in pairwise(sys.argv[2:]):  # without the command
        if number.isdecimal() and source[:1] != "-":
            is_dim = isinstance(error, DimNotFoundError) and number in re.findall("[0-9]+", str(error))
            is_word = isinstance(error, WordNotFoundError) and f"no word {number!r}" in str(error)
            if (is_dim or is_word) and ":" not in source:
                return f" A dimension follows its source after a colon: {source}:{number}."
    return ""


def _order_hint(error: EmbedhubError) -> str:
    """Return that the source is the first argument, where a later one names a source and the first none."""
    command, first, *others = [*_arguments(), "", ""]
    if command not in _OF_ONE_SOURCE or not isinstance(error, SourceNotFoundError | FormatError):
        return ""
    sources = [] if _is_source(first) else [one for one in others if _is_source(one)]
    return f" SOURCE comes first: embedhub {command} {sources[0]} {first} ..." if sources else ""


def _text_hint(error: EmbedhubError) -> str:
    """Return how to pass a text whose coverage sources are compared by."""
    command, *others = [*_arguments(), ""]
    has_text = any(one.startswith(("--text", "--vocabulary")) for one in sys.argv)
    if command != "compare" or has_text or "expected vectors as" not in str(error):
        return ""
    files = [one for one in others if os.path.isfile(one) and os.path.basename(one) in str(error)]  # noqa: PTH113, PTH119 - they raise for no argument
    return f" Pass a text to measure the coverage of as --text {files[0]}." if files else ""


def usage_hint(message: str) -> str:
    """Return a sentence like that of `hint` for a message on wrong usage."""
    arguments = _arguments()
    if _has_dim_apart(sys.argv[1:]):
        return " A dimension follows its source, as in glove-6b:50."
    if message.startswith("Got unexpected extra") and arguments[:1] == ["coverage"]:
        sources = [one for one in arguments[1:] if _is_source(one)]
        if len(sources) > 1:
            return f" To compare sources: embedhub compare {' '.join(sources)} --text FILE."
    return ""


def _arguments() -> list[str]:
    """Return the command and its arguments, without options; their values may be among them."""
    return [one for one in sys.argv[1:] if one[:1] != "-"]


def _is_source(argument: str) -> bool:
    name, _, dim = argument.partition(":")
    return name in embedhub.sources() and (not dim or dim.isdecimal())


def _has_dim_apart(arguments: list[str]) -> bool:
    """Return whether a number may be meant as a dimension: it is an argument of its own, or of --dim."""
    numbers = [one for before, one in pairwise(["", *arguments]) if one.isdecimal() and before[:1] != "-"]
    return bool(numbers) or any(one.partition("=")[0] == "--dim" for one in arguments)
