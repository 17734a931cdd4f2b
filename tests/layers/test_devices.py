"""Tables on several devices, as the examples make them."""

import re
from collections.abc import Callable

import keras
import pytest

BACKEND = keras.backend.backend()


@pytest.mark.skipif(BACKEND != "jax", reason="keras.distribution divides weights under JAX only")
def test_rows_divided_among_four_devices(example: Callable[..., str]) -> None:
    """Each of four devices holds a quarter of the rows, they are right, and a model trains over them."""
    said = example("sharded_rows_jax.py")
    assert re.findall(r"device (\d): rows (\d+) to (\d+)", said) == [
        ("0", "0", "2501"),
        ("1", "2501", "5002"),
        ("2", "5002", "7503"),
        ("3", "7503", "10004"),
    ]
    assert "10002 rows are 10004 on 4 devices\nall right: True\n" in said
    assert "predictions: (8, 1)" in said


@pytest.mark.slow
@pytest.mark.skipif(BACKEND != "tensorflow", reason="tf.distribute is TensorFlow's")
def test_the_same_rows_on_two_devices(example: Callable[..., str]) -> None:
    """Each of two devices holds all rows, they are right, and training moves just those that are to learn."""
    said = example("mirrored_tensorflow.py")
    assert re.findall(r"CPU:(\d): all right: (\w+)", said) == [("0", "True"), ("1", "True")]
    assert said.endswith("rows that have learnt: [3]\n")
