"""Sources whose file is inside the package."""

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from itertools import chain
from pathlib import Path

import numpy as np

from embedhub.download.remote_file import Fetched
from embedhub.errors import ChecksumError, StoreError
from embedhub.formats import get_format, versions
from embedhub.registry.origin import Origin, OriginFile
from embedhub.registry.source import EmbeddingSource, Reopen
from embedhub.vectors.blocks import Block, ExtraFile
from embedhub.vectors.vectors import Vectors

_log = logging.getLogger("embedhub")


@dataclass(frozen=True, kw_only=True)
class PackagedSource(EmbeddingSource):
    """A source whose file is part of the package.

    Args:
        file: Name of the file.
        sha256: SHA-256 of the file, in hexadecimal.
        dims: The available dimensions.
        format: Name of its format.
    """

    file: str
    sha256: str
    dims: tuple[int, ...] = ()  # without a value, the property of the base class would stay abstract
    format: str = "glove"

    def cache_key(self, dim: int) -> str:  # noqa: ARG002 - the interface's argument
        """Return the hash of the packaged file, and the version of its reader."""
        return f"sha256:{self.sha256}, {versions(self.format)}"

    def fetch(self, dim: int) -> Fetched:
        """Return the packaged file, verified.

        Raises:
            DimNotFoundError: The source does not have this dimension.
            ChecksumError: The file is not the one that was packaged.
        """
        self.check_dim(dim)
        path = Path(str(resources.files(__package__) / self.file))
        with path.open("rb") as file:
            actual = hashlib.file_digest(file, "sha256").hexdigest()
        if actual != self.sha256:
            raise ChecksumError(
                f"{path}: expected sha256 {self.sha256}, got {actual}. The installed package is damaged; "
                "install it again: python -m pip install --force-reinstall embedhub"
            )
        return Fetched(path)

    def parse(self, fetched: Fetched, dim: int) -> Iterator[Block | ExtraFile]:
        """Read the file in its format."""
        return get_format(self.format).read(fetched.path, dim)

    def _origin(self, dim: int) -> Origin:
        """Return the packaged file, and the version of its reader."""
        file = resources.files(__package__) / self.file
        origin = OriginFile(self.file, None, Path(str(file)).stat().st_size, f"sha256:{self.sha256}")
        return Origin((origin,), tuple(self.cache_key(dim).split(", ")[1:]))

    def _without_cache(self, dim: int, cache_key: str, reopen: Reopen, error: StoreError) -> Vectors:
        """Read the vectors into memory, since the package has all of them."""
        fetched = self.fetch(dim)
        _log.info("%s %sd is held in memory. %s", self.name, dim, error)
        blocks = [block for block in self.parse(fetched, dim) if isinstance(block, Block)]
        return Vectors(
            np.concatenate([block.vectors for block in blocks]),
            list(chain.from_iterable(block.words for block in blocks)),
            name=self.name,
            manifest=self.manifest(dim, cache_key, fetched),
            fallbacks=self.fallbacks,
            reopen=reopen,
        )
