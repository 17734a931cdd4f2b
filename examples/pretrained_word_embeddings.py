"""Text classification over pretrained word embeddings, from raw strings to a model that takes raw strings.

The task of keras.io's example "Using pre-trained word embeddings". What is there a download, a loop over the
lines of a file, a loop over the vocabulary and a layer to be filled is here one call of embedhub.

    python examples/pretrained_word_embeddings.py                           offline, on what embedhub ships
    python examples/pretrained_word_embeddings.py FOLDER glove-6b 50        SST-2: train.tsv and dev.tsv

It runs under each backend of Keras: KERAS_BACKEND=jax python examples/...
"""

import csv
import sys
from importlib import resources
from pathlib import Path

import keras
import numpy as np

import embedhub

LENGTH = 40


def read(folder: Path | None) -> tuple[list[tuple[list[str], np.ndarray]], list[str]]:
    """Return texts and class numbers for training and for validation, and the names of the classes."""
    if folder is None:
        lines = (resources.files("embedhub") / "demo_texts.tsv").read_text("utf-8").splitlines()
        rows = list(csv.DictReader(lines, delimiter="\t"))
        parts = [
            [(row["text"], row["topic"]) for row in rows if row["split"] == s] for s in ("train", "test")
        ]
    else:
        files = [(folder / name).read_text("utf-8").splitlines() for name in ("train.tsv", "dev.tsv")]
        parts = [[(text, label) for text, label in (line.split("\t") for line in file)] for file in files]
    classes = sorted({label for _, label in parts[0]})
    return [
        ([text for text, _ in part], np.array([classes.index(label) for _, label in part])) for part in parts
    ], classes


def main(folder: Path | None = None, source: str = "glove-6b-20k", dim: int = 50) -> float:
    """Train, validate, try the model on raw strings; return the accuracy on the validation texts."""
    keras.utils.set_random_seed(1)
    ((texts, labels), (valid_texts, valid_labels)), classes = read(folder)
    print(
        f"{len(texts)} texts for training, {len(valid_texts)} for validation, classes: {', '.join(classes)}"
    )

    # The one call: the source's 20,000 most frequent words and those of our texts, with their vectors. Words
    # of ours that the source does not have start at zero, and are the only ones whose vectors learn.
    text = embedhub.keras_text_embedding(
        source,
        dim,
        max_tokens=20_000,
        include=texts,
        input_length=LENGTH,
        standardize="lower_and_strip_punctuation" if folder is None else "lower",  # SST-2 is split already
        mask_zero=True,
        trainable="missing",
    )

    classifier = keras.Sequential(
        [
            text.embedding,
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(len(classes), activation="softmax"),
        ]
    )
    classifier.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    indices, valid_indices = (
        keras.ops.convert_to_numpy(text.vectorize(part)) for part in (texts, valid_texts)
    )
    epochs = 8 if folder else 40
    classifier.fit(indices, labels, epochs=epochs, batch_size=64, verbose=0)
    _, accuracy = classifier.evaluate(valid_indices, valid_labels, verbose=0)
    print(f"validation accuracy: {accuracy:.3f}")

    question = valid_texts[:1]
    if keras.backend.backend() == "tensorflow":
        # Under TensorFlow a model can take strings: this one can be saved, exported and served.
        model = keras.Sequential([keras.Input((), dtype="string"), text.vectorize, classifier])
        answer = model.predict(np.array(question, dtype=object), verbose=0)
    else:
        answer = classifier.predict(keras.ops.convert_to_numpy(text.vectorize(question)), verbose=0)
    print(f"{question[0]!r}: {classes[int(answer[0].argmax())]}")
    return float(accuracy)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
    else:
        main()
