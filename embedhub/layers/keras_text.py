"""Keras layers from strings to vectors, with the vocabulary of a source."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import keras
import numpy as np

from embedhub._text_lines import is_utf8
from embedhub.errors import BackendError, VocabularyError
from embedhub.layers._surface import SPECIAL_TOKENS, STANDARDIZATIONS, surface_forms
from embedhub.layers.keras import keras_embedding
from embedhub.matrix.texts import as_list, normalize
from embedhub.matrix.word_index import check_positive
from embedhub.registry.loading import Source, load
from embedhub.vectors.fallbacks import validate_fallbacks
from embedhub.vectors.tokens import whole_words

_log = logging.getLogger("embedhub")
_OTHER_NAMES = {
    "output_sequence_length": "input_length=",
    "vocabulary": "include=, words or texts that are added to the source's words",
    "word_index": "include=, words or texts that are added to the source's words",
    "num_words": "max_tokens=",
}
_CASED_RATIO = 0.01  # of words with capitals; an uncased source may have a few, such as <UNK>


@dataclass(frozen=True)
class TextLayers:
    """A TextVectorization layer, and the embedding layer of its vocabulary.

    Example:
        >>> import embedhub
        >>> text = embedhub.keras_text_embedding("wordnet-ppmi", 25, max_tokens=1000, input_length=4)
        >>> tuple(text.embedding(text.vectorize(["Music in the rain"])).shape)
        (1, 4, 25)

    Args:
        vectorize: A ``keras.layers.TextVectorization``, from strings to ``(batch, length)`` int64. On every
            backend it takes lists and arrays of strings, and works in a ``tf.data`` pipeline.
        embedding: The layer of `embedhub.keras_embedding` for the vocabulary of ``vectorize``.
        ambiguous: Words that other words equal once punctuation is stripped, with the other word: ``{"its":
            "it's"}``. These words keep their own vectors.
    """

    vectorize: keras.layers.TextVectorization
    embedding: keras.layers.Embedding | keras.Model
    ambiguous: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def model(self) -> keras.Sequential:
        """Both layers in a ``keras.Sequential``, from strings ``(batch,)`` to ``(batch, length, dim)``.

        The model can be saved, exported to serve raw strings, and used as the first layer of another model.
        After loading it from a file, put ``keras.Input((), dtype="string")`` before it. ``predict`` takes a
        ``tf.data`` dataset, a tensor, or an array of dtype object.

        Raises:
            BackendError: The backend is not TensorFlow; only TensorFlow models take strings.
        """
        if keras.backend.backend() != "tensorflow":
            raise BackendError(
                f"With the Keras backend {keras.backend.backend()!r} a model cannot take strings, only with "
                "'tensorflow'. Use the layers separately: .embedding(.vectorize(texts)), or map .vectorize "
                "over a tf.data.Dataset that feeds a model starting with .embedding."
            )
        model = keras.Sequential([keras.Input((), dtype="string"), self.vectorize, self.embedding])
        model.dtype_policy = "string"  # which a Sequential that starts with it takes for its inputs
        return model


def keras_text_embedding(
    source: Source,
    dim: int | None = None,
    *,
    max_tokens: int = 50_000,
    include: Iterable[Any] = (),
    input_length: int | None = None,
    standardize: str | Callable[[Any], Any] | None = "auto",
    split: str | Callable[[Any], Any] | None = "whitespace",
    **embedding_options: Any,
) -> TextLayers:
    """Return layers that turn strings into a source's vectors, without a vocabulary of your own.

    The vocabulary is the source's most frequent words, so that words unseen in training have vectors too,
    and all words of the caller's own texts. ``adapt`` is not needed.

    Example:
        >>> import embedhub
        >>> text = embedhub.keras_text_embedding("wordnet-ppmi", 50, max_tokens=20_000, input_length=6)
        >>> text.vectorize(["Music, in the rain!"]).shape
        TensorShape([1, 6])
        >>> text.model.output_shape
        (None, 6, 50)

    Args:
        source: A name, a path, an `EmbeddingSource` or `Vectors`; see `embedhub.load`.
        dim: Dimension; optional if the source has only one, or has it in its name, as ``"glove-6b:50"``.
        max_tokens: Number of the source's most frequent words to use. Only words that ``standardize`` and
            ``split`` leave unchanged count, and of a source of tokens only whole words. Contractions and the
            words of ``include`` are added to them. A contraction has the mean of the vectors of its pieces in
            the source: ``cant``, which is "can't" without punctuation, that of ``ca`` and ``n't``. The same
            holds for possessive and hyphenated words of ``include``, and for words that consist of several
            tokens. A word that equals another one without punctuation ("its", "it's") keeps its own vector;
            ``.ambiguous`` of the result lists such words.
        include: The caller's own words or whole texts, which are standardized and split like all texts: a
            list, array, or column of strings of any package; None and NaN are skipped. Words that are not in
            the source count as missing words, which ``trainable="missing"`` trains.
        input_length: Length to which sequences are truncated or padded; by default the longest of each batch.
        standardize: As in ``keras.layers.TextVectorization``. ``"auto"`` is that layer's default,
            ``"lower_and_strip_punctuation"``, or ``"strip_punctuation"`` if the source has words with
            capitals. For texts whose punctuation is already separated, as in most sources ("do n't ,"),
            ``"lower"`` or None loses less.
        split: As in ``keras.layers.TextVectorization``. A function, here or in ``standardize``, must be
            registered with Keras for a saved model to load.
        **embedding_options: Other options of `embedhub.keras_embedding`.

    Returns:
        ``.vectorize``, ``.embedding``, ``.model`` and ``.ambiguous``; see `TextLayers`.

    Raises:
        ValueError: ``max_tokens`` or ``input_length`` is out of range, or another option is invalid; see
            `embedhub.keras_embedding`.
        TypeError: ``include`` is a single string or a table, or contains something other than texts.
        VocabularyError: ``max_tokens`` and ``include`` leave no words.
        EmbedhubError: As `embedhub.keras_embedding`.
    """
    check_positive("input_length", input_length)
    if isinstance(max_tokens, bool) or not isinstance(max_tokens, int | np.integer) or max_tokens < 0:
        raise ValueError(f"max_tokens is {max_tokens!r}; expected an integer of 0 or more.")
    for option, instead in _OTHER_NAMES.items():
        if option in embedding_options:
            raise TypeError(f"{option}= is not an option of keras_text_embedding: pass {instead}.")
    texts = _texts(include)
    vectors = load(source, dim)
    own = whole_words(vectors)
    if standardize == "auto":
        words = own.words[:max_tokens]
        cased = sum(word != word.lower() for word in words) > _CASED_RATIO * len(words)
        standardize = "strip_punctuation" if cased else "lower_and_strip_punctuation"
    options = {"standardize": standardize, "split": split}
    ambiguous: dict[str, str] = {}
    if split == "whitespace" and (standardize is None or standardize in STANDARDIZATIONS):
        chain = embedding_options.get("fallbacks")
        chain = vectors.fallbacks if chain is None else validate_fallbacks(chain)
        surface = surface_forms(vectors, own, max_tokens, texts, standardize=standardize, fallbacks=chain)
        embedding_options |= {"fallbacks": ()}
        vocabulary, vectors, ambiguous = surface.words, surface.vectors, surface.ambiguous
        _log.info("keras_text_embedding: %d words have two readings: %s", len(ambiguous), ambiguous)
    else:  # a function runs in TensorFlow, whose strings are UTF-8
        vectors = own
        source_words = filter(is_utf8, own.words[:max_tokens])
        found = dict.fromkeys([*source_words, *_words_by_frequency(texts, **options)])
        vocabulary = [word for word in found if word not in SPECIAL_TOKENS]
    if not vocabulary:
        raise VocabularyError(f"max_tokens={max_tokens} and include= leave no words for a vocabulary.")
    vectorize = keras.layers.TextVectorization(
        vocabulary=vocabulary, output_sequence_length=input_length, **options
    )
    embedding = keras_embedding(vectors, None, vectorize, input_length, **embedding_options)
    return TextLayers(vectorize, embedding, ambiguous)


def _texts(include: Any) -> list[str]:
    """Return the texts of ``include``, those that are lists of words as words."""
    if isinstance(include, str | bytes):
        raise TypeError(f"include is a single string, {include[:50]!r}; expected several words or texts.")
    texts: list[str] = []
    for position, text in enumerate(as_list(include, "several words or texts as include=")):
        normal = normalize(text, position)
        texts += [normal] if isinstance(normal, str) else normal
    return texts


def _words_by_frequency(texts: list[str], **options: Any) -> list[str]:
    """Return the words that a TextVectorization finds in texts, the most frequent first."""
    if not texts:
        return []
    vectorize = keras.layers.TextVectorization(**options)
    vectorize.adapt(texts)
    return list(vectorize.get_vocabulary(include_special_tokens=False))
