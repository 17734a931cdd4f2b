"""Everything that embedhub raises on purpose.

Each leaf also inherits the builtin that a caller would catch::

    EmbedhubError
    ├── SourceNotFoundError (LookupError)   no source has that name
    ├── SourceClashError (LookupError)      two plugins provide that name
    ├── DimNotFoundError (ValueError)       the source has no such dim
    ├── WordNotFoundError (KeyError)        the word is not in the vocabulary
    ├── VocabularyError (ValueError)        the caller's vocabulary cannot be aligned
    ├── CoverageError (ValueError)          the source knows too little of it
    ├── FormatError (ValueError)            a file is not what its reader expects
    │   └── UnexpectedEndError              it ends earlier or later than it says itself
    ├── LocalFileError (FileNotFoundError)  the caller's own file is not there, or cannot be opened
    ├── StoreError (OSError)                a store on disk is damaged or cannot be written
    ├── SettingsError (ValueError)          an EMBEDHUB_* variable has an impossible value
    ├── ExportError (ValueError)            a format cannot hold what is to be written in it
    ├── OutputError (OSError)               what is to be made for the caller cannot be put there
    ├── BackendError (NotImplementedError)  the Keras backend in use cannot do it
    ├── DependencyError (ImportError)       an optional package is not installed
    └── DownloadError (OSError)             a file could not be had
        ├── ChecksumError (ValueError)      bytes arrived, but not the pinned ones
        └── OfflineError                    EMBEDHUB_OFFLINE is set, and it would have to be downloaded

Warnings: `PluginWarning` names a plugin that could not be used, `UnpinnedWarning` a file whose hash nobody
has published, `CoverageWarning` a vocabulary of which almost nothing was found, `FormatWarning` what is odd
about the caller's own file, `BenchmarkWarning` benchmarks that cannot be had.
"""


class EmbedhubError(Exception):
    """Base of all errors of embedhub."""

    # KeyError shows the repr of its argument, OSError may show only part of it; a message is a message.
    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class SourceNotFoundError(EmbedhubError, LookupError):
    """No registered source has the asked-for name."""


class SourceClashError(EmbedhubError, LookupError):
    """Two providers register the same name, so that the name means nothing."""


class DimNotFoundError(EmbedhubError, ValueError):
    """The source does not come in the asked-for dim."""


class WordNotFoundError(EmbedhubError, KeyError):
    """The word is not in the vocabulary of the vectors."""


class VocabularyError(EmbedhubError, ValueError):
    """The caller's vocabulary cannot be turned into rows of a matrix."""


class CoverageError(EmbedhubError, ValueError):
    """The source knows fewer words of the vocabulary than the caller asks for."""


class FormatError(EmbedhubError, ValueError):
    """A file does not hold what its reader expects."""


class UnexpectedEndError(FormatError):
    """A file ends earlier or later than it says itself.

    Readers raise it after the last block, so that whoever trusts the file may keep the rows.
    """


class LocalFileError(EmbedhubError, FileNotFoundError):
    """The caller's own file of vectors is not there, or cannot be opened."""


class StoreError(EmbedhubError, OSError):
    """A store on disk is damaged, or cannot be written."""


class ExportError(EmbedhubError, ValueError):
    """A format cannot hold what is to be written in it, or there is nothing to write."""


class OutputError(EmbedhubError, OSError):
    """What is to be made for the caller cannot be put there: a file that is taken or refused, a port."""


class SettingsError(EmbedhubError, ValueError):
    """An environment variable of embedhub has a value that cannot be used."""


class BackendError(EmbedhubError, NotImplementedError):
    """The Keras backend in use cannot do what was asked for."""


class DependencyError(EmbedhubError, ImportError):
    """An optional package is needed, and not installed."""


class DownloadError(EmbedhubError, OSError):
    """A file could not be had from any of its addresses."""


class ChecksumError(DownloadError, ValueError):
    """Bytes arrived, but they are not the ones that the source has pinned."""


class OfflineError(DownloadError):
    """Something would have to be downloaded, and EMBEDHUB_OFFLINE forbids it."""


class FormatWarning(UserWarning):
    """Something is odd about the caller's own file; what could be read of it is used."""


class UnpinnedWarning(UserWarning):
    """A file has no published hash; the digest of its first download is remembered instead."""


class PluginWarning(UserWarning):
    """A plugin could not be used; all others still work."""


class CoverageWarning(UserWarning):
    """Almost nothing of a vocabulary was found: it is hardly one of this source's kind of words."""


class BenchmarkWarning(UserWarning):
    """Some benchmarks cannot be had; vectors are scored on the others."""
