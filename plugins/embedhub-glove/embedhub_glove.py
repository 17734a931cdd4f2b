"""GloVe by Stanford, except the 6B vectors, which embedhub itself provides.

The hashes, and how many publish them independently; Stanford itself publishes none.

- ``glove-42b``: the text's sha256 by one project, the archive's by two.
- ``glove-840b``: the text's sha256 by one project, the archive's by five or more. Another
  build of the text, ten bytes shorter, is about: should Stanford serve that one, it is refused.
- ``glove-twitter-27b``: the texts' sha1 by one project, whose sha1 of the 6B text at 50d is that of the real
  file; the archive's sha256 by two. A sha256 of the 25d text that another publishes is not used, since it is
  not said of which build. The second candidates are the same vectors as word2vec text in gzip, from the
  releases of gensim-data, whose list publishes md5 digests.
- ``glove-2024-wikigiga``: of the 50d text a sha256 by one project, of its archive by two; of the other dims
  nothing.
- ``glove-2024-dolma``: nothing.

Stanford has two builds of each archive of 2014. The one under ``/data/wordvecs/`` and on Hugging Face has a
row more (``<unk>``), so it is not a candidate. Of the vectors of 2024 there is one; it ends with ``<unk>``.
"""

from collections.abc import Iterable
from typing import Any

from embedhub import RemoteFile, RemoteSource, hookimpl

_STANFORD = "https://nlp.stanford.edu/data"
_RELEASES = "https://github.com/piskvorky/gensim-data/releases/download"
_HOMEPAGE = "https://nlp.stanford.edu/projects/glove/"
_PDDL = "PDDL-1.0"
_CITATION_2014 = (
    "Jeffrey Pennington, Richard Socher, Christopher D. Manning (2014). "
    "GloVe: Global Vectors for Word Representation. EMNLP 2014, 1532-1543."
)
_BIBTEX_2014 = """@inproceedings{pennington2014glove,
  author = {Pennington, Jeffrey and Socher, Richard and Manning, Christopher D.},
  title = {{GloVe}: Global Vectors for Word Representation},
  booktitle = {Empirical Methods in Natural Language Processing ({EMNLP})},
  year = {2014},
  pages = {1532--1543},
}"""
_CITATION_2024 = (
    "Riley Carlson, John Bauer, Christopher D. Manning (2025). A New Pair of GloVes. arXiv:2507.18103."
)
_BIBTEX_2024 = """@misc{carlson2025glove,
  author = {Carlson, Riley and Bauer, John and Manning, Christopher D.},
  title = {A New Pair of {GloVes}},
  year = {2025},
  eprint = {2507.18103},
  archiveprefix = {arXiv},
}"""

_42B = RemoteFile(
    f"{_STANFORD}/glove.42B.300d.zip",
    member="glove.42B.300d.txt",
    known_hash="sha256:1d04270b5c446844a030416f46c59c4cb0aac8012e702666fc1e9eff7eef1983",
    size=5_025_028_820,
    archive_hash="sha256:03d5d7fa28e58762ace4b85fb71fe86a345ef0b5ff39f5390c14869da0fc1970",
    archive_size=1_877_800_501,
    format="glove",
)
_840B = RemoteFile(
    f"{_STANFORD}/glove.840B.300d.zip",
    member="glove.840B.300d.txt",
    known_hash="sha256:9641ef45628fd8c5c0bc555c8944f7bad7bce36ae7be3cafff0bb109fe60883e",
    size=5_646_236_541,
    archive_hash="sha256:c06db255e65095393609f19a4cfca20bf3a71e20cc53e892aafa490347e3849f",
    archive_size=2_176_768_927,
    format="glove",
)

# dim: hash of the text, then hash and size of the release's gzip file.
_TWITTER = {
    25: (
        "sha1:767d80889d8c8a22ae7cd25e09d0650a6ff0a502",
        "md5:50db0211d7e7a2dcd362c6b774762793",
        109_885_004,
    ),
    50: (
        "sha1:9585f4be97e286339bf0112d0d3aa7c15a3e864d",
        "md5:c168f18641f8c8a00fe30984c4799b2b",
        209_216_938,
    ),
    100: (
        "sha1:1bbeab8323c72332bd46ada0fc3c99f2faaa8ca8",
        "md5:b04f7bed38756d64cf55b58ce7e97b15",
        405_932_991,
    ),
    200: (
        "sha1:7921c77a53aa5977b1d9ce3a7c4430cbd9d1207a",
        "md5:e52e8392d1860b95d5308a525817d8f9",
        795_373_100,
    ),
}


def _twitter(dim: int) -> tuple[RemoteFile, RemoteFile]:
    text_hash, release_hash, release_size = _TWITTER[dim]
    return (
        RemoteFile(
            f"{_STANFORD}/glove.twitter.27B.zip",
            member=f"glove.twitter.27B.{dim}d.txt",
            known_hash=text_hash,
            archive_hash="sha256:792af52f795d1a32c9842a3240f5f3fe5e941a8ff6df5eb0f9d668092ebc019c",
            archive_size=1_520_408_563,
            format="glove",
        ),
        RemoteFile(
            f"{_RELEASES}/glove-twitter-{dim}/glove-twitter-{dim}.gz",
            known_hash=release_hash,
            size=release_size,
            format="word2vec-text",
        ),
    )


def _of_2024(archive: str, member: str, **published: Any) -> RemoteFile:
    return RemoteFile(f"{_STANFORD}/wordvecs/{archive}", member=member, format="glove", **published)


_WIKIGIGA = {
    50: _of_2024(
        "glove.2024.wikigiga.50d.zip",
        "wiki_giga_2024_50_MFT20_vectors_seed_123_alpha_0.75_eta_0.075_combined.txt",
        known_hash="sha256:16c4253cb9a19045dcdc758b6a1eda52d3c37b894dea2601a45046b4300a8d10",
        size=842_192_707,
        archive_hash="sha256:afa5e258ee38272db6394547c4b075ecbb7b2164e98542c8d1237b6029b35a65",
        archive_size=301_036_094,
    ),
    100: _of_2024(
        "glove.2024.wikigiga.100d.zip",
        "wiki_giga_2024_100_MFT20_vectors_seed_2024_alpha_0.75_eta_0.05.050_combined.txt",
    ),
    200: _of_2024(
        "glove.2024.wikigiga.200d.zip",
        "wiki_giga_2024_200_MFT20_vectors_seed_2024_alpha_0.75_eta_0.05_combined.txt",
    ),
    300: _of_2024(
        "glove.2024.wikigiga.300d.zip",
        "wiki_giga_2024_300_MFT20_vectors_seed_2024_alpha_0.75_eta_0.05_combined.txt",
    ),
}
_DOLMA = _of_2024("glove.2024.dolma.300d.zip", "dolma_300_2024_1.2M.100_combined.txt")

SOURCES = (
    RemoteSource(
        name="glove-42b",
        files={300: _42B},
        description="GloVe on Common Crawl, 42 billion tokens, lower-cased",
        language="en",
        cased=False,
        vocab_size=1_917_494,
        license=_PDDL,
        citation=_CITATION_2014,
        bibtex=_BIBTEX_2014,
        homepage=_HOMEPAGE,
        tokenization="words",
        fallbacks=("lower",),
    ),
    RemoteSource(
        name="glove-840b",
        files={300: _840B},
        description="GloVe on Common Crawl, 840 billion tokens, cased",
        language="en",
        cased=True,
        vocab_size=2_196_016,  # of 2,196,017 lines: one word occurs twice
        license=_PDDL,
        citation=_CITATION_2014,
        bibtex=_BIBTEX_2014,
        homepage=_HOMEPAGE,
        tokenization="words",
    ),
    RemoteSource(
        name="glove-twitter-27b",
        files={dim: _twitter(dim) for dim in _TWITTER},
        description="GloVe on 2 billion tweets, 27 billion tokens, lower-cased",
        language="en",
        cased=False,
        vocab_size=1_193_514,
        license=_PDDL,
        citation=_CITATION_2014,
        bibtex=_BIBTEX_2014,
        homepage=_HOMEPAGE,
        tokenization="words",
        fallbacks=("lower",),
    ),
    RemoteSource(
        name="glove-2024-wikigiga",
        files=_WIKIGIGA,
        description="GloVe of 2024 on Wikipedia and Gigaword, lower-cased",
        language="en",
        cased=False,
        vocab_size=1_291_147,  # counted at 50d
        license=_PDDL,
        citation=_CITATION_2024,
        bibtex=_BIBTEX_2024,
        homepage=_HOMEPAGE,
        tokenization="words",
        fallbacks=("lower",),
    ),
    RemoteSource(
        name="glove-2024-dolma",
        files={300: _DOLMA},
        description="GloVe of 2024 on a part of Dolma, lower-cased",
        language="en",
        cased=False,
        vocab_size=None,  # 1.2 million
        license=_PDDL,
        citation=_CITATION_2024,
        bibtex=_BIBTEX_2024,
        homepage=_HOMEPAGE,
        tokenization="words",
        fallbacks=("lower",),
    ),
)


@hookimpl
def embedhub_sources() -> Iterable[RemoteSource]:
    """Return the five sources."""
    return SOURCES
