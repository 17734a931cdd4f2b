"""Fixtures for tests of layers: conformance checks, and a process without embedhub."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from children import child, read_until
from numpy.typing import NDArray

_PREDICT = """
import json, sys
sys.modules["embedhub"] = None
import keras, numpy as np
for line in sys.stdin:
    path, indices = json.loads(line)
    answer = keras.ops.convert_to_numpy(keras.models.load_model(path)(np.array(indices)))
    print("answer", json.dumps(answer.astype("float32").tolist()), flush=True)
"""


@pytest.fixture(scope="session")
def predict_without_embedhub() -> Iterator[Callable[[Path, NDArray[Any]], NDArray[np.float32]]]:
    """Return a function that predicts with a saved model in a process without embedhub."""
    with child(sys.executable, "-c", _PREDICT, stderr=None) as process:

        def predict(path: Path, indices: NDArray[Any]) -> NDArray[np.float32]:
            print(json.dumps([str(path), indices.tolist()]), file=process.stdin, flush=True)
            answer = read_until(process, "answer ").splitlines()[-1]
            return np.array(json.loads(answer.removeprefix("answer ")), np.float32)

        yield predict


def values(tensor: Any) -> NDArray[np.float32]:
    """Return a tensor of any backend as float32."""
    return np.asarray(keras.ops.convert_to_numpy(tensor), np.float32)


@dataclass(kw_only=True)
class Conformance:
    """Checks for a layer that holds a matrix; call it with an untrained layer.

    Args:
        matrix: ``(rows, dim)``, the expected output.
        moves: ``(rows,)`` bool, the rows that training changes.
        weights: Number of trainable and of frozen weights.
        dtype: Of the layer's output.
        masks: Whether row 0 is padding.
        tolerance: How far the output may be from the matrix.
        over: Returns the next layer, which respects masks.
        compile_options: For the training step.
        feed: Turns indices and targets into arguments of ``fit``.
        predict_without_embedhub: The fixture of that name.
        folder: Where the model is saved.
    """

    matrix: NDArray[np.float32]
    moves: NDArray[np.bool_]
    weights: tuple[int, int]
    dtype: str = "float32"
    masks: bool = False
    tolerance: float = 0
    over: Callable[[], Any] = keras.layers.GlobalAveragePooling1D
    compile_options: dict[str, Any] = field(default_factory=dict)
    feed: Callable[[NDArray[np.int64], NDArray[np.float32]], tuple[Any, ...]] = lambda x, y: (x, y)
    predict_without_embedhub: Callable[[Path, NDArray[Any]], NDArray[np.float32]]
    folder: Path

    def __call__(self, layer: Any) -> None:
        """Check weights, shapes, dtypes, one training step, saving and loading."""
        rows, dim = self.matrix.shape
        assert layer.built
        assert (len(layer.trainable_weights), len(layer.non_trainable_weights)) == self.weights
        assert len(json.dumps(keras.layers.serialize(layer))) < 8000  # no matrix in the config

        symbolic = layer(keras.Input((None,), dtype="int32"))
        assert symbolic.shape == (None, None, dim)
        assert keras.backend.standardize_dtype(symbolic.dtype) == self.dtype
        every = np.arange(rows)[None]
        before = layer(every)
        assert tuple(before.shape) == (1, rows, dim)
        assert keras.backend.standardize_dtype(before.dtype) == self.dtype
        before = values(before)
        np.testing.assert_allclose(before[0], self.matrix, rtol=0, atol=self.tolerance)

        # Small targets, because loss scaling skips a step whose loss overflows float16.
        keras.utils.set_random_seed(2017)
        indices = np.concatenate([every, np.roll(every, 2)])
        targets = np.array([[0.5], [-0.5]], np.float32)
        model = keras.Sequential(
            [keras.Input((None,), dtype="int32"), layer, self.over(), keras.layers.Dense(1)]
        )
        # A step of 0.1 is large enough not to be rounded away in bfloat16.
        model.compile(keras.optimizers.Adam(0.1), "mse", **self.compile_options)
        model.fit(*self.feed(indices, targets), verbose=0, shuffle=False)
        after = values(layer(every))
        tolerance = 1e-5 if self.dtype == "float32" else 1e-2
        assert ((after != before).any(axis=-1)[0] == self.moves).all()
        if self.masks:
            # Padding before or after the words does not change the output.
            words = every[:, 1:-1]
            padded = np.concatenate([np.pad(words, ((0, 0), ends)) for ends in ((0, 2), (2, 0))])
            ahead, behind = values(model(padded))
            np.testing.assert_allclose(ahead, behind, rtol=tolerance)

        model.save(self.folder / "model.keras")
        prediction = self.predict_without_embedhub(self.folder / "model.keras", indices)
        np.testing.assert_allclose(prediction, values(model(indices)), rtol=tolerance)


@pytest.fixture
def conformance(
    predict_without_embedhub: Callable[[Path, NDArray[Any]], NDArray[np.float32]], tmp_path: Path
) -> Callable[..., Conformance]:
    """Return a function that creates a `Conformance`."""
    return lambda **options: Conformance(
        predict_without_embedhub=predict_without_embedhub, folder=tmp_path, **options
    )
