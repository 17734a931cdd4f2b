"""The files of a repository at a commit, as embedhub downloads them."""

from typing import Any

from embedhub import settings
from embedhub.download.remote_file import RemoteFile
from embedhub.vectors.blocks import Format
from embedhub_huggingface import hub
from embedhub_huggingface.address import Address, url_of
from embedhub_huggingface.record import FileFacts
from embedhub_huggingface.table import Table, TableReader


def remote_file(endpoint: str, repo: str, commit: str, facts: FileFacts, **options: Any) -> RemoteFile:
    """Return a file of a repository."""
    return RemoteFile(
        url_of(endpoint, repo, commit, facts.path),
        known_hash=facts.known_hash,
        size=facts.size,
        headers=hub.authorization,
        **options,
    )


def part_of(whole: RemoteFile, **part: Any) -> RemoteFile:
    """Return a part of a file: a member, or a byte range."""
    return RemoteFile(
        whole.url, archive_hash=whole.known_hash, archive_size=whole.size, headers=whole.headers, **part
    )


def vectors_file(
    whole: RemoteFile,
    address: Address,
    format_name: str | None,
    table: Table | None,
    companions: tuple[RemoteFile, ...],
) -> RemoteFile:
    """Return the file that the vectors are read from."""
    facts: dict[str, Any] = {"known_hash": whole.known_hash, "size": whole.size, "headers": whole.headers}
    if table is None:
        if address.part is not None:
            return part_of(whole, member=address.part)
        return RemoteFile(whole.url, format=format_name, companions=companions, **facts)
    if settings.require_hash():  # only that of the whole is published
        reader = Format("token-table", TableReader(table, table.start))
        return RemoteFile(whole.url, format=reader, companions=companions, **facts)
    reader = Format("token-table", TableReader(table, 0))
    return part_of(whole, byte_range=(table.start, table.stop), format=reader, companions=companions)
