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
    ├── WorkerError (ChildProcessError)     a process that was to help died
    ├── DependencyError (ImportError)       an optional package is not installed
    └── DownloadError (OSError)             a file could not be had
        ├── ChecksumError (ValueError)      bytes arrived, but not the pinned ones
        └── OfflineError                    EMBEDHUB_OFFLINE is set, and it would have to be downloaded

Warnings: `PluginWarning` names a plugin that could not be used, `UnverifiedWarning` a file whose hash nobody
has published, `CoverageWarning` a vocabulary of which almost nothing was found, `FormatWarning` what is odd
about the caller's own file.
"""


class EmbedhubError(Exception):
    """Base of all errors of embedhub.

    Example:
        >>> import embedhub
        >>> try:
        ...     embedhub.load("glove-6B", 50)
        ... except embedhub.EmbedhubError as error:
        ...     print(error)
        No source is named 'glove-6B'. Did you mean 'glove-6b'? ...
    """

    # KeyError shows the repr of its argument, OSError may show only part of it; a message is a message.
    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class SourceNotFoundError(EmbedhubError, LookupError):
    """No registered source has the asked-for name.

    Example:
        >>> import embedhub
        >>> embedhub.sources()["glove-6B"]
        Traceback (most recent call last):
            ...
        embedhub.errors.SourceNotFoundError: No source is named 'glove-6B'. Did you mean 'glove-6b'? ...
    """


class SourceClashError(EmbedhubError, LookupError):
    """Two providers register the same name, so that the name means nothing.

    Example:
        >>> import embedhub
        >>> embedhub.register(embedhub.sources()["glove-6b"])
        Traceback (most recent call last):
            ...
        embedhub.errors.SourceClashError: The source name 'glove-6b' is taken by ...
    """


class DimNotFoundError(EmbedhubError, ValueError):
    """The source does not come in the asked-for dim.

    Example:
        >>> import embedhub
        >>> embedhub.load("wordnet-ppmi", 300)
        Traceback (most recent call last):
            ...
        embedhub.errors.DimNotFoundError: 'wordnet-ppmi' has no dim 300; its dims are 25, 50, 100.
    """


class WordNotFoundError(EmbedhubError, KeyError):
    """The word is not in the vocabulary of the vectors.

    Example:
        >>> import embedhub
        >>> embedhub.load("wordnet-ppmi", 25)["qwxz"]
        Traceback (most recent call last):
            ...
        embedhub.errors.WordNotFoundError: wordnet-ppmi 25d has no word 'qwxz'; use .get(word, default) ...
    """


class VocabularyError(EmbedhubError, ValueError):
    """The caller's vocabulary cannot be turned into rows of a matrix.

    Example:
        >>> import embedhub
        >>> embedhub.coverage("wordnet-ppmi", 25, {1: "music", 2: "rain"})
        Traceback (most recent call last):
            ...
        embedhub.errors.VocabularyError: ...
    """


class CoverageError(EmbedhubError, ValueError):
    """The source knows fewer words of the vocabulary than the caller asks for.

    Example:
        >>> import embedhub
        >>> embedhub.embedding_matrix("wordnet-ppmi", 25, ["music", "qwxz"], min_coverage=0.9)
        Traceback (most recent call last):
            ...
        embedhub.errors.CoverageError: wordnet-ppmi 25d has 1 of the 2 words of word_index (50.0%); ...
    """


class FormatError(EmbedhubError, ValueError):
    r"""A file does not hold what its reader expects.

    Example:
        >>> import embedhub
        >>> from pathlib import Path
        >>> _ = Path("broken.txt").write_text("rain 0.5 1\nwind 1 a quarter\n")
        >>> embedhub.load("broken.txt")
        Traceback (most recent call last):
            ...
        embedhub.errors.FormatError: ...broken.txt: line 2: expected a word and 2 numbers ...
    """


class UnexpectedEndError(FormatError):
    r"""A file ends earlier or later than it says itself.

    Readers raise it after the last block, so that whoever trusts the file may keep the rows.

    Example:
        >>> from pathlib import Path
        >>> from embedhub.formats import word2vec_text
        >>> _ = Path("short.vec").write_text("3 2\nrain 0.5 1\n")
        >>> for words, rows in word2vec_text.read(Path("short.vec"), 2):
        ...     print(words)
        Traceback (most recent call last):
            ...
        embedhub.errors.UnexpectedEndError: short.vec: the header promises 3 rows, the file has 1. ...
    """


class LocalFileError(EmbedhubError, FileNotFoundError):
    """The caller's own file, of vectors or of texts, is not there, or cannot be opened.

    Example:
        >>> import embedhub
        >>> embedhub.load("./nowhere.vec")
        Traceback (most recent call last):
            ...
        embedhub.errors.LocalFileError: ...nowhere.vec: there is no such file.
    """


class StoreError(EmbedhubError, OSError):
    """A store on disk is damaged, or cannot be written.

    Example:
        >>> import embedhub, os
        >>> os.environ["EMBEDHUB_CACHE"] = f"{embedhub.__file__}/cache"  # below a file
        >>> embedhub.load("wordnet-ppmi", 25)
        Traceback (most recent call last):
            ...
        embedhub.errors.StoreError: ...locks: this folder of the cache cannot be made ...
    """


class ExportError(EmbedhubError, ValueError):
    """A format cannot hold what is to be written in it, or there is nothing to write.

    Example:
        >>> import embedhub
        >>> embedhub.export("wordnet-ppmi", 25, "words.txt", words=["qwxz"])
        Traceback (most recent call last):
            ...
        embedhub.errors.ExportError: None of the 1 words is in wordnet-ppmi 25d: 'qwxz'. Nothing was written.
    """


class OutputError(EmbedhubError, OSError):
    """What is to be made for the caller cannot be put there: a file that is taken or refused, a port.

    Example:
        >>> import embedhub, pathlib
        >>> _ = pathlib.Path("rain.npz").write_bytes(b"something")
        >>> embedhub.export("wordnet-ppmi", 25, "rain.npz", words=["rain"])
        Traceback (most recent call last):
            ...
        embedhub.errors.OutputError: ...rain.npz: it is there already, and was left as it is. ...
    """


class SettingsError(EmbedhubError, ValueError):
    """An environment variable of embedhub has a value that cannot be used.

    Example:
        >>> import embedhub, os
        >>> os.environ["EMBEDHUB_MIRROR"] = "ftp://example.org"
        >>> embedhub.load("glove-6b", 300)
        Traceback (most recent call last):
            ...
        embedhub.errors.SettingsError: EMBEDHUB_MIRROR is 'ftp://example.org'; expected ...
    """


class BackendError(EmbedhubError, NotImplementedError):
    """The Keras backend in use cannot do what was asked for.

    Example:
        >>> import embedhub
        >>> text = embedhub.keras_text_embedding("wordnet-ppmi", 25, words=100)
        >>> try:
        ...     model = text.model
        ... except embedhub.errors.BackendError:  # JAX and PyTorch know no strings
        ...     model = text.embedding  # which takes what text.vectorize gives
    """


class WorkerError(EmbedhubError, ChildProcessError):
    """A process that was to do a part of the work died.

    Example:
        >>> import embedhub, embedhub_text
        >>> def embed_again(*arguments, tries=2, **options):
        ...     try:
        ...         return embedhub_text.embed_file(*arguments, **options)
        ...     except embedhub.errors.WorkerError:  # killed for its memory, say; the same call goes on
        ...         if not tries:
        ...             raise
        ...         return embed_again(*arguments, tries=tries - 1, **options)
    """


class DependencyError(EmbedhubError, ImportError):
    """An optional package is not installed."""


def missing_dependency(feature: str, package: str, extra: str, hint: str = "") -> DependencyError:
    """Return the error to raise if an optional package cannot be imported.

    Args:
        feature: What needs the package; the subject of the message.
        package: Name of the package, as people write it.
        extra: The extra of embedhub that installs it.
        hint: Sentences to add, such as an alternative without the package.
    """
    message = f'{feature} needs {package}, which is not installed: pip install "embedhub[{extra}]"'
    return DependencyError(f"{message}. {hint}" if hint else message)


class DownloadError(EmbedhubError, OSError):
    """A file could not be had from any of its addresses.

    Example:
        >>> import embedhub, os
        >>> os.environ["EMBEDHUB_OFFLINE"] = "1"
        >>> try:
        ...     vectors = embedhub.load("glove-6b", 300)
        ... except embedhub.DownloadError:
        ...     vectors = embedhub.load("wordnet-ppmi", 100)
    """


class ChecksumError(DownloadError, ValueError):
    """Bytes arrived, but they are not the ones that the source has pinned.

    Example:
        >>> import embedhub
        >>> try:
        ...     vectors = embedhub.load("wordnet-ppmi", 100)
        ... except embedhub.errors.ChecksumError as error:
        ...     print(error)  # expected sha256:..., got sha256:... The bytes were thrown away.
    """


class OfflineError(DownloadError):
    """Something would have to be downloaded, and EMBEDHUB_OFFLINE forbids it.

    Example:
        >>> import embedhub, os
        >>> os.environ["EMBEDHUB_OFFLINE"] = "1"
        >>> embedhub.load("glove-6b", 300)
        Traceback (most recent call last):
            ...
        embedhub.errors.OfflineError: glove-6b 300d is not in the cache (...), ...
    """


class FormatWarning(UserWarning):
    r"""Something is odd about the caller's own file; what could be read of it is used.

    Example:
        >>> import embedhub, warnings
        >>> from pathlib import Path
        >>> _ = Path("short.vec").write_text("3 2\nrain 0.5 1\n")
        >>> with warnings.catch_warnings(action="ignore", category=embedhub.errors.FormatWarning):
        ...     vectors = embedhub.load("short.vec")
        >>> len(vectors)
        1
    """


class UnverifiedWarning(UserWarning):
    """A file has no published hash; the digest of its first download is remembered instead.

    Example:
        >>> import embedhub, warnings
        >>> warnings.simplefilter("error", embedhub.errors.UnverifiedWarning)  # or EMBEDHUB_REQUIRE_HASH=1
    """


class PluginWarning(UserWarning):
    """A plugin could not be used; all others still work.

    Example:
        >>> import embedhub, warnings
        >>> warnings.simplefilter("ignore", embedhub.errors.PluginWarning)  # or disable one
    """


class CoverageWarning(UserWarning):
    """Almost nothing of a vocabulary was found: it is hardly one of this source's kind of words.

    Example:
        >>> import embedhub, warnings
        >>> warnings.simplefilter("error", embedhub.errors.CoverageWarning)
        >>> embedhub.coverage("wordnet-ppmi", 25, ["##ing", "##ed"])
        Traceback (most recent call last):
            ...
        embedhub.errors.CoverageWarning: wordnet-ppmi 25d: 0 of 2 words found (0.0%); ...
    """
