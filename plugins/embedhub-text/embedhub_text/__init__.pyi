from .embed_file import EmbeddedFile as EmbeddedFile
from .embed_file import embed_file as embed_file
from .embedder import TextEmbedder as TextEmbedder
