"""From texts to words: the rules by which a text is cut, each with a name."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

Tokenize = Callable[[str], list[str]]
"""Cuts a text into words, in their order."""

_WORDS = re.compile(
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


def words(text: str) -> list[str]:
    """Cut a text as the corpora of most word vectors were cut: near to the Penn Treebank's way.

    Contractions come apart (``do n't``, ``it 's``); numbers, abbreviations with inner stops, and words with
    hyphens stay whole; every other mark is a word of its own. A curly apostrophe counts as a straight one.
    Case stays: sources find other cases by their fallbacks.

    Example:
        >>> words("I don't like the U.S. film's 2,000 well-made shots...")
        ['I', 'do', "n't", 'like', 'the', 'U.S.', 'film', "'s", '2,000', 'well-made', 'shots', '.', '.', '.']

    Args:
        text: Any text.

    Returns:
        Its words, in their order.
    """
    # Most pieces between blanks are just a word; that is seen in a tenth of the time.
    return [text] if text.isalnum() else _WORDS.findall(text.replace("\u2019", "'"))


RULES: dict[str, Tokenize] = {"words": words, "whitespace": str.split}
"""``"words"`` is the default everywhere; ``"whitespace"`` is for texts that are tokenised already."""

PIECEWISE = frozenset({"words"})
"""Rules under which no word reaches over white space, nor sees what is beyond it: who has many texts may cut
each distinct piece between white space once, in little more than half the time."""


def tokenizer(rule: Any) -> Tokenize:
    """Return the function that cuts a text.

    Example:
        >>> tokenizer("whitespace")("rain, rain")
        ['rain,', 'rain']

    Args:
        rule: A name in `RULES`, a function ``text -> list of words``, or a tokenizer of Hugging Face
            (``tokenizers`` or ``transformers``).

    Raises:
        ValueError: No rule has that name.
        TypeError: This is none of them.
    """
    if isinstance(rule, str):
        if rule not in RULES:
            raise ValueError(f"tokenize is {rule!r}; expected one of {', '.join(RULES)}, or a function.")
        return RULES[rule]
    if callable(getattr(rule, "tokenize", None)):  # transformers; it can be called too, and gives no words
        return lambda text: list(rule.tokenize(text))
    if callable(getattr(rule, "encode", None)):  # tokenizers
        return lambda text: list(rule.encode(text, add_special_tokens=False).tokens)
    if callable(rule):
        function: Tokenize = rule
        return function
    raise TypeError(f"tokenize is {rule!r}; expected one of {', '.join(RULES)}, or a function.")


def count(texts: Iterable[str], tokenize: Tokenize = words) -> Counter[str]:
    """Count the words of texts.

    Example:
        >>> sorted(count(["rain, rain", "wind"]).items())
        [(',', 1), ('rain', 2), ('wind', 1)]

    Args:
        texts: Any number of texts.
        tokenize: Cuts a text into words.

    Returns:
        How often each word occurs.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(tokenize(text))
    return counts
