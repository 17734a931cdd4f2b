"""Pretrained word embeddings as ready-to-use Keras layers.

    layer = embedhub.keras_embedding("glove-6b", 300, word_index, input_length)

The vectors are downloaded once and verified, parsed once, and memory-mapped from then on.
"""

import lazy_loader

__version__ = "0.1.0"

# The public names are written once, in __init__.pyi; each loads its module on first use.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
