"""Probing of sources with a simple text classifier.

Measured on TREC's questions (5,452 x 50, 6 labels): scikit-learn takes 0.1 s, reaches the optimum and is
reproducible; a softmax layer in Keras took 8 s for 60 epochs, fell short of it, and needs a learning rate.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence, Sized
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedhub._progress import progress_bar
from embedhub.errors import FormatError, VocabularyError
from embedhub.matrix.embedding_matrix import coverage
from embedhub.matrix.tokenizers import get_tokenizer
from embedhub.registry.loading import find, load
from embedhub_eval.labeled import LabeledTexts, read_labeled
from embedhub_eval.metrics import Interval, accuracy_interval, difference_interval
from embedhub_eval.selectors import Selector, parse_selectors

LabeledData = str | Path | tuple[Sequence[str], Sequence[Any]]
"""A file for `embedhub_eval.labeled.read_labeled`, or texts and their labels."""

RANDOM = "random"
TF_IDF = "tf-idf"

_MAX_ITERATIONS = 10_000
_TOLERANCE = 1e-6  # scikit-learn's 1e-4 depends on rounding: of 500 texts one gets another label
_DRAWS = 5  # of random vectors
_MAX_LISTED = 5

_Embed = Callable[[Sequence[Sequence[str]]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The accuracy of a classifier on the vectors of one source.

    Example:
        >>> import embedhub_eval
        >>> texts = ["heavy rain", "cold snow", "small cat", "old dog"], ["sky", "sky", "pet", "pet"]
        >>> result = embedhub_eval.probe("wordnet-ppmi:25", texts, texts).results[0]
        >>> result.correct, result.texts, result.accuracy
        (4, 4, 1.0)

    Args:
        source: Name of the source, ``"tf-idf"`` or ``"random"``.
        dim: Dimension of the vectors; for TF-IDF the number of different words in the training texts.
        accuracy: Fraction of test texts whose label was predicted correctly.
        interval: 95 % confidence interval of the accuracy (Wilson's).
        correct: Number of test texts whose label was predicted correctly.
        texts: Number of test texts.
        token_ratio: Fraction of the tokens of all texts that have a vector, or a column of TF-IDF.
        difference: Accuracy less that of the best source.
        difference_interval: 95 % confidence interval of the difference, on the same texts; None for the best
            source itself.
    """

    source: str
    dim: int
    accuracy: float
    interval: Interval
    correct: int
    texts: int
    token_ratio: float
    difference: float = 0.0
    difference_interval: Interval | None = None

    def __repr__(self) -> str:
        return f"<ProbeResult {self}>"

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.source} {self.dim}d: {self.accuracy:.1%} ({low:.1%} to {high:.1%})"


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """The results of a probe; `print` shows one per line.

    Example:
        >>> import embedhub_eval
        >>> texts = ["heavy rain", "cold snow", "small cat", "old dog"], ["sky", "sky", "pet", "pet"]
        >>> report = embedhub_eval.probe("wordnet-ppmi:25", texts, texts)
        >>> report.train, report.most_frequent
        ('4 texts with 2 labels (pet, sky)', 0.5)
        >>> print(report)
        wordnet-ppmi 25d: 100.0% (51.0% to 100.0%)
        tf-idf 8d: 100.0% (51.0% to 100.0%)
        random 25d: 100.0% (51.0% to 100.0%)

    Args:
        results: The result of each source in the given order, then of TF-IDF, then of random vectors of each
            dimension.
        train: Description of the training texts.
        test: Description of the test texts.
        most_frequent: Accuracy of always predicting the most frequent label of the training texts.
    """

    results: tuple[ProbeResult, ...]
    train: str
    test: str
    most_frequent: float

    def __repr__(self) -> str:
        shown = [f"{result.source} {result.dim}d {result.accuracy:.1%}" for result in self.results]
        more = f", {len(shown) - _MAX_LISTED} more" if len(shown) > _MAX_LISTED else ""
        return f"<ProbeReport on {self.results[0].texts:,} texts: {', '.join(shown[:_MAX_LISTED])}{more}>"

    def __str__(self) -> str:
        return "\n".join(map(str, self.results))

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as JSON types.

        Example:
            >>> import embedhub_eval
            >>> texts = ["heavy rain", "cold snow", "small cat", "old dog"], ["sky", "sky", "pet", "pet"]
            >>> sorted(embedhub_eval.probe("wordnet-ppmi:25", texts, texts).to_dict())
            ['most_frequent', 'results', 'test', 'train']
        """
        results = [asdict(result) for result in self.results]
        for result in results:
            result |= {name: value and list(value) for name, value in result.items() if "interval" in name}
        return asdict(self) | {"results": results}


def probe(
    sources: Selector | Iterable[Selector],
    train: LabeledData,
    test: LabeledData,
    *,
    columns: Sequence[str | int] = ("text", "label"),
    label_first: bool = False,
    tokenize: Any = "words",
    seed: int = 0,
) -> ProbeReport:
    """Train a simple text classifier on the vectors of each source, on TF-IDF, and on random vectors.

    A text is the mean of its words' vectors (`embedhub_text.TextEmbedder`). Each column is scaled to mean 0
    and standard deviation 1 on the training texts, so that the length of the vectors does not matter. The
    classifier is multinomial logistic regression (scikit-learn, L2 penalty with ``C=1``) without tuning.

    There are two baselines. TF-IDF, which does not need pretrained vectors, is scikit-learn's
    `TfidfVectorizer` on the lower-cased words, with the same classifier; with many labeled texts it may have
    the best result. Random vectors assign each lower-cased word a vector of standard normal numbers: a source
    that does not beat them does not help on these texts. They are drawn five times for each dimension, and
    the result is the median; on TREC's questions, a single draw may be 5 points off the mean.

    The interval of an accuracy is Wilson's at 95 %: how far it may be off because the test texts are a
    sample. All are tested on the same texts, so of two whose intervals overlap one may still be better:
    ``difference_interval`` decides, Newcombe's for the paired difference to the best source.

    Example:
        >>> import embedhub_eval
        >>> train = ["heavy rain", "snow and wind", "a small cat", "my old dog"], ["sky", "sky", "pet", "pet"]
        >>> test = ["a cold storm", "my kitten"], ["sky", "pet"]
        >>> report = embedhub_eval.probe("wordnet-ppmi:100", train, test)
        >>> [(result.source, result.dim) for result in report.results]
        [('wordnet-ppmi', 100), ('tf-idf', 9), ('random', 100)]
        >>> report.results[0].correct
        2

    Args:
        sources: One source or several: ``"name:dim"``, ``"name"`` if the source has only one dimension, a
            path, an `EmbeddingSource`, `Vectors`, or a pair of a source and its dim. They are downloaded if
            needed.
        train: The training texts: a file that `embedhub_eval.labeled.read_labeled` reads, or a pair of texts
            and labels.
        test: The test texts, likewise.
        columns: The columns of text and label in the files: two names, or two numbers from 1.
        label_first: Whether each line of the files is a label, a space and the text.
        tokenize: How texts are tokenized; see `embedhub.matrix.tokenizers.get_tokenizer`. For a source of
            tokens, pass its tokenizer.
        seed: Seed of the random vectors.

    Raises:
        VocabularyError: The training texts lack words or have only one label, or the test texts have none of
            their labels.
        FormatError: A file does not have labeled texts in these columns.
        TypeError: A text is not a string, ``train`` or ``test`` is not a pair of texts and labels, or
            ``tokenize`` returns a string.
        ValueError: The numbers of texts and labels differ or are 0, a label is missing, or an option is
            invalid.
        EmbedhubError: Other errors of `embedhub.load`.
    """
    selected = parse_selectors(sources)
    for source, dim in selected:
        find(source, dim)  # a misspelled name is an error before the first download
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"seed is {seed!r}; expected an integer from 0.")
    split = get_tokenizer(tokenize)
    train_set, test_set = (
        _labeled(data, name, columns, label_first=label_first)
        for name, data in (("train", train), ("test", test))
    )
    _check_labels(train_set, test_set, is_file=isinstance(train, str | Path))
    opened = [load(source, dim) for source, dim in selected]
    dims = dict.fromkeys(vectors.dim for vectors in opened)
    task = _Task(train_set, test_set, split)
    with progress_bar("Probing", len(opened) + 1 + _DRAWS * len(dims), in_bytes=False) as advance:
        from embedhub_text import TextEmbedder

        outcomes = []
        for vectors in opened:
            covered = coverage(vectors, None, list(task.counts), counts=task.counts)
            embed = TextEmbedder(vectors, vectors.dim, pooling="mean")
            outcomes.append(task.evaluate(embed, vectors.name, vectors.dim, covered.token_ratio or 0.0))
            advance(1)
        outcomes.append(task.evaluate_tf_idf())
        advance(1)
        for dim in dims:
            draws = []
            for draw in range(_DRAWS):
                draws.append(
                    task.evaluate(_random_embedder(task.counts, dim, (seed, draw)), RANDOM, dim, 1.0)
                )
                advance(1)
            outcomes.append(sorted(draws, key=lambda outcome: outcome.is_correct.sum())[_DRAWS // 2])
    best = max(outcomes[: len(opened)], key=lambda outcome: outcome.is_correct.sum())
    ((label, _),) = Counter(train_set.labels).most_common(1)
    return ProbeReport(
        results=tuple(outcome.compared_with(best) for outcome in outcomes),
        train=str(train_set),
        test=str(test_set),
        most_frequent=test_set.labels.count(label) / len(test_set.labels),
    )


def _labeled(
    data: LabeledData, name: str, columns: Sequence[str | int], *, label_first: bool
) -> LabeledTexts:
    if isinstance(data, str | Path):
        return read_labeled(data, columns=columns, label_first=label_first)
    if not isinstance(data, Sized) or len(data) != 2 or all(isinstance(part, str) for part in data):  # noqa: PLR2004 - texts and labels
        size = f" of {len(data)}" if isinstance(data, Sized) else ""
        raise TypeError(
            f"{name} is a {type(data).__name__}{size}; expected a file, or a pair of texts and "
            "labels, as in probe(source, (texts, labels), (test_texts, test_labels))."
        )
    for part, kind in zip(data, ("texts", "labels"), strict=True):
        if isinstance(part, str):
            raise TypeError(f"{name}: expected a list of {kind}, got the single string {part!r}.")
    texts, labels = map(list, data)
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(
                f"{name}: text {i} is {text!r}; expected a string. Are labels and texts swapped? Pass "
                "(texts, labels)."
            )
    for i, label in enumerate(labels):
        if label is None or label != label:  # noqa: PLR0124 - NaN, as pandas marks missing values
            raise ValueError(f"{name}: label {i} is {label!r}; expected a label for each text.")
    if not texts or len(texts) != len(labels):
        raise ValueError(
            f"{name} has {len(texts)} texts and {len(labels)} labels; expected equal numbers, not 0."
        )
    return LabeledTexts(texts, list(map(str, labels)))


def _check_labels(train: LabeledTexts, test: LabeledTexts, *, is_file: bool) -> None:
    labels = set(train.labels)
    if is_file and len(labels) > max(2, len(train.labels) / 2):
        raise FormatError(
            f"The training texts have {len(labels):,} different labels in {len(train.labels):,} lines, such "
            f"as {train.labels[0]!r}. Check the columns of text and label (--columns, columns=)."
        )
    if len(labels) < 2:  # noqa: PLR2004 - there must be a choice
        raise VocabularyError(
            f"All training texts have the label {train.labels[0]!r}; expected two or more labels."
        )
    if not labels & set(test.labels):
        raise VocabularyError(
            f"No test text has a label of the training texts: got {_preview(test.labels)}; expected "
            f"{_preview(train.labels)}."
        )


def _preview(labels: list[str]) -> str:
    names = sorted(set(labels))
    return ", ".join(map(repr, names[:_MAX_LISTED])) + (", ..." if len(names) > _MAX_LISTED else "")


def _random_embedder(words: Iterable[str], dim: int, seed: tuple[int, int]) -> _Embed:
    """Return an embedder with a random vector for each lower-cased word."""
    from scipy.sparse import csr_array

    rows = {word: row for row, word in enumerate(sorted({word.lower() for word in words}))}
    matrix = np.random.default_rng(seed).standard_normal((len(rows), dim), np.float32).astype(np.float64)

    def embed(texts: Sequence[Sequence[str]]) -> NDArray[np.float32]:
        used = [rows[word.lower()] for text in texts for word in text]
        lengths = np.array([len(text) for text in texts])
        ends = np.concatenate([[0], np.cumsum(lengths)])
        counts = csr_array((np.ones(len(used)), used, ends), shape=(len(texts), len(rows)))
        means: NDArray[np.float32] = (counts @ matrix / np.maximum(lengths, 1)[:, None]).astype(np.float32)
        return means

    return embed


class _Outcome(NamedTuple):
    """Which test texts the classifier is right on, and the rest of a `ProbeResult`."""

    source: str
    dim: int
    is_correct: NDArray[np.bool_]
    token_ratio: float

    def compared_with(self, best: "_Outcome") -> ProbeResult:
        correct, texts = int(self.is_correct.sum()), len(self.is_correct)
        interval = accuracy_interval(correct, texts)
        assert interval is not None  # noqa: S101 - there is a text
        return ProbeResult(
            self.source, self.dim, correct / texts, interval, correct, texts, self.token_ratio,
            difference=(correct - int(best.is_correct.sum())) / texts,
            difference_interval=None
            if self is best
            else difference_interval(self.is_correct, best.is_correct),
        )  # fmt: skip


class _Task:
    """Training and test texts, tokenized once for all vectors."""

    def __init__(self, train: LabeledTexts, test: LabeledTexts, split: Callable[[str], list[str]]) -> None:
        self._train, self._test = ([split(text) for text in texts.texts] for texts in (train, test))
        self._labels, self._expected = train.labels, np.array(test.labels)
        self.counts = Counter(word for words in self._train + self._test for word in words)
        if not any(self._train):
            raise VocabularyError(
                f"The {len(self._train):,} training texts have no words; the first is {train.texts[0]!r:.60}."
            )

    def evaluate(self, embed: _Embed, source: str, dim: int, token_ratio: float) -> _Outcome:
        predicted = _predict(embed(self._train), self._labels, embed(self._test))
        return _Outcome(source, dim, predicted == self._expected, token_ratio)

    def evaluate_tf_idf(self) -> _Outcome:
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectorizer = TfidfVectorizer(analyzer=lambda words: [word.lower() for word in words])
        train = vectorizer.fit_transform(self._train)
        predicted = _fit(_classifier(), train, self._labels, vectorizer.transform(self._test))
        known = sum(number for word, number in self.counts.items() if word.lower() in vectorizer.vocabulary_)
        return _Outcome(TF_IDF, train.shape[1], predicted == self._expected, known / self.counts.total())


def _predict(train: NDArray[np.float32], labels: list[str], test: NDArray[np.float32]) -> NDArray[np.str_]:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), _classifier())
    return _fit(model, train.astype(np.float64), labels, test.astype(np.float64))


def _classifier() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(tol=_TOLERANCE, max_iter=_MAX_ITERATIONS)


def _fit(model: Any, train: Any, labels: list[str], test: Any) -> NDArray[np.str_]:
    """Return the labels of the test vectors by a model that is trained on the others."""
    from threadpoolctl import threadpool_limits

    # For products this small, BLAS starts many threads that wait for each other: on two busy cores 5.4 s for
    # TREC at 100 dimensions, 0.2 s with one thread. One thread also makes the sums reproducible.
    with threadpool_limits(1, "blas"):
        model.fit(train, labels)
        predicted: NDArray[np.str_] = model.predict(test)
    return predicted
