"""Features of Keras' Embedding, with the backend that KERAS_BACKEND names."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import embedhub

BACKEND = keras.backend.backend()
WORD_INDEX = {"music": 1, "rain": 2, "qwxz": 3, "walk": 4, "zxqw": 6}  # 5 is a gap
NONE = np.zeros(7, np.bool_)
ALL = ~NONE
NOT_PADDING = np.arange(7) > 0
MISSING = np.isin(np.arange(7), [3, 6])


@pytest.fixture
def matrix() -> Any:
    """Return the matrix that the layers hold."""
    return embedhub.embedding_matrix("wordnet-ppmi", 25, WORD_INDEX).matrix


@pytest.fixture
def policy(request: pytest.FixtureRequest) -> Iterator[str]:
    """Set the global dtype policy, and reset it afterwards."""
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy("float32")


def make(**options: Any) -> Any:
    """Return a layer over the built-in vectors."""
    return embedhub.keras_embedding("wordnet-ppmi", 25, WORD_INDEX, **options)


def batches(indices: Any, targets: Any) -> tuple[tf.data.Dataset]:
    """Return indices and targets as a tf.data pipeline."""
    return (tf.data.Dataset.from_tensor_slices((indices, targets)).batch(2),)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trainable", "moves", "weights"),
    [(False, NONE, (0, 1)), (True, ALL, (1, 0)), ("missing", MISSING, (1, 3))],
    ids=["frozen", "trainable", "missing"],
)
def test_layer_conforms(
    conformance: Callable[..., Any], matrix: Any, trainable: Any, moves: Any, weights: Any
) -> None:
    """A layer returns the matrix, trains the right rows, and loads without embedhub."""
    conformance(matrix=matrix, moves=moves, weights=weights)(make(trainable=trainable))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trainable", "moves", "weights"),
    [(True, NOT_PADDING, (1, 0)), ("missing", MISSING, (1, 3))],
    ids=["trainable", "missing"],
)
def test_mask_zero(
    conformance: Callable[..., Any], matrix: Any, trainable: Any, moves: Any, weights: Any
) -> None:
    """With ``mask_zero``, an LSTM skips padding, and padding is not trained."""
    conformance(matrix=matrix, moves=moves, weights=weights, masks=True, over=lambda: keras.layers.LSTM(2))(
        make(trainable=trainable, mask_zero=True)
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("policy", "trainable", "moves", "weights"),
    [
        ("mixed_float16", True, NOT_PADDING, (1, 0)),
        ("mixed_float16", "missing", MISSING, (1, 3)),
        ("mixed_bfloat16", True, NOT_PADDING, (1, 0)),
    ],
    indirect=["policy"],
    ids=["float16-trainable", "float16-missing", "bfloat16-trainable"],
)
def test_mixed_precision(
    conformance: Callable[..., Any], matrix: Any, policy: str, trainable: Any, moves: Any, weights: Any
) -> None:
    """Weights are float32, and the output is in half precision, with a mask."""
    layer = make(trainable=trainable, mask_zero=True)
    assert {weight.dtype for weight in layer.weights} == {"float32"}
    conformance(
        matrix=matrix,
        moves=moves,
        weights=weights,
        dtype=policy.removeprefix("mixed_"),
        masks=True,
        tolerance=1e-2,
    )(layer)


@pytest.mark.slow
def test_lora_rank(conformance: Callable[..., Any], matrix: Any) -> None:
    """With ``lora_rank``, the matrix is frozen, and its low-rank addition is trained."""
    layer = make(trainable=True, lora_rank=2)
    conformance(matrix=matrix, moves=ALL, weights=(2, 1))(layer)
    (weights,) = layer.non_trainable_weights
    assert (keras.ops.convert_to_numpy(weights) == matrix).all()


# Keras warns for each layer of a model that has no weights.
not_quantized = pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method:UserWarning")


@pytest.mark.slow
@not_quantized
@pytest.mark.parametrize(
    ("trainable", "weights"), [(False, (0, 2)), ("missing", (0, 8))], ids=["frozen", "missing"]
)
def test_quantize_int8(conformance: Callable[..., Any], matrix: Any, trainable: Any, weights: Any) -> None:
    """A quantized layer returns the matrix to 8 bits."""
    layer = make(trainable=trainable)
    layer.quantize("int8")
    step = np.abs(matrix).max() / 127
    conformance(matrix=matrix, moves=NONE, weights=weights, tolerance=step)(layer)


@pytest.mark.slow
@not_quantized
@pytest.mark.filterwarnings("ignore::embedhub.errors.CoverageWarning")  # missing words, on purpose
def test_quantize_int8_keeps_positions_of_trained_rows() -> None:
    """After quantization, each of 5,000 missing words still has its own vector."""
    word_index = {f"qwxz{i}": i for i in range(5000)} | {"music": 5000}
    layer = embedhub.keras_embedding("wordnet-ppmi", 25, word_index, trainable="missing")
    (trainable,) = layer.trainable_weights
    trainable.assign(np.arange(5002)[:, None] * np.ones((1, 25)))
    before = keras.ops.convert_to_numpy(layer(np.arange(5001)[None]))
    layer.quantize("int8")
    after = keras.ops.convert_to_numpy(layer(np.arange(5001)[None]))
    np.testing.assert_allclose(after, before, rtol=1e-2, atol=1e-2)


@pytest.fixture
def _quick_torch_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let PyTorch trace compiled code, without the minute that it takes to generate C++."""
    if BACKEND == "torch":
        import torch

        monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))


@pytest.mark.slow
@pytest.mark.usefixtures("_quick_torch_compile")
def test_jit_compile(conformance: Callable[..., Any], matrix: Any) -> None:
    """A compiled training step works through frozen and trainable tables."""
    check = conformance(matrix=matrix, moves=MISSING, weights=(1, 3), compile_options={"jit_compile": True})
    check(make(trainable="missing"))


@pytest.mark.slow
def test_tf_data(conformance: Callable[..., Any], matrix: Any) -> None:
    """A tf.data pipeline feeds the layer with every backend."""
    conformance(matrix=matrix, moves=ALL, weights=(1, 0), feed=batches)(make(trainable=True))


@pytest.mark.slow
@pytest.mark.skipif(BACKEND != "tensorflow", reason="Keras' SavedModel export is tested with TensorFlow")
@pytest.mark.parametrize("trainable", [False, "missing"])
def test_saved_model(trainable: Any, matrix: Any, tmp_path: Path) -> None:
    """An exported SavedModel serves the matrix without Keras."""
    layer = make(trainable=trainable, mask_zero=True, input_length=7)
    model = keras.Sequential([layer, keras.layers.Activation("linear")])
    model.export(tmp_path / "exported")
    served = tf.saved_model.load(tmp_path / "exported")
    assert (served.serve(np.arange(7, dtype=np.float32)[None]).numpy()[0] == matrix).all()
