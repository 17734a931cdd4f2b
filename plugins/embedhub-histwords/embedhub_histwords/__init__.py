"""HistWords: word vectors of each decade of the 19th and 20th century, in seven corpora.

``histwords://eng-all/1990`` are the vectors of the 1990s. No hash of the archives is published, and none of
their members: the first download of each is remembered.

The project's README names the decades of the corpora of Google Books, and its page those of ``coha-lemma``.
Those of ``coha-word`` are what its code makes and public code reads.
"""

from typing import NamedTuple

from embedhub import Format, RemoteFile
from embedhub.errors import SourceNotFoundError
from embedhub.registry.handle_source import HandleSource
from embedhub_histwords.reader import read

_ARCHIVES = "https://snap.stanford.edu/historical_embeddings"
_DIM = 300

FORMAT = Format("histwords", read)
"""A matrix of NumPy, and a pickle with the list of its words, as a companion file."""


class _Corpus(NamedTuple):
    """A language, a description, and the decades."""

    language: str
    about: str
    decades: range


CORPORA = {
    "eng-all": _Corpus("en", "English in Google Books", range(1800, 2000, 10)),
    "eng-fiction-all": _Corpus("en", "English fiction in Google Books", range(1800, 2000, 10)),
    "fre-all": _Corpus("fr", "French in Google Books", range(1800, 2000, 10)),
    "ger-all": _Corpus("de", "German in Google Books", range(1800, 2000, 10)),
    "chi-sim-all": _Corpus("zh-Hans", "simplified Chinese in Google Books", range(1950, 2000, 10)),
    "coha-word": _Corpus("en", "the Corpus of Historical American English", range(1810, 2010, 10)),
    "coha-lemma": _Corpus("en", "lemmas of the Corpus of Historical American English", range(1830, 2010, 10)),
}
"""The corpora by name."""


def open_decade(location: str, dim: int | None) -> HandleSource:  # noqa: ARG001 - there is one
    """Return the source of ``histwords://<corpus>/<decade>``.

    Args:
        location: Name of a corpus, a slash, and the first year of a decade, as in ``eng-all/1990``.
        dim: The dimension that the caller asks for; the vectors have 300.

    Raises:
        SourceNotFoundError: There is no such corpus, or it does not have that decade.
    """
    name, _, decade = location.partition("/")
    corpus = CORPORA.get(name)
    if corpus is None:
        raise SourceNotFoundError(
            f"histwords://{location}: expected one of the corpora {', '.join(CORPORA)}, a slash, and the "
            "first year of a decade, as in histwords://eng-all/1990."
        )
    if decade not in map(str, corpus.decades):
        raise SourceNotFoundError(
            f"histwords://{location}: {name} has the decades {corpus.decades[0]} to {corpus.decades[-1]}; "
            f"expected the first year of one of them, as in histwords://{name}/{corpus.decades[-1]}."
        )
    archive = f"{_ARCHIVES}/{name}_sgns.zip"
    words = RemoteFile(archive, member=f"sgns/{decade}-vocab.pkl")
    matrix = RemoteFile(archive, member=f"sgns/{decade}-w.npy", format=FORMAT, companions=(words,))
    return HandleSource(
        handle=f"histwords://{location}",
        name=f"histwords-{name}-{decade}",
        files={_DIM: matrix},
        description=f"HistWords of the {decade}s, word2vec on {corpus.about}, lower-cased",
        language=corpus.language,
        cased=False,
        license="PDDL-1.0",
        citation=(
            "William L. Hamilton, Jure Leskovec, Dan Jurafsky (2016). Diachronic Word Embeddings Reveal "
            "Statistical Laws of Semantic Change. ACL 2016. arXiv:1605.09096."
        ),
        bibtex="""@inproceedings{hamilton2016diachronic,
  author = {Hamilton, William L. and Leskovec, Jure and Jurafsky, Dan},
  title = {Diachronic Word Embeddings Reveal Statistical Laws of Semantic Change},
  booktitle = {Annual Meeting of the Association for Computational Linguistics ({ACL})},
  year = {2016},
  eprint = {1605.09096},
  archiveprefix = {arXiv},
}""",
        homepage="https://nlp.stanford.edu/projects/histwords/",
        fallbacks=("lower",),
    )
