"""Pretrained word embeddings as ready Keras layers.

    layer = embedhub.keras_embedding("glove-6b", 300, word_index, input_length)

The vectors are fetched once and verified, parsed once, and memory-mapped ever after.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from embedhub.align import EmbeddingMatrix, coverage, embedding_matrix
    from embedhub.benchmark import Benchmark
    from embedhub.bulk import EmbeddedFile, embed_file
    from embedhub.comparison import Compared, compare
    from embedhub.comparison_plot import plot_comparison
    from embedhub.errors import (
        BackendError,
        BenchmarkWarning,
        ChecksumError,
        CoverageError,
        CoverageWarning,
        DependencyError,
        DimNotFoundError,
        DownloadError,
        EmbedhubError,
        ExportError,
        FormatError,
        FormatWarning,
        LocalFileError,
        OfflineError,
        OutputError,
        PluginWarning,
        SettingsError,
        SourceClashError,
        SourceNotFoundError,
        StoreError,
        UnexpectedEndError,
        UnpinnedWarning,
        VocabularyError,
        WordNotFoundError,
        WorkerError,
    )
    from embedhub.evaluation import Score, evaluate
    from embedhub.exports import Exported, export
    from embedhub.files import Pair, Question, RemoteFile
    from embedhub.hookspecs import hookimpl
    from embedhub.keras import keras_embedding
    from embedhub.keras_text import TextLayers, keras_text_embedding
    from embedhub.plot import plot_words
    from embedhub.probing import Probe, Probed, probe
    from embedhub.registry import benchmarks, fetch, load, register, sources
    from embedhub.report import Coverage
    from embedhub.source import EmbeddingSource
    from embedhub.texts import TextEmbedder
    from embedhub.torch import torch_embedding
    from embedhub.vectors import Vectors

__version__ = "0.1.0"

__all__ = [
    "BackendError",
    "Benchmark",
    "BenchmarkWarning",
    "ChecksumError",
    "Compared",
    "Coverage",
    "CoverageError",
    "CoverageWarning",
    "DependencyError",
    "DimNotFoundError",
    "DownloadError",
    "EmbeddedFile",
    "EmbeddingMatrix",
    "EmbeddingSource",
    "EmbedhubError",
    "ExportError",
    "Exported",
    "FormatError",
    "FormatWarning",
    "LocalFileError",
    "OfflineError",
    "OutputError",
    "Pair",
    "PluginWarning",
    "Probe",
    "Probed",
    "Question",
    "RemoteFile",
    "Score",
    "SettingsError",
    "SourceClashError",
    "SourceNotFoundError",
    "StoreError",
    "TextEmbedder",
    "TextLayers",
    "UnexpectedEndError",
    "UnpinnedWarning",
    "Vectors",
    "VocabularyError",
    "WordNotFoundError",
    "WorkerError",
    "__version__",
    "benchmarks",
    "compare",
    "coverage",
    "embed_file",
    "embedding_matrix",
    "evaluate",
    "export",
    "fetch",
    "hookimpl",
    "keras_embedding",
    "keras_text_embedding",
    "load",
    "plot_comparison",
    "plot_words",
    "probe",
    "register",
    "sources",
    "torch_embedding",
]

# Names load with their module on first use (PEP 562): `import embedhub` costs next to nothing.
_HOMES = {
    "align": ("EmbeddingMatrix", "coverage", "embedding_matrix"),
    "benchmark": ("Benchmark",),
    "bulk": ("EmbeddedFile", "embed_file"),
    "comparison": ("Compared", "compare"),
    "comparison_plot": ("plot_comparison",),
    "errors": tuple(name for name in __all__ if name.endswith(("Error", "Warning"))),
    "evaluation": ("Score", "evaluate"),
    "exports": ("Exported", "export"),
    "files": ("Pair", "Question", "RemoteFile"),
    "hookspecs": ("hookimpl",),
    "keras": ("keras_embedding",),
    "keras_text": ("TextLayers", "keras_text_embedding"),
    "plot": ("plot_words",),
    "probing": ("Probe", "Probed", "probe"),
    "registry": ("benchmarks", "fetch", "load", "register", "sources"),
    "report": ("Coverage",),
    "source": ("EmbeddingSource",),
    "texts": ("TextEmbedder",),
    "torch": ("torch_embedding",),
    "vectors": ("Vectors",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'embedhub' has no attribute {name!r}")
    value = getattr(import_module(f"embedhub.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
