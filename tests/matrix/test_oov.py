"""Vectors of out-of-vocabulary words."""

import hashlib
import random
import re
import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xxhash
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import embedhub
from embedhub import Vectors, VocabularyError
from embedhub.errors import CoverageWarning
from embedhub.vectors.subwords import Subwords

KNOWN = [f"w{i}" for i in range(50)]
WORDS = ["", "[UNK]", *KNOWN, "qwxz", "zzyx"]


@pytest.fixture(scope="module")
def vectors(make_vectors: Callable[..., Vectors]) -> Vectors:
    """Return vectors of fifty words."""
    return make_vectors(KNOWN, dim=200)


def matrix_of(vectors: Vectors, words: list[str], **options: Any) -> NDArray[np.float32]:
    """Return the matrix of a vocabulary."""
    return embedhub.embedding_matrix(vectors, None, words, **options).matrix


def test_default_policy_is_zeros(vectors: Vectors) -> None:
    """Missing words and tokens for unknown words are zeros by default."""
    assert not matrix_of(vectors, WORDS)[[0, 1, -2, -1]].any()
    assert (matrix_of(vectors, WORDS) == matrix_of(vectors, WORDS, oov="zeros")).all()


def test_normal_has_mean_and_deviation_of_the_found_vectors(vectors: Vectors) -> None:
    """The noise in each column has the mean and standard deviation of that column over the found vectors."""
    missing = [f"qwxz{i}" for i in range(2000)]
    with pytest.warns(CoverageWarning):
        drawn = matrix_of(vectors, [*KNOWN, *missing], oov="normal", seed=5)[50:].astype(np.float64)
    mean, deviation = vectors.matrix.mean(axis=0), vectors.matrix.std(axis=0)
    assert drawn.dtype == np.float64
    assert np.abs((drawn.mean(axis=0) - mean) / deviation).max() < 5 / np.sqrt(2000)
    assert np.abs(drawn.std(axis=0) / deviation - 1).max() < 0.1
    standard = (drawn - mean) / deviation
    assert abs((np.abs(standard) < 1).mean() - 0.6827) < 0.005
    assert np.abs(np.corrcoef(standard[:20]) - np.eye(20)).max() < 0.4


def test_normal_is_reproducible(vectors: Vectors) -> None:
    """The noise of a word depends only on the seed and the word."""
    first = matrix_of(vectors, WORDS, oov="normal")
    assert (first == matrix_of(vectors, WORDS, oov="normal", seed=0)).all()
    assert (first[2:-2] == vectors.matrix).all()
    assert not first[0].any()
    differ = first != matrix_of(vectors, WORDS, oov="normal", seed=1)
    assert not differ[[0, *range(2, 52)]].any()
    assert differ[[1, -2, -1]].mean() > 0.99
    # With other missing words and another order, but the same found words, the vectors are the same.
    others = [*KNOWN[25:], "zzyx", *KNOWN[:25], "more", "qwxz"]
    moved = matrix_of(vectors, others, oov="normal")
    assert np.allclose(moved[[25, -1]], first[[-1, -2]], rtol=1e-6, atol=1e-7)
    key = np.array([0, xxhash.xxh3_64_intdigest(b"qwxz")], np.uint64)
    noise = np.random.Generator(np.random.Philox(key=key)).standard_normal(4)
    assert noise.round(6).tolist() == [0.383304, -0.759981, -0.836438, 1.421508]
    mean, deviation = (
        getattr(vectors.matrix.astype(np.float64), name)(axis=0)[:4] for name in ("mean", "std")
    )
    assert np.allclose(first[-2, :4], mean + deviation * noise, rtol=1e-6)


def test_order_of_a_dict_does_not_matter(vectors: Vectors) -> None:
    """The same indices result in the same bits for any order of the dict."""
    word_index = {word: i for i, word in enumerate(WORDS)}
    backwards = dict(reversed(word_index.items()))
    for oov in ("normal", "mean", lambda words, dim: np.random.default_rng(0).normal(size=(len(words), dim))):
        one, other = (
            embedhub.embedding_matrix(vectors, None, index, oov=oov).matrix
            for index in (word_index, backwards)
        )
        assert one.tobytes() == other.tobytes()


def test_global_random_state_is_not_used(vectors: Vectors) -> None:
    """Drawing neither depends on nor changes the random state of numpy and Python."""
    np.random.seed(3)  # noqa: NPY002 - the global state is the point
    random.seed(3)
    before = (np.random.get_state()[1].tobytes(), random.getstate())  # type: ignore[index]  # noqa: NPY002 - the same
    first = matrix_of(vectors, WORDS, oov="normal")
    assert (np.random.get_state()[1].tobytes(), random.getstate()) == before  # type: ignore[index]  # noqa: NPY002 - the same
    np.random.seed(4)  # noqa: NPY002 - the same
    assert (matrix_of(vectors, WORDS, oov="normal") == first).all()


def test_oov_buckets_have_different_noise(vectors: Vectors) -> None:
    """The OOV indices of a StringLookup have different vectors."""
    keras = pytest.importorskip("keras")
    layer = keras.layers.StringLookup(vocabulary=KNOWN, num_oov_indices=3)
    drawn = embedhub.embedding_matrix(vectors, None, layer, oov="normal").matrix[:3]
    assert len(np.unique(drawn, axis=0)) == 3


def test_mean_is_that_of_the_found_vectors(vectors: Vectors) -> None:
    """With "mean", missing words get the mean of all vectors found, also by fallbacks."""
    words = [*KNOWN[3:11], "W11", "w3-w5"]
    matrix = matrix_of(vectors, [*words, "qwxz", "[UNK]"], oov="mean", fallbacks=("lower", "hyphen"))
    found: list[Any] = [*vectors.matrix[3:12], (vectors["w3"] + vectors["w5"]) / 2]
    assert np.allclose(matrix[-2:], np.stack(found).mean(axis=0), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("words", [["w3"], ["w3"] * 20, KNOWN[:9]], ids=["one", "repeated", "nine"])
def test_too_few_found_words_leave_the_statistics_to_the_source(words: list[str], vectors: Vectors) -> None:
    """Noise has the scale of the source, and no missing word gets a copy of a found word's vector."""
    missing = [f"qwxz{i}" for i in range(15)]
    with pytest.warns(
        CoverageWarning, match="oov='normal': .* too few .* first words of tiny 200d were used"
    ):
        drawn = matrix_of(vectors, [*words, *missing], oov="normal")[len(words) :]
    deviation = vectors.matrix.std(axis=0)
    assert abs((drawn.std(axis=0) / deviation).mean() - 1) < 0.1


@pytest.mark.parametrize("oov", ["normal", "mean"])
def test_normal_and_mean_need_a_found_word(oov: str, vectors: Vectors) -> None:
    """If no word was found, there is neither mean nor deviation, and an error says so."""
    with (
        pytest.warns(CoverageWarning),
        pytest.raises(
            VocabularyError, match=f"oov='{oov}' needs the vectors of the words that were found, but"
        ),
    ):
        matrix_of(vectors, ["qwxz"], oov=oov)


def test_policy_may_be_a_vector_or_a_function(vectors: Vectors) -> None:
    """A function receives the words in the order of their indices, and the dimension."""
    assert (matrix_of(vectors, WORDS, oov=np.arange(200))[[1, -2, -1]] == np.arange(200)).all()
    assert (matrix_of(vectors, WORDS, oov=[0.5] * 200)[1] == 0.5).all()

    def digest(words: Any, dim: int) -> Any:
        assert words == ["[UNK]", "qwxz", "zzyx"]
        return [[hashlib.sha256(word.encode()).digest()[0]] * dim for word in words]

    matrix = matrix_of(vectors, WORDS, oov=digest)
    assert matrix.dtype == np.float32
    assert matrix[[1, -2, -1], 0].tolist() == [
        hashlib.sha256(w.encode()).digest()[0] for w in ("[UNK]", "qwxz", "zzyx")
    ]
    assert not matrix_of(vectors, ["w1", "w2"], oov=digest).any(axis=1).sum() - 2


@pytest.mark.parametrize(
    ("oov", "words"),
    [
        ("random", "oov is 'random'; expected 'zeros', 'normal', 'mean', 'subword', a vector, or a function"),
        (np.zeros(3), "oov= has shape (3,) and dtype float64; expected (200,) and float32"),
        (np.zeros((1, 200)), "oov= has shape (1, 200)"),
        (["a"] * 200, "oov= has shape (200,) and dtype <U1"),
        (None, "oov is None; expected 'zeros', 'normal', 'mean', 'subword', a vector, or a function"),
        (0, "oov is 0; expected 'zeros', 'normal'"),
        ([[0.0], [0.0, 1.0]], "oov= cannot be an array"),
        (np.full(200, np.nan), "oov= has a number that is not finite in float32"),
        (np.full(200, 1e39), "oov= has a number that is not finite in float32"),
        (lambda _, dim: np.zeros((1, dim)), "The function <lambda> of oov= has shape (1, 200)"),
        (
            lambda _, dim: np.zeros((3, dim), complex),
            "and dtype complex128; expected (3, 200) and float32",
        ),
        (
            lambda _, dim: np.full((3, dim), np.inf),
            "The function <lambda> of oov= has a number that is not",
        ),
        (
            "subword",
            "oov='subword' needs a source that composes vectors for unseen words, and tiny 200d does not",
        ),
    ],
)
def test_invalid_policy_is_rejected(oov: Any, words: str, vectors: Vectors) -> None:
    """The error shows the expected names or the expected shape."""
    with pytest.raises(ValueError, match=re.escape(words)):
        matrix_of(vectors, WORDS, oov=oov)


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, "1", None, True])
def test_invalid_seed_is_rejected(seed: Any, vectors: Vectors) -> None:
    """A seed is an unsigned integer of 64 bits."""
    with pytest.raises(ValueError, match=re.escape(f"seed is {seed!r}; expected an integer from 0")):
        matrix_of(vectors, WORDS, oov="normal", seed=seed)


def test_misspelled_policy_is_rejected_before_a_download() -> None:
    """Arguments are checked before the source is loaded."""
    with pytest.raises(ValueError, match="oov is 'zero'; expected 'zeros'"):
        embedhub.embedding_matrix("glove-6b", 50, ["the"], oov="zero")  # type: ignore[arg-type]  # the point


def test_subword_policy_composes_missing_words(make_vectors: Callable[..., Vectors]) -> None:
    """With "subword", a missing word has the vector that the source composes."""
    vectors = make_vectors(["w1", "w2"], dim=3)
    vectors.composer = Subwords(np.full((5, 3), 4, np.float32), min_n=3, max_n=3)
    matrix = matrix_of(vectors, ["", "w2", "qwxz"], oov="subword")
    assert matrix.tolist() == [[0, 0, 0], vectors["w2"].tolist(), [4, 4, 4]]


SOURCE = [
    "the", "The", "café", "cafe", "rock", "roll", "a b", "\udcff", "\u0085", "x\x00", "##", "a##", "Ünïx",
    "ß", "ǆ", "[PAD]", "[UNK]", "", "-", "#", "i̇",
]  # fmt: skip
CHAINS = st.lists(
    st.sampled_from(["lower", "unaccent", "title", "digits", "hyphen"]), max_size=5, unique=True
)
ANY_WORD = (
    st.sampled_from([*SOURCE, "CAFÉ", "THE", "Rock-Roll", "rock-cafe", "A12", "77", "<pad>", "İ", "ǅ"])
    | st.text(st.characters() | st.characters(categories=["Cs"]) | st.sampled_from("-#1é\x00"), max_size=6)
    | st.lists(st.sampled_from(SOURCE), max_size=3).map("-".join)
).filter(lambda word: word not in {"[CLS]", "[SEP]", "[MASK]"})  # which are not counted
VOCABULARIES = st.lists(ANY_WORD, min_size=1, max_size=12) | st.dictionaries(
    ANY_WORD, st.integers(0, 60), min_size=1, max_size=12
).filter(lambda index: len({*index.values()}) == len(index))


@pytest.fixture(scope="module")
def unusual_vectors(make_vectors: Callable[..., Vectors]) -> Vectors:
    """Return vectors of unusual words."""
    return make_vectors(SOURCE, dim=3)


def reference_vector(vectors: Vectors, word: str, chain: list[str]) -> Any:
    """Return the vector of a word by a simple, slow search, or None."""
    known = dict(zip(SOURCE, vectors.matrix, strict=True))
    if word in known:
        return known[word]
    forms = [word]
    for name in chain:
        made = []
        for form in forms:
            if name == "hyphen":
                if (
                    "-" in form
                    and all(part in known for part in form.split("-"))
                    and "" not in form.split("-")
                ):
                    return np.mean([known[part] for part in form.split("-")], axis=0, dtype=np.float64)
                continue
            if name == "unaccent":
                letters = [c for c in unicodedata.normalize("NFD", form) if not 0x300 <= ord(c) < 0x370]
                new = unicodedata.normalize("NFC", "".join(letters))
            elif name == "digits":
                new = re.sub("[0-9]", "#", form) if re.search("[0-9]{2}", form) else form
            else:
                new = getattr(form, name)()
            if new in known:
                return known[new]
            made.append(new)
        forms += made
    return None


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::embedhub.errors.CoverageWarning")
@settings(max_examples=300)
@given(
    VOCABULARIES, CHAINS, st.sampled_from(["zeros", "normal", "mean", "row", "function"]), st.integers(0, 9)
)
def test_every_row_equals_a_simple_reference(
    unusual_vectors: Vectors, vocabulary: Any, chain: list[str], policy: Any, seed: int
) -> None:
    """Row i is the vector of the word at i, that of a fallback, that of the policy, or zeros for padding."""
    index = vocabulary if isinstance(vocabulary, dict) else None
    pairs = [*index.items()] if index else [(word, i) for i, word in enumerate(vocabulary)]
    words = {i: word for word, i in pairs if word not in {"", "[PAD]", "<pad>", "[UNK]"}}
    assume(words)
    rows = {i: reference_vector(unusual_vectors, word, chain) for i, word in words.items()}
    found = sorted(i for i in rows if rows[i] is not None)
    expected = np.zeros((max(i for _, i in pairs) + 1, 3))
    for i in found:
        expected[i] = rows[i]
    needy = [(i, word) for word, i in pairs if word == "[UNK]" or (i in rows and rows[i] is None)]
    if policy in {"normal", "mean"} and needy and not found:
        with pytest.raises(VocabularyError, match="needs the vectors of the words that were found"):
            embedhub.embedding_matrix(unusual_vectors, None, vocabulary, oov=policy, fallbacks=chain)
        return
    if policy == "zeros" and not found and all(len(word.split()) > 1 for word in words.values()):
        with pytest.raises(VocabularyError, match="they may be texts"):
            embedhub.embedding_matrix(unusual_vectors, None, vocabulary, oov=policy, fallbacks=chain)
        return
    known: Any = expected[found]
    if policy == "normal" and len({words[i] for i in found}) < 10:
        known = unusual_vectors.matrix.astype(np.float64)
    for i, word in needy:
        if policy in {"normal", "mean"}:
            expected[i] = known.mean(axis=0)
        if policy == "normal":
            key = [seed, xxhash.xxh3_64_intdigest(word.encode("utf-8", "surrogatepass"))]
            generator = np.random.Generator(np.random.Philox(key=np.array(key, np.uint64)))
            expected[i] += known.std(axis=0) * generator.standard_normal(3)
        elif policy == "row":
            expected[i] = [1, 2, 3]
        elif policy == "function":
            expected[i] = len(word)
    oov: Any = {
        "row": [1, 2, 3],
        "function": lambda asked, dim: np.array([[len(word)] * dim for word in asked]),
    }.get(policy, policy)
    result = embedhub.embedding_matrix(unusual_vectors, None, vocabulary, oov=oov, fallbacks=chain, seed=seed)
    exact = [i for i in words if words[i] in SOURCE]
    assert result.matrix.shape == expected.shape
    assert (result.matrix[exact] == expected[exact].astype(np.float32)).all()
    assert np.allclose(result.matrix, expected, rtol=1e-5, atol=1e-6)
    assert np.flatnonzero(result.found).tolist() == found
    assert [*result.coverage.missing] == [words[i] for i in sorted(words) if i not in found]
    assert result.coverage.total == len(words)
    layer = embedhub.keras_embedding(unusual_vectors, None, vocabulary, oov=oov, fallbacks=chain, seed=seed)
    assert np.array_equal(layer.get_weights()[0], result.matrix)
