"""Damages of the bytes of a file, and what a store makes of them."""

import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from embedhub.vectors.store import open_store


def flip_a_bit(data: bytearray, random: np.random.Generator) -> None:
    """Flip one bit."""
    data[random.integers(len(data))] ^= 1 << int(random.integers(8))


def truncate(data: bytearray, random: np.random.Generator) -> None:
    """Remove the end."""
    del data[random.integers(len(data)) :]


def set_zeros(data: bytearray, random: np.random.Generator) -> None:
    """Set up to 64 bytes to zero."""
    start = int(random.integers(len(data)))
    stop = start + len(data[start : start + 64])
    data[start:stop] = (
        b"0" * (stop - start) if data[start:stop] == bytes(stop - start) else bytes(stop - start)
    )


def huge_numbers(data: bytearray, random: np.random.Generator) -> None:
    """Write a huge number over 8 bytes."""
    start = int(random.integers(len(data)))
    data[start : start + 8] = b"\xff" * 6 + b"\xfe\x7f"


def negative_numbers(data: bytearray, random: np.random.Generator) -> None:
    """Write a negative number over 8 bytes."""
    start = int(random.integers(len(data)))
    data[start : start + 8] = np.int64(-3).tobytes()


def append(data: bytearray, random: np.random.Generator) -> None:
    """Add 8 bytes."""
    data += random.bytes(8)


DAMAGES = [flip_a_bit, truncate, set_zeros, huge_numbers, negative_numbers, append]


def outcomes(path: Path, number: int) -> Counter[str]:
    """Damage a file of a store that many times; count the errors, and what the words give if there is none.

    ``"unchanged"``: all words have their vectors; ``"numbers"``: their rows, with other numbers in them;
    ``"wrong"``: anything else.
    """
    original = path.read_bytes()
    intact = open_store(path.parent)
    words, matrix = list(intact.words), np.array(intact.matrix)
    counted: Counter[str] = Counter()
    for seed in range(number):
        data = bytearray(original)
        random = np.random.default_rng(seed)
        DAMAGES[seed % len(DAMAGES)](data, random)
        path.write_bytes(data)
        try:
            opened = open_store(path.parent)
            right = (
                list(opened.words) == words and (opened.words.indices(words) == np.arange(len(words))).all()
            )
            same = opened.matrix.shape == matrix.shape and opened.matrix.tobytes() == matrix.tobytes()
            counted[("unchanged" if same else "numbers") if right else "wrong"] += 1
        except Exception as error:  # noqa: BLE001 - each is counted by its type
            counted[type(error).__name__] += 1
    return counted


if __name__ == "__main__":
    sys.stdout.write(json.dumps(outcomes(Path(sys.argv[1]), int(sys.argv[2]))))
