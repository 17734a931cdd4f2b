"""The short form of functions that take a source and a dimension: the source names the dimension.

``embedding_matrix("glove-6b:50", word_index)`` is ``embedding_matrix("glove-6b:50", None, word_index)``.
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, SupportsIndex, TypeVar

R = TypeVar("R")


def without_dim(function: Callable[..., R]) -> Callable[..., R]:
    """Let the dimension be left out of a call.

    Args:
        function: A function of a source, a dimension, and other required arguments, such as paths or words.
    """
    required = required_names(function)

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> R:
        args, options = insert_dim(required, args, options, _follows_dim)
        return function(*args, **options)

    return call


def _follows_dim(value: Any) -> bool:
    """Return whether a value cannot be meant as a dimension."""
    dimensions = getattr(value, "ndim", None)
    if dimensions is not None:  # of an array, or a number of NumPy
        return bool(dimensions)
    return value is not None and not isinstance(value, float | SupportsIndex)


def required_names(function: Callable[..., Any]) -> list[str]:
    """Return the names of the arguments that a function requires, the dimension included."""
    parameters = inspect.signature(function).parameters.values()
    return [
        parameter.name
        for parameter in parameters
        if parameter.kind == parameter.POSITIONAL_OR_KEYWORD and parameter.default is parameter.empty
    ]


def insert_dim(
    required: Sequence[str],
    args: tuple[Any, ...],
    options: dict[str, Any],
    follows_dim: Callable[[Any], bool],
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of a call, with None for a dimension that was left out.

    In the short form all options are passed by name, so that arguments in a wrong order stay an error.

    Args:
        required: Names of the required arguments: source, dim, and others.
        args: The arguments by position.
        options: The arguments by name.
        follows_dim: Whether a value may be the argument after the dimension.
    """
    if "dim" in options:
        return args, options
    if len(args) <= 1:
        return args, {"dim": None} | options
    is_short = len(args) == len(required) - 1 and options.keys().isdisjoint(required)
    if is_short and follows_dim(args[1]):
        return (args[0], None, *args[1:]), options
    return args, options
