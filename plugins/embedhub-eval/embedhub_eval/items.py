"""What a benchmark consists of: pairs of words with ratings, and analogies."""

from typing import NamedTuple


class Pair(NamedTuple):
    """Two words, and how similar people find them: the greater, the more.

    Example:
        >>> from embedhub_eval import Pair
        >>> Pair("rain", "storm", 8.0).score
        8.0

    Args:
        left: The one word.
        right: The other.
        score: What people said, in any unit.
    """

    left: str
    right: str
    score: float


class Question(NamedTuple):
    """An analogy: ``a`` is to ``b`` as ``c`` is to each of the answers, of which any one will do.

    Example:
        >>> from embedhub_eval import Question
        >>> Question("athens", "greece", "oslo", ("norway",), part="capitals").answers
        ('norway',)

    Args:
        a: The first word of the example.
        b: The second.
        c: The word that is asked about.
        answers: The right answers, one or more.
        part: Which part of the benchmark it belongs to; ``""`` for none.
    """

    a: str
    b: str
    c: str
    answers: tuple[str, ...]
    part: str = ""
