"""Remote files and sources of a host that does not exist, for mirrors that tests write."""

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

from embedhub import RemoteFile, RemoteSource

HOST = "vectors.example.org"


def pinned(data: bytes, name: str = "some.txt", algorithm: str = "sha256", **changes: Any) -> RemoteFile:
    """Return a file of the host, with the hash and the size of its bytes."""
    facts: dict[str, Any] = {
        "url": f"https://{HOST}/{name}",
        "known_hash": f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}",
        "size": len(data),
        "format": "glove",
    }
    return RemoteFile(**(facts | changes))


def source_of(
    *files: RemoteFile, dim: int = 2, kind: type[RemoteSource] = RemoteSource, **changes: Any
) -> RemoteSource:
    """Return a source of one dimension with these candidates."""
    facts: dict[str, Any] = {
        "name": "some", "files": {dim: files}, "description": "", "language": "en", "cased": True,
        "license": "", "citation": "", "homepage": "",
    }  # fmt: skip
    return kind(**(facts | changes))


def files_in(folder: Path) -> list[str]:
    """Return the paths of all files below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def zipped(**members: bytes) -> bytes:
    """Return a zip archive of these members; ``zipped(**{"deep/a.txt": b""})`` names one in a folder."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()
