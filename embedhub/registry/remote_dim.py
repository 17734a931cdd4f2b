"""The dimension of the vectors in a remote file, by the beginning of the file."""

from pathlib import Path

from embedhub import settings
from embedhub.download.remote_file import Fetched, RemoteFile
from embedhub.errors import FormatError


def dim_of_remote_file(file: RemoteFile, label: str, command: str) -> int:
    """Return the dimension in a remote file; its beginning is downloaded, and stays for its store.

    The caller holds the lock of the file.

    Args:
        file: The file.
        label: Description of the file, for messages.
        command: Python code that downloads it, for the message in offline mode.

    Raises:
        DownloadError: The file is not available.
        FormatError: It is in none of the known formats.
    """
    # pooch, requests and the formats take longer to import than a store to open.
    from embedhub.download.fetch import fetch_first, remove_unverified
    from embedhub.download.prefix import fetch_words
    from embedhub.formats.detect import detect
    from embedhub.formats.foreign import explained, recognize_file

    def is_enough(fetched: Fetched) -> bool:
        try:
            return detect(fetched.path).dim > 0
        except FormatError:
            return recognize_file(fetched.path) is not None

    if settings.require_hash():  # a beginning has none
        fetched = fetch_first([file], label=label, command=command)
    else:
        fetched = fetch_words([file], 1, None, label=label, command=command, has_words=is_enough)
    try:
        with explained(fetched.path):
            return detect(fetched.path).dim
    except FormatError as error:
        if fetched.prefix:
            for path in (fetched.path, Path(f"{fetched.path}.json")):
                path.unlink(missing_ok=True)
        else:
            remove_unverified(fetched)
        raise type(error)(f"{label}: {error}") from error
