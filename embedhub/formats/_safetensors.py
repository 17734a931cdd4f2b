"""The safetensors container (https://github.com/huggingface/safetensors): named arrays after a JSON header.

Its own package reads neither compressed files nor, without a deep-learning framework, bfloat16, and its
errors do not name a byte.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedhub._json import CONTENT_ERRORS, parse_json
from embedhub.formats._byte_stream import ByteStream

MAX_HEADER_BYTES = 100_000_000  # as in the reference implementation
DTYPES = {
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


class TensorInfo(NamedTuple):
    """The header's description of a tensor; ``begin`` and ``end`` are byte offsets in the file."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


class Tensor(NamedTuple):
    """A memory-mapped array; ``offset`` is that of its first byte in the file."""

    dtype: str
    offset: int
    values: NDArray[Any]

    def floats(self, rows: slice | NDArray[Any]) -> NDArray[Any]:
        """Return rows as float32, or as float64 if that is their dtype."""
        values = self.values[rows]
        if self.dtype == "BF16":  # the upper half of a float32
            return (values.astype(np.uint32) << 16).view(np.float32)
        return values if self.dtype == "F64" else values.astype(np.float32)


def read_header(stream: ByteStream) -> tuple[dict[str, TensorInfo], dict[str, Any]]:
    """Return the tensors of a file by name, and its metadata.

    Raises:
        FormatError: The header is malformed.
    """
    length = int.from_bytes(stream.read_exactly(8, "the header's length"), "little")
    if length > MAX_HEADER_BYTES:
        raise stream.error(f"the header has {length} bytes; expected {MAX_HEADER_BYTES} at most.", 0)
    text = stream.read_exactly(length, "the header")
    try:
        header = parse_json(text)
        metadata = dict(header.pop("__metadata__", None) or {})
        tensors = {name: _tensor_info(entry, stream.offset) for name, entry in header.items()}
    except CONTENT_ERRORS as error:
        raise stream.error(
            f"expected a JSON header with dtype, shape and data_offsets of each tensor ({error!r:.100}).", 8
        ) from error
    return tensors, metadata


def _tensor_info(entry: Any, data_offset: int) -> TensorInfo:
    dtype, shape, (begin, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
    if not isinstance(dtype, str) or not all(type(number) is int for number in (*shape, begin, end)):
        raise TypeError(f"{entry!r:.60} does not describe a tensor")
    if min(*shape, begin, 0) < 0 or end < begin:
        raise ValueError(f"{entry!r:.60} has a negative size")
    return TensorInfo(dtype, shape, data_offset + begin, data_offset + end)


def read_tensors(
    stream: ByteStream, tensors: dict[str, TensorInfo], expected: dict[str, tuple[int, frozenset[str]]]
) -> dict[str, Tensor]:
    """Map those of the expected tensors, given by number of axes and permitted dtypes, that the file has.

    Raises:
        FormatError: The shape, the dtype or the size of one of these tensors is wrong.
    """
    selected = {name: tensors[name] for name in expected if name in tensors}
    for name, (dtype, shape, begin, end) in selected.items():
        axes, dtypes = expected[name]
        if dtype not in dtypes or len(shape) != axes:
            raise stream.error(
                f"the tensor {name!r} is {dtype} {list(shape)}; expected {axes} axes of "
                f"{', '.join(sorted(dtypes))}.",
                begin,
            )
        if 0 in shape or end - begin != math.prod(shape) * np.dtype(DTYPES[dtype]).itemsize:
            raise stream.error(
                f"the tensor {name!r} has {end - begin} bytes, which is not the size of {dtype} "
                f"{list(shape)}.",
                begin,
            )
    start = stream.offset
    data = stream.memory_map(max(tensor.end for tensor in selected.values()) - start, "tensors")
    return {
        name: Tensor(dtype, begin, data[begin - start : end - start].view(DTYPES[dtype]).reshape(shape))
        for name, (dtype, shape, begin, end) in selected.items()
    }
