"""Sources whose file is inside the package."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from embedhub.errors import ChecksumError
from embedhub.registry.source import EmbeddingSource
from embedhub.vectors.blocks import Block, Extra, Reader


@dataclass(frozen=True, kw_only=True)
class PackagedSource(EmbeddingSource):
    """A source that needs no download: its file is in this folder.

    Args:
        file: Name of the file.
        sha256: SHA-256 of the file, in hexadecimal.
        reader: Function that reads it, as in `RemoteFile`.
        packaged_dims: The dimensions that it can be read in.
    """

    file: str
    sha256: str
    reader: Reader
    packaged_dims: tuple[int, ...]

    @property
    def dims(self) -> tuple[int, ...]:
        """The dimensions, smallest first."""
        return self.packaged_dims

    def fingerprints(self, dim: int) -> tuple[str, ...]:  # noqa: ARG002 - the interface's argument
        """Return the hash of the packaged file."""
        return (f"sha256:{self.sha256}",)

    def fetch(self, dim: int) -> Path:
        """Return the path of the packaged file, verified.

        Raises:
            ChecksumError: The file is not the one that was packaged.
        """
        self.check_dim(dim)
        path = Path(str(resources.files(__package__) / self.file))
        with path.open("rb") as file:
            got = hashlib.file_digest(file, "sha256").hexdigest()
        if got != self.sha256:
            raise ChecksumError(
                f"{path}: expected sha256 {self.sha256}, got {got}. The installed package is damaged; "
                "install it again: python -m pip install --force-reinstall embedhub"
            )
        return path

    def download_size(self, dim: int) -> int:  # noqa: ARG002 - the interface's argument
        """Return 0: nothing is downloaded."""
        return 0

    def parse(self, path: Path, dim: int) -> Iterator[Block | Extra]:
        """Read the file as blocks of words and vectors."""
        return self.reader(path, dim)
