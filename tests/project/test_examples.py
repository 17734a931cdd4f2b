"""The examples that need one device; tests/layers/test_devices.py has the others."""

import re
import runpy
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def example(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that runs a script of examples/ here: importing TensorFlow again takes seconds."""

    def run(script: str, *arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", [script, *arguments])
        runpy.run_path(str(Path(__file__).parents[2] / "examples" / script), run_name="__main__")
        return capsys.readouterr().out

    return run


def accuracy(shown: str) -> float:
    """Return the accuracy that the example prints."""
    return float(re.findall(r"validation accuracy: ([\d.]+)", shown)[0])


@pytest.mark.slow
def test_classification_on_the_embedded_texts(example: Callable[..., str]) -> None:
    """The task of keras.io's example, offline: far better than guessing one of six topics."""
    assert accuracy(example("pretrained_word_embeddings.py")) > 0.7


@pytest.mark.slow
@pytest.mark.usefixtures("glove_20k")
def test_classification_reads_a_folder_of_texts(
    example: Callable[..., str], demo_texts: tuple[Path, Path], tmp_path: Path
) -> None:
    """The script takes train.tsv and dev.tsv of a folder, and a source by name: far better than guessing."""
    train, test = demo_texts
    texts = train.read_text("utf-8") * 6  # as many steps as a larger set has
    (tmp_path / "train.tsv").write_text(texts, "utf-8")
    shutil.copy(test, tmp_path / "dev.tsv")
    shown = example("pretrained_word_embeddings.py", str(tmp_path), "glove-6b-20k", "50")
    assert "900 texts for training, 180 for validation, classes: animals, food, medicine" in shown
    assert accuracy(shown) > 0.7
