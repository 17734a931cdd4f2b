"""Export of a source to the file formats of other programs."""

from collections.abc import Iterable
from os import PathLike
from typing import overload

from embedhub.formats.export import ExportFormat, ExportResult, check_export, export_vectors
from embedhub.registry.loading import Source, load
from embedhub.registry.short_form import without_dim


@overload
def export(
    source: Source,
    dim: int | None,
    path: str | PathLike[str],
    *,
    words: Iterable[str] | None = None,
    topn: int | None = None,
    format: ExportFormat | None = None,
    overwrite: bool = False,
) -> ExportResult: ...
@overload
def export(
    source: Source,
    path: str | PathLike[str],
    *,
    words: Iterable[str] | None = None,
    topn: int | None = None,
    format: ExportFormat | None = None,
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
    format: ExportFormat | None = None,  # noqa: A002 - the word that users expect
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
        path: Output file; for ``projector`` a folder. Missing parent folders are created.
        words: Export only these words, spelled as in the source, such as the keys of a ``word_index``.
        topn: Export only the first ``topn`` vectors, of ``words`` if they are given.
        format: One of the formats above; by default inferred from the suffix of ``path``.
        overwrite: Whether to replace an existing output.

    Raises:
        ValueError: The format is unknown or cannot be inferred, or ``topn`` is less than 1.
        FormatError: The format cannot represent one of the words.
        VocabularyError: None of ``words`` is in the source.
        OutputError: The output exists already or cannot be written.
        EmbedhubError: As `embedhub.load`.
    """
    check_export(path, topn=topn, format=format, overwrite=overwrite)  # before a download that may be long
    return export_vectors(load(source, dim), path, words=words, topn=topn, format=format, overwrite=overwrite)
