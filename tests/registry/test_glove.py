"""GloVe 6B 50d from download to layer: cut to 20,000 words, and whole where the real data is available."""

import itertools
import os
import re
import subprocess
import sys
import zipfile
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from children import PATIENCE
from embedhub_eval.labeled import LabeledTexts, read_labeled

import embedhub
from embedhub import RemoteSource, Vectors
from embedhub.errors import ChecksumError
from embedhub.registry.builtin.glove import GLOVE_6B

ARCHIVE = "nlp.stanford.edu/data/glove.6B.zip"
MEMBER = "glove.6B.50d.txt"


def test_glove_6b_pins_a_member_and_a_release_for_each_dim() -> None:
    """Each dim has a pinned member of Stanford's archive, then a pinned release of the same vectors."""
    source = GLOVE_6B
    assert (source.dims, source.vocab_size, source.cased) == ((50, 100, 200, 300), 400_000, False)
    assert source.license == "PDDL-1.0"
    for dim in source.dims:
        member, release = source.candidates(dim)
        assert member.member == f"glove.6B.{dim}d.txt"
        assert member.known_hash is not None
        assert member.known_hash.startswith("sha1:" if dim == 200 else "sha256:")
        assert release.known_hash is not None
        assert release.url.endswith(f"/glove-wiki-gigaword-{dim}.gz")


EXAMPLE = """
import sys, keras, numpy as np, embedhub
source, last = sys.argv[1:]
word_index = {"the": 1, "cat": 2, "qwxz": 3, last: 4}
layer = embedhub.keras_embedding(source, 50, word_index, input_length=50)
model = keras.Sequential([layer, keras.layers.Flatten(), keras.layers.Dense(1, activation="sigmoid")])
assert model.output_shape == (None, 1)
print(layer.get_weights()[0].tobytes().hex())
"""


def check_layer(
    source: str, last: bytes, folder: Path, serving: Any, cache: Path, environment: dict[str, str]
) -> None:
    """Run the example in two processes, and check the rows of its layer and what was downloaded.

    Args:
        source: Name of the source.
        last: The last line of its file.
        folder: A mirror that has it.
        serving: The server of that mirror.
        cache: The empty cache that the environment names.
        environment: Environment variables of the processes.
    """
    word, *numbers = last.decode().split()
    outputs = []
    for mirror in (serving.base, "http://127.0.0.1:9"):
        done = subprocess.run(
            [sys.executable, "-c", EXAMPLE, source, word],
            env=environment | {"EMBEDHUB_MIRROR": mirror},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        outputs.append(done.stdout)
        assert not [path for path in (cache / "downloads").rglob("*") if path.is_file()]
    assert outputs[0] == outputs[1]
    with zipfile.ZipFile(folder / ARCHIVE) as archive:
        size = archive.getinfo(MEMBER).compress_size
    assert size < serving.sent < size + (1 << 18)
    rows = np.frombuffer(bytes.fromhex(outputs[0]), np.float32).reshape(5, 50)
    assert rows[1, :4].tolist() == np.array([0.418, 0.24968, -0.41242, 0.1217], np.float32).tolist()
    assert not rows[[0, 3]].any()
    assert rows[4].tolist() == [np.float32(number) for number in numbers]


@pytest.mark.slow
def test_layer_downloads_one_member_once(
    glove_6b_mirror: tuple[Path, RemoteSource],
    glove_lines: list[bytes],
    small_plugin: dict[str, str],
    serve: Callable[[Path], Any],
    cache: Path,
) -> None:
    """Only the pinned member is downloaded; a second process needs neither the mirror nor the text."""
    folder, _ = glove_6b_mirror
    check_layer("small-glove-6b", glove_lines[-1], folder, serve(folder), cache, os.environ | small_plugin)


def test_member_with_wrong_bytes_builds_no_store(
    glove_6b_mirror: tuple[Path, RemoteSource], monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    """The cut archive's members have other sizes than the real source pins: an error, and no store."""
    folder, _ = glove_6b_mirror
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(folder))
    with zipfile.ZipFile(folder / ARCHIVE) as archive:
        size = archive.getinfo("glove.6B.100d.txt").file_size
    with pytest.raises(
        ChecksumError, match=rf"expected 347,116,733 bytes of glove.6B.100d.txt, but {size:,} are offered"
    ):
        embedhub.load("glove-6b", 100)
    assert not (cache / "vectors").exists()
    assert not [path for path in (cache / "downloads").rglob("*") if path.is_file()]


def check_rows(vectors: Vectors, lines: Iterator[bytes]) -> None:
    """Compare all words, and the bits of all numbers, with those of GloVe's text."""
    read = 0
    for part in iter(lambda: list(itertools.islice(lines, 10_000)), []):
        words, texts = zip(*(line.rstrip(b"\n").split(b" ", 1) for line in part), strict=True)
        names = [word.decode() for word in words]
        stop = read + len(part)
        assert vectors.words[read:stop] == names
        assert (vectors.indices(names) == np.arange(read, stop)).all()
        # float() and one rounding are what numpy.float32(text) does, in a third of the time.
        numbers = [float(number) for text in texts for number in text.split(b" ")]
        expected = np.array(numbers).astype(np.float32).reshape(-1, 50)
        assert (vectors.matrix[read:stop].view(np.uint32) == expected.view(np.uint32)).all()
        for name, text in zip(names[::400], texts[::400], strict=True):
            assert vectors[name].tolist() == [np.float32(number) for number in text.split(b" ")]
        read = stop
    assert read == len(vectors)
    assert (vectors.words[14798], vectors.words[8]) == ("nan", '"')


@pytest.mark.parametrize("candidate", [0, 1], ids=["member", "release"])
def test_store_holds_float32_of_the_downloaded_text(
    candidate: int,
    glove_6b_mirror: tuple[Path, RemoteSource],
    glove_lines: list[bytes],
    monkeypatch: pytest.MonkeyPatch,
    cache: Path,
) -> None:
    """From a folder as mirror come all words in the order of the text, and float32 of all its numbers."""
    folder, source = glove_6b_mirror
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(folder))
    only = replace(source, files={50: source.candidates(50)[candidate : candidate + 1]})
    check_rows(embedhub.load(only, 50), iter(glove_lines))
    assert not [path for path in (cache / "downloads").rglob("*") if path.is_file()]


@pytest.mark.slow
def test_whole_glove_6b_50d_is_read_bit_for_bit(
    real_data: Path, serve: Callable[[Path], Any], cache: Path
) -> None:
    """The pinned 171 MB become 400,000 rows, the last one sandberger's."""
    folder = real_data / "mirror"
    with zipfile.ZipFile(folder / ARCHIVE) as archive, archive.open(MEMBER) as file:
        (last,) = deque(file, maxlen=1)
        assert last.startswith(b"sandberger ")
        check_layer("glove-6b", last, folder, serve(folder), cache, dict(os.environ))
        vectors = embedhub.load("glove-6b", 50)  # of the example's store
        assert len(vectors) == 400_000
        file.seek(0)
        check_rows(vectors, file)


def learn(
    vectors: Vectors, train: LabeledTexts, test: LabeledTexts, *, standardize: str, epochs: int
) -> tuple[float, dict[str, float]]:
    """Train a mean-pooling classifier over real vectors, and over random ones.

    Returns:
        The share of the vocabulary that the vectors have, and the test accuracy of each.
    """
    vectorize = keras.layers.TextVectorization(standardize=standardize, output_sequence_length=50)
    vectorize.adapt(train.texts + test.texts)
    word_index = {word: i for i, word in enumerate(vectorize.get_vocabulary()) if i > 1}
    classes = sorted(set(train.labels))
    numbers, test_numbers = (
        np.array([classes.index(label) for label in split.labels]) for split in (train, test)
    )
    result = embedhub.embedding_matrix(vectors, 50, word_index)
    accuracy = {}
    for kind in ("glove", "random"):
        keras.utils.set_random_seed(0)
        layer = embedhub.keras_embedding(vectors, 50, word_index, 50, mask_zero=True)
        if kind == "random":
            rows = np.random.default_rng(0).normal(0, result.matrix[2:].std(), result.matrix.shape)
            layer.set_weights([rows])
        pooling = keras.layers.GlobalAveragePooling1D()
        model = keras.Sequential([layer, pooling, keras.layers.Dense(len(classes), activation="softmax")])
        model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(vectorize(train.texts), numbers, epochs=epochs, batch_size=128, verbose=0)
        accuracy[kind] = model.evaluate(vectorize(test.texts), test_numbers, verbose=0)[1]
    return result.coverage.ratio, accuracy


@pytest.mark.slow
def test_classifier_over_glove_beats_one_over_random_vectors(
    glove_20k: Vectors, demo_texts: tuple[Path, Path]
) -> None:
    """Training and test texts share topics but few words: 0.70 over GloVe, far less over random vectors."""
    train, test = (read_labeled(file, columns=(1, 2)) for file in demo_texts)
    share, accuracy = learn(glove_20k, train, test, standardize="lower_and_strip_punctuation", epochs=50)
    assert share > 0.8
    assert accuracy["glove"] >= 0.70
    assert accuracy["random"] < accuracy["glove"] - 0.3


@pytest.mark.slow
def test_classifier_and_example_reach_70_percent_on_sst2(
    glove_50d: Vectors, real_texts: Path, example: Callable[..., str]
) -> None:
    """Over the whole GloVe 6B 50d a mean-pooling classifier and the script of examples/ reach 0.70."""
    train, test = (
        read_labeled(real_texts / "sst2" / f"{split}.tsv", columns=(1, 2)) for split in ("train", "test")
    )
    share, accuracy = learn(glove_50d, train, test, standardize="lower", epochs=12)
    assert share > 0.9
    assert accuracy["glove"] >= 0.70
    assert accuracy["random"] < accuracy["glove"]
    shown = example("pretrained_word_embeddings.py", str(real_texts / "sst2"), "glove-6b", "50")
    assert float(re.findall(r"validation accuracy: ([\d.]+)", shown)[0]) > 0.7
