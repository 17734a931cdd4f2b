"""The scripts in examples/, which are also the tests of tables on several devices."""

import re
import subprocess
import sys
from pathlib import Path

import keras
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
BACKEND = keras.backend.backend()


def run(script: str, *arguments: str) -> str:
    """Run an example in a process of its own; return what it says."""
    command = [sys.executable, "-W", "error::UserWarning", str(EXAMPLES / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_classification_on_the_embedded_texts() -> None:
    """The example of keras.io, offline: far better than guessing one of six topics."""
    said = run("pretrained_word_embeddings.py")
    assert float(re.findall(r"validation accuracy: ([\d.]+)", said)[0]) > 0.7


@pytest.mark.skipif(BACKEND != "tensorflow", reason="once is enough for 7,000 texts")
@pytest.mark.usefixtures("glove_50d")
def test_classification_on_sst2(real_data: Path) -> None:
    """The example of keras.io, with the real GloVe on the real SST-2: far better than tossing a coin."""
    said = run("pretrained_word_embeddings.py", str(real_data / "text" / "sst2"), "glove-6b", "50")
    assert float(re.findall(r"validation accuracy: ([\d.]+)", said)[0]) > 0.7


@pytest.mark.skipif(BACKEND != "jax", reason="keras.distribution divides weights under JAX only")
def test_rows_divided_among_four_devices() -> None:
    """Each of four devices holds a quarter of the rows, they are right, and a model trains over them."""
    said = run("sharded_rows_jax.py")
    assert re.findall(r"device (\d): rows (\d+) to (\d+)", said) == [
        ("0", "0", "2501"), ("1", "2501", "5002"), ("2", "5002", "7503"), ("3", "7503", "10004")
    ]  # fmt: skip
    assert "all right: True" in said
    assert "predictions: (8, 1)" in said


@pytest.mark.skipif(BACKEND != "tensorflow", reason="tf.distribute is TensorFlow's")
def test_the_same_rows_on_two_devices() -> None:
    """Each of two devices holds all rows, they are right, and training moves just those that are to learn."""
    said = run("mirrored_tensorflow.py")
    assert re.findall(r"CPU:(\d): all right: (\w+)", said) == [("0", "True"), ("1", "True")]
    assert said.endswith("rows that have learnt: [3]\n")
