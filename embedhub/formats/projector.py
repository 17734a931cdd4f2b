"""A folder that TensorBoard's Embedding Projector reads: ``tensorboard --logdir FOLDER``.

``vectors.tsv`` and ``metadata.tsv`` alone are what the "Load" button of its page takes
(https://projector.tensorflow.org).
"""

from pathlib import Path

from embedhub.formats._numbers import numbers
from embedhub.formats._selection import Advance, Selection, is_utf8

CONFIG = "projector_config.pbtxt"
FILES = frozenset({"vectors.tsv", "metadata.tsv", CONFIG})


def refusal(word: str) -> str | None:
    """Say why this form cannot hold a word; None if it can."""
    if not word.replace("\ufeff", "").strip():
        return "is nothing but white space, and the projector skips such lines"
    if "\t" in word or "\n" in word or "\r" in word:
        return "holds a tab or the end of a line, where a word ends in metadata.tsv"
    return None if is_utf8(word) else "is not UTF-8, which a page must be"


def write(path: Path, selection: Selection, advance: Advance) -> None:
    """Write the folder."""
    path.mkdir()
    with (path / "vectors.tsv").open("wb") as vectors, (path / "metadata.tsv").open("wb") as metadata:
        for words, rows in selection.blocks():
            vectors.write(b"\n".join([*numbers(rows, b"\t"), b""]))
            metadata.write("\n".join([*words, ""]).encode())
            advance(len(words))
    count, dim = selection.shape
    (path / CONFIG).write_text(
        "embeddings {\n"
        f'  tensor_name: "{selection.vectors.name}-{dim}d"\n'
        f"  tensor_shape: {count}\n  tensor_shape: {dim}\n"
        '  tensor_path: "vectors.tsv"\n'
        '  metadata_path: "metadata.tsv"\n'
        "}\n",
        "utf-8",
        newline="\n",
    )
