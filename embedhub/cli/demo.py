"""The command demo: a small text model on pretrained and on random vectors.

The test sentences use words unseen in training. With pretrained vectors, the model can classify these words
by their neighbors; with random vectors it cannot.
"""

import csv
import os
import sys
import tempfile
from contextlib import contextmanager
from importlib import resources
from typing import TYPE_CHECKING, Annotated

import typer

import embedhub
from embedhub.cli.app import USE, app, complete_sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import keras
    import numpy as np
    from numpy.typing import NDArray

    Splits = dict[str, tuple[list[str], NDArray[np.int64]]]

_PACKAGED = (("glove-6b-20k", 50), ("wordnet-ppmi", 100))  # inside embedhub itself
_LENGTH = 24
_EPOCHS = 10
_LEARNING_RATE = 0.05
_SEED = 2017


@app.command(rich_help_panel=USE)
def demo(
    ctx: typer.Context,
    source: Annotated[
        str | None,
        typer.Option(
            help="A source with its dimension, instead of the two inside the package.",
            autocompletion=complete_sources,
        ),
    ] = None,
) -> None:
    """Train a small text classifier on pretrained and on random vectors.

    The test sentences use words unseen in training. The default sources are the
    two inside the package, so no download is needed.

    Examples:
      embedhub demo
      embedhub demo --source glove-6b:50
    """
    from embedhub.registry.handle import parse_handle
    from embedhub.registry.loading import resolve

    sources = ((parse_handle(source).without_dim, resolve(source, None)[1]),) if source else _PACKAGED
    with _quiet_import(debug=ctx.obj.debug):
        import keras  # noqa: F401 - its import is slow and writes a log
    _compare(sources)


@contextmanager
def _quiet_import(*, debug: bool) -> "Iterator[None]":
    """Keep the log that TensorFlow writes at start-up off stderr while Keras is imported.

    TensorFlow 2.21 writes six lines to file descriptor 2 while its libraries are loaded, even where
    TF_CPP_MIN_LOG_LEVEL is 3; later lines obey the level. If the import fails, the log is shown. With
    --debug, or if the user has set another level, it is shown unchanged.
    """
    if debug or os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") != "3" or sys.stderr is None:
        yield
        return
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)
        try:
            yield
        except Exception:
            log.seek(0)
            os.write(stderr, log.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)


def _compare(sources: "Iterable[tuple[str, int]]") -> None:
    """Train the same model on the vectors of each source and on random ones, and print the accuracies."""
    import keras

    splits, topics = _load_texts()
    typer.echo(
        f"{len(splits['train'][0])} training and {len(splits['test'][0])} test sentences "
        f"on {len(topics)} topics: {', '.join(topics)}."
    )

    # The vocabulary comes from all sentences, as from an unlabeled corpus; test labels are not used.
    vectorize = keras.layers.TextVectorization(output_sequence_length=_LENGTH)
    vectorize.adapt(splits["train"][0] + splits["test"][0])

    layers: dict[tuple[str, int], keras.layers.Embedding] = {}
    for source, dim in sources:
        result = embedhub.embedding_matrix(source, dim, vectorize)
        typer.echo(f"Vectors: {source}, dim {dim}. {result.coverage}")
        layers[source, dim] = embedhub.keras_embedding(source, dim, vectorize, _LENGTH, mask_zero=True)
        layers["random", dim] = keras.layers.Embedding(
            *result.matrix.shape,
            embeddings_initializer=keras.initializers.RandomNormal(
                stddev=float(result.matrix[result.found].std()), seed=_SEED
            ),
            mask_zero=True,
            trainable=False,
        )
    typer.echo("Random: normally distributed vectors with the standard deviation of the source's.\n")
    width = max(len(name) for name, _ in layers)
    typer.echo(f"{'vectors':{width}}  dim  test accuracy")
    for (name, dim), layer in layers.items():
        typer.echo(f"{name:{width}}  {dim:3}  {_accuracy(layer, vectorize, splits, len(topics)):13.1%}")
    typer.echo(f"{'(guessing)':{width}}       {1 / len(topics):13.1%}")


def _accuracy(
    layer: "keras.layers.Layer", vectorize: "keras.layers.TextVectorization", splits: "Splits", classes: int
) -> float:
    """Return the test accuracy of a softmax over the mean of a sentence's vectors, after training."""
    import keras

    keras.utils.set_random_seed(_SEED)
    model = keras.Sequential(
        [
            layer,
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(classes, activation="softmax"),
        ]
    )
    optimizer = keras.optimizers.Adam(_LEARNING_RATE)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    (texts, labels), (test_texts, test_labels) = splits["train"], splits["test"]
    model.fit(vectorize(texts), labels, epochs=_EPOCHS, verbose=0)
    return float(model.evaluate(vectorize(test_texts), test_labels, verbose=0)[1])


def _load_texts() -> "tuple[Splits, list[str]]":
    """Return the sentences of each split with the numbers of their topics, and the names of the topics."""
    import numpy as np

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
