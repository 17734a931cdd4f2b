"""What the Hub knows of a repository, asked through huggingface_hub, and its refusals."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from embedhub import settings
from embedhub._url import is_loopback, shown_url
from embedhub._warn import warn
from embedhub.errors import (
    ChecksumError,
    DownloadError,
    EmbedhubError,
    OfflineError,
    SettingsError,
    SourceNotFoundError,
)
from embedhub_huggingface import HubWarning
from embedhub_huggingface.address import Address, is_path

_HEX = {40: re.compile("[0-9a-f]{40}"), 64: re.compile("[0-9a-f]{64}")}
_ON = {"1", "ON", "YES", "TRUE"}  # as huggingface_hub has them
_SECONDS = 30  # without an answer
_RETRYABLE = {408, 429, 500, 502, 503, 504}
_MAX_WAIT = 60  # seconds
_UNAUTHORIZED, _FORBIDDEN = 401, 403
_T = TypeVar("_T")


class HubFile(NamedTuple):
    """A file of a repository.

    Args:
        size: Number of bytes; None if the Hub does not tell.
        known_hash: Its sha256 if it is in Git LFS, otherwise its id in Git.
    """

    size: int | None
    known_hash: str | None


class Repository(NamedTuple):
    """A repository at a commit.

    Args:
        name: Owner and name as the Hub has them.
        commit: The commit.
        files: The files by path.
        card: Metadata of its card.
        tags: Tags that the Hub gives it.
    """

    name: str
    commit: str
    files: Mapping[str, HubFile]
    card: Mapping[str, Any]
    tags: tuple[str, ...]


def endpoint() -> str:
    """Return the URL of the Hub, from HF_ENDPOINT if it is set.

    Raises:
        SettingsError: It is neither an https URL, nor one of this machine.
    """
    from huggingface_hub import constants

    url = (os.environ.get("HF_ENDPOINT", "").strip() or constants.ENDPOINT).rstrip("/")
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        parts, host = urlsplit(""), ""
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    if not is_safe or not host or "@" in parts.netloc or parts.query or parts.fragment:
        raise SettingsError(
            f"HF_ENDPOINT is {shown_url(url, query=False)!r}; expected 'https://<host>', without a password."
        )
    return url


def offline_variable() -> str | None:
    """Return the name of the variable of huggingface_hub that forbids network access; None if none does."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        if os.environ.get(name, "").upper() in _ON:
            return name
    return None


def authorization() -> Mapping[str, str]:
    """Return the header with the user's token for the Hub; nothing without a token."""
    from huggingface_hub import utils

    client: Any = utils  # does not export what its documentation has
    value = client.build_hf_headers(**_agent()).get("authorization")
    return {"Authorization": value} if value else {}


def _agent() -> dict[str, Any]:
    from embedhub import __version__

    return {"library_name": "embedhub", "library_version": __version__}


def ask_for(address: Address) -> Repository:
    """Ask the Hub for a repository at a revision.

    Raises:
        SourceNotFoundError: It has no such repository or revision, or does not show it.
        DownloadError: It does not answer, or with something else; an UnavailableError if it may later.
    """
    from embedhub.download.resumable import retry

    where = endpoint()
    info = retry(lambda: _call(lambda api: _model_info(api, address), address, where))
    try:
        repository = _repository(info)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise _unexpected(address, where, error) from error
    if repository.name.lower() != address.repo.lower():
        warn(
            f"{address}: this repository is called {repository.name} now. Write "
            f"'{address._replace(repo=repository.name)}'.",
            HubWarning,
        )
    return repository


def _model_info(api: Any, address: Address) -> Any:
    return api.model_info(
        address.repo, revision=address.revision, files_metadata=True, timeout=float(_SECONDS)
    )


def _call(action: Callable[[Any], _T], address: Address, where: str) -> _T:
    """Call a method of the client, with embedhub's errors."""
    from huggingface_hub import HfApi
    from huggingface_hub import errors as errors_of_client

    from embedhub.download.http import TransientError

    errors: Any = errors_of_client  # does not export that of the HTTP library below
    try:
        return action(HfApi(endpoint=where, **_agent()))
    except EmbedhubError:
        raise
    except errors.OfflineModeIsEnabled as error:
        raise _offline(address, "HF_HUB_OFFLINE") from error
    except errors.GatedRepoError as error:
        raise _gated(address, where) from error
    except errors.RevisionNotFoundError as error:
        raise SourceNotFoundError(
            f"{address}: the repository has no branch, tag or commit {address.revision or 'main'!r}. "
            f"{where}/{address.repo}/tree/main lists them."
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise _not_found(address, where) from error
    except errors.HfHubHTTPError as error:
        raise _refusal(address, where, error) from error
    except errors.HTTPError as error:
        raise TransientError(f"{address}: no answer from {where} ({type(error).__name__}).") from error
    except OSError as error:  # of the file with the token, or with certificates
        reason = error.strerror or type(error).__name__
        raise DownloadError(
            f"{address}: the request to {where} cannot be made ({reason}: {error.filename or 'the token'}). "
            "Check the token of `hf auth login`, and SSL_CERT_FILE."
        ) from error
    except Exception as error:
        raise _unexpected(address, where, error) from error


def _repository(info: Any) -> Repository:
    """Return what an answer says; some exception if it is malformed."""
    if not isinstance(info.id, str) or not _HEX[40].fullmatch(info.sha):
        raise ValueError("there is no commit in it")
    name = info.id if info.id.count("/") == 1 and is_path(info.id) else None
    if name is None:
        raise ValueError("there is no name of a repository in it")
    files = {file.rfilename: _file(file) for file in info.siblings or () if is_path(file.rfilename)}
    card = vars(info.card_data) if hasattr(info.card_data, "__dict__") else {}
    tags = info.tags if isinstance(info.tags, list) else []
    return Repository(name, info.sha, files, card, tuple(tag for tag in tags if isinstance(tag, str)))


def _file(file: Any) -> HubFile:
    lfs = file.lfs or {}
    size = lfs.get("size", file.size)
    sha256, blob = lfs.get("sha256"), file.blob_id
    known_hash = None
    if isinstance(sha256, str) and _HEX[64].fullmatch(sha256):
        known_hash = f"sha256:{sha256}"
    elif not lfs and isinstance(blob, str) and _HEX[40].fullmatch(blob):
        known_hash = f"git-sha1:{blob}"
    return HubFile(size if type(size) is int and size > 0 else None, known_hash)


@contextmanager
def downloads_of(address: Address) -> Iterator[None]:
    """Obey the offline switch of huggingface_hub in a block, and explain refused downloads."""
    variable = offline_variable()
    with settings.without_network(variable) if variable else nullcontext():
        from embedhub.download.http import UnavailableError

        try:
            yield
        except (OfflineError, ChecksumError):
            raise
        except DownloadError as error:
            if settings.offline() or not re.search(r"HTTP 40[134]\b", str(error)):
                raise
            with suppress(UnavailableError):  # what the download says is enough then
                _call(lambda api: api.auth_check(address.repo), address, endpoint())
            raise


def has_token() -> bool:
    """Return whether a token is sent to the Hub."""
    return bool(authorization())


def _offline(address: Address, variable: str) -> OfflineError:
    return OfflineError(
        f"{address} was never opened with this cache ({settings.cache_folder()}), and {variable} is set, so "
        "the Hub is not asked for its commit and its files. On a machine with network access, run: "
        f'python -c "import embedhub; embedhub.load({str(address)!r})" and copy its cache folder here.'
    )


def never_opened(address: Address) -> OfflineError:
    """Return the error for a handle of which nothing is known, without network access."""
    return _offline(address, offline_variable() or settings.offline_by())


def _gated(address: Address, where: str) -> DownloadError:
    if has_token():
        how = (
            "The account of the token that was sent has no access yet: ask for it, or accept the conditions,"
        )
    else:
        how = "Log in with `hf auth login` or set HF_TOKEN, and ask for access or accept the conditions"
    return DownloadError(f"{address}: this repository is gated. {how} at {where}/{address.repo}.")


def _not_found(address: Address, where: str) -> SourceNotFoundError:
    how = (
        "or the account of the token that was sent cannot see it"
        if has_token()
        else "or it is private: log in with `hf auth login` or set HF_TOKEN"
    )
    return SourceNotFoundError(
        f"{address}: there is no such repository at {where}, {how}. Check the owner and the name."
    )


def _refusal(address: Address, where: str, error: Any) -> DownloadError:
    """Return the error for an answer without the data."""
    from embedhub.download.http import TransientError, UnavailableError

    status = error.response.status_code
    message = f"{address}: {where} answered HTTP {status}."
    if status in _RETRYABLE:
        text = error.response.headers.get("Retry-After", "")
        seconds = int(text) if re.fullmatch("[0-9]{1,9}", text) else 0
        if seconds > _MAX_WAIT:
            return UnavailableError(f"{message} It asks to wait for {seconds} s.")
        return TransientError(message, float(seconds))
    if status == _UNAUTHORIZED:
        return DownloadError(
            f"{message} The token that was sent is not valid, or has expired. Log in again with "
            "`hf auth login`, or correct HF_TOKEN."
        )
    if status == _FORBIDDEN:
        return DownloadError(f"{message} The token that was sent does not permit to read this repository.")
    return DownloadError(message)


def _unexpected(address: Address, where: str, error: Exception) -> DownloadError:
    return DownloadError(
        f"{address}: {where} did not answer as the Hub does ({type(error).__name__}). Check HF_ENDPOINT, and "
        "update huggingface_hub."
    )
