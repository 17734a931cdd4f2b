"""Argument checks of the functions that take a source and a vocabulary."""

import difflib
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from embedhub.registry.dims import as_dim
from embedhub.registry.short_form import insert_dim, required_names
from embedhub.registry.source import EmbeddingSource
from embedhub.vectors.vectors import Vectors

P = ParamSpec("P")
R = TypeVar("R")

_TRAINABLE = "write trainable=True or trainable=False, the default"
_LENGTH = "write input_length="
_VOCABULARY = "word_index decides; num_words= uses only the words with an index below it"
_DETERMINED = "the vectors and the vocabulary determine it"

_SHORT_FORM = (
    "; after 'glove-6b:50', which has the dimension, dim is omitted and all options are passed by name"
)

_MAX_REPR = 50  # characters

# Names of options in Keras and PyTorch, and their equivalents in embedhub.
_ADVICE = {
    "embedding_dim": "write dim=",
    "embeddings": _DETERMINED,
    "embeddings_initializer": _DETERMINED,
    "freeze": _TRAINABLE,
    "frozen": _TRAINABLE,
    "input_dim": _DETERMINED,
    "input_shape": _LENGTH,
    "limit": "it belongs to the source, as in 'glove-6b:50 | limit(20000)'",
    "max_length": _LENGTH,
    "max_tokens": _VOCABULARY,
    "num_embeddings": _DETERMINED,
    "output_dim": f"{_DETERMINED}; write dim= for another one of the source",
    "output_sequence_length": _LENGTH,
    "requires_grad": _TRAINABLE,
    "sequence_length": _LENGTH,
    "unk_init": "write oov=",
    "vocab": "write word_index=",
    "vocab_size": _VOCABULARY,
    "vocabulary": "write word_index=",
    "weights": _DETERMINED,
}


def checked(function: Callable[P, R]) -> Callable[..., R]:
    """Check the call of a function that takes ``source``, ``dim`` and ``word_index``, in this order.

    In its short form ``dim`` is omitted.

    Python's own error for a missing argument does not mention exchanged ones, and an unknown option would be
    reported only after Keras is imported.

    Raises:
        TypeError: Arguments are missing, unknown or exchanged.
    """
    signature = inspect.signature(function)
    kinds = inspect.Parameter
    named = [
        parameter.name for parameter in signature.parameters.values() if parameter.kind != kinds.VAR_KEYWORD
    ]
    others_allowed = len(named) < len(signature.parameters)
    order = [
        parameter.name
        for parameter in signature.parameters.values()
        if parameter.kind == kinds.POSITIONAL_OR_KEYWORD
    ]

    required = required_names(function)

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> R:
        for option in options:
            if option not in named:
                _check_option(function.__name__, option, named, others_allowed=others_allowed)
        args, options = insert_dim(required, args, options, is_vocabulary)
        given = dict(zip(order, args, strict=False)) | options
        problems = list(_problems(given, order))
        if len(args) > len(order):
            problems.append(f"there are {len(args)} arguments without a name")
        if problems:
            raise TypeError(
                f"{function.__name__}: {'; '.join(problems)}. The order is {function.__name__}"
                f"({', '.join(order)}), with other options by name"
                f"{_SHORT_FORM if is_vocabulary(given.get('dim')) else ''}."
            )
        return function(*args, **options)

    return call


def _check_option(function: str, option: str, named: list[str], *, others_allowed: bool) -> None:
    """Raise TypeError if an option that is not in the signature is a known or a misspelled one."""
    advice = _ADVICE.get(option)
    # Equivalents of input_length= mean nothing in a function without that option.
    if advice == _LENGTH and "input_length" not in named:
        advice = "indices may be of any length"
    if advice == _TRAINABLE and "trainable" not in named:
        advice = "it is for a layer"
    if advice is None and (close := difflib.get_close_matches(option, named, n=1, cutoff=0.75)):
        advice = f"did you mean {close[0]}=?"
    if advice is None and others_allowed:
        return
    advice = advice or f"the options are {', '.join(f'{name}=' for name in named[3:])}"
    end = "" if advice.endswith("?") else "."
    raise TypeError(f"{option}= is not an option of {function}: {advice}{end}")


def _problems(given: Mapping[str, Any], order: list[str]) -> Iterable[str]:
    """Yield the problems of the positional arguments."""
    for name in order[:3]:
        if name not in given:
            yield f"{name} is missing"
    source = given.get("source", "")
    if not isinstance(source, str | Path | EmbeddingSource | Vectors):
        yield f"source is {describe(source)}; expected a name, a path, an EmbeddingSource or Vectors"
    try:
        as_dim(given.get("dim"))
    except TypeError as error:
        yield str(error).removesuffix(".")
    for name in order[3:]:
        if is_vocabulary(given.get(name)):
            yield f"{name} is {describe(given[name])}"


def is_vocabulary(value: Any) -> bool:
    """Return whether a value may be meant as a vocabulary: a collection, a layer, or a tokenizer."""
    methods = ("get_vocabulary", "get_vocab", "texts_to_sequences")
    return (
        isinstance(value, Mapping | list | tuple | set)
        or any(hasattr(value, name) for name in methods)
        or getattr(value, "ndim", 0) > 0  # an array or a column
    )


def describe(value: Any) -> str:
    """Return a short description of a value: its type, with a number or a short string itself."""
    kind = type(value).__name__
    if value is None:
        return "None"
    article = "an" if kind[0] in "aeiouAEIOU" else "a"
    if isinstance(value, str | int | float) and len(repr(value)) <= _MAX_REPR:
        return f"{value!r}, {article} {kind}"
    return f"{article} {kind}"
