from .gensim import from_gensim as from_gensim
from .gensim import to_gensim as to_gensim
