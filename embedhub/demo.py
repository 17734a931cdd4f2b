"""`embedhub demo`: what pretrained vectors are good for, shown in under a minute and offline.

A few labelled sentences train a small model; the test sentences speak of the same topics in other words. Over
pretrained vectors the model knows words that it has never trained on by their neighbours; over random vectors
it cannot.
"""

import csv
from collections.abc import Callable
from importlib import resources
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from embedhub.align import embedding_matrix
from embedhub.keras import keras_embedding
from embedhub.registry import Source

_LENGTH = 24
_EPOCHS = 40
_RATE = 0.05
_SEED = 2017


def run(source: Source, dim: int | None, say: Callable[[str], None]) -> dict[str, float]:
    """Train the same small model over pretrained and over random vectors.

    Args:
        source: Where the pretrained vectors come from.
        dim: Their dim.
        say: Takes each line of the report.

    Returns:
        Test accuracy by kind of vectors, ``"pretrained"`` and ``"random"``.
    """
    splits, topics = _texts()
    say(
        f"{len(splits['train'][0])} training and {len(splits['test'][0])} test sentences "
        f"on {', '.join(topics)}."
    )

    # The vocabulary comes from all sentences, as from an unlabelled corpus; test labels are not seen.
    vectorize = keras.layers.TextVectorization(output_sequence_length=_LENGTH)
    vectorize.adapt(splits["train"][0] + splits["test"][0])

    result = embedding_matrix(source, dim, vectorize)
    say(f"Coverage of the vocabulary: {result.coverage}.")
    scale = float(result.matrix[1:].std())
    kinds: dict[str, Callable[[], Any]] = {
        "pretrained": lambda: keras_embedding(source, dim, vectorize, _LENGTH, mask_zero=True),
        "random": lambda: keras.layers.Embedding(
            *result.matrix.shape,
            embeddings_initializer=keras.initializers.RandomNormal(stddev=scale, seed=_SEED),
            mask_zero=True,
            trainable=False,
        ),
    }
    accuracies = {}
    for kind, make in kinds.items():
        keras.utils.set_random_seed(_SEED)
        model = keras.Sequential(
            [
                make(),
                keras.layers.GlobalAveragePooling1D(),
                keras.layers.Dense(len(topics), activation="softmax"),
            ]
        )
        model.compile(keras.optimizers.Adam(_RATE), "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(vectorize(splits["train"][0]), splits["train"][1], epochs=_EPOCHS, verbose=0)
        _, accuracy = model.evaluate(vectorize(splits["test"][0]), splits["test"][1], verbose=0)
        accuracies[kind] = float(accuracy)
        say(f"Test accuracy over {kind} vectors: {accuracy:.1%}")
    say(f"(Guessing would give {1 / len(topics):.1%}.)")
    return accuracies


def _texts() -> tuple[dict[str, tuple[list[str], NDArray[np.int64]]], list[str]]:
    """Return for each split its sentences and the numbers of their topics, and the topics' names."""
    text = (resources.files("embedhub") / "demo_texts.tsv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t"))
    topics = sorted({row["topic"] for row in rows})
    return {
        split: (
            [row["text"] for row in rows if row["split"] == split],
            np.array([topics.index(row["topic"]) for row in rows if row["split"] == split]),
        )
        for split in ("train", "test")
    }, topics
