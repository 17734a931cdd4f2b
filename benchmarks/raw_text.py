"""Texts in ordinary writing: accuracy, tokens found and wrong vectors, of embedder and layers.

It reads SST-2 and TREC from ``../shared/data/text``, and puts their tokens back into ordinary writing. The
texts of ``sentences.txt`` beside it have many contractions, possessives and hyphens, and no labels.

    python benchmarks/raw_text.py wordnet-ppmi:100 glove-6b-20k:50
"""

import argparse
import logging
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from embedhub_text import TextEmbedder
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

import embedhub
from embedhub.matrix.tokenizers import treebank_tokenize

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = Path(__file__).parents[1] / "../shared/data/text"
TRAINING_TEXTS = 5_000
Texts = tuple[list[str], list[str]]

_JOINED = [
    (re.compile(r" (n't|'(?:s|m|d|re|ve|ll))\b", re.IGNORECASE), r"\1"),
    (re.compile(r" ([,.:;?!%)])"), r"\1"),
    (re.compile(r"([($]|``) "), r"\1"),
    (re.compile(r"``|''"), '"'),
]


def ordinary(text: str) -> str:
    """Return a text of separated tokens in ordinary writing."""
    for pattern, joined in _JOINED:
        text = pattern.sub(joined, text.strip())
    return text[:1].upper() + text[1:]


def sst2(part: str) -> Texts:
    """Return sentences of SST-2 and their labels."""
    lines = (DATA / f"sst2/{part}.tsv").read_text("utf-8").splitlines()
    rows = [line.rsplit("\t", 1) for line in lines]
    return [ordinary(text) for text, _ in rows], [label for _, label in rows]


def trec(part: str) -> Texts:
    """Return questions of TREC and their classes."""
    lines = (DATA / f"trec/{part}.txt").read_text("latin-1").splitlines()
    rows = [re.split(r"[:\s]", line, maxsplit=1) for line in lines if line.strip()]
    return [ordinary(text.split(" ", 1)[-1]) for _, text in rows], [label for label, _ in rows]


class OldLayer:
    """A TextVectorization with its defaults over the words of a source, entries as they are."""

    def __init__(self, vectors: embedhub.Vectors, _: list[str]) -> None:
        self.vectorize = keras.layers.TextVectorization(vocabulary=list(vectors.words[:50_000]))
        rows = vectors.matrix[:50_000]
        self.matrix = np.concatenate([np.zeros((2, vectors.dim), np.float32), rows])

    def words(self, texts: list[str]) -> Any:
        """Return the vector of each word of texts, ``(texts, length, dim)``."""
        return self.matrix[np.asarray(self.vectorize(texts))]


class NewLayer:
    """The layers of `embedhub.keras_text_embedding`."""

    def __init__(self, vectors: embedhub.Vectors, texts: list[str]) -> None:
        text = embedhub.keras_text_embedding(vectors, None, include=texts)
        self.vectorize = text.vectorize
        self.matrix = keras.ops.convert_to_numpy(text.embedding.weights[0])

    def words(self, texts: list[str]) -> Any:
        """Return the vector of each word of texts, ``(texts, length, dim)``."""
        return self.matrix[np.asarray(self.vectorize(texts))]


class Embedder:
    """`embedhub_text.TextEmbedder`."""

    def __init__(self, vectors: embedhub.Vectors, _: list[str]) -> None:
        self.embed = TextEmbedder(vectors)

    def words(self, texts: list[str]) -> Any:
        """Return the vectors of texts that are single words, ``(texts, 1, dim)``."""
        return self.embed(texts)[:, None]


def judge(method: Any, vectors: embedhub.Vectors, texts: list[str]) -> tuple[float, int]:
    """Return the fraction of words that have a vector, and the number that have that of another word."""
    pieces = dict.fromkeys(piece for text in texts for piece in text.split())
    verdicts = {}
    vectors_of_pieces = method.words(list(pieces))
    for piece, rows in zip(pieces, vectors_of_pieces, strict=True):
        tokens = [token for token in treebank_tokenize(piece) if any(map(str.isalnum, token))]
        if not tokens:
            continue
        expected = vectors.lookup([token.lower() for token in tokens], missing="zeros")
        got = rows[rows.any(axis=1)]
        # A right vector is in the span of the word's tokens and of the punctuation around it.
        marks = [token for token in treebank_tokenize(piece) if token not in tokens]
        span = np.concatenate([expected, vectors.lookup(marks, missing="zeros")]) if marks else expected
        span = span[span.any(axis=1)].astype(np.float64)
        wrong = False
        for row in got.astype(np.float64):
            rest = row if not len(span) else row - span.T @ np.linalg.lstsq(span.T, row, rcond=None)[0]
            wrong = wrong or bool(np.abs(rest).max() > 1e-4 * np.abs(row).max())
        verdicts[piece] = (bool(len(got)), wrong)
    counted = [verdicts[piece] for text in texts for piece in text.split() if piece in verdicts]
    return float(np.mean([found for found, _ in counted])), sum(wrong for _, wrong in counted)


def means(method: Any, vectors: embedhub.Vectors, texts: list[str]) -> Any:
    """Return the mean of the vectors of each text."""
    if isinstance(method, Embedder):
        return method.embed(texts)
    result = np.zeros((len(texts), vectors.dim), np.float32)
    for row, words in zip(result, method.words(texts), strict=True):
        found = words[words.any(axis=1)]
        if len(found):
            row[:] = found.mean(axis=0)
    return result


def accuracy(method: Any, vectors: embedhub.Vectors, training: Texts, test: Texts) -> float:
    """Return the accuracy of a logistic regression on the means."""
    scale = StandardScaler()
    inputs = scale.fit_transform(means(method, vectors, training[0][:TRAINING_TEXTS]))
    model = LogisticRegression(max_iter=2_000).fit(inputs, training[1][:TRAINING_TEXTS])
    return float(model.score(scale.transform(means(method, vectors, test[0])), test[1]))


def main() -> None:
    """Print a table for each source."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="*", default=["wordnet-ppmi:100", "glove-6b-20k:50"])
    sources = parser.parse_args().sources
    if not DATA.is_dir():
        raise SystemExit(f"skipped: {DATA} is not there; it has SST-2 and TREC")
    warnings.simplefilter("ignore")
    logging.getLogger("embedhub").setLevel(logging.ERROR)
    methods: dict[str, Callable[[embedhub.Vectors, list[str]], Any]] = {
        "layer, entries as they are": OldLayer,
        "keras_text_embedding": lambda vectors, _: NewLayer(vectors, []),
        "the same, include=training texts": NewLayer,
        "TextEmbedder": Embedder,
    }
    print("| source | texts | method | accuracy | words found | wrong vectors |")
    print("|---|---|---|---|---|---|")
    for source in sources:
        name, dim = source.split(":")
        vectors = embedhub.load(name, int(dim))
        own = (Path(__file__).parent / "sentences.txt").read_text("utf-8").splitlines()
        for method_label, create in methods.items():
            found, wrong = judge(create(vectors, own), vectors, own)
            print(f"| {name} {dim} | sentences | {method_label} | | {found:.4f} | {wrong} |", flush=True)
        for label, read in {"SST-2": sst2, "TREC": trec}.items():
            training, test = read("train"), read("test")
            for method_label, create in methods.items():
                method = create(vectors, training[0])
                score = accuracy(method, vectors, training, test)
                found, wrong = judge(method, vectors, test[0])
                print(
                    f"| {name} {dim} | {label} | {method_label} | {score:.4f} | {found:.4f} | {wrong} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
