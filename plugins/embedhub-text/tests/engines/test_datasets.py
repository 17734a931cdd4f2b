"""Hugging Face datasets: two processes."""

from collections.abc import Callable
from typing import Any

import embedhub_text
import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("datasets", reason="datasets is not installed")


def test_documented_code_runs(page: Callable[[str], None]) -> None:
    """The code of the page computes the vectors of one process, in two."""
    page("Hugging Face datasets")


def test_fingerprint_is_stable(
    embed: embedhub_text.TextEmbedder, texts: list[str | None], expected: NDArray[np.float32]
) -> None:
    """The function has the same fingerprint before and after its use, so `map` need not run it twice."""
    from datasets import Dataset
    from datasets.fingerprint import Hasher

    def add_vectors(batch: Any) -> Any:
        return {"vector": embed(batch["text"])}

    before = Hasher.hash(add_vectors)
    table = Dataset.from_dict({"text": texts}).map(add_vectors, batched=True, batch_size=64)
    assert (table.with_format("numpy")["vector"][:] == expected).all()
    assert Hasher.hash(add_vectors) == before
