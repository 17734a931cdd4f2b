"""Texts to rows: poolings, odd texts, what travels, and what a process shares."""

import multiprocessing
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import embedhub_text
import numpy as np
import pytest
from children import PATIENCE
from embedhub_text import TextEmbedder
from embedhub_text import word_cache as lexicon
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sharing import whole_matrix

import embedhub
from embedhub import RemoteFile, RemoteSource, Vectors, VocabularyError
from embedhub.errors import DimNotFoundError, SourceNotFoundError, StoreError
from embedhub.matrix import tokenizers as tokens

WORDS = ["the", "rain", "fell", "on", "music", "well", "made", "."]
TEXTS = st.lists(
    st.lists(st.sampled_from([*WORDS, "The", "well-made", "qwxz", "zz"]), max_size=9), max_size=9
)


@pytest.fixture(scope="module")
def vectors(make_vectors: Callable[..., Vectors]) -> Vectors:
    """Return vectors of eight words, in the order of their frequency."""
    return make_vectors(WORDS, dim=5, fallbacks=("lower",))


def by_hand(vectors: Vectors, text: list[str], weigh: Callable[[str], float]) -> NDArray[np.float64]:
    """Return the mean of the known words' weighted rows, in plain words."""
    found = [word.lower() for word in text if word.lower() in vectors]
    rows = [vectors[word].astype(np.float64) * weigh(word) for word in found]
    return np.mean(rows, axis=0) if rows else np.zeros(vectors.dim)


@settings(deadline=None)  # the first example waits for the compiler
@given(TEXTS)
def test_mean_is_the_mean_of_the_known_words(vectors: Vectors, texts: list[list[str]]) -> None:
    """Missing words are left out, fallbacks apply, and a text of unknown words is zeros."""
    rows = TextEmbedder(vectors)(texts)
    assert rows.dtype == np.float32
    assert rows.shape == (len(texts), 5)
    for row, text in zip(rows, texts, strict=True):
        assert (row == by_hand(vectors, text, lambda _: 1.0).astype(np.float32)).all()


@settings(deadline=None)  # the first example waits for the compiler
@given(TEXTS)
def test_max_is_the_largest_number_of_each_column(vectors: Vectors, texts: list[list[str]]) -> None:
    """Each column has the largest number of the known words' rows."""
    for row, text in zip(TextEmbedder(vectors, pooling="max")(texts), texts, strict=True):
        found = [vectors[word.lower()] for word in text if word.lower() in vectors]
        assert (row == (np.max(found, axis=0) if found else np.zeros(5))).all()


@settings(deadline=None)  # the first example waits for the compiler
@given(TEXTS)
def test_sif_goes_by_the_order_of_the_source(vectors: Vectors, texts: list[list[str]]) -> None:
    """Without texts to learn from, a word's share is that of Zipf's law for its row."""
    harmonic = sum(1 / rank for rank in range(1, len(WORDS) + 1))

    def weigh(word: str) -> float:
        return 1e-3 / (1e-3 + 1 / (harmonic * (WORDS.index(word) + 1)))

    rows = TextEmbedder(vectors, pooling="sif")(texts)
    for row, text in zip(rows, texts, strict=True):
        np.testing.assert_allclose(row, by_hand(vectors, text, weigh), rtol=1e-6, atol=1e-9)


LEARN = [["the", "rain", "fell"], ["the", "The", "music"], ["rain", "rain", "qwxz"], []]


def test_fitted_sif_is_that_of_the_paper(vectors: Vectors) -> None:
    """Weights go by the shares of the tokens, and the first singular vector is taken out of each row."""
    counts = {"the": 3, "rain": 3, "fell": 1, "music": 1}

    def weigh(word: str) -> float:
        return 1e-3 / (1e-3 + counts.get(word, 0) / 9)

    plain = np.array([by_hand(vectors, text, weigh) for text in LEARN])
    common = np.linalg.svd(plain.astype(np.float32))[2][0]
    embed = TextEmbedder(vectors, pooling="sif").fit(LEARN)
    texts = [*LEARN, ["on", "music"]]
    expected = np.array([by_hand(vectors, text, weigh) for text in texts])
    expected -= np.outer(expected @ common, common)
    np.testing.assert_allclose(embed(texts), expected, atol=1e-5 * np.abs(expected).max())


def test_idf_goes_by_the_texts_that_have_a_word(vectors: Vectors) -> None:
    """The mean is over the weights ln((1 + texts) / (1 + texts with the word)) + 1."""
    weights = {"the": np.log(5 / 3) + 1, "rain": np.log(5 / 3) + 1, "on": np.log(5) + 1}
    embed = TextEmbedder(vectors, pooling="idf").fit(LEARN)
    rows = [vectors[word] * weight for word, weight in weights.items()]
    expected = np.sum(rows, axis=0) / sum(weights.values())
    np.testing.assert_allclose(embed([["on", "The", "rain", "qwxz"]])[0], expected, rtol=1e-6)


def test_no_pooling_gives_all_rows_padded(vectors: Vectors) -> None:
    """The rows of all known words stand in their order, zeros and a False mask behind them."""
    texts = [["rain", "qwxz", "music"], [], ["on"]]
    padded = TextEmbedder(vectors, pooling=None)(texts)
    assert padded.vectors.dtype == np.float32
    assert (padded.vectors[0] == vectors.lookup(["rain", "music"])).all()
    assert padded.mask.tolist() == [[True, True], [False, False], [True, False]]
    assert not padded.vectors[~padded.mask].any()
    short = TextEmbedder(vectors, pooling=None, length=1)(texts)
    assert (short.vectors == padded.vectors[:, :1]).all()
    wide = TextEmbedder(vectors, pooling=None, length=4, oov="zeros")(texts)
    assert wide.vectors.shape == (3, 4, 5)
    assert wide.mask.sum(axis=1).tolist() == [3, 0, 1]
    assert TextEmbedder(vectors, pooling=None)([]).vectors.shape == (0, 0, 5)


@pytest.mark.parametrize("oov", ["zeros", "mean", "normal", "row", "function"])
def test_missing_words_get_what_the_policy_says(vectors: Vectors, oov: str) -> None:
    """With a policy missing words count like others: by the source's own moments, and each in any company."""
    policy: Any = {"row": [1, 2, 3, 4, 5], "function": lambda words, dim: [[len(w)] * dim for w in words]}
    embed = TextEmbedder(vectors, oov=policy.get(oov, oov), seed=3)
    asked = [["rain", "qwxz"], ["zz", "rain"], ["qwxz"]]
    rows = embed(asked)
    made = 2 * rows[0].astype(np.float64) - vectors["rain"]
    expected = embedhub.embedding_matrix(vectors, None, [*WORDS, "qwxz"], oov=policy.get(oov, oov), seed=3)
    np.testing.assert_allclose(made, expected.matrix[-1], atol=1e-6)
    np.testing.assert_allclose(rows[2], expected.matrix[-1], atol=1e-6)
    assert (np.concatenate([embed([text]) for text in asked]) == rows).all()
    assert embed.stats.unknown == 2


def test_fallbacks_may_be_given(vectors: Vectors) -> None:
    """A chain of fallbacks takes the place of the source's own, parts of a word have their mean."""
    texts = [["well-made"], ["Rain"]]
    rows = TextEmbedder(vectors, fallbacks=("hyphen",))(texts)
    np.testing.assert_allclose(rows[0], vectors.lookup(["well", "made"]).mean(axis=0), rtol=1e-6)
    assert not rows[1].any()


def test_odd_texts_have_a_defined_row(vectors: Vectors) -> None:
    """Bytes are UTF-8, nothing and not-a-number have no words, a long text is not cut off."""
    import pandas as pd

    embed = TextEmbedder(vectors)
    rain = vectors["rain"]
    odd = [b"rain", np.str_("rain"), ("rain",), np.array(["rain"]), "rain \ud800", b"rain \xff", "Rain"]
    assert (embed(odd) == rain).all()
    nothing = ["", " \n", None, float("nan"), np.nan, pd.NA, [], b"", b" "]
    embed = TextEmbedder(vectors)
    assert not embed(nothing).any()
    assert embed.stats == embedhub_text.embedder.TextStats(texts=9, empty=9)
    assert not embed(["qwxz zz", "qwxz"]).any()
    assert (embed.stats.unknown, embed.stats.tokens, embed.stats.tokens_found) == (2, 3, 0)
    long = embed(["rain " * 300_000 + "music", "x" * 1_000_000, "." * 100_000])
    exact = (vectors["rain"].astype(np.float64) * 300_000 + vectors["music"]) / 300_001
    np.testing.assert_allclose(long[0], exact, rtol=1e-6)
    assert (long[2] == vectors["."]).all()


def test_what_is_no_list_of_texts_is_refused(vectors: Vectors) -> None:
    """One text, a number and a mapping without the column are errors that say what was expected."""
    embed = TextEmbedder(vectors)
    for one in ("rain", b"rain", 7):
        with pytest.raises(TypeError, match="expected a list of texts"):
            embed(one)  # type: ignore[arg-type]  # the point
    with pytest.raises(TypeError, match="text 1 is 7 of type int; expected str, bytes of UTF-8, None"):
        embed(["rain", 7])
    with pytest.raises(TypeError, match="expected words of type str, got 7"):
        embed([["rain", 7]])
    assert (embed(["rain"]) == vectors["rain"]).all()  # what went wrong has left nothing behind
    with pytest.raises(ValueError, match=r"no column 'text'; its columns are 'review'\. column= names"):
        embed({"review": ["rain"]})
    with pytest.raises(ValueError, match="has a column 'vector' already"):
        embed({"text": ["rain"], "vector": [1]})
    with pytest.raises(ValueError, match="pooling=None gives no row"):
        TextEmbedder(vectors, pooling=None)({"text": ["rain"]})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pooling": "median"}, "pooling is 'median'; expected one of 'mean', 'max', 'sif', 'idf', None"),
        ({"length": 3}, "length is 3; expected 1 or more, and that only with pooling=None"),
        ({"pooling": None, "length": 0}, "length is 0"),
        ({"fitted": "x"}, "pooling='mean' learns nothing"),
        ({"tokenize": "letters"}, "tokenize is 'letters'"),
        ({"fallbacks": ("upper",)}, "fallbacks has 'upper'"),
        ({"oov": "ones"}, "oov is 'ones'"),
    ],
)
def test_a_wrong_option_is_heard_at_once(options: dict[str, Any], message: str) -> None:
    """An option that cannot be is refused before anything is opened."""
    with pytest.raises(ValueError, match=message):
        TextEmbedder("wordnet-ppmi", 25, **options)


def test_a_wrong_source_is_heard_at_once() -> None:
    """A name or dim that is not there is refused where the embedder is made, not on some worker."""
    with pytest.raises(SourceNotFoundError, match="wordnet-pmi"):
        TextEmbedder("wordnet-pmi", 25)
    with pytest.raises(DimNotFoundError, match="no dim 26"):
        TextEmbedder("wordnet-ppmi", 26)
    with pytest.raises(ValueError, match=r"call fit\(texts\) first"):
        TextEmbedder("wordnet-ppmi", 25, pooling="idf")(["rain"])
    with pytest.raises(ValueError, match="learns nothing from texts"):
        TextEmbedder("wordnet-ppmi", 25).fit(["rain"])


@given(st.lists(st.text(alphabet="ab'nt-.1, \u2019\u00e9\u3000\x1c\nAU_#")))
def test_pieces_between_blanks_are_cut_as_the_text_is(texts: list[str]) -> None:
    """Under a rule that is said to be piecewise, the words of a text are those of its pieces."""
    for name in filter(tokens.splits_at_spaces, tokens.TOKENIZERS):
        rule = tokens.TOKENIZERS[name]
        assert all(rule(text) == [word for piece in text.split() for word in rule(piece)] for text in texts)


@settings(deadline=None)
@given(st.lists(st.text(alphabet="tharinfelomusc.' -QN")), st.integers(1, 5))
def test_a_row_depends_on_its_text_alone(vectors: Vectors, texts: list[str], size: int) -> None:
    """Any cut into batches, and any way of cutting the texts into words, gives the same bits."""
    for pooling in ("mean", "max", "sif"):
        whole = TextEmbedder(vectors, pooling=pooling)(texts)
        embed = TextEmbedder(vectors, pooling=pooling)
        parts = [embed(texts[i : i + size]) for i in range(0, len(texts), size)]
        assert (np.concatenate([np.zeros((0, 5), np.float32), *parts]) == whole).all()
        cut = [tokens.treebank_tokenize(text) for text in texts]
        assert (TextEmbedder(vectors, pooling=pooling)(cut) == whole).all()
        assert (
            TextEmbedder(vectors, pooling=pooling, tokenize=tokens.treebank_tokenize)(texts) == whole
        ).all()


def test_a_memory_that_is_full_starts_anew(vectors: Vectors, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process remembers of words is bounded, and forgetting changes no row."""
    texts = [f"rain w{i} music-w{i} {WORDS[i % 8]}" for i in range(200)]
    options: dict[str, Any] = {"oov": "normal", "fallbacks": ("hyphen",)}
    expected = TextEmbedder(vectors, **options)(texts)
    monkeypatch.setattr(lexicon, "_MOST", 20)
    embed = TextEmbedder(vectors, **options)
    for i in range(0, 200, 10):
        assert (embed(texts[i : i + 10]) == expected[i : i + 10]).all()
        assert len(embed._lexicon._numbers) <= 50  # type: ignore[union-attr]  # noqa: SLF001 - it is there


def test_columns_of_every_package_are_taken(vectors: Vectors) -> None:
    """Lists, generators, arrays, series and Arrow columns with their missing values give the same rows."""
    import pandas as pd
    import pyarrow as pa

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
    ):
        assert (embed(column) == expected).all()
    assert (embed(pa.array([["rain", "music"], None, ["the"]])) == expected).all()


def test_batches_of_the_engines_have_a_column_more(vectors: Vectors) -> None:
    """Each method takes a batch in an engine's form, and leaves its other columns and index as they are."""
    import pandas as pd

    embed = TextEmbedder(vectors)
    texts = np.array(["rain music", "the"], object)
    expected = embed(texts)
    batch = embed({"at": [4, 5], "text": texts})
    assert batch["at"] == [4, 5]
    assert (batch["vector"] == expected).all()
    assert (embed({"review": texts}, column="review", out="row")["row"] == expected).all()
    frame = pd.DataFrame({"text": texts, "at": [4, 5]}, index=[7, 7])
    for made in (embed.frame(frame), embed(frame), *embed.pandas("text")(iter([frame]))):
        assert made.index.tolist() == [7, 7]
        assert list(made.columns) == ["text", "at", "vector"]
        assert (np.stack(made["vector"]) == expected).all()
    assert list(embed.frame(frame.iloc[:0]).columns) == ["text", "at", "vector"]
    new = embed.batch("text")({"text": texts})
    assert new.keys() == {"vector"}
    assert (new["vector"] == expected).all()


def test_where_nothing_can_be_written_the_loops_are_compiled_anew() -> None:
    """Numba's refusal to keep machine code, as for a function without a file, stops nobody."""
    from embedhub._numba import jit

    made: dict[str, Any] = {}
    exec("def more(x): return x + 1", made)  # noqa: S102 - a function without a file
    assert jit(made["more"])(1) == 2


def arrives(pickled: bytes, code: str, **environment: str) -> str:
    """Run code in a new process, where ``embed`` is what was pickled; return what it prints."""
    import os

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
    """Pickled vectors and embedders of 20,000 words take under 1 KB, opened or not, as do their methods."""
    embed = TextEmbedder("glove-6b-20k", 50, pooling="sif", oov="normal", fallbacks=("lower", "hyphen"))
    assert len(pickle.dumps(embed)) < 1000
    embed(["rain"])
    assert len(pickle.dumps(glove_20k)) < 1000
    for what in (embed, embed.frame, embed.pandas("text"), embed.batch("text"), TextEmbedder(glove_20k)):
        assert len(pickle.dumps(what)) < 1000
    again = pickle.loads(pickle.dumps(embed))  # noqa: S301 - our own
    assert (again.oov, again.fallbacks, again.pooling) == ("normal", ("lower", "hyphen"), "sif")
    assert (again(["the rain qwxz"]) == embed(["the rain qwxz"])).all()


def test_what_was_learnt_travels_by_its_place(tmp_path: Path) -> None:
    """A fitted embedder takes under 1 KB; on a machine that has its folder in the cache it gives the same."""
    embed = TextEmbedder("wordnet-ppmi", 25, pooling="sif").fit(
        ["the rain", "music"], folder=tmp_path / "here"
    )
    pickled = pickle.dumps(embed)
    assert len(pickled) < 1000
    assert embed.fitted is not None
    code = "print(embed(['the rain fell']).tobytes().hex())"
    expected = embed(["the rain fell"]).tobytes().hex()
    assert arrives(pickled, code).strip() == expected
    away = tmp_path / "away" / "fitted"
    away.mkdir(parents=True)
    embed.fitted.rename(away / embed.fitted.name)
    assert "Only their place travels to other machines" in arrives(pickled, code)
    assert arrives(pickled, code, EMBEDHUB_CACHE=str(away.parent)).strip() == expected


def test_learnt_weights_are_only_for_their_vectors(tmp_path: Path, vectors: Vectors) -> None:
    """Weights for other vectors or another pooling are refused, and so are damaged ones."""
    place = TextEmbedder(vectors, pooling="idf").fit(["the rain"], folder=tmp_path).fitted
    assert place is not None
    assert TextEmbedder(vectors, pooling="idf").fit(["the rain"], folder=tmp_path).fitted == place
    for embed in (
        TextEmbedder("wordnet-ppmi", 25, pooling="idf", fitted=place),
        TextEmbedder(vectors, pooling="sif", fitted=place),
    ):
        with pytest.raises(StoreError, match="these weights were learnt for"):
            embed(["rain"])
    (place / "manifest.json").write_text("{}", "utf-8")
    with pytest.raises(StoreError, match=r"these weights are damaged.*Fit anew"):
        TextEmbedder(vectors, pooling="idf", fitted=place)(["rain"])
    with pytest.raises(VocabularyError, match="none of the 1 words of the 2 texts"):
        TextEmbedder(vectors, pooling="idf").fit(["qwxz", None])
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be made"):
        TextEmbedder(vectors, pooling="idf").fit(["rain"], folder=tmp_path / "file" / "in")


def test_a_path_travels_with_the_hash_of_its_file(tmp_path: Path) -> None:
    """Vectors of a file arrive where the same file is, and are refused where it has other bytes."""
    path = tmp_path / "my.vec"
    path.write_text("2 3\nmusic 0.1 0.2 0.3\nrain 0.4 0.5 0.6\n", "utf-8")
    embed = TextEmbedder(str(path))
    pickled = pickle.dumps(embed)
    assert len(pickled) < 1000
    code = "print(embed(['rain']).tobytes().hex())"
    assert arrives(pickled, code).strip() == embed(["rain"]).tobytes().hex()
    path.write_text("2 3\nmusic 0.1 0.2 0.3\nrain 0.4 0.5 0.7\n", "utf-8")
    assert "came from a file with other bytes" in arrives(pickled, code)


def test_a_source_by_hand_travels_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registered source arrives where it is registered too; one that is not cannot be pickled."""
    (tmp_path / "mirror" / "example.org").mkdir(parents=True)
    (tmp_path / "mirror" / "example.org" / "a.txt").write_text("rain 1 2\nmusic 3 4\n", "utf-8")
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path / "mirror"))
    file = RemoteFile(url="https://example.org/a.txt", format="glove")
    facts: Any = dict.fromkeys(("description", "language", "license", "citation", "homepage"), "")
    source = RemoteSource(name="by-hand-texts", files={2: (file,)}, cased=True, **facts)
    with pytest.raises(TypeError, match="no registered one"):
        pickle.dumps(TextEmbedder(source))
    embedhub.register(source)
    pickled = pickle.dumps(TextEmbedder(source))
    assert len(pickled) < 1000
    assert "No source is named 'by-hand-texts'" in arrives(pickled, "")


@pytest.mark.linux
def test_workers_map_one_matrix(cache: Path) -> None:
    """Processes that share an empty cache build one store, and map its matrix without a copy of any page."""
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(2), context.Queue()
    embed = TextEmbedder("wordnet-ppmi", 100, pooling=None)  # which spares two runs of the compiler
    workers = [context.Process(target=whole_matrix, args=(embed, barrier, results)) for _ in range(2)]
    try:
        for worker in workers:
            worker.start()
        found = [results.get(timeout=PATIENCE) for _ in workers]
        for worker in workers:
            worker.join(PATIENCE)
    finally:
        for worker in workers:
            worker.kill()
            worker.join(PATIENCE)
    assert len(list((cache / "vectors" / "wordnet-ppmi").iterdir())) == 1
    (first, rows), (second, other_rows) = found
    assert rows == other_rows
    (mapping,) = first
    assert second == first  # the same pages of the same file
    assert mapping["mode"] == "r--s"
    assert mapping["Size:"] >= embed.vectors.matrix.nbytes
    assert mapping["Private_Dirty:"] == mapping["Anonymous:"] == 0
