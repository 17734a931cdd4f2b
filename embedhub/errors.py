"""Errors and warnings of embedhub.

Each error also inherits the matching builtin::

    EmbedhubError
    ├── SourceNotFoundError (LookupError)   no source has the name, or several do
    ├── DimNotFoundError (ValueError)       the source does not have the dimension
    ├── WordNotFoundError (KeyError)        the word is out of vocabulary
    ├── VocabularyError (ValueError)        the caller's vocabulary is invalid
    ├── CoverageError (ValueError)          fewer words were found than required
    ├── FormatError (ValueError)            a file is malformed, or a format cannot represent the data
    │   └── UnexpectedEndError              the file is shorter or longer than it declares
    ├── LocalFileError (FileNotFoundError)  the caller's file is missing or cannot be opened
    ├── LockError (ValueError)              the vectors are not those of the lock file
    ├── StoreError (OSError)                a store in the cache is damaged or cannot be written
    ├── SettingsError (ValueError)          an EMBEDHUB_* variable has an invalid value
    ├── OutputError (OSError)               an output file or port is not available
    ├── BackendError (NotImplementedError)  the Keras backend does not support the operation
    ├── DependencyError (ImportError)       an optional package is not installed
    ├── PluginError (RuntimeError)          code of a source or a plugin fails, or calls what it must not
    └── DownloadError (OSError)             a file could not be downloaded
        ├── ChecksumError (ValueError)      the downloaded bytes do not match the checksum
        └── OfflineError                    a download is needed, but EMBEDHUB_OFFLINE is set

Warnings: `CoverageWarning`, `FormatWarning`, `PluginWarning`, `StoreWarning` and `UnverifiedWarning`.
"""

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def escaped(text: str) -> str:
    """Return a message with control characters escaped, which names in files and answers may contain."""
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


class EmbedhubError(Exception):
    """Base class of all errors of embedhub."""

    # KeyError would show the repr of the message, and OSError may show only a part of it.
    def __str__(self) -> str:
        return escaped(str(self.args[0])) if self.args else ""


class SourceNotFoundError(EmbedhubError, LookupError):
    """No source has the name, or several plugins provide one of that name."""


class DimNotFoundError(EmbedhubError, ValueError):
    """The source does not have the dimension."""


class WordNotFoundError(EmbedhubError, KeyError):
    """The word is not in the vocabulary of the vectors."""


class VocabularyError(EmbedhubError, ValueError):
    """The caller's vocabulary is invalid: it is empty, has no indices, or has none of the words needed."""


class CoverageError(EmbedhubError, ValueError):
    """The source has fewer words of the vocabulary than ``min_coverage`` requires."""


class FormatError(EmbedhubError, ValueError):
    """A file is not in the format that its reader expects, or a format cannot represent the data to write."""


class UnexpectedEndError(FormatError):
    """A file is truncated, or has more vectors than declared; readers raise it after the last block."""


class LocalFileError(EmbedhubError, FileNotFoundError):
    """The caller's own file does not exist, or cannot be opened."""


class LockError(EmbedhubError, ValueError):
    """The vectors are not in the lock file of the project, or are others than it has."""


class StoreError(EmbedhubError, OSError):
    """A store in the cache is damaged, or cannot be written."""


class SettingsError(EmbedhubError, ValueError):
    """An environment variable of embedhub has an invalid value."""


class OutputError(EmbedhubError, OSError):
    """The output file or port is not available, such as a file that exists already."""


class BackendError(EmbedhubError, NotImplementedError):
    """The Keras backend in use does not support the operation."""


class DependencyError(EmbedhubError, ImportError):
    """An optional package is not installed."""


class PluginError(EmbedhubError, RuntimeError):
    """The code of a source fails, or a plugin looks up sources at import or in a hook."""


def missing_dependency(feature: str, package: str, requirement: str, hint: str = "") -> DependencyError:
    """Return the error to raise if an optional package cannot be imported.

    Args:
        feature: The feature that needs the package; the subject of the message.
        package: Name of the package for the message.
        requirement: Requirement to install, such as ``"embedhub[torch]"``.
        hint: Sentences to add, such as an alternative without the package.
    """
    # The requirement is quoted, because a shell such as zsh expands brackets.
    message = f'{feature} needs {package}, which is not installed: pip install "{requirement}"'
    return DependencyError(f"{message}. {hint}" if hint else message)


class DownloadError(EmbedhubError, OSError):
    """A file could not be downloaded from any of its locations."""


class ChecksumError(DownloadError, ValueError):
    """The downloaded bytes do not match the published checksum, or that of the first download."""


class OfflineError(DownloadError):
    """A download is needed, but EMBEDHUB_OFFLINE is set."""


class CoverageWarning(UserWarning):
    """Less than 5 % of the words of a vocabulary were found."""


class FormatWarning(UserWarning):
    """The caller's own file is inconsistent, but is used as far as it can be read."""


class PluginWarning(UserWarning):
    """A plugin, or an object that it provides, is skipped; the others still work."""


class StoreWarning(UserWarning):
    """A file in the cache, or a part of an output, was damaged and is rebuilt."""


class UnverifiedWarning(UserWarning):
    """A file has no published checksum; later downloads are compared with the first one."""
