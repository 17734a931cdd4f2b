"""Errors for files that are not available or wrong, with the attempts and the remedies."""

import re
from collections.abc import Sequence

from embedhub import settings
from embedhub._url import shown_url
from embedhub.download.http import UnavailableError
from embedhub.download.remote_file import RemoteFile
from embedhub.errors import ChecksumError, DownloadError, OfflineError


def combined_error(
    candidates: Sequence[RemoteFile], failures: Sequence[DownloadError], label: str, command: str | None
) -> DownloadError:
    """Return one error that lists all attempts."""
    tried = "\n".join(f"  - {error}" for error in failures)
    is_wrong = any(isinstance(error, ChecksumError) for error in failures)
    if settings.offline() and not is_wrong:
        return offline_error(candidates, failures, label, command)
    advice = []
    if any(isinstance(error, UnavailableError) for error in failures):
        advice.append("Try again later: an interrupted download is kept, and resumed.")
    if is_wrong:
        advice.append(
            "A file with other bytes than the source names has changed at its URL, or is damaged there: tell "
            "the author of the source, or of its plugin."
        )
    advice.append(
        f"{'Or set' if advice else 'Set'} EMBEDHUB_MIRROR to a URL or folder that has <host>/<path> of these."
    )
    kind = ChecksumError if is_wrong else DownloadError
    return kind(f"{label} is not available at any of its locations:\n{tried}\n{' '.join(advice)}")


def offline_error(
    candidates: Sequence[RemoteFile],
    failures: Sequence[DownloadError],
    label: str,
    command: str | None,
    *,
    reason: str = "",
) -> OfflineError:
    """Return the error for offline mode: the required files, and how to get them.

    Args:
        candidates: Files with the same content, in order of preference.
        failures: The errors of the attempts.
        label: Description of the vectors: ``"glove-6b 50d"``.
        command: Python code that downloads them.
        reason: A further sentence, such as why the cache cannot be written.
    """
    tried = "\n".join(f"  - {error}" for error in failures)
    wanted = "\n".join(f"  - {shown_url(part.location)}" for file in candidates for part in file.all_files)
    run = f'run: python -c "import embedhub; {command}" and ' if command else "download it, and "
    return OfflineError(
        f"{label} is not in the cache ({settings.cache_folder()}), and {settings.offline_by()} is set. "
        f"{reason}{' ' if reason else ''}Wanted:\n"
        + wanted
        + (f"\nTried:\n{tried}" if failures else "")
        + f"\nOn a machine with network access, {run}copy its cache folder here, or set EMBEDHUB_MIRROR "
        "to a folder that has <host>/<path> of one of these."
    )


def describe_mismatch(message: str, known_hash: str | None) -> str:
    """Return pooch's message about a wrong hash in the form of the other errors."""
    actual = re.search(r"but got (\w+)", message)
    if actual is None or known_hash is None:
        return message
    algorithm = known_hash.partition(":")[0]
    return f"expected {known_hash}, got {algorithm}:{actual[1]}. The bytes were thrown away."
