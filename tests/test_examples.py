"""The examples that need one device; tests/backends/test_devices.py has the others."""

import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def example(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that runs a script of examples/ here: importing TensorFlow again takes seconds."""

    def run(script: str, *arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", [script, *arguments])
        runpy.run_path(str(Path(__file__).parents[1] / "examples" / script), run_name="__main__")
        return capsys.readouterr().out

    return run


def accuracy(said: str) -> float:
    """Return what the example says of its accuracy."""
    return float(re.findall(r"validation accuracy: ([\d.]+)", said)[0])


def test_classification_on_the_embedded_texts(example: Callable[..., str]) -> None:
    """The task of keras.io's example, offline: far better than guessing one of six topics."""
    assert accuracy(example("pretrained_word_embeddings.py")) > 0.7


@pytest.mark.usefixtures("glove_50d")
def test_classification_on_sst2(example: Callable[..., str], real_data: Path) -> None:
    """The same with the real GloVe on the real SST-2: far better than tossing a coin."""
    said = example("pretrained_word_embeddings.py", str(real_data / "text" / "sst2"), "glove-6b", "50")
    assert accuracy(said) > 0.7
