"""Layers on several devices, as in the examples."""

import re
from collections.abc import Callable

import keras
import pytest

BACKEND = keras.backend.backend()


@pytest.mark.skipif(BACKEND != "jax", reason="keras.distribution shards weights with JAX only")
def test_matrix_is_sharded_over_four_devices(example: Callable[..., str]) -> None:
    """Each of four devices holds the right quarter of the rows, and a model is trained with them."""
    output = example("sharded_rows_jax.py")
    assert re.findall(r"device (\d): rows (\d+) to (\d+)", output) == [
        ("0", "0", "2501"),
        ("1", "2501", "5002"),
        ("2", "5002", "7503"),
        ("3", "7503", "10004"),
    ]
    assert "10002 rows are 10004 on 4 devices\nall right: True\n" in output
    assert "predictions: (8, 1)" in output


@pytest.mark.slow
@pytest.mark.skipif(BACKEND != "tensorflow", reason="tf.distribute is TensorFlow's")
def test_matrix_is_mirrored_on_two_devices(example: Callable[..., str]) -> None:
    """Each of two devices holds all rows, and training changes only the trainable ones."""
    output = example("mirrored_tensorflow.py")
    assert re.findall(r"CPU:(\d): all right: (\w+)", output) == [("0", "True"), ("1", "True")]
    assert output.endswith("trained rows: [3]\n")
