"""The accuracy of a small text model over pretrained and over random vectors, for `embedhub demo`.

The test sentences are about the topics of the training sentences, in other words. Over pretrained vectors the
model classifies words that it was never trained on by their neighbours; over random vectors it cannot.
"""

import csv
from collections.abc import Callable, Iterable
from importlib import resources

import keras
import numpy as np
from numpy.typing import NDArray

from embedhub.layers.keras import keras_embedding
from embedhub.matrix.embedding_matrix import embedding_matrix

_LENGTH = 24
_EPOCHS = 10
_RATE = 0.05
_SEED = 2017


def run(sources: Iterable[tuple[str, int]], say: Callable[[str], None]) -> None:
    """Train the same small model over the vectors of each source, and over random ones of each dimension.

    Args:
        sources: Name and dim of each source.
        say: Called with each line of the report.
    """
    splits, topics = _texts()
    say(
        f"{len(splits['train'][0])} training and {len(splits['test'][0])} test sentences "
        f"on {len(topics)} topics: {', '.join(topics)}."
    )

    # The vocabulary comes from all sentences, as from an unlabelled corpus; test labels are not seen.
    vectorize = keras.layers.TextVectorization(output_sequence_length=_LENGTH)
    vectorize.adapt(splits["train"][0] + splits["test"][0])

    layers: dict[tuple[str, int], keras.layers.Embedding] = {}
    for source, dim in sources:
        result = embedding_matrix(source, dim, vectorize)
        say(f"Vectors: {source}, dim {dim}. {result.coverage}")
        layers[source, dim] = keras_embedding(source, dim, vectorize, _LENGTH, mask_zero=True)
        layers["random", dim] = keras.layers.Embedding(
            *result.matrix.shape,
            embeddings_initializer=keras.initializers.RandomNormal(
                stddev=float(result.matrix[result.found].std()), seed=_SEED
            ),
            mask_zero=True,
            trainable=False,
        )
    say("Random: normally distributed vectors for all words, with the standard deviation of the source's.")
    say("")
    width = max(len(name) for name, _ in layers)
    say(f"{'vectors':{width}}  dim  test accuracy")
    for (name, dim), layer in layers.items():
        say(f"{name:{width}}  {dim:3}  {_accuracy(layer, vectorize, splits, len(topics)):13.1%}")
    say(f"{'(guessing)':{width}}       {1 / len(topics):13.1%}")


def _accuracy(
    layer: keras.layers.Layer,
    vectorize: keras.layers.TextVectorization,
    splits: dict[str, tuple[list[str], NDArray[np.int64]]],
    classes: int,
) -> float:
    """Return the test accuracy of a softmax over the mean of a sentence's vectors, after training."""
    keras.utils.set_random_seed(_SEED)
    model = keras.Sequential(
        [
            layer,
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(classes, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(_RATE), "sparse_categorical_crossentropy", metrics=["accuracy"])
    (texts, labels), (test_texts, test_labels) = splits["train"], splits["test"]
    model.fit(vectorize(texts), labels, epochs=_EPOCHS, verbose=0)
    return float(model.evaluate(vectorize(test_texts), test_labels, verbose=0)[1])


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
