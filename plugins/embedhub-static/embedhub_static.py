"""Static token embeddings: models of model2vec, and three of sentence-transformers.

Each file but those of ``blink-8m`` is at a revision of its repository that never changes. The hashes are
sha256 of the vectors and of their ``tokenizer.json``. Number of projects that publish the hash of the vectors
independently:

- ``potion-base-2m`` and ``potion-base-32m`` two, ``potion-base-4m``, ``potion-retrieval-32m`` and
  ``potion-multilingual-128m`` three, ``potion-base-8m`` ten or more;
- ``potion-code-16m-v2`` eight or more, ``potion-code-16m`` five or more;
- ``static-retrieval-mrl-en`` seven or more, ``static-similarity-mrl-multilingual`` and
  ``static-embedding-japanese`` four.

One project lists another ``tokenizer.json`` for the smaller three of potion.

No hash was found of ``potion-science-32m`` and of NeuML's ``pubmedbert-base-embeddings-*``, whose revisions
and dimensions are those that public benchmarks record, and of ``blink-8m``, of which no revision was found
either: its files are those of the branch ``main``. The first download of these is remembered.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import embedhub
from embedhub import EmbeddingSource, RemoteFile, RemoteSource, hookimpl

if TYPE_CHECKING:
    import keras
    from tokenizers import Tokenizer

    from embedhub import Vectors

_HUB = "https://huggingface.co"
_TOKENIZER = "tokenizer.json"
_CITATION_MODEL2VEC = (
    "Stephan Tulkens, Thomas van Dongen (2024). Model2Vec: Fast State-of-the-Art Static Embeddings. "
    "doi:10.5281/zenodo.17270888."
)
_BIBTEX_MODEL2VEC = """@misc{tulkens2024model2vec,
  author = {Tulkens, Stephan and van Dongen, Thomas},
  title = {{Model2Vec}: Fast State-of-the-Art Static Embeddings},
  year = {2024},
  doi = {10.5281/zenodo.17270888},
}"""
_CITATION_SENTENCE_TRANSFORMERS = (
    "Tom Aarsen (2025). Train 400x faster Static Embedding Models with Sentence Transformers. "
    "https://huggingface.co/blog/static-embeddings."
)
_BIBTEX_SENTENCE_TRANSFORMERS = r"""@misc{aarsen2025static,
  author = {Aarsen, Tom},
  title = {Train 400x faster Static Embedding Models with {Sentence Transformers}},
  year = {2025},
  howpublished = {\url{https://huggingface.co/blog/static-embeddings}},
}"""
_CITATION_JAPANESE = (
    "Yuichi Tateno (2025). Static Embedding Japanese. "
    "https://huggingface.co/hotchpotch/static-embedding-japanese."
)
_BIBTEX_JAPANESE = r"""@misc{tateno2025static,
  author = {Tateno, Yuichi},
  title = {Static Embedding {Japanese}},
  year = {2025},
  howpublished = {\url{https://huggingface.co/hotchpotch/static-embedding-japanese}},
}"""
_CITATION_NEUML = (
    "David Mezzetti (2025). PubMedBERT Embeddings. https://huggingface.co/NeuML/pubmedbert-base-embeddings."
)
_BIBTEX_NEUML = r"""@misc{mezzetti2025pubmedbert,
  author = {Mezzetti, David},
  title = {{PubMedBERT} Embeddings},
  year = {2025},
  howpublished = {\url{https://huggingface.co/NeuML/pubmedbert-base-embeddings}},
}"""
# The dims that their training looked at, of any number of first columns up to 1024. For the Japanese one they
# are assumed.
_MATRYOSHKA = (32, 64, 128, 256, 512, 1024)

# sha256 and size of each tokenizer.json.
_OF_POTION_SMALL = ("e67e803f624fb4d67dea1c730d06e1067e1b14d830e2c2202569e3ef0f70bb50", 683_666)
_OF_POTION_32M = ("7d75cbc54318138807c401b0f0c9721117c628b39de8e8e0edb6cb17e0ee7d18", 1_493_150)
_OF_POTION_128M = ("19f1909063da3cfe3bd83a782381f040dccea475f4816de11116444a73e1b6a1", 18_616_131)
_OF_RETRIEVAL = ("d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66", 711_396)
_OF_SIMILARITY = ("11aaf894a4ccf3d95e8830e27c0f8152791fbbff2b988e29a265580b86edd216", 2_563_370)

_OF_CODE_V1 = ("8e84217af15e70e8127c855435fc3d8a4cd91d7bbe686f72e75f188118ec78ae", 1_041_917)
_OF_CODE_V2 = ("107bbdcbad4bff1d299b7a4c3a2fb17c52890688b7dd0e4c9deab79d3c4f3d45", 1_024_340)
_OF_JAPANESE = ("833add01c9eb44e78ffb2d9195caace320de0fcf64d1f4d95bc541b6e30a9fc9", 2_127_941)

_Published = tuple[str | None, int | None]
_UNPUBLISHED: _Published = (None, None)


class _Publication(NamedTuple):
    """A license, and a citation in one line and in BibTeX."""

    license: str
    citation: str
    bibtex: str


_MODEL2VEC = _Publication("MIT", _CITATION_MODEL2VEC, _BIBTEX_MODEL2VEC)
# The cards of these two were not seen, only those of their family.
_MODEL2VEC_PRESUMED = _MODEL2VEC._replace(license="MIT (presumed)")
_NEUML = _Publication("Apache-2.0", _CITATION_NEUML, _BIBTEX_NEUML)
_SENTENCE_TRANSFORMERS = _Publication(
    "Apache-2.0", _CITATION_SENTENCE_TRANSFORMERS, _BIBTEX_SENTENCE_TRANSFORMERS
)
_JAPANESE = _Publication("MIT", _CITATION_JAPANESE, _BIBTEX_JAPANESE)


def _file(folder: str, vectors: _Published, tokenizer: _Published, format_name: str) -> RemoteFile:
    return RemoteFile(
        f"{_HUB}/{folder}/model.safetensors",
        known_hash=vectors[0] and f"sha256:{vectors[0]}",
        size=vectors[1],
        format=format_name,
        companions=(
            RemoteFile(
                f"{_HUB}/{folder}/{_TOKENIZER}",
                known_hash=tokenizer[0] and f"sha256:{tokenizer[0]}",
                size=tokenizer[1],
            ),
        ),
    )


def _model2vec(
    place: str,
    vectors: _Published = _UNPUBLISHED,
    tokenizer: _Published = _UNPUBLISHED,
    *,
    dim: int,
    vocab_size: int | None = None,
    publication: _Publication = _MODEL2VEC,
    about: str = "",
) -> RemoteSource:
    repository, _, revision = place.partition("@")
    name = repository.partition("/")[2]
    multilingual = "multilingual" in name
    return RemoteSource(
        name=name.lower(),
        files={dim: _file(f"{repository}/resolve/{revision}", vectors, tokenizer, "static-embeddings")},
        description=(
            f"Token vectors of model2vec, {name}{about}, {'cased' if multilingual else 'lower-cased'}"
        ),
        language="mul" if multilingual else "en",
        cased=multilingual,  # as the model it was distilled from, BGE-M3; its own tokenizer was not examined
        vocab_size=vocab_size,
        license=publication.license,
        citation=publication.citation,
        bibtex=publication.bibtex,
        homepage=f"{_HUB}/{repository}",
        unit="token",
        tokenization="model2vec",
        fallbacks=() if multilingual else ("lower",),
    )


def _matryoshka(
    place: str,
    vectors: _Published,
    tokenizer: _Published,
    *,
    language: str,
    vocab_size: int,
    cased: bool = False,
    publication: _Publication = _SENTENCE_TRANSFORMERS,
) -> RemoteSource:
    repository, _, revision = place.partition("@")
    name = repository.partition("/")[2].removesuffix("-v1")
    folder = f"{repository}/resolve/{revision}/0_StaticEmbedding"
    file = _file(folder, vectors, tokenizer, "static-embeddings-prefix")
    return RemoteSource(
        name=name,
        files=dict.fromkeys(_MATRYOSHKA, file),
        description=f"Token vectors of sentence-transformers, {name}, {'cased' if cased else 'lower-cased'}",
        language=language,
        cased=cased,
        vocab_size=vocab_size,
        license=publication.license,
        citation=publication.citation,
        bibtex=publication.bibtex,
        homepage=f"{_HUB}/{repository}",
        unit="token",
        tokenization="tokenizer.json",
        fallbacks=() if cased else ("lower",),
    )


SOURCES = (
    _model2vec(
        "minishlab/potion-base-2M@389b9f64be5aa4ae7a6bc6fe95ef20ce485ae5da",
        ("f95ffde02ad06f63ae38eb9d400038cd5ccaf8411ec3cb650c6025113f96cbb8", None),
        _OF_POTION_SMALL,
        dim=64,
        vocab_size=29_528,
    ),
    _model2vec(
        "minishlab/potion-base-4M@9b3cff412d30be9ae8603fe10224c224f3401869",
        ("8a7140edd17ffab30ddcff1135eda127df57abfae856203dbd7b3d061295c31a", 15_118_424),
        _OF_POTION_SMALL,
        dim=128,
        vocab_size=29_528,
    ),
    _model2vec(
        "minishlab/potion-base-8M@bf8b056651a2c21b8d2565580b8569da283cab23",
        ("f65d0f325faadc1e121c319e2faa41170d3fa07d8c89abd48ca5358d9a223de2", 30_236_760),
        _OF_POTION_SMALL,
        dim=256,
        vocab_size=29_528,
    ),
    _model2vec(
        "minishlab/potion-base-32M@1e5a03f8eeb2c98b928fbbd846f22f816360919f",
        ("99f6c33204c9231a7391871b7a3c91409b532c8f587a9ea44fc282303d8dec28", None),
        _OF_POTION_32M,
        dim=512,
        vocab_size=63_091,  # its tokenizer is that of potion-retrieval-32M
    ),
    _model2vec(
        "minishlab/potion-retrieval-32M@6fc8051fab2a1e0ee76689cf08c853792ac285e7",
        ("07609e5bd33aad37900b3fd62f4ec96f6daec88ca4d46b9d8b928bfababf6ea0", 129_210_456),
        _OF_POTION_32M,
        dim=512,
        vocab_size=63_091,
    ),
    _model2vec(
        "minishlab/potion-multilingual-128M@a28f4eebecd4dc585034f605e52d414878a0417c",
        ("14b5eb39cb4ce5666da8ad1f3dc6be4346e9b2d601c073302fa0a31bf7943397", 512_361_560),
        _OF_POTION_128M,
        dim=256,
        vocab_size=500_353,
    ),
    _model2vec(
        "minishlab/potion-code-16M@86848193a842865570d9c8d3e7d268b66ab52752",
        ("ca6159081a6e96cebe4ad878e5e8437bfccc761e8db16223370149cd2faa6c0b", 64_299_272),
        _OF_CODE_V1,
        dim=256,  # of 61,826 vectors that tokens share
        about=" for code",
    ),
    _model2vec(
        "minishlab/potion-code-16M-v2@e9d2a44ca6a05ac6685f3b23709ea57eb7352d5b",
        ("75cf7a6c2171b230ad19b1e7d8e0b1aee86da5a02af8e7cacedd9921d227623c", 32_490_072),
        _OF_CODE_V2,
        dim=256,
        vocab_size=63_457,
        about=" for code",
    ),
    _model2vec(
        "minishlab/potion-science-32M@7366079845507de14a4330007cdfa01bb92bca52",
        dim=256,
        vocab_size=124_428,
        publication=_MODEL2VEC_PRESUMED,
        about=" for scientific texts",
    ),
    _model2vec("minishlab/blink-8M@main", dim=256, vocab_size=30_000, publication=_MODEL2VEC_PRESUMED),
    *(
        _model2vec(
            f"NeuML/pubmedbert-base-embeddings-{size}@{revision}",
            dim=dim,
            publication=_NEUML,
            about=" for biomedical texts",
        )
        for size, dim, revision in (
            ("100K", 64, "bac5e3b12fb8c650e92a19c41b436732c4f16e9e"),
            ("500K", 64, "71f65d59ddf416f7c2dbf5580ebaa70b6bec7707"),
            ("1M", 64, "f09981510cfaaab2ccbc4890e4511d9116631e87"),
            ("2M", 64, "175c20e200ec8780103bb998e1018df0b704a64b"),
            ("8M", 256, "b6a0de4964b05d69fea61532cd6ae1241a3ee9fd"),
        )
    ),
    _matryoshka(
        "sentence-transformers/static-retrieval-mrl-en-v1@f60985c706f192d45d218078e49e5a8b6f15283a",
        ("164fc63ee9f9267be7378fcbd7df99d09788a2f45244c92aa99ae5a574925716", 125_018_208),
        _OF_RETRIEVAL,
        language="en",
        vocab_size=30_522,
    ),
    _matryoshka(
        "sentence-transformers/static-similarity-mrl-multilingual-v1@b68f4122911bcffcd6e1f695f2d99cd6788972d8",
        ("8245ab78ee71dded845a82d2270fcb9e785b29dad0e1619f69d5390c47d9ba00", 433_680_480),
        _OF_SIMILARITY,
        language="mul",
        vocab_size=105_879,
    ),
    _matryoshka(
        "hotchpotch/static-embedding-japanese@95b3d9c80a7ccf604e2b5daee7b1b3eed6b1a9d3",
        ("f0c60b3d2952fb89e67a063ac4aa558ff4b02facaac5fd674d637b9e2c52ccca", 134_217_824),
        _OF_JAPANESE,
        language="ja",
        vocab_size=32_768,
        cased=True,  # as the tokenizers of XLM-RoBERTa, on which its own is modeled; it was not examined
        publication=_JAPANESE,
    ),
)


@hookimpl
def embedhub_sources() -> Iterable[RemoteSource]:
    """Return the sources."""
    return SOURCES


def layer_and_tokenizer(
    source: "str | EmbeddingSource | Vectors", dim: int | None = None, **options: Any
) -> "tuple[keras.layers.Embedding | keras.Model, Tokenizer]":
    """Return a layer with the vectors of a source's tokens, and the matching tokenizer.

    Row ``i`` of the layer is the vector of token ``i``. This includes the token for unknown text, unless
    ``oov`` is given; the row of padding is zeros. The tokenizer does not add tokens for the start and the end
    of a text: the models do not use them, and the potion models number them differently than their
    tokenizers.

    Example::

        layer, tokenizer = embedhub_static.layer_and_tokenizer("potion-base-8m")
        rows = layer(np.array([tokenizer.encode("It rains.").ids]))

    Args:
        source: The name of a source in this package, any other source whose vectors come with a
            ``tokenizer.json``, or such vectors.
        dim: Dimension; optional if the source has only one.
        **options: As for `embedhub.keras_embedding`.

    Returns:
        The layer, from ``(batch, length)`` integers to ``(batch, length, dim)`` floats, and the tokenizer.

    Raises:
        EmbedhubError: As `embedhub.keras_embedding`.
    """
    from tokenizers import Tokenizer, processors

    vectors = embedhub.load(source, dim)
    tokenizer = Tokenizer.from_file(str(vectors.files[_TOKENIZER]))
    tokenizer.post_processor = processors.TemplateProcessing(single="$A", pair="$A $B")
    unknown = getattr(tokenizer.model, "unk_token", "<unk>")  # Unigram does not say
    if unknown in vectors.words:
        options.setdefault("oov", vectors[unknown])
    return embedhub.keras_embedding(vectors, None, tokenizer, **options), tokenizer
