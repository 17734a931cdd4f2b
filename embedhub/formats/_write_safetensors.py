"""safetensors: the tensor ``embeddings``, and the words in the metadata, as a JSON list named ``words``.

The tensor has the name that model2vec gives it. The words are in the file itself, because the other way that
is in use, a ``tokenizer.json`` beside it, is that of a tokenizer: without a row for unknown words, which most
sources have not, it refuses every text with one.
"""

import json
from pathlib import Path

from embedhub.errors import ExportError
from embedhub.formats._selection import Advance, Selection, is_utf8

_LONGEST_HEADER = 100_000_000  # what the reference implementation opens


def refusal(word: str) -> str | None:
    """Say why this form cannot hold a word; None if it can."""
    return None if is_utf8(word) else "is not UTF-8, which the metadata must be"


def write(path: Path, selection: Selection, advance: Advance) -> None:
    """Write the header and the matrix.

    Raises:
        ExportError: The words take more room than a header may have.
    """
    rows, dim = selection.shape
    words = [word for some in selection.words() for word in some]
    header = {
        "__metadata__": {"words": json.dumps(words, ensure_ascii=False)},
        "embeddings": {"dtype": "F32", "shape": [rows, dim], "data_offsets": [0, 4 * rows * dim]},
    }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # so that the matrix is aligned
    if len(text) > _LONGEST_HEADER:
        raise ExportError(
            f"{rows:,} words take {len(text):,} bytes in the header of safetensors, which may have "
            f"{_LONGEST_HEADER:,}. Nothing was written. Take fewer by words= or topn=, or another format."
        )
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for block in selection.matrix():
            file.write(block.data)
            advance(len(block))
