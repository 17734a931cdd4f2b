"""Pretrained word embeddings as ready Keras layers.

    layer = embedhub.keras_embedding("glove-6b", 300, word_index, input_length)

The vectors are downloaded once and verified, parsed once, and memory-mapped from then on.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from embedhub.download.remote_file import RemoteFile
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
        UnverifiedWarning,
        VocabularyError,
        WordNotFoundError,
        WorkerError,
    )
    from embedhub.evaluation.benchmark import Benchmark
    from embedhub.evaluation.compare import Compared, compare
    from embedhub.evaluation.evaluate import Score, evaluate
    from embedhub.evaluation.items import Pair, Question
    from embedhub.evaluation.plot_comparison import plot_comparison
    from embedhub.evaluation.plot_words import plot_words
    from embedhub.evaluation.probe import Probe, Probed, probe
    from embedhub.layers.keras import keras_embedding
    from embedhub.layers.keras_text import TextLayers, keras_text_embedding
    from embedhub.layers.torch import torch_embedding
    from embedhub.matrix.coverage import Coverage
    from embedhub.matrix.embedding_matrix import EmbeddingMatrix, coverage, embedding_matrix
    from embedhub.matrix.export import Exported, export
    from embedhub.registry.hookspecs import hookimpl
    from embedhub.registry.registry import benchmarks, fetch, load, register, sources
    from embedhub.registry.remote_source import RemoteSource
    from embedhub.registry.source import EmbeddingSource
    from embedhub.texts.embed_file import EmbeddedFile, embed_file
    from embedhub.texts.embedder import TextEmbedder
    from embedhub.vectors.blocks import Block, ExtraFile
    from embedhub.vectors.vectors import Vectors

__version__ = "0.1.0"

__all__ = [
    "BackendError",
    "Benchmark",
    "BenchmarkWarning",
    "Block",
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
    "ExtraFile",
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
    "RemoteSource",
    "Score",
    "SettingsError",
    "SourceClashError",
    "SourceNotFoundError",
    "StoreError",
    "TextEmbedder",
    "TextLayers",
    "UnexpectedEndError",
    "UnverifiedWarning",
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
    "download.remote_file": ("RemoteFile",),
    "errors": tuple(name for name in __all__ if name.endswith(("Error", "Warning"))),
    "evaluation.benchmark": ("Benchmark",),
    "evaluation.compare": (
        "compare",
        "Compared",
    ),
    "evaluation.evaluate": (
        "evaluate",
        "Score",
    ),
    "evaluation.items": (
        "Pair",
        "Question",
    ),
    "evaluation.plot_comparison": ("plot_comparison",),
    "evaluation.plot_words": ("plot_words",),
    "evaluation.probe": (
        "Probe",
        "probe",
        "Probed",
    ),
    "layers.keras": ("keras_embedding",),
    "layers.keras_text": (
        "keras_text_embedding",
        "TextLayers",
    ),
    "layers.torch": ("torch_embedding",),
    "matrix.coverage": ("Coverage",),
    "matrix.embedding_matrix": (
        "coverage",
        "embedding_matrix",
        "EmbeddingMatrix",
    ),
    "matrix.export": (
        "export",
        "Exported",
    ),
    "registry.hookspecs": ("hookimpl",),
    "registry.registry": (
        "benchmarks",
        "fetch",
        "load",
        "register",
        "sources",
    ),
    "registry.remote_source": ("RemoteSource",),
    "registry.source": ("EmbeddingSource",),
    "texts.embed_file": (
        "embed_file",
        "EmbeddedFile",
    ),
    "texts.embedder": ("TextEmbedder",),
    "vectors.blocks": ("Block", "ExtraFile"),
    "vectors.vectors": ("Vectors",),
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
