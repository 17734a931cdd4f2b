"""fastText by Facebook: English, and each language of Common Crawl and of Wikipedia.

``languages.tsv`` has a line for each language: fastText's code of it, its BCP 47 tag, its name, the families
that have it, the hash of its ``wiki.<code>.vec``, and that of its model on Common Crawl, uncompressed.

The hashes, and how many publish them independently; Facebook itself publishes none.

- ``fasttext-wiki-news``: the text's sha1 by one project, the archive's sha256 by two.
- ``fasttext-crawl``: the text's sha256 by one project, the archive's by two. A sha1 of the text is about too,
  maybe of the one that Facebook replaced in May 2018, and is not used.
- ``fasttext-wiki-news-subword``, ``fasttext-crawl-subword``: the model's sha1 by one project, which took it
  from copies of its own.
- ``fasttext-wiki-<code>``: the text's sha256 by one project for 173 languages (English: by two), its sha1 by
  another for the other 121. Three more sha256 there are of an empty file, and are not here.
- ``fasttext-cc-<code>``: sha512 for English, sha256 for Spanish and French, by one project each; else none.
- ``fasttext-cc-<code>-subword``: the sha1 of each model by one project, which took it from copies of its own,
  and of what is inside Facebook's gzip file, which has none itself. It is the pin of the second candidate:
  Facebook's uncompressed ``model.bin`` on the Hub, three fifths larger. Only of the English one a revision is
  known; the others are on the branch ``main``, and their pin says if they change.
- ``fasttext-aligned-<code>``: nothing.

The text of a model has its numbers rounded, so it is not a candidate for the same vectors.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from itertools import chain
from typing import NamedTuple

from embedhub import RemoteFile, RemoteSource, hookimpl
from embedhub.vectors.vectors import Tokenization

_FILES = "https://dl.fbaipublicfiles.com/fasttext"
_HUB = "https://huggingface.co/facebook"
_DOCS = "https://fasttext.cc/docs/en"


class _Publication(NamedTuple):
    """A citation, in one line and in BibTeX."""

    citation: str
    bibtex: str


_ENGLISH = _Publication(
    "Tomas Mikolov, Edouard Grave, Piotr Bojanowski, Christian Puhrsch, Armand Joulin (2018). "
    "Advances in Pre-Training Distributed Word Representations. LREC 2018. arXiv:1712.09405.",
    """@inproceedings{mikolov2018advances,
  author = {Mikolov, Tomas and Grave, Edouard and Bojanowski, Piotr and Puhrsch, Christian
    and Joulin, Armand},
  title = {Advances in Pre-Training Distributed Word Representations},
  booktitle = {Language Resources and Evaluation Conference ({LREC})},
  year = {2018},
  eprint = {1712.09405},
  archiveprefix = {arXiv},
}""",
)
_CRAWL = _Publication(
    "Edouard Grave, Piotr Bojanowski, Prakhar Gupta, Armand Joulin, Tomas Mikolov (2018). "
    "Learning Word Vectors for 157 Languages. LREC 2018. arXiv:1802.06893.",
    """@inproceedings{grave2018learning,
  author = {Grave, Edouard and Bojanowski, Piotr and Gupta, Prakhar and Joulin, Armand and Mikolov, Tomas},
  title = {Learning Word Vectors for 157 Languages},
  booktitle = {Language Resources and Evaluation Conference ({LREC})},
  year = {2018},
  eprint = {1802.06893},
  archiveprefix = {arXiv},
}""",
)
_WIKI = _Publication(
    "Piotr Bojanowski, Edouard Grave, Armand Joulin, Tomas Mikolov (2017). "
    "Enriching Word Vectors with Subword Information. TACL 5, 135-146. arXiv:1607.04606.",
    """@article{bojanowski2017enriching,
  author = {Bojanowski, Piotr and Grave, Edouard and Joulin, Armand and Mikolov, Tomas},
  title = {Enriching Word Vectors with Subword Information},
  journal = {Transactions of the Association for Computational Linguistics},
  volume = {5},
  year = {2017},
  pages = {135--146},
  eprint = {1607.04606},
  archiveprefix = {arXiv},
}""",
)
_ALIGNED = _Publication(
    "Armand Joulin, Piotr Bojanowski, Tomas Mikolov, Hervé Jégou, Edouard Grave (2018). Loss in Translation: "
    "Learning Bilingual Word Mapping with a Retrieval Criterion. EMNLP 2018. arXiv:1804.07745.",
    # Accents as TeX writes them: BibTeX itself knows ASCII only.
    r"""@inproceedings{joulin2018loss,
  author = {Joulin, Armand and Bojanowski, Piotr and Mikolov, Tomas
    and J{\'e}gou, Herv{\'e} and Grave, Edouard},
  title = {Loss in Translation: Learning Bilingual Word Mapping with a Retrieval Criterion},
  booktitle = {Empirical Methods in Natural Language Processing ({EMNLP})},
  year = {2018},
  eprint = {1804.07745},
  archiveprefix = {arXiv},
}""",
)

_WIKI_NEWS = RemoteFile(
    f"{_FILES}/vectors-english/wiki-news-300d-1M.vec.zip",
    member="wiki-news-300d-1M.vec",
    known_hash="sha1:11cac9efe6f599e659be182f5766d6fbd5b1cab9",
    archive_hash="sha256:bdeb85f44892c505953e3654183e9cb0d792ee51be0992460593e27198d746f8",
    archive_size=681_808_098,
    format="word2vec-text",
)
_WIKI_NEWS_SUBWORD = RemoteFile(
    f"{_FILES}/vectors-english/wiki-news-300d-1M-subword.bin.zip",
    member="wiki-news-300d-1M-subword.bin",
    known_hash="sha1:c8853bdae00318097b6337c4631d342879d6b18c",
    format="fasttext",
)
_COMMON_CRAWL = RemoteFile(
    f"{_FILES}/vectors-english/crawl-300d-2M.vec.zip",
    member="crawl-300d-2M.vec",
    known_hash="sha256:c85534cb2b7f816cb8d564129add1454a7a789d7b607af7aaa4e0d1c927e62ed",
    archive_hash="sha256:5bfffffbabdab299d4c9165c47275e8f982807a6eaca37ee1f71d3a79ddb544d",
    archive_size=1_523_785_255,
    format="word2vec-text",
)
_COMMON_CRAWL_SUBWORD = RemoteFile(
    f"{_FILES}/vectors-english/crawl-300d-2M-subword.zip",
    member="crawl-300d-2M-subword.bin",
    known_hash="sha1:e6b07293f7b0095e3c72c2a12bc09464b69444b0",
    format="fasttext",
)

# What is known of the files of Common Crawl: published hashes, and numbers of bytes.
_CRAWL_HASHES = {
    "cc.en.300.vec.gz": "sha512:788ffbd8ee7be4394c6dd5bde20478603aef364a6085e4cf0f7a0495f6221c81"
    "20b55c92c480bf82483b0602e0a2810522f56756864eae728f17a3f739673bf7",
    "cc.es.300.vec.gz": "sha256:116915c965346a0e3670b0e703e15e3526f31f1d216088eb3b30fc8f94982b82",
    "cc.fr.300.vec.gz": "sha256:ab0dca4ef2a8a38d97ca119b491c701c57e17178cfc2f032f3de973e86fe87aa",
}
_CRAWL_SIZES = {
    "cc.de.300.vec.gz": 1_278_030_050,
    "cc.en.300.bin.gz": 4_503_593_528,
    "cc.en.300.vec.gz": 1_325_960_915,
    "cc.my.300.bin.gz": 2_630_512_501,
}

_HUB_REVISIONS = {"en": "a80392390daaee1a91000da45c376d512e1dc555"}

# The tools of Europarl, which split apostrophes by language; see the page of these vectors. They split other
# languages much like "words".
_EUROPARL: dict[str, Tokenization] = {"en": "europarl", "fr": "europarl-fr", "it": "europarl-fr"}

# Name of a source: its number of words, where it is known.
_VOCAB_SIZES = {
    "fasttext-wiki-news": 999_994,
    "fasttext-wiki-news-subword": 999_999,
    "fasttext-crawl": 1_999_995,
    "fasttext-cc-en": 2_000_000,
    "fasttext-cc-en-subword": 2_000_000,
    "fasttext-wiki-en": 2_519_370,
    "fasttext-aligned-en": 2_519_370,
    "fasttext-aligned-zh": 332_647,
}


def _source(
    name: str,
    files: RemoteFile | tuple[RemoteFile, ...],
    what: str,
    *,
    language: str = "en",
    cased: bool = True,
    publication: _Publication,
    page: str,
    tokenization: Tokenization | None = None,
) -> RemoteSource:
    return RemoteSource(
        name=name,
        files={300: files},
        description=f"fastText {what}, {'cased' if cased else 'lower-cased'}",
        language=language,
        cased=cased,
        vocab_size=_VOCAB_SIZES.get(name),
        license="CC-BY-SA-3.0",
        citation=publication.citation,
        bibtex=publication.bibtex,
        homepage=f"{_DOCS}/{page}.html",
        tokenization=tokenization,
        fallbacks=() if cased else ("lower",),
    )


def _english() -> Iterator[RemoteSource]:
    for name, file, what in (
        ("wiki-news", _WIKI_NEWS, "on Wikipedia and news in English"),
        ("wiki-news-subword", _WIKI_NEWS_SUBWORD, "with n-grams on Wikipedia and news in English"),
        ("crawl", _COMMON_CRAWL, "on Common Crawl in English"),
        ("crawl-subword", _COMMON_CRAWL_SUBWORD, "with n-grams on Common Crawl in English"),
    ):
        yield _source(f"fasttext-{name}", file, what, publication=_ENGLISH, page="english-vectors")


class _Language(NamedTuple):
    """A line of ``languages.tsv``."""

    code: str
    tag: str
    name: str
    families: str
    wiki_hash: str
    model_hash: str


def _in_language(language: _Language) -> Iterator[RemoteSource]:
    code, tag, name, families, wiki_hash, model_hash = language
    if "wiki" in families:
        yield _source(
            f"fasttext-wiki-{code}",
            RemoteFile(
                f"{_FILES}/vectors-wiki/wiki.{code}.vec", known_hash=wiki_hash, format="word2vec-text"
            ),
            f"on the Wikipedia in {name}",
            language=tag,
            cased=False,
            publication=_WIKI,
            page="pretrained-vectors",
            tokenization="fasttext",
        )
    if "cc" in families:
        on_hub = RemoteFile(
            f"{_HUB}/fasttext-{code}-vectors/resolve/{_HUB_REVISIONS.get(code, 'main')}/model.bin",
            known_hash=model_hash,
            format="fasttext",
        )
        for kind, extension, format_name, what, others in (
            ("", "vec", "word2vec-text", "", ()),
            ("-subword", "bin", "fasttext", "with n-grams ", (on_hub,)),
        ):
            file = f"cc.{code}.300.{extension}.gz"
            first = RemoteFile(
                f"{_FILES}/vectors-crawl/{file}",
                known_hash=_CRAWL_HASHES.get(file),
                size=_CRAWL_SIZES.get(file),
                format=format_name,
            )
            yield _source(
                f"fasttext-cc-{code}{kind}",
                (first, *others),
                f"{what}on Common Crawl and Wikipedia in {name}",
                language=tag,
                publication=_CRAWL,
                page="crawl-vectors",
                tokenization=_EUROPARL.get(code),
            )
    if "aligned" in families:
        yield _source(
            f"fasttext-aligned-{code}",
            RemoteFile(f"{_FILES}/vectors-aligned/wiki.{code}.align.vec", format="word2vec-text"),
            f"on the Wikipedia in {name}, in one space with 43 other languages",
            language=tag,
            cased=False,
            publication=_ALIGNED,
            page="aligned-vectors",
            tokenization="fasttext",
        )


@cache
def _sources() -> tuple[RemoteSource, ...]:
    """Return the English sources, and those of each language in ``languages.tsv``."""
    table = resources.files(__name__).joinpath("languages.tsv").read_text("utf-8")
    rows = (line.split("\t") for line in table.splitlines()[1:])
    return (*_english(), *chain.from_iterable(_in_language(_Language(*row)) for row in rows))


@hookimpl
def embedhub_sources() -> Iterable[RemoteSource]:
    """Return the English sources, and those of each language."""
    return _sources()
