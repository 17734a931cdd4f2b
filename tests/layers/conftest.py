"""What all tests of layers share: the conformance of a layer, and a process that has no embedhub."""

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

_STRANGER = """
import json, sys
sys.modules["embedhub"] = None
import keras, numpy as np
for line in sys.stdin:
    path, indices = json.loads(line)
    answer = keras.ops.convert_to_numpy(keras.models.load_model(path)(np.array(indices)))
    print("answer", json.dumps(answer.astype("float32").tolist()), flush=True)
"""


@pytest.fixture(scope="session")
def stranger() -> Iterator[Callable[[Path, NDArray[Any]], NDArray[np.float32]]]:
    """Return a function that lets a process without embedhub load a model and predict."""
    with child(sys.executable, "-c", _STRANGER, stderr=None) as process:

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
    """What a layer must do that stands for a matrix. Call it with the layer, fresh.

    Args:
        matrix: ``(rows, dim)``, what the layer holds.
        moves: ``(rows,)`` bool, the rows that change in training.
        weights: Number of trainable and of frozen weights.
        dtype: Of the layer's output.
        masks: Whether row 0 is padding.
        tolerance: How far the output may be from the matrix.
        over: The layer that takes this one's output; it heeds masks.
        compile_options: How the model is compiled for the training step.
        feed: Makes of indices and targets what ``fit`` takes.
        stranger: Predicts with a saved model, in a process without embedhub.
        folder: Where models are saved.
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
    stranger: Callable[[Path, NDArray[Any]], NDArray[np.float32]]
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

        # Small targets, because a step whose scaled loss is too large for float16 is left out.
        keras.utils.set_random_seed(2017)
        indices = np.concatenate([every, np.roll(every, 2)])
        targets = np.array([[0.5], [-0.5]], np.float32)
        model = keras.Sequential(
            [keras.Input((None,), dtype="int32"), layer, self.over(), keras.layers.Dense(1)]
        )
        # A step of 0.1 is more than bfloat16 rounds away.
        model.compile(keras.optimizers.Adam(0.1), "mse", **self.compile_options)
        model.fit(*self.feed(indices, targets), verbose=0, shuffle=False)
        after = values(layer(every))
        tolerance = 1e-5 if self.dtype == "float32" else 1e-2
        assert ((after != before).any(axis=-1)[0] == self.moves).all()
        if self.masks:
            # Padding before or behind the words changes nothing.
            words = every[:, 1:-1]
            padded = np.concatenate([np.pad(words, ((0, 0), ends)) for ends in ((0, 2), (2, 0))])
            ahead, behind = values(model(padded))
            np.testing.assert_allclose(ahead, behind, rtol=tolerance)

        model.save(self.folder / "model.keras")
        found = self.stranger(self.folder / "model.keras", indices)
        np.testing.assert_allclose(found, values(model(indices)), rtol=tolerance)


@pytest.fixture
def conformance(
    stranger: Callable[[Path, NDArray[Any]], NDArray[np.float32]], tmp_path: Path
) -> Callable[..., Conformance]:
    """Return the maker of a `Conformance`."""
    return lambda **options: Conformance(stranger=stranger, folder=tmp_path, **options)
