"""Benchmarks of English: word similarity, and analogies. None is in the package: few say that they may be.

A sha256 pin is that of the bytes of the commit in the address, hashed for this table; for WordSim-353,
SimLex-999, MEN and Google's analogies the tests do so again. The sha1 pins, of the archives of SimLex-999 and
BATS, are those that the project gluon-nlp publishes. None of SCWS was found.
"""

from collections.abc import Iterable
from functools import partial

from embedhub.download.remote_file import RemoteFile
from embedhub_eval import analogy_file as questions
from embedhub_eval import word_pairs
from embedhub_eval.benchmark import Benchmark, BenchmarkFile, ItemReader, Kind
from embedhub_eval.hookspecs import hookimpl

_RAW = "https://raw.githubusercontent.com"
_GENSIM = f"{_RAW}/piskvorky/gensim/ee2642b4fa26e689ba4595067504668bc7a89016/gensim/test/test_data"
_FARUQUI = f"{_RAW}/mfaruqui/eval-word-vectors/94b3dd9fdbac7ed08dbee7179cd5ee464acf0594/data/word-sim"
_WORD2VEC = f"{_RAW}/tmikolov/word2vec/20c129af10659f7c50e86e3be406df663beff438"
_HYPERWORDS = f"{_RAW}/lukaselmer/hyperwords/bc7a84beccede98fecfe1ff3a60ada46650df6da/testsets"
_BATS_SHA1 = "sha1:bf94d47884be9ea83af369beeea7499ed25dcf0d"

_UNSTATED = "not stated"


def _file(url: str, sha256: str, size: int, reader: ItemReader = word_pairs.read) -> BenchmarkFile:
    return BenchmarkFile(RemoteFile(url=url, known_hash=f"sha256:{sha256}", size=size), reader)


def _english(
    name: str,
    kind: Kind,
    total: int | None,
    *files: BenchmarkFile,
    about: str,
    license: str = _UNSTATED,  # noqa: A002 - as in Benchmark
    citation: str,
    homepage: str,
) -> Benchmark:
    return Benchmark(
        name=name,
        kind=kind,
        files=files,
        total=total,
        description=about,
        language="en",
        license=license,
        citation=citation,
        homepage=homepage,
    )


_FINKELSTEIN = (
    "Lev Finkelstein, Evgeniy Gabrilovich, Yossi Matias, Ehud Rivlin, Zach Solan, Gadi Wolfman, and Eytan "
    "Ruppin (2002). Placing Search in Context: The Concept Revisited. ACM TOIS 20(1)."
)
_AGIRRE = (
    "Eneko Agirre, Enrique Alfonseca, Keith Hall, Jana Kravalova, Marius Pasca, and Aitor Soroa (2009). A "
    "Study on Similarity and Relatedness Using Distributional and WordNet-based Approaches. NAACL."
)

BENCHMARKS = (
    _english(
        "wordsim-353",
        "similarity",
        353,
        _file(
            f"{_GENSIM}/wordsim353.tsv",
            "f92a022fc2537793a15bc3a8c162ebcd74990e033a228bb6388cb71e4c0b1e1d",
            7_186,
        ),
        _file(
            f"{_FARUQUI}/EN-WS-353-ALL.txt",
            "ce12919b240af45bdf46d243601eaca2b6212b159b5e7e9b435ee7ee40c5619c",
            7_405,
        ),
        about="WordSim-353: relatedness of 353 pairs, most of nouns",
        license="CC-BY-4.0",
        citation=_FINKELSTEIN,
        homepage="https://gabrilovich.com/resources/data/wordsim353/wordsim353.html",
    ),
    _english(
        "wordsim-353-similarity",
        "similarity",
        203,
        _file(
            f"{_FARUQUI}/EN-WS-353-SIM.txt",
            "f1da938998863c94e53f72f984a5c6e215f0b46c323aae8f0f4930703a339107",
            4_002,
        ),
        about="WordSim-353: its similar pairs, and its unrelated ones",
        license="CC-BY-4.0",
        citation=_AGIRRE,
        homepage="https://aclanthology.org/N09-1003/",
    ),
    _english(
        "wordsim-353-relatedness",
        "similarity",
        252,
        _file(
            f"{_FARUQUI}/EN-WS-353-REL.txt",
            "66a7c88100624d0a391605ff61ce84e11d11ee620d51ec0298da49592838f8fa",
            5_134,
        ),
        about="WordSim-353: its related pairs, and its unrelated ones",
        license="CC-BY-4.0",
        citation=_AGIRRE,
        homepage="https://aclanthology.org/N09-1003/",
    ),
    _english(
        "simlex-999",
        "similarity",
        999,
        _file(
            f"{_GENSIM}/simlex999.txt",
            "d5e0501971478a511430ee880bd0121e94ac701ba86d90544d83e6d2ba3db05d",
            18_126,
        ),
        BenchmarkFile(
            RemoteFile(
                url="https://www.cl.cam.ac.uk/~fh295/SimLex-999.zip",
                member="SimLex-999/SimLex-999.txt",
                known_hash="sha1:0496761e49015bc266908ea6f8e35a5ec77cb2ee",
                archive_hash="sha1:0d3afe35b89d60acf11c28324ac7be10253fda39",
            ),
            partial(word_pairs.read, columns=(0, 1, 3)),
        ),
        about="SimLex-999: similarity, not relatedness, of nouns, verbs and adjectives",
        citation=(
            "Felix Hill, Roi Reichart, and Anna Korhonen (2015). SimLex-999: Evaluating Semantic Models with "
            "(Genuine) Similarity Estimation. Computational Linguistics 41(4)."
        ),
        homepage="https://fh295.github.io/simlex.html",
    ),
    _english(
        "men",
        "similarity",
        3_000,
        _file(
            f"{_FARUQUI}/EN-MEN-TR-3k.txt",
            "888b13580faa362c7b11da0a670258cf1b1eb4bf0ecbcd418918729a3bd3f43a",
            53_593,
        ),
        about="MEN: relatedness of 3,000 pairs of frequent words",
        license="CC-BY-2.0",
        citation=(
            "Elia Bruni, Gemma Boleda, Marco Baroni, and Nam-Khanh Tran (2012). Distributional Semantics in "
            "Technicolor. ACL."
        ),
        homepage="https://staff.fnwi.uva.nl/e.bruni/MEN",
    ),
    _english(
        "rare-words",
        "similarity",
        2_034,
        _file(
            f"{_FARUQUI}/EN-RW-STANFORD.txt",
            "5108d54dfc746f44f9c3d7e31d2857c37cf71430bc1594175a61a3b89bb0ae1f",
            49_851,
        ),
        about="RareWords (RW): similarity of 2,034 pairs with a rare, often derived word",
        citation=(
            "Thang Luong, Richard Socher, and Christopher D. Manning (2013). Better Word Representations "
            "with Recursive Neural Networks for Morphology. CoNLL."
        ),
        homepage="https://nlp.stanford.edu/~lmthang/morphoNLM/",
    ),
    _english(
        "rg-65",
        "similarity",
        65,
        _file(
            f"{_FARUQUI}/EN-RG-65.txt",
            "c243f3a91c3f5d8cf67f21a67f6fb80bde8b6bb060851a6a48e6f2d68ec98c9f",
            1_210,
        ),
        about="RG-65: similarity of 65 pairs of nouns",
        citation=(
            "Herbert Rubenstein and John B. Goodenough (1965). Contextual Correlates of Synonymy. "
            "Communications of the ACM 8(10)."
        ),
        homepage="https://doi.org/10.1145/365628.365657",
    ),
    _english(
        "mc-30",
        "similarity",
        30,
        _file(
            f"{_FARUQUI}/EN-MC-30.txt",
            "33ee05911496ff83d95cac351d0746c6f63b9181b605cb7d307f4daa8864511b",
            543,
        ),
        about="MC-30: 30 of the pairs of RG-65, judged anew",
        citation=(
            "George A. Miller and Walter G. Charles (1991). Contextual Correlates of Semantic Similarity. "
            "Language and Cognitive Processes 6(1)."
        ),
        homepage="https://doi.org/10.1080/01690969108406936",
    ),
    _english(
        "mturk-287",
        "similarity",
        287,
        _file(
            f"{_FARUQUI}/EN-MTurk-287.txt",
            "a9ae3a9decb75a9700fe0cf18b048c1344774d9f40e0196baf8e34d4cd9d1ce5",
            7_218,
        ),
        about="MTurk-287: relatedness of 287 pairs from the news",
        citation=(
            "Kira Radinsky, Eugene Agichtein, Evgeniy Gabrilovich, and Shaul Markovitch (2011). A Word at a "
            "Time: Computing Word Relatedness Using Temporal Semantic Analysis. WWW."
        ),
        homepage="https://doi.org/10.1145/1963405.1963455",
    ),
    _english(
        "mturk-771",
        "similarity",
        771,
        _file(
            f"{_FARUQUI}/EN-MTurk-771.txt",
            "04dc297c9e86b6fa7cf8ef0e4ba2e2c8d3399ec68d92fb7a53c0b4aae27198b5",
            19_628,
        ),
        about="MTurk-771: relatedness of 771 pairs of nouns",
        citation=(
            "Guy Halawi, Gideon Dror, Evgeniy Gabrilovich, and Yehuda Koren (2012). Large-scale Learning of "
            "Word Relatedness with Constraints. KDD."
        ),
        homepage="https://doi.org/10.1145/2339530.2339751",
    ),
    _english(
        "simverb-3500",
        "similarity",
        3_500,
        _file(
            f"{_FARUQUI}/EN-SimVerb-3500.txt",
            "9d84274e7ad029fd3cf69dd0516e9ade624bbef9bd4e2050f6cc1fa01471e0f5",
            65_315,
        ),
        about="SimVerb-3500: similarity of 3,500 pairs of verbs",
        citation=(
            "Daniela Gerz, Ivan Vulic, Felix Hill, Roi Reichart, and Anna Korhonen (2016). SimVerb-3500: A "
            "Large-Scale Evaluation Set of Verb Similarity. EMNLP."
        ),
        homepage="https://aclanthology.org/D16-1235/",
    ),
    _english(
        "scws",
        "similarity",
        2_003,
        BenchmarkFile(
            RemoteFile(url="https://www-nlp.stanford.edu/~ehhuang/SCWS.zip", member="SCWS/ratings.txt"),
            partial(word_pairs.read, columns=(1, 3, 7)),
        ),
        about="SCWS: similarity of 2,003 pairs, judged in sentences, which are left out here",
        citation=(
            "Eric H. Huang, Richard Socher, Christopher D. Manning, and Andrew Y. Ng (2012). Improving Word "
            "Representations via Global Context and Multiple Word Prototypes. ACL."
        ),
        homepage="https://aclanthology.org/P12-1092/",
    ),
    _english(
        "google-analogies",
        "analogy",
        19_544,
        _file(
            f"{_WORD2VEC}/questions-words.txt",
            "8c29b3332afc46f3fb8be04cb5297bf96f39aa7131272dff57869b4485b22a36",
            603_955,
            questions.read_google,
        ),
        about="Google's analogies: 8,869 semantic and 10,675 syntactic questions",
        license="Apache-2.0",
        citation=(
            "Tomas Mikolov, Kai Chen, Greg Corrado, and Jeffrey Dean (2013). Efficient Estimation of Word "
            "Representations in Vector Space. ICLR Workshop."
        ),
        homepage="https://github.com/tmikolov/word2vec",
    ),
    _english(
        "msr-analogies",
        "analogy",
        8_000,
        _file(
            f"{_HYPERWORDS}/analogy/msr.txt",
            "6e8d8a1d83165250631e5d74689837ab11bd00b7547a1d5e7000fa8bb4e259ef",
            239_628,
            questions.read,
        ),
        about="Microsoft Research's analogies: forms of adjectives, nouns and verbs",
        citation=(
            "Tomas Mikolov, Wen-tau Yih, and Geoffrey Zweig (2013). Linguistic Regularities in Continuous "
            "Space Word Representations. NAACL."
        ),
        homepage="https://aclanthology.org/N13-1090/",
    ),
    _english(
        "bats",
        "analogy",
        None,
        *(
            BenchmarkFile(
                RemoteFile(url=f"https://{place}/BATS_3.0.zip", known_hash=_BATS_SHA1), questions.read_bats
            )
            for place in (
                "s3.amazonaws.com/blackbirdprojects/tut_vsm",
                "vecto-data.s3-us-west-1.amazonaws.com",
            )
        ),
        about="The Bigger Analogy Test Set: 40 relations of 50 pairs each",
        citation=(
            "Anna Gladkova, Aleksandr Drozd, and Satoshi Matsuoka (2016). Analogy-based Detection of "
            "Morphological and Semantic Relations with Word Embeddings: What Works and What Doesn't. "
            "NAACL SRW."
        ),
        homepage="https://vecto.space/projects/BATS/",
    ),
)


@hookimpl
def embedhub_benchmarks() -> Iterable[Benchmark]:
    """Return the benchmarks."""
    return BENCHMARKS
