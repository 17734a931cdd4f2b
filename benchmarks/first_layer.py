"""Time and bytes to a first layer of GloVe 50d, against the way of the seed package, from one slow server.

    python benchmarks/first_layer.py PATH_OF_50D_TEXT [--rate 2] [--words 40000]

The seed's way: download the whole archive, extract all of it, read the text into a dict, fill a matrix, make
the layer. The archive has the proportions of the real glove.6B.zip: members of 50, 100, 200 and 300 dims for
the same words, here the first ones of the real 50d file, and random values for the other dims. A tenth of the
words at a tenth of a connection's rate takes the time of the whole: the defaults stand for 20 MB/s. embedhub
starts from an empty cache each time, so that its time includes the compiling of its reader.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from slow_server import serving

DIMS = (50, 100, 200, 300)
VOCABULARY = 20_000


def make_archive(folder: Path, text: Path, words: int) -> dict[str, Any]:
    """Write the archive; return hash and size of its 50d member."""
    with text.open("rb") as file:
        lines = [next(file) for _ in range(words)]
    member = b"".join(lines)
    names = [line.partition(b" ")[0] for line in lines]
    random = np.random.default_rng(0)
    with zipfile.ZipFile(folder / "glove.6B.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("glove.6B.50d.txt", member)
        for dim in DIMS[1:]:
            with archive.open(f"glove.6B.{dim}d.txt", "w") as file:
                for name in names:
                    values = b" ".join(b"%.5g" % value for value in random.normal(0, 0.4, dim))
                    file.write(name + b" " + values + b"\n")
    return {"hash": f"sha256:{hashlib.sha256(member).hexdigest()}", "size": len(member)}


def by_the_seeds_way(base: str, folder: Path, word_index: dict[str, int]) -> Any:
    """Make the layer as the seed package does, in its own words of Keras 3."""
    import keras

    urllib.request.urlretrieve(f"{base}/nlp.stanford.edu/data/glove.6B.zip", folder / "glove.6B.zip")  # noqa: S310 - loopback
    with zipfile.ZipFile(folder / "glove.6B.zip") as archive:
        archive.extractall(folder)
    vectors = {}
    with (folder / "glove.6B.50d.txt").open(encoding="utf-8") as file:
        for line in file:
            fields = line.split()
            vectors[fields[0]] = np.asarray(fields[1:], "float32")
    matrix = np.zeros((len(word_index) + 1, 50))
    for word, index in word_index.items():
        if word in vectors:
            matrix[index] = vectors[word]
    return keras.layers.Embedding(*matrix.shape, weights=[matrix], trainable=False)


def by_embedhub(base: str, folder: Path, word_index: dict[str, int], pin: dict[str, Any]) -> Any:
    """Make the layer with embedhub, from an empty cache."""
    import embedhub

    os.environ |= {"EMBEDHUB_CACHE": str(folder), "EMBEDHUB_MIRROR": base}
    file = embedhub.RemoteFile(
        url="https://nlp.stanford.edu/data/glove.6B.zip", member="glove.6B.50d.txt", format="glove", **pin
    )
    source = embedhub.RemoteSource(
        name="glove-scaled", files={50: (file,)}, description="", language="en", cased=False,
        license="", citation="", homepage="",
    )  # fmt: skip
    return embedhub.keras_embedding(source, 50, word_index)


def one(way: str, base: str, pin: dict[str, Any], names: Path) -> None:
    """Make one layer in this process and print the seconds, imports left out, and a digest of the rows."""
    import keras

    words = names.read_text("utf-8").split("\n")
    word_index = {word: i for i, word in enumerate(words, 1)}
    keras.layers.Embedding(2, 2).build()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        if way == "seed":
            layer = by_the_seeds_way(base, Path(folder), word_index)
        else:
            layer = by_embedhub(base, Path(folder), word_index, pin)
        seconds = time.perf_counter() - start
    rows = hashlib.sha256(np.asarray(layer.get_weights()[0]).tobytes()).hexdigest()
    print(json.dumps([seconds, rows]))


def main() -> None:
    """Measure both ways three times in turn, or be one measurement."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("text", type=Path)
    parser.add_argument("--rate", type=float, default=2, help="MB per second")
    parser.add_argument("--words", type=int, default=40_000)
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        way, base, pin, names = options.one
        one(way, base, json.loads(pin), Path(names))
        return
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / "nlp.stanford.edu" / "data"
        folder.mkdir(parents=True)
        pin = make_archive(folder, options.text, options.words)
        with options.text.open(encoding="utf-8") as file:
            words = [next(file).partition(" ")[0] for _ in range(min(VOCABULARY, options.words))]
        (Path(root) / "words").write_text("\n".join(words), "utf-8")
        print(f"archive {(folder / 'glove.6B.zip').stat().st_size / 1e6:.0f} MB at {options.rate:g} MB/s")
        results: dict[str, list[tuple[float, int]]] = {"seed": [], "embedhub": []}
        digests = set()
        for _ in range(3):
            for way, found in results.items():
                with serving(Path(root), options.rate * 1e6) as server:
                    pins = json.dumps(pin)
                    arguments = [str(options.text), "--one", way, server.address, pins, f"{root}/words"]
                    run = subprocess.run(  # noqa: S603 - this script itself
                        [sys.executable, __file__, *arguments], stdout=subprocess.PIPE, check=True
                    )
                    found.append((json.loads(run.stdout)[0], server.sent))
                digests.add(json.loads(run.stdout)[1])
    if len(digests) != 1:
        sys.exit("the two ways gave different rows")
    medians = {way: sorted(found)[1] for way, found in results.items()}
    for way, (seconds, sent) in medians.items():
        print(f"{way:9} {seconds:6.2f} s, {sent / 1e6:7.1f} MB")
    (slow, many), (fast, few) = medians["seed"], medians["embedhub"]
    print(f"ratio     {slow / fast:6.1f}    {many / few:8.1f}")


if __name__ == "__main__":
    main()
