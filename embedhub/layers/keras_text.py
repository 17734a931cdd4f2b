"""Strings in, vectors out: a vocabulary taken from the source, and the layer for it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras

from embedhub.errors import BackendError, VocabularyError
from embedhub.layers.keras import keras_embedding
from embedhub.registry.registry import Source, load

_SPECIAL = {"", "[UNK]"}  # TextVectorization's own: padding at 0, unknown words at 1
_CASED = 0.01  # share of words with capitals; an uncased source may have an odd one, such as <UNK>


@dataclass(frozen=True)
class TextLayers:
    """From strings to indices, from indices to vectors, and both in one.

    Example:
        >>> import embedhub
        >>> text = embedhub.keras_text_embedding("wordnet-ppmi", 25, words=1000, sequence_length=4)
        >>> tuple(text.embedding(text.vectorize(["Music in the rain"])).shape)
        (1, 4, 25)

    Args:
        vectorize: A ``keras.layers.TextVectorization``: strings to ``(batch, length)`` int64. On every
            backend it works on lists and arrays of strings, and inside a ``tf.data`` pipeline.
        embedding: What `embedhub.keras_embedding` returns, for the vocabulary of ``vectorize``.
    """

    vectorize: keras.layers.TextVectorization
    embedding: keras.layers.Embedding | keras.Model

    @cached_property
    def model(self) -> keras.Sequential:
        """Both as a ``keras.Sequential``, from strings ``(batch,)`` to vectors ``(batch, length, dim)``.

        It can be saved, and exported to be served on raw strings. ``predict`` wants a ``tf.data`` dataset,
        a tensor, or an array of dtype object.

        Raises:
            BackendError: The backend is not TensorFlow, and knows no strings.
        """
        if keras.backend.backend() != "tensorflow":
            raise BackendError(
                f"Under Keras' backend {keras.backend.backend()!r} a model cannot take strings, only under "
                "'tensorflow'. Use the layers apart: .embedding(.vectorize(texts)), or .vectorize in the map "
                "of a tf.data.Dataset that feeds a model starting with .embedding."
            )
        return keras.Sequential([keras.Input((), dtype="string"), self.vectorize, self.embedding])


def keras_text_embedding(
    source: Source,
    dim: int | None,
    *,
    words: int = 50_000,
    include: Iterable[str] = (),
    sequence_length: int | None = None,
    standardize: str | Callable[[Any], Any] | None = "auto",
    split: str | Callable[[Any], Any] | None = "whitespace",
    **embedding_options: Any,
) -> TextLayers:
    """Return layers that turn strings into a source's vectors, for those who have no vocabulary yet.

    The vocabulary is the most frequent words of the source, so that words which training never saw have
    their vectors too, and all words of the caller's own texts. Nothing has to be adapted.

    Example:
        >>> import embedhub
        >>> text = embedhub.keras_text_embedding("wordnet-ppmi", 50, words=20_000, sequence_length=6)
        >>> text.vectorize(["Music, in the rain!"]).shape
        TensorShape([1, 6])
        >>> text.model.output_shape
        (None, 6, 50)

    Args:
        source: A registered name, a path, an `EmbeddingSource`, or `Vectors`.
        dim: Width of a row; None where the source has only one.
        words: How many of the source's words, from the first, which is the most frequent. Those that
            ``standardize`` and ``split`` never produce do no harm.
        include: The caller's own words, or whole texts; they are standardized and split as all texts will
            be. Words unknown to the source are missing words, which ``trainable="missing"`` lets learn.
        sequence_length: Length that all sequences are cut or padded to; None for that of the longest in
            each batch.
        standardize: As in ``keras.layers.TextVectorization``. ``"auto"`` is that layer's default,
            ``"lower_and_strip_punctuation"``, or ``"strip_punctuation"`` for a source whose words have
            capitals. Texts whose punctuation already stands apart, as in most sources ("do n't ,"), lose
            less with ``"lower"`` or None.
        split: As in ``keras.layers.TextVectorization``. A function, here or in ``standardize``, must be
            registered with Keras for a saved model to load.
        **embedding_options: Any option of `embedhub.keras_embedding` but ``input_length``.

    Returns:
        ``.vectorize``, ``.embedding`` and ``.model``, see `TextLayers`.

    Raises:
        ValueError: ``words`` is negative.
        TypeError: ``include`` is one string.
        VocabularyError: There is no word at all.
        EmbedhubError: What `embedhub.load` raises.
    """
    if words < 0:
        raise ValueError(f"words is {words}; expected how many of the source's words to take, 0 or more.")
    if isinstance(include, str | bytes):
        raise TypeError(f"include is one string, {include[:50]!r}; expected several words or texts.")
    vectors = load(source, dim)
    known = [word for word in vectors.words[:words] if _is_text(word)]
    if standardize == "auto":
        capitals = sum(word != word.lower() for word in known)
        standardize = "strip_punctuation" if capitals > _CASED * len(known) else "lower_and_strip_punctuation"
    form = {"standardize": standardize, "split": split}
    own = _words_of(list(include), **form)
    vocabulary = [word for word in dict.fromkeys([*known, *own]) if word not in _SPECIAL]
    if not vocabulary:
        raise VocabularyError("words=0 and include= without any word leave a vocabulary of no words.")
    vectorize = keras.layers.TextVectorization(
        vocabulary=vocabulary, output_sequence_length=sequence_length, **form
    )
    embedding = keras_embedding(vectors, None, vectorize, sequence_length, **embedding_options)
    return TextLayers(vectorize, embedding)


def _words_of(texts: list[str], **form: Any) -> list[str]:
    """Return the words that a TextVectorization makes of texts, most frequent first."""
    if not texts:
        return []
    vectorize = keras.layers.TextVectorization(**form)
    vectorize.adapt(texts)
    return list(vectorize.get_vocabulary(include_special_tokens=False))


def _is_text(word: str) -> bool:
    """Tell whether TensorFlow can take a word: bytes that are no UTF-8 it cannot."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True
