"""GloVe 6B: Wikipedia 2014 and Gigaword 5, by Stanford.

The hashes are sha256 of the text files as several independent projects publish them (6 for 50d, 4 for 100d,
3 for 300d); for 200d only sha1 and md5 are published (two projects, one algorithm each), so it is sha1. The
second candidates are the same vectors as word2vec text in gzip, from the releases of gensim-data, whose list
publishes md5 digests; for 50d and 100d two projects publish sha256.

The archive at huggingface.co/stanfordnlp/glove is another build, with one more word (``<unk>``), so it is not
a candidate.

`tools/make_glove_20k.py` cuts the packaged file of glove-6b-20k from Stanford's, which is in the public
domain (PDDL 1.0).
"""

from collections.abc import Iterable

from embedhub.download.remote_file import Fetched, RemoteFile
from embedhub.registry.builtin.packaged import PackagedSource
from embedhub.registry.hookspecs import hookimpl
from embedhub.registry.remote_source import RemoteSource
from embedhub.registry.source import EmbeddingSource

_ARCHIVE = "https://nlp.stanford.edu/data/glove.6B.zip"
_ARCHIVE_HASH = "sha256:617afb2fe6cbd085c235baf7a465b96f4112bd7f7ccb2b2cbd649fed9cbcf2fb"
_ARCHIVE_SIZE = 862_182_613
_RELEASES = "https://github.com/piskvorky/gensim-data/releases/download"

# dim: hash and size of the text, then hash and size of the release's gzip file.
_HASHES = {
    50: (
        ("sha256:d8f717f8dd4b545cb7f418ef9f3d0c3e6e68a6f48b97d32f8b7aae40cb31f96f", 171_350_079),
        ("sha256:5c55f98957aa9fed8d2ac5fb1dcff57af3b23c5a3ee7af3f7945f8d49198eb24", 69_182_535),
    ),
    100: (
        ("sha256:95dde4dfd627ab26608d33e76d1195ec059734bd29089ea52cadb08d07c64544", 347_116_733),
        ("sha256:4934d4708bf3d65f28fc984dbbfa18af9cbd2505d166a7258a1a957808559b43", 134_300_434),
    ),
    200: (
        ("sha1:17d0355ddaa253e298ede39877d1be70f99d9148", None),
        ("md5:59652db361b7a87ee73834a6c391dfc1", 264_336_934),
    ),
    300: (
        ("sha256:91125602f730fea7ca768736c6f442e668b49db095682bf2aad375db061c21ed", 1_037_962_819),
        ("md5:29e9329ac2241937d55b852e8284e89b", 394_362_229),
    ),
}

# Words: how many bytes of the deflated text contain them, for a reader that reads 1 MiB at a time, and the
# hash of these bytes, of an archive with the hashes above.
_PREFIXES = {
    50: {
        50_000: (8_884_224, "sha256:eef1802f32d7a506c5584c53899f00228756dea940524d7ac384fe3347a4fda0"),
        100_000: (17_375_232, "sha256:2e094db58642b54202c17d19cc9e891323d4a91301ff5f953ef43dc2ce5268d7"),
        200_000: (34_787_328, "sha256:103a52323b59f68891c5bce411fa2841f6ddf2e275fbabc4e46d59241e5ff36c"),
    }
}


def _candidates(dim: int) -> tuple[RemoteFile, RemoteFile]:
    (text_hash, text_size), (release_hash, release_size) = _HASHES[dim]
    return (
        RemoteFile(
            _ARCHIVE,
            member=f"glove.6B.{dim}d.txt",
            known_hash=text_hash,
            size=text_size,
            archive_hash=_ARCHIVE_HASH,
            archive_size=_ARCHIVE_SIZE,
            format="glove",
            prefixes=_PREFIXES.get(dim, {}),
        ),
        RemoteFile(
            f"{_RELEASES}/glove-wiki-gigaword-{dim}/glove-wiki-gigaword-{dim}.gz",
            known_hash=release_hash,
            size=release_size,
            format="word2vec-text",
        ),
    )


class _Glove6B(RemoteSource):
    """GloVe 6B, whose most frequent words in 50 dimensions are inside the package."""

    def fetch_words(self, dim: int, words: int) -> Fetched:
        """Return the packaged file if it has that many words."""
        if not _is_packaged(dim, words):
            return super().fetch_words(dim, words)
        return GLOVE_6B_20K.fetch(dim)

    def _size_of_words(self, dim: int, words: int) -> int | None:
        return 0 if _is_packaged(dim, words) else super()._size_of_words(dim, words)


def _is_packaged(dim: int, words: int) -> bool:
    return dim == 50 and words <= 20_000  # noqa: PLR2004 - as glove-6b-20k has


GLOVE_6B = _Glove6B(
    name="glove-6b",
    files={dim: _candidates(dim) for dim in _HASHES},
    description="GloVe on Wikipedia 2014 and Gigaword 5, 6 billion tokens",
    language="en",
    cased=False,
    vocab_size=400_000,
    license="PDDL-1.0",
    citation=(
        "Jeffrey Pennington, Richard Socher, Christopher D. Manning (2014). "
        "GloVe: Global Vectors for Word Representation. EMNLP 2014, 1532-1543."
    ),
    bibtex="""@inproceedings{pennington2014glove,
  author = {Pennington, Jeffrey and Socher, Richard and Manning, Christopher D.},
  title = {{GloVe}: Global Vectors for Word Representation},
  booktitle = {Empirical Methods in Natural Language Processing ({EMNLP})},
  year = {2014},
  pages = {1532--1543},
}""",
    homepage="https://nlp.stanford.edu/projects/glove/",
    tokenization="words",
    fallbacks=("lower",),
)


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
    """Return glove-6b, and its most frequent words."""
    return [GLOVE_6B, GLOVE_6B_20K]
