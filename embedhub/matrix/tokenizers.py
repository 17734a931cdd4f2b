"""Tokenizers by name: how a text is split into words."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

Tokenize = Callable[[str], list[str]]
"""Splits a text into words, in their order."""

_TOKEN = re.compile(
    r"""
      (?: [^\W\d_] \. ){2,}               # u.s.
    | \w+? (?= n't\b ) | n't\b            # do n't
    | ' (?: s | m | d | re | ve | ll )\b  # it 's
    | \d+ (?: [.,] \d+ )+                 # 1,000.50
    | \w+ (?: - \w+ )*                    # well-known
    | [^\w\s]
    """,
    re.VERBOSE | re.IGNORECASE,
)


def treebank_tokenize(text: str) -> list[str]:
    """Tokenize a text much as the Penn Treebank, and so the corpora of most word vectors.

    Contractions are split (``do n't``, ``it 's``). Numbers, abbreviations with periods, and hyphenated words
    stay whole. Every other punctuation mark is a token. A curly apostrophe counts as a straight one. Case is
    kept: sources look up other cases through their fallbacks.

    Example:
        >>> treebank_tokenize("I don't like the U.S. film's 2,000 well-made shots...")
        ['I', 'do', "n't", 'like', 'the', 'U.S.', 'film', "'s", '2,000', 'well-made', 'shots', '.', '.', '.']

    Args:
        text: The text.

    Returns:
        Its tokens, in their order.
    """
    # Most pieces between spaces are a plain word, and str.isalnum finds that in a tenth of the time.
    return [text] if text.isalnum() else _TOKEN.findall(text.replace("\u2019", "'"))


TOKENIZERS: dict[str, Tokenize] = {"words": treebank_tokenize, "whitespace": str.split}
"""``"words"`` is the default everywhere; ``"whitespace"`` is for texts that are already tokenized."""


def splits_at_spaces(tokenize: Any) -> bool:
    """Return whether a tokenizer handles each piece between white space independently of the others.

    A caller with many texts may then tokenize each distinct piece once, which takes little more than half the
    time.
    """
    return isinstance(tokenize, str) and tokenize == "words"


def get_tokenizer(tokenize: Any) -> Tokenize:
    """Return the function that tokenizes a text.

    Example:
        >>> get_tokenizer("whitespace")("rain, rain")
        ['rain,', 'rain']

    Args:
        tokenize: A name in `TOKENIZERS`, a function ``text -> list of words``, or a tokenizer of Hugging Face
            (``tokenizers`` or ``transformers``).

    Raises:
        ValueError: ``tokenize`` is a string that is not in `TOKENIZERS`.
        TypeError: ``tokenize`` is neither a string, nor a function, nor a tokenizer.
    """
    expected = f"expected one of {', '.join(TOKENIZERS)}, or a function."
    if isinstance(tokenize, str):
        if tokenize not in TOKENIZERS:
            raise ValueError(f"tokenize is {tokenize!r}; {expected}")
        return TOKENIZERS[tokenize]
    # A tokenizer of transformers is callable too, but returns indices and masks.
    if callable(getattr(tokenize, "tokenize", None)):
        return lambda text: list(tokenize.tokenize(text))
    if callable(getattr(tokenize, "encode", None)):  # a tokenizers.Tokenizer
        return lambda text: list(tokenize.encode(text, add_special_tokens=False).tokens)
    if callable(tokenize):
        function: Tokenize = tokenize
        return function
    raise TypeError(f"tokenize is {tokenize!r}; {expected}")


def count_words(texts: Iterable[str], tokenize: Tokenize = treebank_tokenize) -> Counter[str]:
    """Count the words of texts.

    Example:
        >>> sorted(count_words(["rain, rain", "wind"]).items())
        [(',', 1), ('rain', 2), ('wind', 1)]

    Args:
        texts: The texts, which may be an iterator.
        tokenize: Splits a text into words.

    Returns:
        How often each word occurs.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(tokenize(text))
    return counts
