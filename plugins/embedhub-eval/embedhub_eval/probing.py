"""Which vectors help a classifier of the caller's own texts: pooled rows and logistic regression.

Measured on TREC's questions (5,452 x 50, 6 labels): scikit-learn 0.1 s, to the optimum and the same in every
run; a softmax layer in Keras 8 s for 60 epochs, short of it, and with a rate to choose.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from embedhub_text.embedder import TextEmbedder
from numpy.typing import NDArray

from embedhub._progress import progress_bar
from embedhub.errors import DependencyError, VocabularyError
from embedhub.matrix import tokenizers as tokens
from embedhub.matrix.embedding_matrix import coverage
from embedhub.registry.registry import load
from embedhub.vectors.vectors import Vectors
from embedhub.vectors.vocabulary import Vocabulary, encode_all, hash_words
from embedhub_eval.labeled import Labelled, read_labelled
from embedhub_eval.selectors import Choice, choices

LabelledTexts = str | Path | tuple[Sequence[str], Sequence[Any]]
"""A file as `embedhub_eval.labeled.read_labelled` reads it, or texts and their labels."""

RANDOM = "random"

_CONFIDENCE = 0.95
_STEPS = 10_000
_GRADIENT = 1e-6  # at scikit-learn's 1e-4 the way there shows: of 500 texts one falls to another label
_DRAWS = 5  # of random vectors


@dataclass(frozen=True, slots=True)
class Probed:
    """How well labels are predicted from the vectors of one source.

    Example:
        >>> import embedhub, embedhub_eval
        >>> texts = ["heavy rain", "cold snow", "small cat", "old dog"], ["sky", "sky", "pet", "pet"]
        >>> row = embedhub_eval.probe("wordnet-ppmi:25", texts, texts).rows[0]
        >>> row.correct, row.texts, row.accuracy, round(row.low, 3), row.high
        (4, 4, 1.0, 0.51, 1.0)

    Args:
        source: Its name, or ``"random"``.
        dim: Width of a row.
        accuracy: Share of the test texts whose label was predicted right, between 0 and 1.
        low: Lower end of the 95 % interval of the accuracy.
        high: Upper end of it.
        correct: Number of test texts whose label was predicted right.
        texts: Number of test texts.
        token_ratio: Share of the tokens of all texts whose word has a row.
    """

    source: str
    dim: int
    accuracy: float
    low: float
    high: float
    correct: int
    texts: int
    token_ratio: float


@dataclass(frozen=True, slots=True)
class Probe:
    """What a probe has found; `print` shows its rows.

    Example:
        >>> import embedhub, embedhub_eval
        >>> texts = ["heavy rain", "cold snow", "small cat", "old dog"], ["sky", "sky", "pet", "pet"]
        >>> probe = embedhub_eval.probe("wordnet-ppmi:25", texts, texts)
        >>> probe.train, probe.most_frequent
        ('4 texts with 2 labels (pet, sky)', 0.5)
        >>> print(probe)
        wordnet-ppmi 25d: 100.0% (51.0% to 100.0%)
        random 25d: 100.0% (51.0% to 100.0%)

    Args:
        rows: One for each source in the order that was asked for, then random vectors of each dim.
        train: What was read as training texts, in words.
        test: What was read as test texts.
        most_frequent: Accuracy on the test texts of always saying the most frequent label of training.
    """

    rows: tuple[Probed, ...]
    train: str
    test: str
    most_frequent: float

    def __str__(self) -> str:
        return "\n".join(
            f"{row.source} {row.dim}d: {row.accuracy:.1%} ({row.low:.1%} to {row.high:.1%})"
            for row in self.rows
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain dicts, lists, strings and numbers, as JSON has them.

        Example:
            >>> import embedhub, embedhub_eval
            >>> texts = ["heavy rain", "cold snow", "small cat", "old dog"], ["sky", "sky", "pet", "pet"]
            >>> sorted(embedhub_eval.probe("wordnet-ppmi:25", texts, texts).to_dict())
            ['most_frequent', 'rows', 'test', 'train']
        """
        return {
            "rows": [asdict(row) for row in self.rows],
            "train": self.train,
            "test": self.test,
            "most_frequent": self.most_frequent,
        }


def probe(
    sources: Choice | Iterable[Choice],
    train: LabelledTexts,
    test: LabelledTexts,
    *,
    columns: Sequence[str] | None = None,
    tokenize: Any = "words",
    seed: int = 0,
) -> Probe:
    """Tell how well a simple classifier of texts does on the vectors of each source, and on random ones.

    A text is the mean of its words' rows (`embedhub_text.TextEmbedder`). Each column is standardised to
    mean 0 and deviation 1 on the training texts, so that the vectors' lengths do not matter; then comes
    multinomial logistic regression (scikit-learn, L2 penalty with ``C=1``). Nothing is tuned, so that the
    test texts are seen once. Random vectors give each word of the texts, in lower case, a row of standard
    normal numbers: a source that does no better has nothing to say on these texts. They are drawn five
    times for each dim, and the row has the middle result: on TREC's questions a draw may be 5 points off
    their mean.

    The interval is Wilson's (1927, "Probable inference, the law of succession, and statistical inference",
    JASA 22, 209-212), at 95 %. It tells how far the accuracy might be off because these are the test texts
    and no others. All sources are tested on the same texts, so of two whose intervals overlap one may still
    be the better.

    Example:
        >>> import embedhub, embedhub_eval
        >>> train = ["heavy rain", "snow and wind", "a small cat", "my old dog"], ["sky", "sky", "pet", "pet"]
        >>> test = ["a cold storm", "my kitten"], ["sky", "pet"]
        >>> probe = embedhub_eval.probe("wordnet-ppmi:100", train, test)
        >>> [(row.source, row.dim) for row in probe.rows]
        [('wordnet-ppmi', 100), ('random', 100)]
        >>> probe.rows[0].correct
        2

    Args:
        sources: ``"name:dim"``, ``"name"`` where there is one dim, or pairs of a source and its dim; one or
            several. They are fetched where they are not in the cache.
        train: The texts to learn from: a file as `embedhub_eval.labeled.read_labelled` reads it, or a
            pair of texts and labels.
        test: The texts to predict the labels of. A file has the layout of the training file.
        columns: Which columns of the files have the text and the label.
        tokenize: How a text is cut into words; see `embedhub.matrix.tokenizers.get_tokenizer`.
        seed: Of the random vectors.

    Raises:
        DependencyError: scikit-learn is not installed.
        VocabularyError: The training texts have one label only, or the test texts none of theirs.
        FormatError: A file cannot be read as texts with labels.
        ValueError: An argument has not the form described here.
        EmbedhubError: What `embedhub.load` raises.
    """
    try:
        import sklearn  # noqa: F401 - without it nothing else is worth doing
    except ModuleNotFoundError as error:
        raise DependencyError(
            'probe needs scikit-learn, which is not installed: pip install "embedhub-eval[probe]"'
        ) from error
    cut = tokens.get_tokenizer(tokenize)
    asked = choices(sources)
    learned, tested = _read(train, test, columns)
    opened = [load(source, dim) for source, dim in asked]
    dims = dict.fromkeys(vectors.dim for vectors in opened)
    task = _Task(learned, tested, cut)
    with progress_bar("Probing", len(opened) + _DRAWS * len(dims), in_bytes=False) as advance:
        rows = [task.probed(vectors, advance) for vectors in opened]
        for dim in dims:
            draws = [task.probed(_random(task.counts, dim, (seed, draw)), advance) for draw in range(_DRAWS)]
            rows.append(sorted(draws, key=lambda row: row.correct)[_DRAWS // 2])
    ((usual, _),) = Counter(learned.labels).most_common(1)
    return Probe(tuple(rows), str(learned), str(tested), tested.labels.count(usual) / len(tested.labels))


def _read(
    train: LabelledTexts, test: LabelledTexts, columns: Sequence[str] | None
) -> tuple[Labelled, Labelled]:
    learned = _labelled(train, "train", columns, None)
    tested = _labelled(test, "test", columns, learned)
    known = set(learned.labels)
    if len(known) < 2:  # noqa: PLR2004 - there must be a choice
        raise VocabularyError(
            f"All training texts have the label {learned.labels[0]!r}; expected two or more labels."
        )
    if not known & set(tested.labels):
        raise VocabularyError(
            f"No test text has a label of training: {_some(tested.labels)}; expected {_some(learned.labels)}."
        )
    return learned, tested


def _some(labels: list[str]) -> str:
    names = sorted(set(labels))
    return ", ".join(map(repr, names[:5])) + (", ..." if len(names) > 5 else "")  # noqa: PLR2004 - as many


def _labelled(
    given: LabelledTexts, name: str, columns: Sequence[str] | None, like: Labelled | None
) -> Labelled:
    if isinstance(given, (str, Path)):
        layout = like.layout if like is not None else None
        return read_labelled(given, columns=columns, layout=layout)
    texts, labels = map(list, given)
    if not texts or len(texts) != len(labels):
        raise ValueError(
            f"{name} has {len(texts)} texts and {len(labels)} labels; expected as many, and one or more."
        )
    return Labelled(texts, list(map(str, labels)))


def _random(counts: Iterable[str], dim: int, seed: tuple[int, int]) -> Vectors:
    """Return vectors that know every word and nothing about it."""
    words = sorted({word.lower() for word in counts})
    encoded = encode_all(words)
    hashes = hash_words(encoded)
    order = np.argsort(hashes)
    offsets = np.cumsum([0, *map(len, encoded)])
    text = np.frombuffer(b"".join(encoded), np.uint8)
    vocabulary = Vocabulary(text, offsets, hashes[order], order)
    matrix = np.random.default_rng(seed).standard_normal((len(words), dim), np.float32)
    vectors = Vectors(matrix, vocabulary, name=RANDOM)
    vectors.fallbacks = ("lower",)
    return vectors


class _Task:
    """The texts, cut once for all vectors."""

    def __init__(self, learned: Labelled, tested: Labelled, cut: tokens.Tokenize) -> None:
        self._train, self._test = ([cut(text) for text in part.texts] for part in (learned, tested))
        self._labels, self._expected = learned.labels, np.array(tested.labels)
        self.counts = Counter(word for words in self._train + self._test for word in words)

    def probed(self, vectors: Vectors, advance: Callable[[int], None]) -> Probed:
        from scipy.stats import binomtest

        embed = TextEmbedder(vectors, vectors.dim, pooling="mean")
        predicted = _predict(embed(self._train), self._labels, embed(self._test))
        correct, texts = int((predicted == self._expected).sum()), len(self._expected)
        interval = binomtest(correct, texts).proportion_ci(_CONFIDENCE, method="wilson")
        known = coverage(vectors, None, list(self.counts), counts=self.counts)
        advance(1)
        return Probed(
            source=vectors.name,
            dim=vectors.dim,
            accuracy=correct / texts,
            low=float(interval.low),
            high=float(interval.high),
            correct=correct,
            texts=texts,
            token_ratio=known.token_ratio or 0.0,
        )


def _predict(train: NDArray[np.float32], labels: list[str], test: NDArray[np.float32]) -> NDArray[np.str_]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    model = make_pipeline(StandardScaler(), LogisticRegression(tol=_GRADIENT, max_iter=_STEPS))
    # Of so small products BLAS makes many threads that wait for each other: on two busy cores 5.4 s for
    # TREC at 100 dims, with one thread 0.2 s. And with one thread the sums are the same in every run.
    with threadpool_limits(1, "blas"):
        model.fit(train.astype(np.float64), labels)
        predicted: NDArray[np.str_] = model.predict(test.astype(np.float64))
    return predicted
