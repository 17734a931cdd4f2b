"""Rules for the store of a source, built as by `load`, and for its composer."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedhub.download.remote_file import Fetched
from embedhub.errors import EmbedhubError
from embedhub.registry.source import EmbeddingSource
from embedhub.testing._blocks import blocks_of, place_of, same
from embedhub.testing._failures import describe, expect, fail
from embedhub.vectors.blocks import Composer
from embedhub.vectors.store import open_store
from embedhub.vectors.store_writer import StoreWriter
from embedhub.vectors.vectors import Vectors

# Words as in texts: other scripts, several code points, white space, empty, and long.
_WORDS = [
    "qwxz",
    "Unheard-of",
    "naïve",
    "日本語",
    "👩\u200d👩\u200d👧",
    "e\u0301",
    "a b",
    "\u202f»",
    "\n",
    "\0",
]
_WORDS += ["", "?!", "</s>", "<unk>", 1000 * "long"]


def build_store(source: EmbeddingSource, fetched: Fetched | None, dim: int, folder: Path) -> Vectors:
    """Build and open a store; an error of the writer or of `load` fails the test with the same message.

    Args:
        source: The source.
        fetched: The file; None for a source without files.
        dim: Dimension of the vectors.
        folder: Folder of the store.
    """
    label = f"{source.name}: {place_of(fetched, dim)}"
    try:
        manifest = source.manifest(dim, source.cache_key(dim), fetched)
        with StoreWriter(folder, name=source.name, dim=dim, manifest=manifest) as writer:
            for block in blocks_of(source, fetched, dim):
                writer.write(block)
    except EmbedhubError as error:
        fail(f"{label} cannot be stored, so `load` fails: {error}")
    except Exception as error:  # noqa: BLE001 - the code of a plugin
        fail(f"{label} cannot be stored, so `load` fails: {describe(error)}.")
    return open_again(source, folder)


def open_again(source: EmbeddingSource, folder: Path) -> Vectors:
    """Open a store with the composer of its source."""
    try:
        return open_store(folder, fallbacks=source.fallbacks, composer=source.composer, unit=source.unit)
    except EmbedhubError as error:
        fail(f"{source.name}: the store cannot be opened, so `load` fails: {error}")
    except Exception as error:  # noqa: BLE001 - the code of a plugin
        fail(f"{source.name}: the composer cannot be opened, so `load` fails: {describe(error)}.")


def check_composer(vectors: Vectors, again: Vectors) -> None:
    """Fail unless the composer of a store makes finite float32 vectors, the same each time, for any words.

    Args:
        vectors: Vectors with a composer; vectors without one are not tested.
        again: The same vectors, opened once more.
    """
    first, second = vectors.composer, again.composer
    if first is None or second is None:
        expect(first is second, f"{vectors.name}: a composer is opened for the store only sometimes.")
        return
    words = [word for word in _WORDS if word not in vectors.words]
    label = f"{vectors.name}: compose"
    for composer in (first, second):
        for asked in (words, words[:1], []):
            composed = _compose(composer, asked, label)
            shape = (len(asked), vectors.dim)
            given = (getattr(composed, "shape", None), getattr(composed, "dtype", None))
            expect(
                isinstance(composed, np.ndarray) and given == (shape, np.float32),
                f"{label} returns a {type(composed).__name__} of shape {given[0]} and dtype {given[1]} for "
                f"{len(asked)} words; expected an array of shape {shape} and dtype float32.",
            )
            infinite = [word for word, row in zip(asked, composed, strict=True) if not np.isfinite(row).all()]
            expect(
                not infinite,
                f"{label} returns numbers that are not finite for {infinite!r:.200}; expected zeros for a "
                "word without a vector.",
            )
            expect(
                same(composed, _compose(first, asked, label)),
                f"{label} returns other numbers for the same words when it is called again, or when the "
                "store is opened again. Seed random numbers with the word.",
            )


def _compose(composer: Composer, words: list[str], label: str) -> NDArray[Any]:
    try:
        return composer.compose([*words])
    except Exception as error:  # noqa: BLE001 - any error is the same failure
        culprit = next((word for word in words if _raises(composer, word)), None)
        asked = f"{len(words)} words" if culprit is None else f"the word {culprit!r:.40}"
        fail(
            f"{label} raises {describe(error)} for {asked}; expected a vector for each word, zeros for one "
            "that it cannot make."
        )


def _raises(composer: Composer, word: str) -> bool:
    try:
        composer.compose([word])
    except Exception:  # noqa: BLE001 - any error is the same failure
        return True
    return False
