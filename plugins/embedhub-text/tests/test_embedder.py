"""`TextEmbedder`: poolings, unusual texts, batches, pickling, shared memory."""

import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import embedhub_text
import numpy as np
import pytest
from children import PATIENCE
from embedhub_text import TextEmbedder
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from real_files import REAL_DATA
from sharing import whole_matrix
from tokenizers import Tokenizer, models, pre_tokenizers

import embedhub
from embedhub import RemoteFile, RemoteSource, Vectors, VocabularyError
from embedhub._names import folder_name
from embedhub.errors import DimNotFoundError, SourceNotFoundError, StoreError
from embedhub.matrix.tokenizers import TOKENIZERS, splits_at_spaces, treebank_tokenize

WORDS = ["the", "rain", "fell", "on", "music", "well", "made", "."]
TEXTS = st.lists(
    st.lists(st.sampled_from([*WORDS, "The", "well-made", "qwxz", "zz"]), max_size=9), max_size=9
)
FIT = [["the", "rain", "fell"], ["the", "The", "music"], ["rain", "rain", "qwxz"], []]


@pytest.fixture(scope="module")
def vectors(make_vectors: Callable[..., Vectors]) -> Vectors:
    """Return vectors of eight words, in descending order of their frequency."""
    return make_vectors(WORDS, dim=5, fallbacks=("lower",))


def expected_mean(vectors: Vectors, text: list[str], weigh: Callable[[str], float]) -> NDArray[np.float64]:
    """Return the mean of the known words' weighted vectors, computed word by word."""
    known = [word.lower() for word in text if word.lower() in vectors]
    weighted = [vectors[word].astype(np.float64) * weigh(word) for word in known]
    return np.mean(weighted, axis=0) if weighted else np.zeros(vectors.dim)


@settings(deadline=None)
@given(TEXTS)
def test_mean_is_the_mean_of_the_known_words(vectors: Vectors, texts: list[list[str]]) -> None:
    """OOV words are skipped, fallbacks apply, and a text of unknown words is zeros."""
    pooled = TextEmbedder(vectors)(texts)
    assert pooled.dtype == np.float32
    assert pooled.shape == (len(texts), 5)
    for vector, text in zip(pooled, texts, strict=True):
        assert (vector == expected_mean(vectors, text, lambda _: 1.0).astype(np.float32)).all()


@settings(deadline=None)
@given(TEXTS)
def test_max_is_the_largest_number_of_each_column(vectors: Vectors, texts: list[list[str]]) -> None:
    """Each column is the maximum over the known words' vectors."""
    for vector, text in zip(TextEmbedder(vectors, pooling="max")(texts), texts, strict=True):
        known = [vectors[word.lower()] for word in text if word.lower() in vectors]
        assert (vector == (np.max(known, axis=0) if known else np.zeros(5))).all()


def test_max_of_a_long_text_counts_all_its_words(vectors: Vectors) -> None:
    """The words of a text of any length count, with shorter texts in the same batch."""
    texts = [["rain"], ["the"] * 2000 + ["music", "qwxz"] * 2, [], ["on", "fell"] * 400]
    pooled = TextEmbedder(vectors, pooling="max")(texts)
    expected = [["rain"], ["the", "music"], ["on", "fell"]]
    for vector, words in zip(pooled[[0, 1, 3]], expected, strict=True):
        assert (vector == vectors.lookup(words).max(axis=0)).all()
    assert not pooled[2].any()


@pytest.mark.slow
@settings(deadline=None)
@given(TEXTS)
def test_sif_without_fit_follows_zipfs_law(vectors: Vectors, texts: list[list[str]]) -> None:
    """Without texts to fit, the frequency of a word follows from its rank in the source."""
    harmonic = sum(1 / rank for rank in range(1, len(WORDS) + 1))

    def weigh(word: str) -> float:
        return 1e-3 / (1e-3 + 1 / (harmonic * (WORDS.index(word) + 1)))

    pooled = TextEmbedder(vectors, pooling="sif")(texts)
    for vector, text in zip(pooled, texts, strict=True):
        np.testing.assert_allclose(vector, expected_mean(vectors, text, weigh), rtol=1e-6, atol=1e-9)


def test_fitted_sif_is_that_of_the_paper(vectors: Vectors) -> None:
    """Weights follow relative frequencies, and the first singular vector is removed from each text."""
    counts = {"the": 3, "rain": 3, "fell": 1, "music": 1}

    def weigh(word: str) -> float:
        return 1e-3 / (1e-3 + counts.get(word, 0) / 9)

    means = np.array([expected_mean(vectors, text, weigh) for text in FIT])
    component = np.linalg.svd(means.astype(np.float32))[2][0]
    embed = TextEmbedder(vectors, pooling="sif").fit(FIT)
    texts = [*FIT, ["on", "music"]]
    expected = np.array([expected_mean(vectors, text, weigh) for text in texts])
    expected -= np.outer(expected @ component, component)
    np.testing.assert_allclose(embed(texts), expected, atol=1e-5 * np.abs(expected).max())


def test_idf_weights_follow_document_frequencies(vectors: Vectors) -> None:
    """The mean is over the weights ln((1 + texts) / (1 + texts with the word)) + 1."""
    weights = {"the": np.log(5 / 3) + 1, "rain": np.log(5 / 3) + 1, "on": np.log(5) + 1}
    embed = TextEmbedder(vectors, pooling="idf").fit(FIT)
    weighted = [vectors[word] * weight for word, weight in weights.items()]
    expected = np.sum(weighted, axis=0) / sum(weights.values())
    np.testing.assert_allclose(embed([["on", "The", "rain", "qwxz"]])[0], expected, rtol=1e-6)


def test_second_fit_replaces_the_first(vectors: Vectors) -> None:
    """An embedder that is fitted again embeds like one that was fitted once."""
    embed = TextEmbedder(vectors, pooling="idf").fit([["the"]])
    embed(FIT)
    expected = TextEmbedder(vectors, pooling="idf").fit(FIT)
    assert (embed.fit(FIT)(FIT) == expected(FIT)).all()
    assert embed.weights == expected.weights


def test_no_pooling_returns_all_vectors_padded(vectors: Vectors) -> None:
    """The vectors of all known words are in their order, followed by zeros whose mask is False."""
    texts = [["rain", "qwxz", "music"], [], ["on"]]
    padded = TextEmbedder(vectors, pooling=None)(texts)
    assert padded.vectors.dtype == np.float32
    assert (padded.vectors[0] == vectors.lookup(["rain", "music"])).all()
    assert padded.mask.tolist() == [[True, True], [False, False], [True, False]]
    assert not padded.vectors[~padded.mask].any()
    short = TextEmbedder(vectors, pooling=None, input_length=1)(texts)
    assert (short.vectors == padded.vectors[:, :1]).all()
    wide = TextEmbedder(vectors, pooling=None, input_length=4, oov="zeros")(texts)
    assert wide.vectors.shape == (3, 4, 5)
    assert wide.mask.sum(axis=1).tolist() == [3, 0, 1]
    assert TextEmbedder(vectors, pooling=None)([]).vectors.shape == (0, 0, 5)


@pytest.mark.parametrize("oov", ["zeros", "mean", "normal", "vector", "function"])
def test_oov_words_get_the_vector_of_the_policy(vectors: Vectors, oov: str) -> None:
    """With a policy OOV words count like others; each has the same vector in every batch."""
    policies: dict[str, Any] = {
        "vector": [1, 2, 3, 4, 5],
        "function": lambda words, dim: [[len(word)] * dim for word in words],
    }
    policy = policies.get(oov, oov)
    embed = TextEmbedder(vectors, oov=policy, seed=3)
    texts = [["rain", "qwxz"], ["zz", "rain"], ["qwxz"]]
    pooled = embed(texts)
    oov_vector = 2 * pooled[0].astype(np.float64) - vectors["rain"]
    expected = embedhub.embedding_matrix(vectors, None, [*WORDS, "qwxz"], oov=policy, seed=3)
    np.testing.assert_allclose(oov_vector, expected.matrix[-1], atol=1e-6)
    np.testing.assert_allclose(pooled[2], expected.matrix[-1], atol=1e-6)
    assert (np.concatenate([embed([text]) for text in texts]) == pooled).all()
    assert embed.stats.unknown == 2


def test_fallbacks_option_replaces_those_of_the_source(vectors: Vectors) -> None:
    """A chain of fallbacks replaces the source's; a word that is split has the mean of its parts."""
    pooled = TextEmbedder(vectors, fallbacks=("hyphen",))([["well-made"], ["Rain"]])
    np.testing.assert_allclose(pooled[0], vectors.lookup(["well", "made"]).mean(axis=0), rtol=1e-6)
    assert not pooled[1].any()


def test_unusual_texts_have_a_defined_vector(vectors: Vectors) -> None:
    """Bytes are UTF-8, None and NaN have no words, and all words of a long text count."""
    import pandas as pd

    embed = TextEmbedder(vectors)
    texts = [b"rain", np.str_("rain"), ("rain",), np.array(["rain"]), "rain \ud800", b"rain \xff", "Rain"]
    assert (embed(texts) == vectors["rain"]).all()
    empty = ["", " \n", None, float("nan"), np.nan, pd.NA, [], b"", b" "]
    embed = TextEmbedder(vectors)
    assert not embed(empty).any()
    assert embed.stats == embedhub_text.embedder.TextStats(texts=9, empty=9)
    assert not embed(["qwxz zz", "qwxz"]).any()
    assert (embed.stats.unknown, embed.stats.tokens, embed.stats.tokens_found) == (2, 3, 0)
    long = embed(["rain " * 300_000 + "music", "x" * 1_000_000, "." * 100_000])
    exact = (vectors["rain"].astype(np.float64) * 300_000 + vectors["music"]) / 300_001
    np.testing.assert_allclose(long[0], exact, rtol=1e-6)
    assert (long[2] == vectors["."]).all()


def test_input_that_is_not_a_list_of_texts_is_refused(vectors: Vectors) -> None:
    """One text, a number, a table and a word that is not a string raise errors that name what is expected."""
    import pandas as pd
    import pyarrow as pa

    embed = TextEmbedder(vectors)
    for one in ("rain", b"rain", 7):
        with pytest.raises(TypeError, match="expected a list of texts, got"):
            embed(one)  # type: ignore[arg-type]  # the point
    columns = {"text": ["rain"]}
    for table in (columns, pd.DataFrame(columns), pa.table(columns)):
        with pytest.raises(TypeError, match=r"got a table of type .*; pass a column"):
            embed(table)
    with pytest.raises(TypeError, match="text 1 is 7 of type int; expected str, bytes of UTF-8, None"):
        embed(["rain", 7])
    with pytest.raises(TypeError, match="expected words of type str, got 7"):
        embed([["rain", 7]])
    assert (embed(["rain"]) == vectors["rain"]).all()  # the failed calls have left nothing behind


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pooling": "median"}, "pooling is 'median'; expected one of 'mean', 'max', 'sif', 'idf', None"),
        ({"input_length": 3}, "input_length is 3; expected 1 or more, and only with pooling=None"),
        ({"pooling": None, "input_length": 0}, "input_length is 0"),
        ({"weights": "x"}, "only pooling='sif' and 'idf' use fitted weights"),
        ({"tokenize": "letters"}, "tokenize is 'letters'"),
        ({"fallbacks": ("upper",)}, "fallbacks has 'upper'"),
        ({"oov": "ones"}, "oov is 'ones'"),
    ],
)
def test_invalid_option_is_refused_before_anything_is_opened(options: dict[str, Any], message: str) -> None:
    """An invalid option raises where the embedder is made."""
    with pytest.raises(ValueError, match=message):
        TextEmbedder("wordnet-ppmi", 25, **options)


def test_unknown_source_is_refused_where_the_embedder_is_made() -> None:
    """An unknown name or dimension raises in this process, not on a worker."""
    with pytest.raises(SourceNotFoundError, match="wordnet-pmi"):
        TextEmbedder("wordnet-pmi", 25)
    with pytest.raises(DimNotFoundError, match="26"):
        TextEmbedder("wordnet-ppmi", 26)


def test_weights_that_are_missing_or_impossible_are_named() -> None:
    """Without weights pooling "idf" names `fit`; with "mean", `fit` names the poolings that have weights."""
    with pytest.raises(ValueError, match=r"call fit\(texts\) first"):
        TextEmbedder("wordnet-ppmi", 25, pooling="idf")(["rain"])
    with pytest.raises(ValueError, match="pooling='mean' has no weights to fit"):
        TextEmbedder("wordnet-ppmi", 25).fit(["rain"])


@settings(deadline=None)  # the first text of a process waits for patterns to be compiled
@given(st.lists(st.text(alphabet="ab'nt-.1, \u2019\u00e9\u3000\x1c\nAU_#")))
def test_words_of_a_text_are_those_of_its_pieces(texts: list[str]) -> None:
    """A tokenizer that splits at spaces finds the same words in a text and in its pieces between spaces."""
    for name in filter(splits_at_spaces, TOKENIZERS):
        tokenize = TOKENIZERS[name]
        for text in texts:
            assert tokenize(text) == [word for piece in text.split() for word in tokenize(piece)]


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(st.text(alphabet="tharinfelomusc.' -QN")), st.integers(1, 5))
def test_vector_depends_on_its_text_alone(vectors: Vectors, texts: list[str], size: int) -> None:
    """Every division into batches, and every way to tokenize the same words, gives the same bits."""
    for pooling in ("mean", "max", "sif"):
        whole = TextEmbedder(vectors, pooling=pooling)(texts)
        embed = TextEmbedder(vectors, pooling=pooling)
        parts = [embed(texts[i : i + size]) for i in range(0, len(texts), size)]
        assert (np.concatenate([np.zeros((0, 5), np.float32), *parts]) == whole).all()
        tokenized = [treebank_tokenize(text) for text in texts]
        assert (TextEmbedder(vectors, pooling=pooling)(tokenized) == whole).all()
        by_text = TextEmbedder(vectors, pooling=pooling, tokenize=treebank_tokenize)
        assert (by_text(texts) == whole).all()


def test_mean_adds_in_the_order_of_the_words(vectors: Vectors) -> None:
    """The sum is float64, one word after the other: the bits of the same sum in Python."""
    words = np.random.default_rng(1).choice(WORDS, 1000).tolist()
    fitted = [[word] for word in WORDS for _ in range(WORDS.index(word) + 1)]
    embed = TextEmbedder(vectors, pooling="idf").fit(fitted)
    weights = {word: np.log((1 + len(fitted)) / (1 + WORDS.index(word) + 1)) + 1 for word in WORDS}
    total, divisor = np.zeros(5), 0.0
    for word in words:
        total += weights[word] * vectors[word].astype(np.float64)
        divisor += weights[word]
    assert (embed([words])[0] == (total / divisor).astype(np.float32)).all()


@pytest.mark.slow
def test_cached_words_are_bounded_and_change_no_vector(vectors: Vectors) -> None:
    """After 65,536 distinct words the cache is cleared: memory stops growing, and vectors stay the same."""
    embed = TextEmbedder(vectors)

    def embed_many(start: int) -> None:
        for first in range(start, start + 100_000, 10_000):
            embed([f"rain w{number}" for number in range(first, first + 10_000)])

    embed_many(0)
    tracemalloc.start()
    try:
        embed_many(100_000)
        earlier = tracemalloc.get_traced_memory()[1]
        embed_many(200_000)
        embed_many(300_000)
        assert tracemalloc.get_traced_memory()[1] < 1.2 * earlier
    finally:
        tracemalloc.stop()
    assert (embed(["music rain", "qwxz"]) == TextEmbedder(vectors)(["music rain", "qwxz"])).all()


def test_threads_may_share_an_embedder(vectors: Vectors) -> None:
    """Threads that embed different words at the same time get correct vectors, and counts add up."""
    embed = TextEmbedder(vectors, oov="normal")
    batches = [[f"rain w{i}-{j} music" for j in range(300)] for i in range(16)]
    expected = [TextEmbedder(vectors, oov="normal")(batch) for batch in batches]
    pooled: dict[int, Any] = {}
    threads = [
        threading.Thread(target=lambda i=i: pooled.update({i: embed(batches[i])}))
        for i in range(len(batches))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert all((pooled[i] == expected[i]).all() for i in range(len(batches)))
    assert embed.stats.texts == 16 * 300


def test_columns_of_every_package_are_accepted(vectors: Vectors) -> None:
    """Lists, generators, arrays, series and Arrow columns with missing values give the same vectors."""
    import pandas as pd
    import pyarrow as pa

    pl = pytest.importorskip("polars")
    texts = ["rain music", None, "the"]
    embed = TextEmbedder(vectors)
    expected = embed(texts)
    for column in (
        tuple(texts),
        iter(texts),
        np.array(texts, object),
        pd.Series(texts),
        pd.Series(texts, dtype="string"),
        pd.array(texts, dtype="string"),
        pa.array(texts),
        pa.chunked_array([texts[:1], texts[1:]]),
        pl.Series(texts),
        np.array(texts, object)[:, None],
    ):
        assert (embed(column) == expected).all()
    assert (embed(pa.array([["rain", "music"], None, ["the"]])) == expected).all()


def unpickle_and_run(pickled: bytes, code: str, **environment: str) -> str:
    """Run code in a new process, where ``embed`` is the unpickled object; return what it prints."""
    script = f"import pickle, embedhub, numpy as np\nembed = pickle.loads({pickled!r})\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
        timeout=PATIENCE,
    )
    return done.stdout + done.stderr


def test_pickled_embedder_holds_the_name_and_not_the_matrix(glove_20k: Vectors) -> None:
    """Pickled vectors and embedders of 20,000 words take under 1 KB, opened or not, with their options."""
    embed = TextEmbedder("glove-6b-20k", 50, pooling="sif", oov="normal", fallbacks=("lower", "hyphen"))
    assert len(pickle.dumps(embed)) < 1000
    embed(["rain"])
    for value in (embed, glove_20k, TextEmbedder(glove_20k)):
        assert len(pickle.dumps(value)) < 1000
    again = pickle.loads(pickle.dumps(embed))  # noqa: S301 - our own
    assert (again.oov, again.fallbacks, again.pooling) == ("normal", ("lower", "hyphen"), "sif")
    assert (again(["the rain qwxz"]) == embed(["the rain qwxz"])).all()


@pytest.mark.slow
def test_fitted_weights_are_pickled_as_a_path(tmp_path: Path) -> None:
    """A fitted embedder takes under 1 KB; with its folder in the cache a machine gets the same vectors."""
    embed = TextEmbedder("wordnet-ppmi", 25, pooling="sif").fit(["the rain", "music"], tmp_path / "here")
    pickled = pickle.dumps(embed)
    assert len(pickled) < 1000
    assert embed.weights is not None
    code = "print(embed(['the rain fell']).tobytes().hex())"
    expected = embed(["the rain fell"]).tobytes().hex()
    assert unpickle_and_run(pickled, code).strip() == expected
    other = tmp_path / "other" / "weights"
    other.mkdir(parents=True)
    embed.weights.rename(other / embed.weights.name)
    assert "use a folder on shared storage" in unpickle_and_run(pickled, code)
    assert unpickle_and_run(pickled, code, EMBEDHUB_CACHE=str(other.parent)).strip() == expected


def test_fitted_weights_are_only_for_their_vectors(tmp_path: Path, vectors: Vectors) -> None:
    """Weights for other vectors or another pooling are refused."""
    weights = TextEmbedder(vectors, pooling="idf").fit(["the rain"], folder=tmp_path).weights
    for embed in (
        TextEmbedder("wordnet-ppmi", 25, pooling="idf", weights=weights),
        TextEmbedder(vectors, pooling="sif", weights=weights),
    ):
        with pytest.raises(StoreError, match=r"the weights were fitted for|the fitted weights are damaged"):
            embed(["rain"])


@pytest.mark.parametrize("name", ["manifest.json", "weights.npy", "common_component.npy"])
def test_damaged_weights_are_refused(name: str, tmp_path: Path, vectors: Vectors) -> None:
    """Weights of which a file is cut off are an error that names the remedy."""
    weights = TextEmbedder(vectors, pooling="sif").fit(["the rain"], folder=tmp_path).weights
    assert weights is not None
    data = (weights / name).read_bytes()
    (weights / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(StoreError, match=r"the fitted weights are damaged.*Call fit again"):
        TextEmbedder(vectors, pooling="sif", weights=weights)(["rain"])


def test_fit_refuses_texts_without_a_known_word_and_folders_that_cannot_be_made(
    tmp_path: Path, vectors: Vectors
) -> None:
    """Errors of `fit` name the texts, or the folder."""
    with pytest.raises(VocabularyError, match="none of the 1 words of the 2 texts"):
        TextEmbedder(vectors, pooling="idf").fit(["qwxz", None])
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file"):
        TextEmbedder(vectors, pooling="idf").fit(["rain"], folder=tmp_path / "file" / "in")


@pytest.mark.slow
def test_path_is_pickled_with_the_hash_of_its_file(tmp_path: Path) -> None:
    """Vectors of a file are opened where the same file is, and refused where it has other bytes."""
    path = tmp_path / "my.vec"
    path.write_text("2 3\nmusic 0.1 0.2 0.3\nrain 0.4 0.5 0.6\n", "utf-8")
    embed = TextEmbedder(str(path))
    pickled = pickle.dumps(embed)
    assert len(pickled) < 1000
    code = "print(embed(['rain']).tobytes().hex())"
    assert unpickle_and_run(pickled, code).strip() == embed(["rain"]).tobytes().hex()
    path.write_text("2 3\nmusic 0.1 0.2 0.3\nrain 0.4 0.5 0.7\n", "utf-8")
    assert "came from a file with other bytes" in unpickle_and_run(pickled, code)


def test_registered_source_is_pickled_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registered source is found where it is registered too; an unregistered one cannot be pickled."""
    (tmp_path / "mirror" / "example.org").mkdir(parents=True)
    (tmp_path / "mirror" / "example.org" / "a.txt").write_text("rain 1 2\nmusic 3 4\n", "utf-8")
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path / "mirror"))
    file = RemoteFile(url="https://example.org/a.txt", format="glove")
    metadata: Any = dict.fromkeys(("description", "language", "license", "citation", "homepage"), "")
    source = RemoteSource(name="by-hand-texts", files={2: (file,)}, cased=True, **metadata)
    with pytest.raises(TypeError, match="its source is not registered"):
        pickle.dumps(TextEmbedder(source))
    embedhub.register(source)
    pickled = pickle.dumps(TextEmbedder(source))
    assert len(pickled) < 1000
    assert "No source is named 'by-hand-texts'" in unpickle_and_run(pickled, "")


@pytest.mark.linux
def test_processes_map_one_matrix(cache: Path) -> None:
    """Processes that share an empty cache build one store, and map its matrix without a copy of any page."""
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(2), context.Queue()
    embed = TextEmbedder("wordnet-ppmi", 100, pooling=None)
    workers = [context.Process(target=whole_matrix, args=(embed, barrier, results)) for _ in range(2)]
    try:
        for worker in workers:
            worker.start()
        reports = [results.get(timeout=PATIENCE) for _ in workers]
        for worker in workers:
            worker.join(PATIENCE)
    finally:
        for worker in workers:
            worker.kill()
            worker.join(PATIENCE)
    assert len(list((cache / "vectors" / folder_name("wordnet-ppmi")).iterdir())) == 1
    (first, digest), (second, other_digest) = reports
    assert digest == other_digest
    (mapping,) = first
    assert second == first  # the same pages of the same file
    assert mapping["mode"] == "r--s"
    assert mapping["Size:"] >= embed.vectors.matrix.nbytes
    assert mapping["Private_Dirty:"] == mapping["Anonymous:"] == 0


def test_tensors_of_strings_are_texts(vectors: Vectors) -> None:
    """Tensors of one dimension or one column, and ragged ones of words, are texts."""
    import tensorflow as tf

    texts = ["rain music", "the"]
    expected = TextEmbedder(vectors)(texts)
    for tensor in (
        tf.constant(texts),
        tf.constant(texts)[:, None],
        tf.ragged.constant([["rain", "music"], ["the"]]),
    ):
        assert (TextEmbedder(vectors)(tensor) == expected).all()


@pytest.mark.parametrize("tokenization", ["words", "google-news", "fasttext", "europarl"])
def test_texts_are_tokenized_as_those_of_the_source(
    tokenization: str, make_vectors: Callable[..., Vectors]
) -> None:
    """Without an option the source's tokenizer cuts texts, and an option replaces it."""
    words = ["do", "n't", "don't", "don", "'t", "'", "t", "well-made", "well", "made", "-", "##", "10"]
    vectors = make_vectors(words, tokenization=tokenization)
    text = "don't well-made: 10"
    expected = TextEmbedder(vectors)([TOKENIZERS[tokenization](text)])
    assert (TextEmbedder(vectors)([text]) == expected).all()
    assert (TextEmbedder(vectors, tokenize=TOKENIZERS[tokenization])([text]) == expected).all()
    by_words = TextEmbedder(vectors, tokenize="words")([text])
    assert (by_words == TextEmbedder(vectors)([["do", "n't", "well-made", "10"]])).all()


@pytest.mark.skipif(not (REAL_DATA / "formats").is_dir(), reason="the real data are not here")
def test_texts_of_a_model2vec_model_have_its_own_vectors() -> None:
    """Of token vectors the tokenizer is used, and unknown text is dropped, as model2vec does."""
    model2vec = pytest.importorskip("model2vec")
    folder = REAL_DATA / "formats" / "static" / "model2vec-float32"
    lines = (REAL_DATA / "text" / "sst2" / "dev.tsv").read_text("utf-8").splitlines()
    texts = [line.rpartition("\t")[0] for line in lines]
    texts += ["\U00020000", "rain \U00020000 fell", "[UNK] rain", ""]
    model = model2vec.StaticModel.from_pretrained(folder, normalize=False, force_download=False)
    expected = model.encode(texts, max_length=None)
    embed = TextEmbedder(embedhub.load(folder / "model.safetensors"))
    np.testing.assert_allclose(embed(texts), expected, rtol=1e-6, atol=1e-6)
    assert not embed(["\U00020000"]).any()


def test_tokens_of_a_byte_level_tokenizer_are_words_of_the_source(vectors: Vectors) -> None:
    """The word is looked up without the mark at its start."""
    numbers = {"\u0120": 0, "\u0120rain": 1, "the": 2}
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token="\u0120"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    embed = TextEmbedder(vectors, tokenize=tokenizer)
    assert (embed(["the rain"]) == embed([["the", "rain"]])).all()
    assert embed.stats.tokens_found == embed.stats.tokens
