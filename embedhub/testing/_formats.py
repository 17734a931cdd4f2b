"""Rules for a format of a plugin: it recognizes its own files by their bytes, and no others."""

import json
import struct
from collections.abc import Callable
from pathlib import Path

from embedhub._compression import open_bytes
from embedhub.errors import FormatError
from embedhub.formats.detect import detect
from embedhub.formats.fasttext import MAGIC
from embedhub.testing._failures import describe, expect, fail
from embedhub.vectors.blocks import Detected, Format

_START_BYTES = 1 << 20
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
    """Fail unless a format recognizes a sample, and none of embedhub's formats.

    Args:
        name: Name of the source.
        tested: The format, with `detect`.
        sample: A file of it.
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
    for other, content in _OTHERS.items():
        found = _call(recognize, content, sample, f"{label}, with {other},")
        expect(
            found is None,
            f"{label} returns {found!r} for {other}; expected None. Ask for bytes that no other format has.",
        )
    try:
        first = detect(sample, lambda: (tested,))
    except FormatError as error:
        fail(f"{label} is not reached: {error} Choose a mark that other formats do not have.")
    expect(
        first.format == tested,
        f"{label} is not asked: its sample is read as {first.format.name!r}. Choose a mark that other "
        "formats do not have.",
    )


def _call(
    recognize: Callable[[bytes, Path], Detected | None], start: bytes, path: Path, label: str
) -> Detected | None:
    try:
        return recognize(start, path)
    except Exception as error:  # noqa: BLE001 - any error is the same failure
        fail(f"{label} raises {describe(error)}; expected a Detected, or None. Check the length first.")
