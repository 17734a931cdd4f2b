"""Vectors of texts in pipelines of scikit-learn."""

import importlib
import io
import sys
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from embedhub_text import TextEmbedder, TextVectors
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import InputTags
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data

import embedhub
from embedhub.errors import DependencyError

WEATHER = ["rain and snow", "a cold wind", "storm clouds", "hail fell", "the sun shone", "a warm breeze"]
MUSIC = [
    "a cello sonata",
    "the quiet flute",
    "an opera singer",
    "drums and guitars",
    "a string quartet",
    "jazz",
]
TEXTS, LABELS = WEATHER + MUSIC, ["weather"] * 6 + ["music"] * 6


class OfNumbers(TextVectors):
    """The same transformer of the texts that stand for rows of numbers, which scikit-learn's checks make."""

    def fit(self, X: Any, y: Any = None) -> Any:  # noqa: ARG002, N803 - scikit-learn's names
        """Turn rows into texts."""
        return super().fit(as_texts(validate_data(self, X)))

    def transform(self, X: Any) -> Any:  # noqa: N803 - scikit-learn's name
        """Turn rows into texts."""
        check_is_fitted(self)
        return super().transform(as_texts(validate_data(self, X, reset=False)))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags = InputTags()
        tags.no_validation = False
        return tags


def as_texts(rows: Any) -> list[str]:
    """Return for each row of numbers a text with a word for each number."""
    words = WORDS[:1000]
    return [" ".join(words[int(abs(number) * 97) % len(words)] for number in row) for row in rows]


WORDS = embedhub.load("wordnet-ppmi", 25).words


@pytest.mark.slow
@parametrize_with_checks(  # type: ignore[untyped-decorator]  # scikit-learn ships no types
    [OfNumbers("wordnet-ppmi:25"), OfNumbers("wordnet-ppmi:25", pooling="idf")]
)
def test_checks_of_scikit_learn_pass(estimator: Any, check: Any) -> None:
    """All that it has for a transformer."""
    check(estimator)


def test_pipeline_classifies_texts() -> None:
    """``make_pipeline(TextVectors(...), LogisticRegression())`` is fitted and predicts."""
    model = make_pipeline(TextVectors("wordnet-ppmi:50"), LogisticRegression()).fit(TEXTS, LABELS)
    assert model.score(TEXTS, LABELS) == 1
    assert model[:-1].get_feature_names_out().tolist() == [f"textvectors{i}" for i in range(50)]


@pytest.mark.parametrize("pooling", ["mean", "max", "sif", "idf"])
def test_vectors_are_those_of_the_embedder(pooling: str) -> None:
    """With fitted weights where the pooling has some."""
    embedder = TextEmbedder("wordnet-ppmi", 50, pooling=pooling)
    if pooling in {"sif", "idf"}:
        embedder.fit(TEXTS)
    vectors = TextVectors("wordnet-ppmi:50", pooling=pooling).fit_transform(TEXTS)
    np.testing.assert_array_equal(vectors, embedder(TEXTS))


@pytest.mark.slow
def test_grid_search_tries_poolings_and_sources() -> None:
    """In several processes."""
    search = GridSearchCV(
        make_pipeline(TextVectors(), LogisticRegression()),
        {
            "textvectors__pooling": ["mean", "sif"],
            "textvectors__source": ["wordnet-ppmi:25", "glove-6b-20k:50"],
        },
        cv=2,
        n_jobs=2,
    ).fit(TEXTS, LABELS)
    assert len(search.cv_results_["params"]) == 4
    assert search.best_score_ > 0.5


def test_column_of_a_table_is_embedded_beside_others() -> None:
    """In a ``ColumnTransformer``, with a table as output."""
    table = pd.DataFrame({"text": TEXTS, "length": [len(text) for text in TEXTS]})
    columns = ColumnTransformer(
        [("text", TextVectors("wordnet-ppmi:25"), "text"), ("rest", "passthrough", ["length"])],
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    result = columns.fit_transform(table)
    assert list(result.columns) == [*(f"textvectors{i}" for i in range(25)), "length"]
    np.testing.assert_array_equal(
        result.iloc[:, :25].to_numpy(np.float32), TextEmbedder("wordnet-ppmi", 25)(TEXTS)
    )


@pytest.mark.parametrize("pooling", ["mean", "idf"])
def test_pickle_is_small(pooling: str) -> None:
    """It has a name and options, and gives the same vectors where it is read."""
    fitted = TextVectors("wordnet-ppmi:50", pooling=pooling).fit(TEXTS)
    file = io.BytesIO()
    joblib.dump(fitted, file)
    assert file.tell() < 2000
    file.seek(0)
    np.testing.assert_array_equal(joblib.load(file).transform(TEXTS), fitted.transform(TEXTS))


def test_clone_is_not_fitted() -> None:
    """It has the options alone."""
    fitted = TextVectors("wordnet-ppmi:50", normalize=True).fit(TEXTS)
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    with pytest.raises(NotFittedError):
        copy.transform(TEXTS)


def test_normalized_vectors_have_length_one() -> None:
    """Those of unknown texts stay zeros."""
    vectors = TextVectors("wordnet-ppmi:50", normalize=True).fit_transform([*TEXTS, "qwxz"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1] * 12 + [0], atol=1e-6)


def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without scikit-learn, only this class does not load."""
    monkeypatch.delitem(sys.modules, "embedhub_text.text_vectors")
    monkeypatch.setitem(sys.modules, "sklearn.base", None)
    with pytest.raises(DependencyError, match=r'TextVectors needs scikit-learn.*"embedhub-text\[sklearn\]"'):
        importlib.import_module("embedhub_text.text_vectors")


def test_one_text_is_encoded_alone() -> None:
    """As ``encode`` of other packages does it: a text has one vector, a list has one for each."""
    embedder = TextEmbedder("wordnet-ppmi", 50)
    one = embedder.encode(TEXTS[0], normalize=True)
    assert one.shape == (50,)
    np.testing.assert_array_equal(one, embedder.encode(TEXTS, normalize=True)[0])
    np.testing.assert_array_equal(embedder.encode(TEXTS), embedder(TEXTS))
    with pytest.raises(ValueError, match="encode needs a pooling"):
        TextEmbedder("wordnet-ppmi", 50, pooling=None).encode("rain")
