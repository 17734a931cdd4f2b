"""What users get wrong about layers of texts, and what the messages say."""

from collections.abc import Callable
from pathlib import Path

from mistakes import Mistake, check, each

import embedhub


def _layers(**options: object) -> object:
    return embedhub.keras_text_embedding("wordnet-ppmi", 25, **options)  # type: ignore[arg-type]


def _option(name: str) -> Callable[[Path], object]:
    return lambda _: _layers(**{name: 3})


MISTAKES = [
    Mistake(
        f"{option}=",
        _option(option),
        TypeError,
        (f"{option}= is not an option", advice),
    )
    for option, advice in {
        "output_sequence_length": "input_length=",
        "vocabulary": "include=",
        "word_index": "include=",
        "num_words": "max_tokens=",
    }.items()
]
MISTAKES += [
    Mistake("one text", lambda _: _layers(include="rain"), TypeError, ("single string", "several words")),
    Mistake("negative", lambda _: _layers(max_tokens=-1), ValueError, ("max_tokens is -1", "0 or more")),
]


@each(MISTAKES)
def test_mistake_is_explained(mistake: Mistake, tmp_path: Path) -> None:
    """Each message says what is wrong and what to do."""
    check(mistake, tmp_path)
