"""The 20,000 most frequent words of GloVe 6B 50d, inside the package.

`tools/make_glove_20k.py` cuts the file from Stanford's, which is in the public domain (PDDL 1.0).
"""

from collections.abc import Iterable

from embedhub.registry.builtin.glove import GLOVE_6B
from embedhub.registry.builtin.packaged import PackagedSource
from embedhub.registry.hookspecs import hookimpl
from embedhub.registry.source import EmbeddingSource

GLOVE_6B_20K = PackagedSource(
    name="glove-6b-20k",
    file="glove_6b_20k.txt.gz",
    sha256="4f488b5350e575eb80bbdd0f13fede0264185780c42c8e73082349d409a3913f",
    dims=(50,),
    format="glove",
    description="The 20,000 most frequent words of GloVe 6B, inside the package",
    language=GLOVE_6B.language,
    cased=GLOVE_6B.cased,
    vocab_size=20_000,
    license=GLOVE_6B.license,
    citation=GLOVE_6B.citation,
    bibtex=GLOVE_6B.bibtex,
    homepage=GLOVE_6B.homepage,
    tokenization=GLOVE_6B.tokenization,
    fallbacks=GLOVE_6B.fallbacks,
)


@hookimpl
def embedhub_sources() -> Iterable[EmbeddingSource]:
    """Return glove-6b-20k."""
    return [GLOVE_6B_20K]
