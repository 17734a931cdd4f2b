"""Hugging Face datasets: two processes."""

from collections.abc import Callable

import embedhub_text
import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("datasets", reason="datasets is not installed")


def test_the_page_runs(page: Callable[[str], None]) -> None:
    """The code of the page gives the rows of one process, out of two."""
    page("Hugging Face datasets")


def test_the_function_has_a_lasting_name(
    embed: embedhub_text.TextEmbedder, texts: list[str | None], expected: NDArray[np.float32]
) -> None:
    """The rows are those of one process, and a second run is taken from the cache of datasets."""
    from datasets import Dataset
    from datasets.fingerprint import Hasher

    before = Hasher.hash(embed.batch("text"))
    table = Dataset.from_dict({"text": texts}).map(embed.batch("text"), batched=True, batch_size=64)
    assert (table.with_format("numpy")["vector"][:] == expected).all()
    assert Hasher.hash(embed.batch("text")) == before
