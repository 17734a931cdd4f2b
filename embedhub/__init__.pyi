from . import errors as errors
from .download.remote_file import RemoteFile as RemoteFile
from .errors import DownloadError as DownloadError
from .errors import EmbedhubError as EmbedhubError
from .errors import FormatError as FormatError
from .errors import VocabularyError as VocabularyError
from .formats.export import ExportResult as ExportResult
from .layers.keras import keras_embedding as keras_embedding
from .layers.keras_text import TextLayers as TextLayers
from .layers.keras_text import keras_text_embedding as keras_text_embedding
from .layers.torch import torch_embedding as torch_embedding
from .matrix.coverage import Coverage as Coverage
from .matrix.embedding_matrix import EmbeddingMatrix as EmbeddingMatrix
from .matrix.embedding_matrix import coverage as coverage
from .matrix.embedding_matrix import embedding_matrix as embedding_matrix
from .registry.export import export as export
from .registry.hookspecs import hookimpl as hookimpl
from .registry.registry import load as load
from .registry.registry import register as register
from .registry.registry import sources as sources
from .registry.remote_source import RemoteSource as RemoteSource
from .registry.source import EmbeddingSource as EmbeddingSource
from .vectors.blocks import Block as Block
from .vectors.blocks import ExtraFile as ExtraFile
from .vectors.vectors import Vectors as Vectors

__version__: str
