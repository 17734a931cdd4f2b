"""Vectors in repositories of the Hugging Face Hub, for embedhub: ``hf://owner/repo``."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embedhub import EmbeddingSource

__all__ = ["HubWarning", "open_hub"]


class HubWarning(UserWarning):
    """The Hub has moved a repository, or does not answer, and what is known of it is used."""


def open_hub(location: str, dim: int | None = None) -> "EmbeddingSource":
    """Return the source of a handle of the scheme ``hf://``.

    embedhub calls this function. Of a branch or a tag, the Hub is asked for its commit each time, unless
    network access is forbidden.

    Example::

        embedhub.load("hf://minishlab/potion-base-8M")

    Args:
        location: What follows ``hf://``: ``owner/repo``, then ``@revision``, ``/path`` and ``#tensor`` where
            they are wanted.
        dim: The dimension that the caller asks for; the source has only that of the file.

    Raises:
        SourceNotFoundError: The handle is malformed, or the Hub has no such repository, revision or file.
        SettingsError: HF_ENDPOINT is not an https URL.
        DownloadError: The Hub does not answer, or refuses the files; an OfflineError if network access is
            forbidden and the handle was never opened.
        FormatError: The file has no vectors, or the repository has several files of vectors.
    """
    del dim
    from embedhub_huggingface.source import open_address  # imports embedhub's rooms for downloads

    return open_address(location)
