"""Validation of a reader's output, before it is written to a store."""

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedhub._names import is_reserved_on_windows, shown_names
from embedhub.errors import FormatError
from embedhub.vectors.blocks import ExtraFile
from embedhub.vectors.vocabulary import encode_all

# Valid and unchanged on every file system, and not a path; Windows removes a trailing period.
_FILE_NAME = re.compile(r"[A-Za-z0-9_-](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?")
_UNPUBLISHED = "Nothing was published."
_MAX_SHOWN = 80  # characters


def check_block(item: Any, dim: int, label: str) -> tuple[list[bytes], NDArray[np.float32]]:
    """Return the words of a block in bytes, and their vectors.

    Args:
        item: What the reader yielded.
        dim: Dimension of the vectors.
        label: Source, dimension and position, as the start of error messages.

    Raises:
        FormatError: The item is not a block of that dimension, or contains a number that is not finite.
    """
    if not isinstance(item, tuple) or len(item) != 2:  # noqa: PLR2004 - words, vectors
        raise FormatError(
            f"{label}: the source yielded {_describe(item)}; expected a Block(words, vectors) or an "
            f"ExtraFile(name, content, metadata). {_UNPUBLISHED}"
        )
    words, vectors = item
    if not isinstance(words, list):
        raise FormatError(
            f"{label}: the words of a block are {_describe(words)}; expected a list of str. {_UNPUBLISHED}"
        )
    shape = (len(words), dim)
    if not isinstance(vectors, np.ndarray):
        raise FormatError(
            f"{label}: the vectors of a block are {_describe(vectors)}; expected a numpy array of shape "
            f"{shape} and float32. {_UNPUBLISHED}"
        )
    if vectors.shape != shape or vectors.dtype != np.float32:
        is_other = vectors.dtype != np.float32 and vectors.dtype.kind in "fiu"
        hint = " Convert it with .astype(np.float32)." if is_other else ""
        raise FormatError(
            f"{label}: the source yielded {len(words)} words with an array of shape {vectors.shape} and "
            f"dtype {vectors.dtype}; expected shape {shape} and float32.{hint} {_UNPUBLISHED}"
        )
    if not np.isfinite(vectors).all():
        invalid = int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])
        raise FormatError(
            f"{label}: vector {invalid} of a block (word {words[invalid]!r}) has a number that is not "
            "finite in float32. It could turn all weights of a model into NaN, so nothing was published."
        )
    return _encode(words, label), vectors


def check_extra_file(file: ExtraFile, taken: Collection[str], label: str) -> dict[str, Any]:
    """Check an extra file, and return its metadata in the form in which the manifest is read back.

    Args:
        file: What the reader yielded.
        taken: Names of the other files of the store, in lower case.
        label: Source and dimension, as the start of error messages.

    Raises:
        FormatError: The name is invalid or taken, the content is neither a file nor an array that numpy
            writes without pickle, or the metadata cannot be written as JSON.
    """
    name, content = file.name, file.content
    if not isinstance(name, str) or not _FILE_NAME.fullmatch(name) or is_reserved_on_windows(name.lower()):
        raise FormatError(
            f"{label}: the source yielded an extra file named {_shorten(repr(name))}; expected the name of a "
            "file without a folder, of letters, digits, '-', '_' and '.', such as 'scales.npy'. "
            f"{_UNPUBLISHED}"
        )
    # Case does not distinguish files on Windows and macOS.
    if name.lower() in taken:
        raise FormatError(
            f"{label}: the source yielded an extra file named {name!r}, which is the name of another file of "
            f"the store. Taken in any case: {shown_names(sorted(taken))}. {_UNPUBLISHED}"
        )
    if isinstance(content, Path):
        if not content.is_file():
            raise FormatError(f"{label}: {content}: there is no such file, for {name}. {_UNPUBLISHED}")
    elif not isinstance(content, np.ndarray) or content.dtype.hasobject:
        is_array = isinstance(content, np.ndarray)
        given = f"an array of dtype {content.dtype}" if is_array else _describe(content)
        raise FormatError(
            f"{label}: the content of the extra file {name} is {given}; expected a pathlib.Path or a numpy "
            f"array of numbers or strings. {_UNPUBLISHED}"
        )
    return _as_json(file.metadata, f"{label}: the metadata of the extra file {name}")


def _as_json(metadata: Any, label: str) -> dict[str, Any]:
    expected = f"expected a mapping of names to what JSON can hold. {_UNPUBLISHED}"
    if not isinstance(metadata, Mapping) or not all(isinstance(key, str) for key in metadata):
        raise FormatError(f"{label} are {_describe(metadata)}; {expected}")
    try:
        text = json.dumps(dict(metadata), allow_nan=False, ensure_ascii=False)
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise FormatError(f"{label} cannot be written as JSON ({error}); {expected}") from error
    copied: dict[str, Any] = json.loads(text)
    return copied


def _encode(words: list[str], label: str) -> list[bytes]:
    """Return the words as bytes."""
    try:
        return encode_all(words)
    except (AttributeError, TypeError, UnicodeEncodeError) as error:
        place = next(i for i, word in enumerate(words) if not _can_be_encoded(word))
        raise FormatError(
            f"{label}: word {place} of a block is {_describe(words[place])}; expected a str that can be "
            f"encoded as UTF-8. {_UNPUBLISHED}"
        ) from error


def _can_be_encoded(word: Any) -> bool:
    try:
        encode_all([word])
    except (AttributeError, TypeError, UnicodeEncodeError):
        return False
    return True


def _describe(value: object) -> str:
    """Return a value and its type, short enough for a message."""
    return "None" if value is None else f"{_shorten(repr(value))} of type {type(value).__name__}"


def _shorten(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."
