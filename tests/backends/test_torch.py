"""The layer for PyTorch itself, whichever backend Keras has."""

import importlib.util
from typing import Any

import numpy as np
import pytest

import embedhub
from embedhub import DependencyError, VocabularyError

WORD_INDEX = {"music": 1, "rain": 2, "qwxz": 3}


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="PyTorch is installed")
def test_without_torch_the_error_says_what_to_install() -> None:
    """PyTorch is optional: its absence is an ImportError that names the extra."""
    with pytest.raises(DependencyError, match=r"pip install embedhub\[torch\]") as caught:
        embedhub.torch_embedding("wordnet-ppmi", 25, WORD_INDEX)
    assert isinstance(caught.value, ImportError)


@pytest.fixture
def torch() -> Any:
    """Return PyTorch, or skip."""
    return pytest.importorskip("torch", reason="PyTorch is not installed: tox -e torch")


def test_it_is_a_stock_layer_that_holds_the_rows(torch: Any) -> None:
    """The layer is PyTorch's own, frozen, and row i is that of the word with index i."""
    layer = embedhub.torch_embedding("wordnet-ppmi", 25, WORD_INDEX)
    assert type(layer) is torch.nn.Embedding
    assert not layer.weight.requires_grad
    assert layer.weight.dtype == torch.float32
    assert layer.padding_idx is None
    expected = embedhub.embedding_matrix("wordnet-ppmi", 25, WORD_INDEX).matrix
    assert (layer(torch.arange(4)).numpy() == expected).all()


def test_training_moves_all_rows_but_padding(torch: Any) -> None:
    """A trainable layer learns, its padding does not, and neither the source nor another layer changes."""
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


def test_it_saves_as_any_layer(torch: Any, tmp_path: Any) -> None:
    """The state goes into a plain layer of the same shape."""
    layer = embedhub.torch_embedding("wordnet-ppmi", 25, WORD_INDEX)
    torch.save(layer.state_dict(), tmp_path / "layer.pt")
    plain = torch.nn.Embedding(4, 25)
    plain.load_state_dict(torch.load(tmp_path / "layer.pt", weights_only=True))
    assert (plain.weight == layer.weight).all()


def test_padding_is_a_row_without_a_word(torch: Any) -> None:
    """A word at padding's index would never learn, and an index that is no row means nothing."""
    with pytest.raises(VocabularyError, match="gives 'music' the index 1, which padding_idx=1 makes padding"):
        embedhub.torch_embedding("wordnet-ppmi", 25, WORD_INDEX, padding_idx=1)
    for index in (-1, 4):
        with pytest.raises(ValueError, match=f"padding_idx is {index}; expected a row, 0 to 3"):
            embedhub.torch_embedding("wordnet-ppmi", 25, WORD_INDEX, padding_idx=index)
