"""Tokenizers by name, after the tokenization of the training texts of the sources."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from embedhub.errors import VocabularyError, missing_dependency

if TYPE_CHECKING:
    from embedhub.vectors.vectors import Vectors

Tokenize = Callable[[str], list[str]]
"""Splits a text into words, in their order."""

_FILE = "tokenizer.json"
_ABBREVIATION = r"(?: [^\W\d_] \. ){2,}"  # u.s.
_NUMBER = r"\d+ (?: [.,] \d+ )+"  # 1,000.50
_HYPHENATED = r"~+ (?: - ~+ )*"  # well-known; ~ is a character of a word
_LETTER_NEXT = r"(?= [^\W\d_] )"
_TREEBANK = rf"""
      {_ABBREVIATION}
    | ~+? (?= n't\b ) | n't\b             # do n't
    | ' (?: s | m | d | re | ve | ll )\b  # it 's
    | {_NUMBER}
    | {_HYPHENATED}
    | [^\w\s]
"""
# The tools of Europarl: "don 't", and in French and Italian "l' homme".
_EUROPARL = rf"{_ABBREVIATION} | {_NUMBER} | {_HYPHENATED} | (?<= [^\W\d_] ) ' {_LETTER_NEXT} ~+ | [^\w\s]"
_EUROPARL_FRENCH = rf"{_ABBREVIATION} | {_NUMBER} | {_HYPHENATED} (?: ' {_LETTER_NEXT} )? | [^\w\s]"
_GOOGLE_NEWS = rf"{_ABBREVIATION} | {_NUMBER} | ~+ (?: ' ~+ )* | [$&]"
PATTERNS = {"words": _TREEBANK, "europarl": _EUROPARL, "europarl-fr": _EUROPARL_FRENCH}
"""What a word is, for the tokenizers that are one regular expression: verbose ones that ignore case, in which
``~`` stands for a character of a word. Curly apostrophes are straight before, and letters composed."""

# fastText's get-wikimedia.sh.
_FASTTEXT_LEFT_OUT = re.compile(r"''|[;:=*|\u00ab]")
_FASTTEXT_APART = re.compile(r"""['".()!?-]|,(?!\S)""")
_ASCII_DIGIT = re.compile("[0-9]")

_STRAIGHT = str.maketrans("\u2019\u2032\u201c\u201d", "''\"\"")
_ACCENT = re.compile("[\u0300-\u036f]")
_MARKS_FROM, _MARKS_TO = 0x300, 0x20000
_SELECTORS = range(0xFE00, 0xFE10)  # of glyphs; they follow symbols


@cache
def _compiled(pattern: str, *, ascii_only: bool) -> re.Pattern[str]:
    r"""Compile one of the patterns above.

    For Python's ``\w`` a combining mark, such as a vowel of Devanagari, is outside of words; so are the two
    joiners inside words of Persian and of Indic scripts.
    """
    word = r"\w"
    if not ascii_only:
        marks = (chr(c) for c in range(_MARKS_FROM, _MARKS_TO) if c not in _SELECTORS)
        word += "".join(mark for mark in marks if unicodedata.category(mark) in {"Mn", "Mc"})
        word = rf"(?: [{word}] | (?<= [{word}] ) [\u200c\u200d] (?= \w ) )"
    return re.compile(pattern.replace("~", word), re.VERBOSE | re.IGNORECASE)


def _findall(pattern: str, text: str) -> list[str]:
    text = text.replace("\u2019", "'")
    ascii_only = text.isascii()
    if not ascii_only and _ACCENT.search(text):
        text = unicodedata.normalize("NFC", text)  # the form in which sources have these letters
    return _compiled(pattern, ascii_only=ascii_only).findall(text)


def treebank_tokenize(text: str) -> list[str]:
    """Tokenize a text much like the Penn Treebank, as were the corpora of most word vectors.

    Contractions are split (``do n't``, ``it 's``). Numbers, abbreviations with periods, and hyphenated words
    stay whole. Every other punctuation mark is a token. Curly apostrophes become straight ones, and letters
    with separate accents become single characters. Case is kept; fallbacks look up other cases. Scripts
    without spaces between words, such as Thai and Chinese, are not segmented.

    Example:
        >>> treebank_tokenize("I don't like the U.S. film's 2,000 well-made shots...")
        ['I', 'do', "n't", 'like', 'the', 'U.S.', 'film', "'s", '2,000', 'well-made', 'shots', '.', '.', '.']

    Args:
        text: The text.

    Returns:
        Its tokens, in their order.
    """
    # Most pieces between spaces are a plain word, and str.isalnum finds that in a tenth of the time.
    return [text] if text.isalnum() else _findall(_TREEBANK, text)


def google_news_tokenize(text: str) -> list[str]:
    """Tokenize a text like the vocabulary of word2vec's Google News vectors.

    Punctuation is dropped, except in abbreviations. Contractions and possessives stay whole, hyphenated
    words are split, and each digit of a number with several digits becomes ``#``.

    Example:
        >>> google_news_tokenize("I don't like the U.S. film's 2,000 well-made shots...")
        ['I', "don't", 'like', 'the', 'U.S.', "film's", '#,###', 'well', 'made', 'shots']

    Args:
        text: The text.

    Returns:
        Its tokens, in their order.
    """
    words = _findall(_GOOGLE_NEWS, text)
    return [_ASCII_DIGIT.sub("#", word) if len(_ASCII_DIGIT.findall(word)) > 1 else word for word in words]


def fasttext_tokenize(text: str) -> list[str]:
    """Tokenize a text like fastText's script for Wikipedia.

    Apostrophes, hyphens and most punctuation marks are tokens, even inside words. Digits, colons, semicolons
    and some other marks are dropped.

    Example:
        >>> fasttext_tokenize("It's a well-made film: 90 minutes.")
        ['It', "'", 's', 'a', 'well', '-', 'made', 'film', 'minutes', '.']

    Args:
        text: The text.

    Returns:
        Its tokens, in their order.
    """
    text = _FASTTEXT_LEFT_OUT.sub(" ", text.translate(_STRAIGHT))
    return _ASCII_DIGIT.sub(" ", _FASTTEXT_APART.sub(r" \g<0> ", text)).split()


TOKENIZERS: dict[str, Tokenize] = {
    "words": treebank_tokenize,
    "whitespace": str.split,
    "google-news": google_news_tokenize,
    "europarl": partial(_findall, PATTERNS["europarl"]),
    "europarl-fr": partial(_findall, PATTERNS["europarl-fr"]),
    "fasttext": fasttext_tokenize,
}
"""``"words"`` suits most sources, and is the default. ``"whitespace"`` is for texts that are already
tokenized. ``"europarl"`` is like ``"words"``, except that it splits ``don 't``; ``"europarl-fr"``, for French
and Italian, splits ``l' homme``."""

_OF_FILES = {_FILE: False, "model2vec": True}  # whether the token for unknown text is dropped


def splits_at_spaces(tokenize: Any) -> bool:
    """Return whether a tokenizer handles each piece between white space independently of the others.

    A caller with many texts can then tokenize each distinct piece only once, in little more than half the
    time.
    """
    return isinstance(tokenize, str) and tokenize in TOKENIZERS


def get_tokenizer(tokenize: Any) -> Tokenize:
    """Return the function that tokenizes a text.

    Example:
        >>> get_tokenizer("whitespace")("rain, rain")
        ['rain,', 'rain']

    Args:
        tokenize: A name in `TOKENIZERS`, a function ``text -> list of words``, or a tokenizer of Hugging Face
            (``tokenizers`` or ``transformers``) or KerasHub.

    Raises:
        ValueError: ``tokenize`` is a string that is not in `TOKENIZERS`.
        TypeError: ``tokenize`` is neither a string, nor a function, nor a tokenizer.
    """
    expected = f"expected one of {', '.join(TOKENIZERS)}, a function, or a tokenizer."
    if isinstance(tokenize, str):
        if tokenize not in TOKENIZERS:
            raise ValueError(f"tokenize is {tokenize!r}; {expected}")
        return TOKENIZERS[tokenize]
    # A tokenizer of transformers is callable too, but returns indices and masks.
    if callable(getattr(tokenize, "id_to_token", None)) and callable(getattr(tokenize, "tokenize", None)):
        return lambda text: _tokens(tokenize, text)  # of KerasHub
    if callable(getattr(tokenize, "tokenize", None)):
        return lambda text: list(tokenize.tokenize(text))
    if callable(getattr(tokenize, "encode", None)):  # a tokenizers.Tokenizer
        return lambda text: list(tokenize.encode(text, add_special_tokens=False).tokens)
    if callable(tokenize):
        return lambda text: _words_of(tokenize, text)
    raise TypeError(f"tokenize is {tokenize!r}; {expected}")


def tokens_of(tokenize: Any) -> Collection[str]:
    """Return the vocabulary of a tokenizer of Hugging Face or KerasHub; empty for a name or function."""
    get_vocabulary = getattr(tokenize, "get_vocabulary", tuple)
    tokens: Collection[str] = getattr(tokenize, "get_vocab", get_vocabulary)()
    return tokens


def _words_of(function: Callable[[str], Any], text: str) -> list[str]:
    """Return a function's tokens of a text; raise TypeError for a string, whose items are letters."""
    words = function(text)
    if isinstance(words, str):
        raise TypeError(f"tokenize returned the string {words!r:.60}; expected a list of strings.")
    return list(words)


def _tokens(tokenizer: Any, text: str) -> list[str]:
    """Return the tokens of a text by a tokenizer of KerasHub, which mostly returns their numbers."""
    tokens = tokenizer.tokenize(text)
    return [token if isinstance(token, str) else tokenizer.id_to_token(int(token)) for token in tokens]


def tokenizer_of(vectors: "Vectors") -> Tokenize:
    """Return the function that tokenizes a text like the training texts of vectors.

    `Vectors.tokenization` selects it. ``"tokenizer.json"`` stands for the tokenizer that came with the
    vectors, without tokens for the start and the end of a text, and without a length limit; ``"model2vec"``
    also drops the token for unknown text, as that package does.

    Example:
        >>> import embedhub
        >>> tokenizer_of(embedhub.load("wordnet-ppmi", 25))("it's raining")
        ['it', "'s", 'raining']

    Args:
        vectors: The vectors.

    Raises:
        DependencyError: The package ``tokenizers`` is needed, and is not installed.
        VocabularyError: The vectors came without the file of their tokenizer.
    """
    name = vectors.tokenization
    if name in TOKENIZERS:
        return TOKENIZERS[name]
    if _FILE not in vectors.files:
        raise VocabularyError(
            f"{vectors.name} states the tokenization {name!r}, but its vectors came without a {_FILE}. Pass "
            f"tokenize=, such as tokenizers.Tokenizer.from_file(...), or add {_FILE} to the companions "
            "of its file."
        )
    try:
        from tokenizers import Tokenizer
    except ModuleNotFoundError as error:
        raise missing_dependency(
            f"The {_FILE} of {vectors.name}",
            "the package tokenizers",
            "tokenizers",
            "Or pass lists of tokens, or tokenize=.",
        ) from error
    tokenizer = Tokenizer.from_file(str(vectors.files[_FILE]))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    left_out = _unknown_token(tokenizer) if _OF_FILES[name] else None

    def tokenize(text: str) -> list[str]:
        # Lone surrogates, which stand for bytes that are not UTF-8, are an error there.
        valid = text.encode("utf-8", "ignore").decode()
        tokens = tokenizer.encode(valid, add_special_tokens=False).tokens
        return [token for token in tokens if token != left_out]

    return tokenize


def _unknown_token(tokenizer: Any) -> str | None:
    """Return the token for unknown text of a ``tokenizers.Tokenizer``, None if it has none."""
    if hasattr(tokenizer.model, "unk_token"):
        token: str | None = tokenizer.model.unk_token
        return token
    import json

    number = json.loads(tokenizer.to_str())["model"].get("unk_id")  # of Unigram, which exposes it only there
    return None if number is None else tokenizer.id_to_token(number)


def count_words(texts: Iterable[str], tokenize: Tokenize = treebank_tokenize) -> Counter[str]:
    """Count the words of texts.

    Example:
        >>> sorted(count_words(["rain, rain", "wind"]).items())
        [(',', 1), ('rain', 2), ('wind', 1)]

    Args:
        texts: The texts, which may be an iterator.
        tokenize: Function that splits a text into words.

    Returns:
        How often each word occurs.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(tokenize(text))
    return counts
