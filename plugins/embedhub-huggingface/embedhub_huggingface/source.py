"""The source of a handle: its files at a commit."""

from dataclasses import dataclass
from typing import Any

from embedhub import _cache as cache
from embedhub import settings
from embedhub._names import slug
from embedhub._warn import warn
from embedhub.download.remote_file import Fetched
from embedhub.registry.handle_source import HandleSource
from embedhub_huggingface import HubWarning, hub
from embedhub_huggingface.address import Address, parse_address
from embedhub_huggingface.examination import Examination
from embedhub_huggingface.files import remote_file, vectors_file
from embedhub_huggingface.record import Record, key_of, read_record, write_record


@dataclass(frozen=True, kw_only=True)
class HubSource(HandleSource):
    """Vectors in a repository at a commit; `open_address` returns it.

    Args:
        address: What the handle names.
        repository: Owner and name of the repository.
        commit: The commit.
    """

    address: Address
    repository: str
    commit: str

    def fetch(self, dim: int) -> Fetched:
        """Download and verify the file and its companions."""
        with hub.downloads_of(self.address):
            return super().fetch(dim)

    def fetch_words(self, dim: int, words: int) -> Fetched:
        """Download the beginning of the file, with so many words."""
        with hub.downloads_of(self.address):
            return super().fetch_words(dim, words)

    def manifest(self, dim: int, cache_key: str, fetched: Fetched | None) -> dict[str, Any]:
        """Return what the manifest of a store records about the origin of its vectors."""
        origin = {"repository": self.repository, "commit": self.commit}
        return super().manifest(dim, cache_key, fetched) | origin


def open_address(location: str) -> HubSource:
    """Return the source of a handle.

    Args:
        location: What follows ``hf://``.

    Raises:
        EmbedhubError: As for `embedhub_huggingface.open_hub`.
    """
    address = parse_address(location)
    endpoint = hub.endpoint()
    return _source(f"hf://{location}", address, endpoint, _resolve(address, endpoint))


def _resolve(address: Address, endpoint: str) -> Record:
    """Return the record of a handle, after asking the Hub for the commit of its revision."""
    from embedhub.download.http import UnavailableError

    key = key_of(address, endpoint)
    record = read_record(key)
    if record and address.is_pinned:
        return record
    if settings.offline() or hub.offline_variable():
        if record is None:
            raise hub.never_opened(address)
        return record
    try:
        repository = hub.ask_for(address)
    except UnavailableError as error:
        if record is None:
            raise
        warn(f"{error} The commit {record.commit}, which it had before, is used.", HubWarning)
        return record
    if record and record.commit == repository.commit:
        return record
    with cache.lock(key, f"reading {address}"), hub.downloads_of(address):
        record = read_record(key)  # of another process
        if record is None or record.commit != repository.commit:
            record = Examination(address, endpoint, repository).record()
            write_record(key, record)
    return record


def _source(handle: str, address: Address, endpoint: str, record: Record) -> HubSource:
    whole, *companions = (remote_file(endpoint, record.repo, record.commit, facts) for facts in record.files)
    file = vectors_file(whole, address, record.format, record.table, tuple(companions))
    return HubSource(
        name=slug(record.repo.replace("/", "-")),
        handle=handle,
        address=address,
        repository=record.repo,
        commit=record.commit,
        files={record.dim: file},
        description=f"{record.files[0].path} of {record.repo} on the Hugging Face Hub",
        language=record.language,
        cased=True,
        vocab_size=record.rows,
        license=record.license,
        citation=record.citation,
        bibtex=record.bibtex,
        homepage=f"{endpoint}/{record.repo}",
        unit="token" if companions else "word",
    )
