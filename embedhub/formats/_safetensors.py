"""The safetensors container (https://github.com/huggingface/safetensors): named arrays behind a JSON header.

Its own package reads neither compressed files nor, without a deep-learning framework, bfloat16; and an error
of ours names the byte.
"""

import json
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedhub.formats._byte_stream import ByteStream

LONGEST_HEADER = 100_000_000  # as in the reference implementation
_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "u1",
}
FLOATS = frozenset({"F64", "F32", "F16", "BF16", "I8"})
INTEGERS = frozenset({"I64", "I32", "I16", "U32", "U16", "U8"})


class Tensor(NamedTuple):
    """An array as it lies in the file."""

    dtype: str
    at: int
    """Offset of its first byte in the file."""
    values: NDArray[Any]

    def floats(self, rows: slice | NDArray[Any]) -> NDArray[Any]:
        """Return some rows as float32, or as float64 where they are that."""
        some = self.values[rows]
        if self.dtype == "BF16":  # the upper half of a float32
            return (some.astype(np.uint32) << 16).view(np.float32)
        return some if self.dtype == "F64" else some.astype(np.float32)


Shapes = dict[str, tuple[str, tuple[int, ...], int, int]]
"""Of each tensor the dtype, the shape, and from which byte to which it lies."""


def read_header(stream: ByteStream) -> tuple[Shapes, dict[str, Any]]:
    """Read the header: the tensors, and the metadata.

    Raises:
        FormatError: This is no header of safetensors.
    """
    length = int.from_bytes(stream.take(8, "the header's length"), "little")
    if length > LONGEST_HEADER:
        raise stream.error(
            f"the header is said to have {length} bytes; expected {LONGEST_HEADER} at most.", 0
        )
    text = stream.take(length, "the header")
    try:
        header = json.loads(text)
        metadata = dict(header.pop("__metadata__", None) or {})
        shapes = {name: _shape(facts, stream.at) for name, facts in header.items()}
    except (ValueError, RecursionError, AttributeError, TypeError, KeyError) as error:
        raise stream.error(
            f"expected a JSON header with dtype, shape and data_offsets of each tensor ({error!r}).", 8
        ) from error
    return shapes, metadata


def _shape(facts: Any, data: int) -> tuple[str, tuple[int, ...], int, int]:
    dtype, shape, (begin, end) = facts["dtype"], tuple(facts["shape"]), facts["data_offsets"]
    if not isinstance(dtype, str) or not all(type(number) is int for number in (*shape, begin, end)):
        raise TypeError(f"{facts} is no description of a tensor")
    if min(*shape, begin, 0) < 0 or end < begin:
        raise ValueError(f"{facts} has a negative size")
    return dtype, shape, data + begin, data + end


def read_tensors(
    stream: ByteStream,
    shapes: Shapes,
    wanted: dict[str, tuple[int, frozenset[str]]],
) -> dict[str, Tensor]:
    """Map those of the wanted tensors that are there; for each the number of axes and the dtypes allowed.

    Raises:
        FormatError: One has another shape or dtype, or not the bytes that these take.
    """
    chosen = {name: shapes[name] for name in wanted if name in shapes}
    for name, (dtype, shape, begin, end) in chosen.items():
        axes, dtypes = wanted[name]
        if dtype not in dtypes or len(shape) != axes:
            raise stream.error(
                f"the tensor {name!r} is {dtype} {list(shape)}; expected {axes} axes of "
                f"{', '.join(sorted(dtypes))}.",
                begin,
            )
        if 0 in shape or end - begin != math.prod(shape) * np.dtype(_DTYPES[dtype]).itemsize:
            raise stream.error(
                f"the tensor {name!r} has {end - begin} bytes, which are no {dtype} {list(shape)}.", begin
            )
    start = stream.at
    data = stream.map(max(end for *_, end in chosen.values()) - start, "tensors")
    return {
        name: Tensor(dtype, begin, data[begin - start : end - start].view(_DTYPES[dtype]).reshape(shape))
        for name, (dtype, shape, begin, end) in chosen.items()
    }
