from .embed_file import EmbedFileResult as EmbedFileResult
from .embed_file import embed_file as embed_file
from .embedder import TextEmbedder as TextEmbedder
from .text_vectors import TextVectors as TextVectors
