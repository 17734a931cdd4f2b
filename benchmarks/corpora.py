"""Corpora to measure with: GloVe-like text with seeded values, and what is made of it."""

import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HOST = "bench.example.org"
_LETTERS = np.frombuffer(b"etaoinshrdlcumwfgypbvkjxqz", np.uint8)
_LONGEST = 6
_SHUFFLING = 104_729  # a prime: multiplying by it modulo a power of 26 gives each number once
_POOL = 1 << 18
_AT_ONCE = 1000


def words(count: int) -> list[str]:
    """Return distinct words of six letters in no particular order."""
    numbers = np.arange(count) * _SHUFFLING % 26**_LONGEST
    digits = numbers[:, None] // 26 ** np.arange(_LONGEST) % 26
    text = _LETTERS[digits].tobytes().decode()
    return [text[start : start + _LONGEST] for start in range(0, len(text), _LONGEST)]


def vocabulary(count: int, size: int) -> list[str]:
    """Return some words of a corpus at random, and one in twenty that is not in it."""
    random = np.random.default_rng(2)
    known = words(count)
    picked = [known[i] for i in random.choice(count, size, replace=False)]
    picked[::20] = [f"missing{i}" for i in range(len(picked[::20]))]
    return picked


def write_text(path: Path, count: int, dim: int) -> Path:
    """Write ``count`` lines of a word and ``dim`` numbers, as ``%.5g`` writes them, like GloVe's own."""
    random = np.random.default_rng(1)
    # Formatting each of 120,000,000 numbers takes minutes; a quarter of a million of them is variety enough.
    pool = np.array([b"%.5g" % value for value in random.normal(0, 0.4, _POOL)], object)
    with path.open("wb") as file:
        names = words(count)
        for start in range(0, count, _AT_ONCE):
            some = names[start : start + _AT_ONCE]
            numbers = pool[random.integers(0, _POOL, (len(some), dim))].tolist()
            file.writelines(
                name.encode() + b" " + b" ".join(row) + b"\n" for name, row in zip(some, numbers, strict=True)
            )
    return path


def write_archive(mirror: Path, text: Path) -> Path:
    """Write the text as a deflated member into an archive, where a mirror would have it."""
    path = mirror / HOST / "corpus.zip"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(text, text.name)
    return path


def blocks(count: int, dim: int) -> Iterator[tuple[list[str], NDArray[np.float32]]]:
    """Give the words with rows of random values, for a store without its text."""
    rows = np.random.default_rng(3).normal(0, 0.4, (_AT_ONCE, dim)).astype(np.float32)
    names = words(count)
    for start in range(0, count, _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        yield some, rows[: len(some)]


def sha256(path: Path) -> str:
    """Return the pin of a file."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
