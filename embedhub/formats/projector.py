"""Input of TensorBoard's Embedding Projector: a folder for ``tensorboard --logdir FOLDER``.

The "Load" button of https://projector.tensorflow.org takes its ``vectors.tsv`` and ``metadata.tsv``.
"""

from pathlib import Path

from embedhub._progress import Advance
from embedhub._text_lines import is_utf8
from embedhub.formats.selection import Selection, format_rows

_CONFIG, _METADATA, _VECTORS = "projector_config.pbtxt", "metadata.tsv", "vectors.tsv"
FILES = (_CONFIG, _METADATA, _VECTORS)


def invalid_reason(word: str) -> str | None:
    """Return why a word cannot be written to this format; None if it can."""
    # JavaScript's trim(), unlike strip(), removes U+FEFF as well.
    if not word.replace("\ufeff", "").strip():
        return "is nothing but white space, and the projector skips such lines"
    if "\t" in word or "\n" in word or "\r" in word:
        return "contains a tab or a line end, which separate words in metadata.tsv"
    return None if is_utf8(word) else "is not valid UTF-8, which the projector requires"


def write(path: Path, selection: Selection, advance: Advance) -> None:
    """Write the folder."""
    path.mkdir()
    with (path / _VECTORS).open("wb") as vectors, (path / _METADATA).open("wb") as metadata:
        for words, rows in selection.blocks():
            vectors.write(b"\n".join([*format_rows(rows, b"\t"), b""]))
            metadata.write("\n".join([*words, ""]).encode())
            advance(len(words))
    count, dim = selection.shape
    (path / _CONFIG).write_text(
        "embeddings {\n"
        f'  tensor_name: "{selection.vectors.name}-{dim}d"\n'
        f"  tensor_shape: {count}\n  tensor_shape: {dim}\n"
        f'  tensor_path: "{_VECTORS}"\n'
        f'  metadata_path: "{_METADATA}"\n'
        "}\n",
        "utf-8",
        newline="\n",
    )
