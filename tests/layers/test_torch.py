"""PyTorch Embedding layers."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from children import PATIENCE

import embedhub
from embedhub import VocabularyError

torch = pytest.importorskip("torch", reason="PyTorch is not installed: tox -e torch")

WORD_INDEX = {"music": 1, "rain": 2, "qwxz": 3}


def test_torch_embedding_is_a_stock_embedding_with_the_matrix() -> None:
    """The layer is a frozen ``torch.nn.Embedding`` that holds the embedding matrix."""
    layer = embedhub.torch_embedding("wordnet-ppmi", 25, WORD_INDEX)
    assert type(layer) is torch.nn.Embedding
    assert not layer.weight.requires_grad
    assert layer.weight.dtype == torch.float32
    assert layer.padding_idx is None
    expected = embedhub.embedding_matrix("wordnet-ppmi", 25, WORD_INDEX).matrix
    assert (layer(torch.arange(4)).numpy() == expected).all()


@pytest.mark.slow
def test_training_changes_all_rows_except_padding() -> None:
    """Training changes neither padding, nor the source, nor another layer."""
    vectors = embedhub.load("wordnet-ppmi", 25)
    before = np.array(vectors["music"])
    layer, other = (
        embedhub.torch_embedding(vectors, None, WORD_INDEX, trainable=True, padding_idx=0) for _ in range(2)
    )
    optimizer = torch.optim.SGD(layer.parameters(), lr=1.0)
    layer(torch.arange(4)).sum().backward()
    optimizer.step()
    moved = (layer.weight != other.weight).any(dim=1)
    assert moved.tolist() == [False, True, True, True]
    assert (vectors["music"] == before).all()


def test_layer_has_the_fingerprint_of_its_vectors(tmp_path: Any) -> None:
    """It is an attribute, which ``torch.save`` of the layer keeps."""
    layer: Any = embedhub.torch_embedding("wordnet-ppmi", 25, WORD_INDEX)
    torch.save(layer, tmp_path / "layer.pt")
    again = torch.load(tmp_path / "layer.pt", weights_only=False)
    assert layer.fingerprint == again.fingerprint == embedhub.load("wordnet-ppmi", 25).fingerprint


def test_state_dict_loads_into_a_plain_layer(tmp_path: Any) -> None:
    """The saved state loads into a ``torch.nn.Embedding`` of the same shape."""
    layer = embedhub.torch_embedding("wordnet-ppmi", 25, WORD_INDEX)
    torch.save(layer.state_dict(), tmp_path / "layer.pt")
    plain = torch.nn.Embedding(4, 25)
    plain.load_state_dict(torch.load(tmp_path / "layer.pt", weights_only=True))
    assert (plain.weight == layer.weight).all()


def test_padding_idx_must_be_an_index_without_a_word() -> None:
    """A ``padding_idx`` that is the index of a word, or out of range, is an error."""
    with pytest.raises(VocabularyError, match="has 'music' at index 1, which padding_idx=1 reserves for"):
        embedhub.torch_embedding("wordnet-ppmi", 25, WORD_INDEX, padding_idx=1)
    for index in (-1, 4):
        with pytest.raises(ValueError, match=f"padding_idx is {index}; expected an index, 0 to 3"):
            embedhub.torch_embedding("wordnet-ppmi", 25, WORD_INDEX, padding_idx=index)


FRESH = """
import json, sys
import embedhub
embedhub.torch_embedding("wordnet-ppmi", 25, {"music": 1, "rain": 2})
print(json.dumps(sorted({"torch._dynamo", "keras", "tensorflow"} & {*sys.modules})))
"""


@pytest.mark.slow
def test_torch_embedding_imports_neither_keras_nor_the_compiler_of_torch() -> None:
    """In a new process it costs what ``from_pretrained`` costs; ``torch._dynamo`` would take seconds more."""
    run = subprocess.run(
        [sys.executable, "-c", FRESH], capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    assert run.stdout.strip() == "[]"


def test_weights_are_the_only_copy_of_the_matrix() -> None:
    """The layer takes over the memory of the matrix, as ``from_pretrained`` does, frozen or not."""
    for trainable in (False, True):
        layer = embedhub.torch_embedding("wordnet-ppmi", 25, WORD_INDEX, trainable=trainable)
        assert layer.weight.requires_grad is trainable
        assert layer.weight.detach().numpy().base is not None


def test_source_may_have_the_dimension() -> None:
    """The dimension is a part of the source's name or an argument, with the same result."""
    words = {"rain": 1, "snow": 2}
    short = embedhub.torch_embedding("wordnet-ppmi:25", words, trainable=True)
    expected = embedhub.torch_embedding("wordnet-ppmi", 25, words)
    assert short.weight.requires_grad
    assert torch.equal(short.weight, expected.weight)
