"""What users get wrong about vocabularies, and what they are told."""

from pathlib import Path

from mistakes import Mistake, check, each

import embedhub
from embedhub import VocabularyError

MISTAKES = [
    Mistake(
        "inverted",
        lambda _: embedhub.embedding_matrix("wordnet-ppmi", 25, {1: "rain"}),
        VocabularyError,
        ("inverted", "{word: index for index, word in"),
    ),
    Mistake(
        "a set",
        lambda _: embedhub.embedding_matrix("wordnet-ppmi", 25, {"rain", "wind"}),
        VocabularyError,
        ("set", "not ordered", "sorted("),
    ),
]


@each(MISTAKES)
def test_mistake_is_explained(mistake: Mistake, tmp_path: Path) -> None:
    """Each message says what is wrong and what to do."""
    check(mistake, tmp_path)
