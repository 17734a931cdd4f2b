"""gensim's own form: what ``gensim.models.KeyedVectors.load`` opens, with ``mmap="r"`` in an instant.

It is two files: ``NAME``, a pickle that gensim itself writes, with the words; ``NAME.vectors.npy``, the
matrix. The only module that imports gensim.
"""

from pathlib import Path

import numpy as np

from embedhub.errors import DependencyError
from embedhub.formats._selection import Advance, Selection

MATRIX = ".vectors.npy"
"""What the name of the second file adds to that of the first."""


def refusal(word: str) -> str | None:  # noqa: ARG001 - all forms are asked the same
    """Say why this form cannot hold a word: it holds every one."""
    return None


def write(path: Path, selection: Selection, advance: Advance) -> None:
    """Write the two files.

    Raises:
        DependencyError: gensim is not installed.
    """
    try:
        from gensim.models import KeyedVectors
    except ModuleNotFoundError as error:
        raise DependencyError(
            "The form of gensim needs gensim, which is not installed: pip install embedhub[gensim]. "
            "Without it, write word2vec-binary, and open that with KeyedVectors.load_word2vec_format(path, "
            "binary=True)."
        ) from error
    rows, dim = selection.shape
    vectors = KeyedVectors(dim)
    vectors.index_to_key = [word for some in selection.words() for word in some]
    vectors.key_to_index = {word: index for index, word in enumerate(vectors.index_to_key)}
    vectors.next_index = rows
    vectors.lifecycle_events = None  # else it writes the time, and the name of a temporary file
    # gensim would take the whole matrix into memory: it writes an empty one, which the rows then replace.
    vectors.save(str(path), separately=["vectors"])
    with path.with_name(path.name + MATRIX).open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "<f4", "fortran_order": False, "shape": (rows, dim)}
        )
        for block in selection.matrix():
            file.write(block.data)
            advance(len(block))
