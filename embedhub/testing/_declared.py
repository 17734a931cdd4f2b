"""Attributes of contract classes: validated, and read only once."""

from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

from embedhub.testing._failures import describe

_MAX_SHOWN = 80  # characters


def read_once(attribute: str, given: object, kind: type[Any]) -> tuple[tuple[Any, ...], str]:
    """Return the objects in an iterable, which may be a generator, and its problem.

    Args:
        attribute: Name of the attribute.
        given: Value of the attribute.
        kind: Type of the objects.

    Returns:
        The objects, and a message, which is empty if the iterable is not empty and all types are right.
    """
    expected = f"expected a list of {kind.__name__} objects, as in {attribute} = [...]"
    if not isinstance(given, Iterable):
        hint = f", or what it returns: {attribute} = {given.__name__}()" if hasattr(given, "__name__") else ""
        return (), f"{attribute} is {shorten(given)}; {expected}{hint}."
    try:
        items = tuple(given)
    except Exception as error:  # noqa: BLE001 - the code of a plugin
        return (), f"{attribute} cannot be listed: {describe(error)}; {expected}."
    if not items:
        return (), f"{attribute} is empty, so that nothing is tested; {expected}."
    for item in items:
        if not isinstance(item, kind):
            return (), f"{attribute} has {shorten(item)}; {expected}."
    return items, ""


def read_samples(given: object) -> tuple[dict[int, tuple[bytes, ...]], str]:
    """Return the samples by dimension, and their problem, like `read_once`."""
    if not isinstance(given, Mapping):
        return {}, f"samples is {shorten(given)}; expected a dict of lists of bytes: {{3: [b'...']}}."
    samples: dict[int, tuple[Any, ...]] = {}
    for dim, contents in given.items():
        expected = f"expected a list of bytes, one for each file: {{{dim!r}: [b'...']}}"
        if type(dim) is not int or dim <= 0:
            return {}, f"samples has the dim {dim!r}; expected a positive int."
        if isinstance(contents, bytes | str) or not isinstance(contents, Iterable):
            return {}, f"samples[{dim}] is {shorten(contents)}; {expected}."
        samples[dim] = tuple(contents)
        for content in samples[dim]:
            if not isinstance(content, bytes):
                return {}, f"samples[{dim}] has {shorten(content)}; {expected}."
    return samples, ""


def find_problem_of_expected(given: object) -> str:
    """Return the problem of the expected vectors; empty if they are valid."""
    form = "as in {3: {'the': [0.25, -0.5, 1.0]}}"
    if not isinstance(given, Mapping):
        return f"expected is {shorten(given)}; it should have words and numbers by dimension, {form}."
    for dim, vectors in given.items():
        if not isinstance(vectors, Mapping):
            return f"expected[{dim!r}] is {shorten(vectors)}; it should have words with numbers, {form}."
        for word, numbers in vectors.items():
            if not _is_vector(numbers):
                return (
                    f"expected[{dim!r}][{word!r}] is {shorten(numbers)}; it should be the first numbers of "
                    f"the vector in a list, {form}."
                )
        if not vectors:
            return f"expected[{dim!r}] is empty, so that nothing is tested; write words with numbers, {form}."
    return ""


def _is_vector(numbers: Any) -> bool:
    # An array is not a Sequence.
    is_listed = isinstance(numbers, Sequence) and not isinstance(numbers, bytes | str)
    return (is_listed or hasattr(numbers, "tolist")) and all(isinstance(number, Real) for number in numbers)


def shorten(value: object) -> str:
    """Return a shortened repr for messages."""
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."
