"""Vectors from WordNet 3.0, inside the package.

``tools/make_wordnet.py`` makes the file; its docstring gives the recipe. The columns are ordered by weight,
so the first 25 or 50 of them are the smaller dimensions.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from zipfile import ZipFile

import numpy as np

from embedhub.download.remote_file import Fetched
from embedhub.errors import FormatError
from embedhub.registry.builtin.packaged import PackagedSource
from embedhub.registry.hookspecs import hookimpl
from embedhub.registry.source import EmbeddingSource
from embedhub.vectors.blocks import Block

_BLOCK = 8192


@dataclass(frozen=True, kw_only=True)
class _WordNetSource(PackagedSource):
    """A source whose words share vectors, stored as int8."""

    def cache_key(self, dim: int) -> str:  # noqa: ARG002 - the interface's argument
        """Return the hash of the packaged file, and the version of `parse`."""
        return f"sha256:{self.sha256}, wordnet 1"

    def parse(self, fetched: Fetched, dim: int) -> Iterator[Block]:
        """Read int8 codes, and for each word the row of codes that it shares; yield the first columns."""
        try:
            with ZipFile(fetched.path) as archive:
                # Read whole: only at its end zip compares a member's checksum.
                words, rows, codes, step = (
                    np.load(BytesIO(archive.read(f"{name}.npy")), allow_pickle=False)
                    for name in ("words", "rows", "codes", "step")
                )
        except Exception as error:  # zip and numpy raise a dozen types for damaged bytes
            raise FormatError(
                f"{fetched.path}: this is not the packaged file, or it is damaged ({error})."
            ) from error
        words = words.tobytes().decode().split("\n")
        for start in range(0, len(words), _BLOCK):
            part = slice(start, start + _BLOCK)
            yield Block(words[part], codes[rows[part], :dim] * step)


WORDNET_PPMI = _WordNetSource(
    name="wordnet-ppmi",
    file="wordnet_ppmi.npz",
    sha256="94e555ec88c614e3d6992b10d4bd8bcc1fb8552156df8fa66c574800187d5978",
    dims=(25, 50, 100),
    description="Positive PMI over WordNet 3.0 (relations and glosses), inside the package",
    language="en",
    cased=False,
    vocab_size=78_781,
    license="LicenseRef-WordNet-3.0",
    citation="Christiane Fellbaum, ed. (1998). WordNet: An Electronic Lexical Database. MIT Press.",
    bibtex="""@book{fellbaum1998wordnet,
  editor = {Fellbaum, Christiane},
  title = {{WordNet}: An Electronic Lexical Database},
  publisher = {MIT Press},
  year = {1998},
}""",
    homepage="https://wordnet.princeton.edu/",
    tokenization="words",
    fallbacks=("lower",),
)


@hookimpl
def embedhub_sources() -> Iterable[EmbeddingSource]:
    """Return wordnet-ppmi."""
    return [WORDNET_PPMI]
