"""Rules for a plugin's format: it recognizes only its own files, from their content."""

import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from embedhub._compression import open_bytes
from embedhub.errors import FormatError
from embedhub.formats.detect import detect
from embedhub.formats.fasttext import MAGIC
from embedhub.registry.plugin_format import is_valid
from embedhub.testing._failures import describe, expect, fail
from embedhub.vectors.blocks import Detected, Format

_START_BYTES = 1 << 20
_TINY = 17  # lengths from 0
_TRUNCATIONS = 50
_HEADER_BYTES = 64
_SHOWN_BYTES = 24
_HEADER = json.dumps({"embeddings": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]}}).encode()
_OTHERS = {
    "GloVe text": b"the 0.25 -0.5\nrain 1 2\n",
    "word2vec text": b"2 2\nthe 0.25 -0.5\nrain 1 2\n",
    "word2vec binary": b"1 2\nthe " + struct.pack("<2f", 0.25, -0.5),
    "fastText .bin": MAGIC + struct.pack("<2i", 12, 2) + bytes(200),
    "safetensors": len(_HEADER).to_bytes(8, "little") + _HEADER + bytes(8),
    "a web page": b"<!DOCTYPE html>\n<html></html>\n",
    "an empty file": b"",
    "zeros": bytes(64),
}


def check_detection(name: str, tested: Format, sample: Path, dim: int) -> None:
    """Fail unless a format recognizes a sample, and rejects files of the built-in formats.

    Args:
        name: Name of the source.
        tested: The format, with `detect`.
        sample: A file in the format.
        dim: Dimension of the sample.
    """
    recognize = tested.detect
    if recognize is None:
        return
    label = f"{name}: detect of the format {tested.name!r}"
    with open_bytes(sample) as file:
        start = file.read(_START_BYTES)
    detected = _call(recognize, start, sample, f"{label}, with a sample of dim {dim},")
    expect(
        isinstance(detected, Detected) and detected.dim == dim,
        f"{label} returns {detected!r} for a sample of dim {dim}; expected Detected(dim={dim}). Test the "
        "first bytes of the file for what marks the format.",
    )
    content = sample.read_bytes()
    try:
        for other, data in _OTHERS.items():
            sample.write_bytes(data)
            found = _call(recognize, data, sample, f"{label}, with {other},")
            expect(
                found is None,
                f"{label} returns {found!r} for {other}; expected None. Look for bytes of its own.",
            )
        for damage, data in _damaged(start):
            sample.write_bytes(data)
            more = "..." if len(data) > _SHOWN_BYTES else ""
            shown = f"{label}, with {damage} ({data[:_SHOWN_BYTES]!r}{more}),"
            found = _call(recognize, data, sample, shown)
            expect(
                found is None or is_valid(found),
                f"{shown} returns {found!r}; expected None, or a Detected with a positive int and a tuple of "
                "paths.",
            )
    finally:
        sample.write_bytes(content)
    try:
        first = detect(sample, lambda: (tested,))
    except FormatError as error:
        fail(f"{label} is not reached: {error} Choose a mark that other formats do not have.")
    expect(
        first.format == tested,
        f"{label} is not asked: its sample is read as {first.format.name!r}. Choose a mark that other "
        "formats do not have.",
    )


def _damaged(start: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield damaged files: truncated, tiny, or with wrong bytes."""
    length = len(start)
    for size in sorted({*range(min(_TINY, length)), *range(0, length, -(-length // _TRUNCATIONS))}):
        yield f"a sample truncated to {size} of {length} bytes", start[:size]
    for size in range(_TINY):
        for byte in (b"\0", b"\n", b"1", b"{", b"\xff"):
            yield f"{size} bytes", size * byte
    for place in range(min(_HEADER_BYTES, length)):
        for byte in (b"\0", b"\xff"):
            yield f"a sample corrupted at byte {place}", start[:place] + byte + start[place + 1 :]
    yield from (
        (f"a sample with {name} in its header", start[:place] + data + start[place + len(data) :])
        for place in range(min(_HEADER_BYTES, length))
        for name, data in (("4 zeros", bytes(4)), ("8 zeros", bytes(8)))
    )


def _call(
    recognize: Callable[[bytes, Path], Detected | None], start: bytes, path: Path, label: str
) -> Detected | None:
    try:
        return recognize(start, path)
    except Exception as error:  # noqa: BLE001 - any error is the same failure
        fail(f"{label} raises {describe(error)}; expected a Detected, or None. Check the length first.")
