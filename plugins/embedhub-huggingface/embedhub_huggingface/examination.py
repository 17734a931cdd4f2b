"""Examination of a repository: which file has the vectors, and their dimension."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath

from embedhub import _cache as cache
from embedhub import settings
from embedhub.download.remote_file import RemoteFile
from embedhub.errors import DownloadError, FormatError
from embedhub.formats.static_embeddings import TOKENIZER
from embedhub.registry.remote_dim import dim_of_remote_file
from embedhub_huggingface import card as cards
from embedhub_huggingface.address import Address
from embedhub_huggingface.choice import choose, not_static
from embedhub_huggingface.files import part_of, remote_file, vectors_file
from embedhub_huggingface.hub import Repository
from embedhub_huggingface.record import FileFacts, Record
from embedhub_huggingface.table import VOCABULARY, Table, find_table, parse_header

_SAFETENSORS = ".safetensors"
_STATIC = "static-embeddings"
_OF_STATIC = ("embeddings", "embedding.weight")
_WORDS = "words"  # in the metadata of an export
_LENGTH_BYTES = 8
_MAX_HEADER = 100_000_000
_MAX_SMALL = 1 << 26
_MAX_CARD = 1 << 20
_README = "README.md"


class Examination:
    """Finds out which file of a repository has the vectors, and their dimension.

    Args:
        address: What the handle names.
        endpoint: URL of the Hub.
        repository: The repository at a commit.
    """

    def __init__(self, address: Address, endpoint: str, repository: Repository) -> None:
        self._address = address
        self._endpoint = endpoint
        self._repository = repository

    def record(self) -> Record:
        """Return the record."""
        address, repository = self._address, self._repository
        path = choose(address, repository, self._read)
        facts = self._facts(path)
        if path.endswith(_SAFETENSORS):
            dim, rows, table, companion = self._examine_tensors(path)
            files = (facts, self._facts(companion)) if companion else (facts,)
            format_name = None if table else _STATIC
        else:
            if address.part is not None and not path.endswith(".zip"):
                raise FormatError(
                    f"{address}: a # names a tensor in a {_SAFETENSORS} file, or a file in a .zip archive; "
                    f"{path} is neither."
                )
            files, rows, table, format_name = (facts,), None, None, None
            file = vectors_file(self._file(path), address, None, None, ())
            with cache.lock(file.lock_name, f"reading {address}"):
                dim = self._explained(lambda: dim_of_remote_file(file, *self._label_and_command()))
        return Record(
            repo=repository.name,
            commit=repository.commit,
            files=files,
            dim=dim,
            format=format_name,
            rows=rows,
            table=table,
            language=cards.language(repository.card),
            license=cards.license_of(repository.card),
            citation=cards.citation(repository),
            bibtex=cards.bibtex(self._readme()),
        )

    def _facts(self, path: str) -> FileFacts:
        file = self._repository.files[path]
        return FileFacts(path, file.known_hash, file.size)

    def _file(self, path: str) -> RemoteFile:
        return remote_file(self._endpoint, self._repository.name, self._repository.commit, self._facts(path))

    def _label_and_command(self) -> tuple[str, str]:
        return str(self._address), f"embedhub.load({str(self._address)!r})"

    def _fetch(
        self, file: RemoteFile, *, keep: bool, read: Callable[[Path], bytes] = Path.read_bytes
    ) -> bytes:
        """Return the bytes of a file, or of a part."""
        from embedhub.download.fetch import fetch_first, remove_all

        label, command = self._label_and_command()
        with cache.lock(file.lock_name, f"reading {label}"):
            fetched = fetch_first([file], label=label, command=command)
            try:
                return read(fetched.path)
            finally:
                if not keep:
                    remove_all(fetched)

    def _read(self, path: str) -> bytes:
        """Return the bytes of a small file."""
        size = self._repository.files[path].size
        if size is not None and size > _MAX_SMALL:
            raise FormatError(f"{self._address}: {path} has {size:,} bytes; expected {_MAX_SMALL:,} at most.")
        return self._fetch(self._file(path), keep=False)

    def _readme(self) -> str:
        """Return the text of the card; empty if it is absent, large or not available."""
        readme = self._repository.files.get(_README)
        if readme and readme.known_hash and (readme.size or _MAX_CARD) < _MAX_CARD:
            with suppress(DownloadError):
                return self._read(_README).decode("utf-8", "replace")
        return ""

    def _examine_tensors(self, path: str) -> tuple[int, int | None, Table | None, str | None]:
        """Return the dimension, number of vectors, table and companion of a safetensors file."""
        place = self._address._replace(path=path, part=None)
        tensors, metadata = parse_header(self._header(path), Path(str(place)))
        name = self._address.part
        if name is not None:
            table = find_table(tensors, name, str(place))
            return table.dim, None, table, self._companion(path, (TOKENIZER, VOCABULARY))
        static = next((name for name in _OF_STATIC if name in tensors), None)
        if static is None:
            raise not_static(self._address, list(tensors))
        table = find_table(tensors, static, str(place))
        mapping = tensors.get("mapping")
        rows = mapping.shape[0] if mapping and mapping.shape else table.rows
        companion = None if _WORDS in metadata else self._companion(path, (TOKENIZER,))
        return table.dim, rows, None, companion

    def _header(self, path: str) -> bytes:
        """Return the header of a safetensors file, with its length before it."""
        whole = self._file(path)
        if settings.require_hash():  # only that of the whole is published

            def read_header(file: Path) -> bytes:
                with file.open("rb") as data:
                    start = data.read(_LENGTH_BYTES)
                    return start + data.read(self._length(start, whole))

            return self._fetch(whole, keep=True, read=read_header)
        start = self._fetch(part_of(whole, byte_range=(0, _LENGTH_BYTES)), keep=False)
        stop = _LENGTH_BYTES + self._length(start, whole)
        return start + self._fetch(part_of(whole, byte_range=(_LENGTH_BYTES, stop)), keep=False)

    def _length(self, start: bytes, whole: RemoteFile) -> int:
        """Return the length of the header, which the first bytes of the file have."""
        length = int.from_bytes(start, "little")
        if not 0 < length <= min(_MAX_HEADER, (whole.size or _MAX_HEADER) - _LENGTH_BYTES):
            raise FormatError(
                f"{self._address}: {whole.mirror_name.rpartition('/')[2]} is not a safetensors file, or is "
                "damaged."
            )
        return length

    def _companion(self, path: str, names: tuple[str, ...]) -> str:
        """Return the path of the tokenizer beside a file, or at the top of the repository."""
        folder = PurePosixPath(path).parent
        places = [(place / name).as_posix() for place in (folder, PurePosixPath()) for name in names]
        for place in places:
            if place in self._repository.files:
                return place
        raise FormatError(
            f"{self._address}: the words of {path} are the tokens of its tokenizer, but the repository has "
            f"no {' and no '.join(dict.fromkeys(places))}."
        )

    def _explained(self, action: Callable[[], int]) -> int:
        """Run an action; of a placeholder for a file, say who can upload the file."""
        try:
            return action()
        except FormatError as error:
            if "git-lfs" in str(error):
                raise FormatError(
                    f"{error} It was committed as text, so only the owner of the repository can replace it."
                ) from error
            raise
