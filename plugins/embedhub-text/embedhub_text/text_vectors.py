"""Vectors of texts as a step of a pipeline of scikit-learn."""

from collections.abc import Iterable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from embedhub.errors import missing_dependency
from embedhub.matrix.oov import OOVPolicy
from embedhub.registry.loading import Source
from embedhub.vectors.fallbacks import Fallback
from embedhub_text.embedder import TextEmbedder

try:
    from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
    from sklearn.utils.validation import check_is_fitted
except ModuleNotFoundError as error:
    raise missing_dependency("TextVectors", "scikit-learn", "embedhub-text[sklearn]") from error


class TextVectors(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A transformer of scikit-learn: the vectors of texts, by `TextEmbedder`.

    It is cloned, searched over and pickled like any other; a pickle has the name of the source and the
    options, not the vectors.

    Example:
        >>> from embedhub_text import TextVectors
        >>> from sklearn.linear_model import LogisticRegression
        >>> from sklearn.pipeline import make_pipeline
        >>> model = make_pipeline(TextVectors("wordnet-ppmi:50"), LogisticRegression())
        >>> _ = model.fit(["rain and snow", "a cello sonata"], ["weather", "music"])
        >>> model.predict(["a storm with hail"]).tolist()
        ['weather']

    Args:
        source: See `TextEmbedder`; the options after it are the same. By default an embedded source, which
            needs no download.
        dim: Dimension; optional if the source has only one, or its name has it.
        pooling: ``"mean"``, ``"max"``, ``"sif"`` or ``"idf"``; `fit` fits the weights of the last two.
        tokenize: How texts are split into words; None as the source.
        fallbacks: Fallbacks for OOV words; None means the source's default.
        oov: Policy for words that are still OOV; None skips them.
        seed: Random seed of ``oov="normal"``.
        normalize: Whether the vectors get length 1.

    Attributes:
        embedder_: The `TextEmbedder`, after `fit`.
    """

    def __init__(
        self,
        source: Source = "glove-6b-20k:50",
        *,
        dim: int | None = None,
        pooling: str = "mean",
        tokenize: Any = None,
        fallbacks: Iterable[Fallback] | None = None,
        oov: OOVPolicy | None = None,
        seed: int = 0,
        normalize: bool = False,
    ) -> None:
        self.source = source
        self.dim = dim
        self.pooling = pooling
        self.tokenize = tokenize
        self.fallbacks = fallbacks
        self.oov = oov
        self.seed = seed
        self.normalize = normalize

    def fit(self, X: Iterable[Any], y: Any = None) -> Self:  # noqa: ARG002, N803 - scikit-learn's names
        """Open the source, and fit the weights of "sif" and "idf".

        Example:
            >>> from embedhub_text import TextVectors
            >>> TextVectors("wordnet-ppmi:50", pooling="sif").fit(["rain", "the rain"]).embedder_
            <TextEmbedder wordnet-ppmi 50d, pooling 'sif'>

        Args:
            X: Texts, as for `TextEmbedder`.
            y: Ignored.
        """
        if self.pooling is None:
            raise ValueError("pooling is None; expected 'mean', 'max', 'sif' or 'idf'.")
        embedder = TextEmbedder(
            self.source,
            self.dim,
            pooling=self.pooling,
            tokenize=self.tokenize,
            fallbacks=self.fallbacks,
            oov=self.oov,
            seed=self.seed,
        )
        if self.pooling in {"sif", "idf"}:
            embedder.fit(X)
        self.embedder_ = embedder
        self._n_features_out = embedder.dim
        return self

    def transform(self, X: Iterable[Any]) -> NDArray[np.float32]:  # noqa: N803 - scikit-learn's name
        """Return the vector of each text.

        Example:
            >>> from embedhub_text import TextVectors
            >>> TextVectors("wordnet-ppmi:50").fit_transform(["rain", "snow"]).shape
            (2, 50)

        Args:
            X: Texts, as for `TextEmbedder`.

        Returns:
            ``(n, dim)`` float32.
        """
        check_is_fitted(self)
        return self.embedder_.encode(X, normalize=self.normalize)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        tags.no_validation = True
        tags.transformer_tags.preserves_dtype = []  # float32
        return tags
