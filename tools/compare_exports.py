"""The table of exports in docs/serving.md: their sizes, and how far predictions are from those of Keras.

    python tools/compare_exports.py [--write]

It exports a classifier over an embedded source in each format, with strings or int32 as its input, and reads
the result with the runtime of the format. It needs tf2onnx, onnxruntime, ai-edge-litert and openvino.
`--write` puts the table into the page; `tests/project/test_serving_table.py` measures each row of it again.
"""

import argparse
import math
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import embedhub

PAGE = Path(__file__).parents[1] / "docs" / "serving.md"
BEGIN, END = "<!-- exports: begin -->", "<!-- exports: end -->"
TEXTS = (Path(__file__).parents[1] / "benchmarks" / "sentences.txt").read_text("utf-8").splitlines()
LENGTH = 16
LEAST_BOUND = 1e-6  # of float32: runtimes add up in different orders
SLACK = 1.5
HEADER = (
    '| format | input | values | frozen vectors | `trainable="missing"` |',
    "|---|---|---|---|---|",
)
Trainable = Literal[False, "missing"]
TRAINABLE: tuple[Trainable, ...] = (False, "missing")


class Classifier(NamedTuple):
    """A model to export, its input, and what it predicts before it is quantized."""

    model: Any
    inputs: Any
    expected: Any


class Measured(NamedTuple):
    """An export: the size of its files in MB, and the largest difference of a prediction."""

    size: float
    difference: float


def make_classifier(trainable: Trainable, inputs: str, values: str) -> Classifier:
    """Return a classifier over the vectors of glove-6b-20k.

    Args:
        trainable: As in `embedhub.keras_text_embedding`.
        inputs: ``"strings"`` or ``"int32"``.
        values: As in `Export`.
    """
    text = embedhub.keras_text_embedding(
        "glove-6b-20k", 50, include=TEXTS, input_length=LENGTH, trainable=trainable, oov="normal"
    )
    keras.utils.set_random_seed(1)
    classifier = keras.Sequential(
        [
            keras.Input((LENGTH,), dtype="int32"),
            text.embedding,
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    ids = np.asarray(text.vectorize(TEXTS)).astype("int32")
    expected = classifier.predict(ids, verbose=0)
    mode, _, part = values.partition(" ")
    if mode != "float32":
        (text.embedding if part else classifier).quantize(mode)
    if inputs == "int32":
        return Classifier(classifier, ids, expected)
    model = keras.Sequential([keras.Input((), dtype="string"), text.vectorize, classifier])
    texts = np.array(TEXTS, dtype=object)
    model.predict(texts, verbose=0)  # Keras exports to ONNX only models that were called
    return Classifier(model, texts, expected)


def predict_keras(model: Any, inputs: Any, path: str) -> Any:
    """Save a model, load it, and predict."""
    model.save(path)
    return keras.models.load_model(path).predict(inputs, verbose=0)


def predict_savedmodel(model: Any, inputs: Any, path: str) -> Any:
    """Export a model as a SavedModel, load it with TensorFlow, and predict."""
    import tensorflow as tf

    model.export(path, verbose=False)
    served = tf.saved_model.load(path)
    return served.serve(tf.constant(inputs))


def predict_onnx(model: Any, inputs: Any, path: str) -> Any:
    """Export a model to ONNX, and predict with ONNX Runtime."""
    import onnxruntime

    model.export(path, format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(path)
    (model_input,) = session.get_inputs()
    return session.run(None, {model_input.name: inputs})[0]


def predict_litert(model: Any, inputs: Any, path: str) -> Any:
    """Export a model to LiteRT, and predict with its interpreter."""
    from ai_edge_litert.interpreter import Interpreter

    model.export(path, format="litert", verbose=False)
    interpreter = Interpreter(path)
    (model_input,), (model_output,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(model_input["index"], inputs.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(model_input["index"], inputs)
    interpreter.invoke()
    return interpreter.get_tensor(model_output["index"])


def predict_openvino(model: Any, inputs: Any, path: str) -> Any:
    """Export a model to OpenVINO, and predict on the CPU."""
    import openvino

    model.export(path, format="openvino", verbose=False)
    return openvino.Core().compile_model(path, "CPU")(inputs)[0]


class Format(NamedTuple):
    """A format of models.

    Args:
        predict: Exports a model to a path, reads it, and returns its predictions for inputs.
        suffix: Of the path.
        modules: Those that must be installed.
    """

    predict: Callable[[Any, Any, str], Any]
    suffix: str
    modules: tuple[str, ...] = ()


FORMATS = {
    "`.keras`": Format(predict_keras, ".keras"),
    "SavedModel": Format(predict_savedmodel, ""),
    "ONNX": Format(predict_onnx, ".onnx", ("tf2onnx", "onnxruntime")),
    "LiteRT": Format(predict_litert, ".tflite", ("ai_edge_litert",)),
    "OpenVINO": Format(predict_openvino, ".xml", ("openvino",)),
}


@dataclass(frozen=True)
class Export:
    """A row of the table.

    Args:
        format: One of `FORMATS`.
        inputs: ``"strings"`` or ``"int32"``.
        values: ``"float32"``, or the mode of ``quantize``, followed by ``vectors`` if only the layer of
            embedhub is quantized.
        obstacle: An operator, named by the error message of a format that cannot be used in this way.
    """

    format: str
    inputs: str
    values: str
    obstacle: str | None = None

    @property
    def title(self) -> str:
        """The first cells of the row."""
        return f"| {self.format} | {self.inputs} | {self.values} |"

    def measure(self, trainable: Trainable) -> Measured:
        """Export a classifier, and compare its predictions with those of Keras before it is quantized."""
        predict, suffix, _ = FORMATS[self.format]
        model, inputs, expected = make_classifier(trainable, self.inputs, self.values)
        with tempfile.TemporaryDirectory() as folder:
            result = np.asarray(predict(model, inputs, str(Path(folder, f"model{suffix}"))))
            size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        return Measured(size / 1e6, float(np.abs(result - expected).max()))

    def cell(self, trainable: Trainable) -> str:
        """Return the size and a bound of the differences, or what stands in the way."""
        try:
            measured = self.measure(trainable)
        except Exception as error:
            if self.obstacle is None or self.obstacle not in str(error):
                raise
            return f"no: `{self.obstacle}`"
        return f"{measured.size:.2g} MB, {bound(measured.difference)}"


EXPORTS = (
    Export("`.keras`", "strings", "float32"),
    Export("SavedModel", "strings", "float32"),
    Export("ONNX", "strings", "float32", "StaticRegexReplace"),
    Export("LiteRT", "strings", "float32", "FlexStringLower"),
    Export("OpenVINO", "strings", "float32", "LookupTableFindV2"),
    *(Export(name, "int32", "float32") for name in FORMATS),
    Export("SavedModel", "strings", "int8 vectors"),
    *(Export(name, "int32", "int8 vectors") for name in FORMATS),
    *(Export(name, "int32", "int8", "fully_connected" if name == "LiteRT" else None) for name in FORMATS),
    *(Export(name, "int32", "int4") for name in FORMATS),
)


def bound(difference: float) -> str:
    """Return a number of one digit that is above a difference, with some slack for other processors."""
    above = max(LEAST_BOUND, SLACK * difference)
    digit = 10.0 ** math.floor(math.log10(above) + 1e-9)
    return f"{math.ceil(above / digit - 1e-9) * digit:.6g}".replace("e-0", "e-")


def table() -> str:
    """Measure all rows, and return the table as Markdown."""
    lines = list(HEADER)
    for export in EXPORTS:
        lines.append(f"{export.title} {' | '.join(map(export.cell, TRAINABLE))} |")
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def written_table() -> list[str]:
    """Return the lines of the table in the page."""
    return PAGE.read_text("utf-8").partition(BEGIN)[2].partition(END)[0].strip().splitlines()


def main() -> None:
    """Measure all, and print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the table into docs/serving.md")
    options = parser.parse_args()
    text = table()
    if options.write:
        before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        _, _, after = rest.partition(END)
        PAGE.write_text(f"{before}{BEGIN}\n{text}{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
