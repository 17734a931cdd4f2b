"""The embedded default: vectors from WordNet 3.0, inside the package.

``tools/make_wordnet.py`` makes the file; its docstring gives the recipe. The columns are ordered by weight,
so the first 25 or 50 of them are the smaller dims.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np

from embedhub.errors import FormatError
from embedhub.files import Block
from embedhub.hookspecs import hookimpl
from embedhub.source import EmbeddingSource

_FILE = "wordnet_ppmi.npz"
_SHA256 = "94e555ec88c614e3d6992b10d4bd8bcc1fb8552156df8fa66c574800187d5978"
_BLOCK = 8192


@dataclass(frozen=True, kw_only=True)
class _Embedded(EmbeddingSource):
    """A source whose file is in the package: int8 codes, and for each word the row that it shares."""

    @property
    def dims(self) -> tuple[int, ...]:
        """The prefixes that are offered."""
        return (25, 50, 100)

    def fingerprints(self, dim: int) -> tuple[str, ...]:  # noqa: ARG002 - the interface's argument
        """Return the hash of the packaged file."""
        return (f"sha256:{_SHA256}",)

    def fetch(self, dim: int) -> Path:
        """Return the place of the packaged file."""
        self.check_dim(dim)
        return Path(str(resources.files(__package__) / _FILE))

    def download_size(self, dim: int) -> int:  # noqa: ARG002 - the interface's argument
        """Return 0: it is here already."""
        return 0

    def parse(self, path: Path, dim: int) -> Iterator[Block]:
        """Give each word the first columns of its row."""
        try:
            with ZipFile(path) as archive:
                # Read whole: only at its end zip compares a member's checksum.
                words, rows, codes, step = (
                    np.load(BytesIO(archive.read(f"{name}.npy")), allow_pickle=False)
                    for name in ("words", "rows", "codes", "step")
                )
        except Exception as error:  # zip and numpy raise a dozen types for damaged bytes
            raise FormatError(
                f"{path}: this is not the packaged file, or it is damaged ({error})."
            ) from error
        words = words.tobytes().decode().split("\n")
        for start in range(0, len(words), _BLOCK):
            part = slice(start, start + _BLOCK)
            yield words[part], codes[rows[part], :dim] * step


WORDNET_PPMI = _Embedded(
    name="wordnet-ppmi",
    description="Positive PMI over WordNet 3.0 (relations and glosses), inside the package",
    language="en",
    cased=False,
    words=78_781,
    license="LicenseRef-WordNet-3.0",
    citation="Christiane Fellbaum, ed. (1998). WordNet: An Electronic Lexical Database. MIT Press.",
    homepage="https://wordnet.princeton.edu/",
    fallbacks=("lower",),
)


@hookimpl
def embedhub_sources() -> Iterable[EmbeddingSource]:
    """Return wordnet-ppmi."""
    return [WORDNET_PPMI]
