"""The README's table of packages with pretrained vectors: each cell is checked against the installed version.

    tox -e packages [-- --write]

A check imports the package and tries what its cell claims or denies, or looks into its source where the claim
needs a network. Cells that have no check are read from the documentation, and are marked. Exits with 1 if a
check fails; `--write` puts the table, with the versions, into README.md.
"""

import argparse
import contextlib
import importlib
import os
import sys
import tempfile
from collections.abc import Callable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- packages: begin -->", "<!-- packages: end -->"
# A column of the table, and the distribution that its checks need.
COLUMNS = {
    "embedhub": "embedhub",
    "[keras.io recipe](https://keras.io/examples/nlp/pretrained_word_embeddings/)": "keras",
    "gensim": "gensim",
    "model2vec": "model2vec",
    "staticvectors": "staticvectors",
    "keras-hub": "keras-hub",
    "torchtext": "torchtext",
}
NO, READ = "no", "*"
GLOVE = "rain 0.5 1\nsun -1 0.25\n"
Check = Callable[[], bool]


def source_of(package: str, *names: str) -> str:
    """Return the Python code of a package, or of some of its files, without importing it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{package} is not installed.")
    (folder,) = spec.submodule_search_locations
    files = sorted(Path(folder).rglob("*.py")) if not names else [Path(folder, name) for name in names]
    return "\n".join(file.read_text("utf-8") for file in files)


def lacks(package: str, *words: str) -> Check:
    """Return a check that the code of a package has none of these words."""
    return lambda: not any(word in source_of(package) for word in words)


def has(module: str, *names: str) -> Check:
    """Return a check that a module has these names."""
    return lambda: all(hasattr(importlib.import_module(module), name) for name in names)


def in_source(package: str, file: str, *words: str) -> Check:
    """Return a check that a file of a package has these words."""
    return lambda: all(word in source_of(package, file) for word in words)


def embedhub_makes_layer() -> bool:
    """The layer is stock Keras, and has the vectors."""
    import keras

    import embedhub

    vectorizer = keras.layers.TextVectorization(vocabulary=["rain", "qwxz"])
    layer: Any = embedhub.keras_embedding("glove-6b-20k", 50, vectorizer)
    return type(layer) is keras.layers.Embedding and bool(layer.get_weights()[0][2].any())


def embedhub_maps_memory() -> bool:
    """The matrix is a mapped file."""
    import numpy as np

    import embedhub

    matrix: Any = embedhub.load("glove-6b-20k", 50).matrix
    while matrix is not None and not isinstance(matrix, np.memmap):
        matrix = matrix.base
    return matrix is not None


def embedhub_reports_oov() -> bool:
    """Coverage, a fallback and a policy."""
    import embedhub

    coverage = embedhub.coverage("glove-6b-20k", 50, ["Rain", "qwxz"])
    matrix = embedhub.embedding_matrix("glove-6b-20k", 50, {"rain": 1, "qwxz": 2}, oov=[1.0] * 50).matrix
    return coverage.missing == ("qwxz",) and bool((matrix[2] == 1).all())


def embedhub_pins_hashes() -> bool:
    """GloVe's files have published hashes; of a file without one, the hash is remembered."""
    import embedhub
    from embedhub.errors import UnverifiedWarning

    source: Any = embedhub.sources()["glove-6b"]
    return all(source.candidates(dim)[0].known_hash for dim in source.dims) and bool(
        UnverifiedWarning.__doc__
    )


def gensim_vectors() -> Any:
    """Return vectors that gensim has read from GloVe's format."""
    from gensim.models import KeyedVectors

    Path("glove.txt").write_text(GLOVE, "utf-8")
    return KeyedVectors.load_word2vec_format("glove.txt", no_header=True)


def gensim_has_no_layer() -> bool:
    """Version 4 removed `get_keras_embedding`."""
    return not hasattr(gensim_vectors(), "get_keras_embedding") and lacks("gensim", "import keras")()


def gensim_maps_memory() -> bool:
    """Saved vectors open as a mapped file."""
    import numpy as np
    from gensim.models import KeyedVectors

    gensim_vectors().save("saved.kv", sep_limit=0)  # as it does by itself with arrays from 10 MB
    return isinstance(KeyedVectors.load("saved.kv", mmap="r").vectors, np.memmap)


def gensim_raises_for_oov() -> bool:
    """A word without a vector is a `KeyError`; a fastText model has subwords."""
    from gensim.models.fasttext import FastTextKeyedVectors

    try:
        gensim_vectors()["qwxz"]
    except KeyError:
        return hasattr(FastTextKeyedVectors, "get_vector")
    return False


def gensim_trains() -> bool:
    """Word2Vec learns vectors of its texts."""
    from gensim.models import Word2Vec

    model = Word2Vec([["rain", "sun"]] * 5, vector_size=2, min_count=1, epochs=1)
    return "rain" in model.wv


def model2vec_reads_all() -> bool:
    """A saved model is read whole into memory; a text is cut into the tokens of its tokenizer."""
    import numpy as np
    from model2vec import StaticModel
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0, "rain": 1, "##y": 2}, unk_token="[UNK]"))  # noqa: S106
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    StaticModel(np.eye(3, 2, dtype=np.float32), tokenizer).save_pretrained("tiny")
    model = StaticModel.from_pretrained("tiny")
    return not isinstance(model.embedding, np.memmap) and model.tokenize(["rainy"]) == [[1, 2]]


def staticvectors_reads_text() -> bool:
    """word2vec's text is converted, also to SQLite; a word without a vector gets one."""
    from staticvectors import StaticVectors, TextConverter

    Path("w2v.txt").write_text(f"2 2\n{GLOVE}", "utf-8")
    TextConverter()("w2v.txt", "converted")
    TextConverter()("w2v.txt", "converted-sqlite", storage="sqlite")
    vectors = [StaticVectors(name).embeddings("qwxz") for name in ("converted", "converted-sqlite")]
    return all(vector.shape == (2,) for vector in vectors)


def torchtext_cannot_be_imported() -> bool:
    """Its library was built for another PyTorch."""
    importlib.import_module("torch")
    try:
        importlib.import_module("torchtext")
    except OSError:
        return True
    return False


CACHED = in_source("torchtext", "vocab/vectors.py", "torch.save", "torch.load", "urlretrieve", "unk_init")
_HUB_SIZE = in_source(
    "huggingface_hub", "file_download.py", "Consistency check failed: file should be of size"
)
_HUB_RESUMES = in_source("huggingface_hub", "file_download.py", "resume_size")
_STATIC_HUB = in_source("staticvectors", "storage/retriever.py", "hf_hub_download")
# By feature, the cells of the columns in their order. A claim without a check is marked as read.
TABLE: dict[str, tuple[tuple[str, Check | None], ...]] = {
    "Keras layer for your vocabulary": (
        ("one call", embedhub_makes_layer),
        ("a loop to copy", None),
        (NO, gensim_has_no_layer),
        (NO, lacks("model2vec", "keras")),
        (NO, lacks("staticvectors", "keras")),
        (NO, lacks("keras_hub", "GloVe", "word2vec", "fastText")),
        (NO, lacks("torchtext", "keras")),
    ),
    "Word vectors by name": (
        ("GloVe, fastText, word2vec, ...", has("embedhub", "sources")),
        ("by URL", None),
        ("gensim-data", None),
        ("Hugging Face Hub", has("model2vec", "StaticModel")),
        ("Hugging Face Hub", has("staticvectors", "Retriever")),
        (NO, lacks("keras_hub", "GloVe", "word2vec", "fastText")),
        ("GloVe, fastText", in_source("torchtext", "vocab/vectors.py", "class GloVe", "class FastText")),
    ),
    "Verifies downloads": (
        ("published hash, else that of the first download", embedhub_pins_hashes),
        ("no", None),
        ("MD5", in_source("gensim", "downloader.py", "_calculate_md5_checksum(dst_path) == _get_checksum(")),
        ("size", _HUB_SIZE),
        ("size", lambda: _HUB_SIZE() and _STATIC_HUB()),
        ("", None),
        ("no", lambda: CACHED() and "checksum" not in source_of("torchtext", "vocab/vectors.py")),
    ),
    "Resumes downloads": (
        ("yes", has("embedhub.download.resumable", "__name__")),
        ("no", None),
        ("no", in_source("gensim", "downloader.py", "urllib.urlretrieve(url_data, dst_path")),
        ("yes", _HUB_RESUMES),
        ("yes", lambda: _HUB_RESUMES() and _STATIC_HUB()),
        ("", None),
        ("no", in_source("torchtext", "vocab/vectors.py", "urlretrieve(url, dest")),
    ),
    "Opening in a second process": (
        ("memory-mapped", embedhub_maps_memory),
        ("parses the text again", None),
        ("memory-mapped after `save`", gensim_maps_memory),
        ("reads the file", model2vec_reads_all),
        ("reads the file, or SQLite", staticvectors_reads_text),
        ("", None),
        ("reads the file", CACHED),
    ),
    "Out-of-vocabulary words": (
        ("report, fallbacks, fill policies", embedhub_reports_oov),
        ("zeros", None),
        ("`KeyError`; fastText's subwords", gensim_raises_for_oov),
        ("subword tokens", model2vec_reads_all),
        ("subwords, or random", staticvectors_reads_text),
        ("", None),
        ("zeros, `unk_init`", CACHED),
    ),
    "Trains new vectors": (
        (NO, lacks("embedhub", "class Word2Vec")),
        (NO, None),
        ("yes", gensim_trains),
        ("distills", lambda: find_spec("model2vec.distill") is not None),
        ("yes", has("staticvectors", "StaticVectorsTrainer")),
        (NO, lacks("keras_hub", "GloVe", "word2vec", "fastText")),
        (NO, lacks("torchtext", "class Word2Vec")),
    ),
    "Contextual models (BERT, ...)": (
        (NO, lacks("embedhub", "class Bert")),
        (NO, None),
        (NO, lacks("gensim", "class Bert")),
        (NO, lacks("model2vec", "class Bert")),
        (NO, lacks("staticvectors", "class Bert")),
        ("yes", in_source("keras_hub", "src/models/bert/bert_backbone.py", "class BertBackbone")),
        ("encoders", in_source("torchtext", "models/roberta/model.py", "class Roberta")),
    ),
    "Works with current releases": (
        ("yes", embedhub_makes_layer),
        ("yes", None),
        ("yes", gensim_trains),
        ("yes", model2vec_reads_all),
        ("yes", staticvectors_reads_text),
        ("yes", has("keras_hub", "models")),
        ("no: import fails", torchtext_cannot_be_imported),
    ),
}


def table(versions: dict[str, str]) -> str:
    """Return the table as Markdown, with these versions in the header."""
    names = [f"{name} {versions[name]}" if name in versions else name for name in COLUMNS]
    lines = [f"| | {' | '.join(names)} |", f"|---{'|---' * len(names)}|"]
    for feature, cells in TABLE.items():
        shown = [text if check or text in {"", NO} else f"{text}{READ}" for text, check in cells]
        lines.append(f"| {feature} | {' | '.join(shown)} |")
    return "\n".join(lines) + "\n"


def installed() -> dict[str, str]:
    """Return the versions of the distributions that are installed, by column."""
    found = {}
    for column, distribution in COLUMNS.items():
        with contextlib.suppress(metadata.PackageNotFoundError):
            if column in {distribution, "embedhub"}:
                found[column] = metadata.version(distribution)
    return found


def failures() -> list[str]:
    """Run each check once, in an empty folder; return those that fail, with the cells that need them."""
    results: dict[Check, str] = {}
    failed = []
    for feature, cells in TABLE.items():
        for column, (text, check) in zip(COLUMNS, cells, strict=True):
            if check is None:
                continue
            if check not in results:
                try:
                    results[check] = "" if check() else "is false"
                except Exception as error:  # noqa: BLE001 - whatever a package raises is a finding
                    results[check] = f"{type(error).__name__}: {error}"
            if results[check]:
                failed.append(f"{column}, {feature}: {text!r} {results[check]}")
    return failed


def main() -> None:
    """Check all, and print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        failed = failures()
    if failed:
        sys.exit("\n".join(failed))
    text = table(installed())
    if options.write:
        before, _, rest = README.read_text("utf-8").partition(BEGIN)
        _, _, after = rest.partition(END)
        README.write_text(f"{before}{BEGIN}\n{text}{END}{after}", "utf-8")
    print(text)


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main()
