"""The whole street on the real GloVe 6B 50d."""

import gzip
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import embedhub
from embedhub import ChecksumError, Vectors


def test_the_table_has_what_the_catalogue_has() -> None:
    """Each dim has a pinned member of Stanford's archive, then a pinned release of the same vectors."""
    source = embedhub.sources()["glove-6b"]
    assert (source.dims, source.words, source.cased) == ((50, 100, 200, 300), 400_000, False)
    assert source.license == "PDDL-1.0"
    for dim in source.dims:
        member, release = source.files[dim]
        assert member.member == f"glove.6B.{dim}d.txt"
        assert member.hash is not None
        assert member.hash.startswith("sha1:" if dim == 200 else "sha256:")
        assert release.hash is not None
        assert release.url.endswith(f"/glove-wiki-gigaword-{dim}.gz")


EXAMPLE = """
import keras, numpy as np, embedhub
word_index = {"the": 1, "cat": 2, "qwxz": 3, "sandberger": 4}
layer = embedhub.keras_embedding("glove-6b", 50, word_index, input_length=50)
model = keras.Sequential([layer, keras.layers.Flatten(), keras.layers.Dense(1, activation="sigmoid")])
assert model.output_shape == (None, 1)
print(layer.get_weights()[0].tobytes().hex())
"""


@pytest.mark.parametrize("kind", ["folder", "http"])
def test_the_example_runs_and_then_runs_without_any_mirror(
    kind: str, real_data: Path, serve: Callable[[Path], Any], monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    """From the mirror the pinned member alone is brought; a second process needs neither it nor the text."""
    mirror = str(real_data / "mirror")
    serving = serve(real_data / "mirror")
    if kind == "http":
        mirror = serving.base
    monkeypatch.setenv("EMBEDHUB_MIRROR", mirror)
    first = subprocess.run([sys.executable, "-c", EXAMPLE], capture_output=True, text=True, check=True).stdout
    if kind == "http":
        assert 69_239_602 < serving.sent < 69_239_602 + (1 << 18)

    monkeypatch.setenv("EMBEDHUB_MIRROR", "http://127.0.0.1:9")
    assert list((cache / "downloads").iterdir()) == []
    second = subprocess.run(
        [sys.executable, "-c", EXAMPLE], capture_output=True, text=True, check=True
    ).stdout
    assert first == second
    rows = np.frombuffer(bytes.fromhex(second), np.float32).reshape(5, 50)
    assert rows[1, :4].tolist() == np.array([0.418, 0.24968, -0.41242, 0.1217], np.float32).tolist()
    assert not rows[[0, 3]].any()
    assert rows[4].any()


def test_a_dim_with_wrong_bytes_is_not_published(
    real_data: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    """The mirror's 100d member holds other bytes than the pinned ones: an error, and no store."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(real_data / "mirror"))
    with pytest.raises(
        ChecksumError, match=r"expected 347,116,733 bytes of glove.6B.100d.txt, but 85,320 are offered"
    ):
        embedhub.load("glove-6b", 100)
    assert not (cache / "vectors").exists()
    assert list((cache / "downloads").iterdir()) == []


def test_words_and_rows_are_those_of_the_text(
    real_data: Path, glove_50d: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All words stand in the text's order, and all 20 million numbers equal numpy.float32 of theirs."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(real_data / "mirror"))
    path = embedhub.sources()["glove-6b"].fetch(50)
    with gzip.open(path, "rb") as file:
        lines = file.read().split(b"\n")[:-1]
    assert len(lines) == len(glove_50d) == 400_000
    words = [line.partition(b" ")[0].decode() for line in lines]
    assert list(glove_50d.words) == words
    assert (glove_50d.indices(words) == np.arange(400_000)).all()
    assert (glove_50d.words[14798], glove_50d.words[8], words[-1]) == ("nan", '"', "sandberger")

    chosen = np.random.default_rng(0).choice(len(lines), 1000, replace=False)
    for row in chosen.tolist():
        expected = np.array([np.float32(text) for text in lines[row].split(b" ")[1:]])
        assert (glove_50d[words[row]].view(np.uint32) == expected.view(np.uint32)).all()
    # float() and one rounding are what numpy.float32(text) does, in a third of the time.
    for start in range(0, len(lines), 10_000):
        texts = b" ".join(line.partition(b" ")[2] for line in lines[start : start + 10_000]).split(b" ")
        expected = np.array([float(text) for text in texts]).astype(np.float32).reshape(-1, 50)
        part = glove_50d.matrix[start : start + 10_000]
        assert (part.view(np.uint32) == expected.view(np.uint32)).all()


def read_sst2(path: Path) -> tuple[list[str], np.ndarray[Any, np.dtype[np.int64]]]:
    """Return sentences and labels of a split of SST-2."""
    rows = [line.split("\t") for line in path.read_text("utf-8").splitlines()]
    return [text for text, _ in rows], np.array([int(label) for _, label in rows])


def test_a_classifier_learns_from_the_vectors(real_data: Path, glove_50d: Vectors) -> None:
    """A mean-pooling classifier on SST-2 reaches 0.70 over GloVe, and less over random vectors."""
    train, test = (read_sst2(real_data / "text" / "sst2" / f"{split}.tsv") for split in ("train", "test"))
    vectorize = keras.layers.TextVectorization(standardize="lower", output_sequence_length=50)
    vectorize.adapt(train[0] + test[0])
    word_index = {word: i for i, word in enumerate(vectorize.get_vocabulary()) if i > 1}
    result = embedhub.embedding_matrix(glove_50d, 50, word_index)
    assert result.coverage.share > 0.9
    accuracy = {}
    for kind in ("glove", "random"):
        keras.utils.set_random_seed(0)
        layer = embedhub.keras_embedding(glove_50d, 50, word_index, 50, mask_zero=True)
        if kind == "random":
            rows = np.random.default_rng(0).normal(0, result.matrix[2:].std(), result.matrix.shape)
            layer.set_weights([rows])
        model = keras.Sequential(
            [layer, keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(1, activation="sigmoid")]
        )
        model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
        model.fit(vectorize(train[0]), train[1], epochs=12, batch_size=128, verbose=0)
        accuracy[kind] = model.evaluate(vectorize(test[0]), test[1], verbose=0)[1]
    print(f"SST-2 test accuracy: {accuracy}")  # noqa: T201 - the figure for whoever runs with -s
    assert accuracy["glove"] >= 0.70
    assert accuracy["random"] < accuracy["glove"]
