"""Export of a source to the file formats of other programs."""

from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import overload

from embedhub._atomic import ensure_writable
from embedhub.errors import EmbedhubError, PluginError
from embedhub.formats.export import WRITERS, ExportResult, ExportWriter, export_vectors, infer_format
from embedhub.registry.entry_points import entry_points
from embedhub.registry.failure import describe
from embedhub.registry.loading import Source, load
from embedhub.registry.short_form import without_dim

GROUP = "embedhub.exports"
_MAX_REPR = 200  # characters
_DISTRIBUTIONS = dict.fromkeys(("sentence-transformers", "spacy"), "embedhub-text")


@overload
def export(
    source: Source,
    dim: int | None,
    path: str | PathLike[str],
    *,
    words: Iterable[str] | None = None,
    topn: int | None = None,
    format: str | None = None,
    overwrite: bool = False,
) -> ExportResult: ...
@overload
def export(
    source: Source,
    path: str | PathLike[str],
    *,
    words: Iterable[str] | None = None,
    topn: int | None = None,
    format: str | None = None,
    overwrite: bool = False,
) -> ExportResult: ...
@without_dim
def export(
    source: Source,
    dim: int | None,
    path: str | PathLike[str],
    *,
    words: Iterable[str] | None = None,
    topn: int | None = None,
    format: str | None = None,  # noqa: A002 - the word that users expect
    overwrite: bool = False,
) -> ExportResult:
    """Write vectors in the file format of another program, keeping each float32 bit for bit.

    =================== ======================= ==================================================
    format              suffix of the path      content, and the words that it can represent
    =================== ======================= ==================================================
    ``npz``             ``.npz``                NumPy arrays ``matrix`` and ``words``; no word
                                                that ends with a null character
    ``safetensors``     ``.safetensors``        the tensor ``embeddings``, and ``words`` in the
                                                metadata as a JSON list; only valid UTF-8
    ``word2vec-text``   ``.txt``, ``.vec``      word2vec text, for gensim and others; no empty
                                                word, no space, tab or newline in a word
    ``word2vec-binary`` ``.bin``                word2vec binary; the same words, and those with a tab
    ``projector``                               a folder for TensorBoard's Embedding Projector; no
                                                tab or line end in a word, no word of white space
                                                only, only valid UTF-8
    =================== ======================= ==================================================

    The vectors keep the order of the source, which is mostly by frequency. Memory use does not grow with the
    number of vectors. The output is written atomically: it appears complete, or not at all.

    Example:
        >>> import pathlib, tempfile
        >>> import embedhub, numpy as np
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "small.npz")
        ...     result = embedhub.export("wordnet-ppmi", 25, path, words=["rain", "music", "qwxz"])
        ...     with np.load(path) as arrays:
        ...         arrays["words"].tolist(), arrays["matrix"].shape, result.missing
        (['music', 'rain'], (2, 25), ('qwxz',))

    Args:
        source: See `embedhub.load`.
        dim: Dimension; optional if the source has only one. Left out after a source that has it, as in
            ``export("glove-6b:50", path)``, with all options by name.
        path: Output file; for ``projector``, and most formats of plugins, a folder. Missing parent folders
            are created.
        words: Export only these words, spelled as in the source, such as the keys of a ``word_index``.
        topn: Export only the first ``topn`` vectors, of ``words`` if they are given.
        format: One of the formats above, or of a plugin, such as ``sentence-transformers`` and ``spacy`` of
            embedhub-text; by default inferred from the suffix of ``path``.
        overwrite: Whether to replace an existing output.

    Raises:
        ValueError: The format is unknown or cannot be inferred, or ``topn`` is less than 1.
        FormatError: The format cannot represent one of the words.
        PluginError: The plugin of the format fails.
        VocabularyError: None of ``words`` is in the source.
        OutputError: The output exists already or cannot be written.
        EmbedhubError: As `embedhub.load`.
    """
    path = Path(path)
    name, writer = find_writer(path, format)
    if topn is not None and topn < 1:
        raise ValueError(f"topn is {topn}; expected 1 or more, or None for all.")
    ensure_writable(path, overwrite=overwrite, expected_names=writer.folder_files)  # before a long download
    return export_vectors(load(source, dim), path, name, writer, words=words, topn=topn, overwrite=overwrite)


def find_writer(path: Path, name: str | None) -> tuple[str, ExportWriter]:
    """Return the named format, or the one that the suffix of a path implies, and its writer.

    Raises:
        ValueError: The format is unknown, or the suffix does not imply one.
        PluginError: The plugin of the format fails.
    """
    name = name or infer_format(path)
    if name in WRITERS:
        return name, WRITERS[name]
    found = [(provider, point) for provider, point in entry_points(GROUP) if point.name == name]
    if not found:
        known = [*WRITERS, *(point.name for _, point in entry_points(GROUP))]
        needed = _DISTRIBUTIONS.get(name)
        hint = f" It needs the plugin {needed}, which is not installed or is disabled." if needed else ""
        raise ValueError(f"format is {name!r}; expected one of {', '.join(known)}.{hint}")
    provider, entry_point = found[0]
    try:
        writer = entry_point.load()
    except (EmbedhubError, KeyboardInterrupt):
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"The embedhub plugin {provider} cannot write {name}: {describe(error, entry_point.module)}. "
            "Update or uninstall it."
        ) from error
    if not isinstance(writer, ExportWriter):
        raise PluginError(
            f"The embedhub plugin {provider} has {repr(writer)[:_MAX_REPR]} for the format {name}; expected "
            "an ExportWriter. Update or uninstall it."
        )
    return name, writer
