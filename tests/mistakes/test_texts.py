"""What users get wrong about layers of texts, and what the messages say."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from mistakes import Mistake, check, each

import embedhub

TABLE = {"text": ["rain", "wind"]}


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
    Mistake(
        "max_tokens=None", lambda _: _layers(max_tokens=None), ValueError, ("max_tokens is None", "integer")
    ),
    Mistake("a share of the words", lambda _: _layers(max_tokens=0.5), ValueError, ("max_tokens is 0.5",)),
    Mistake("no length", lambda _: _layers(input_length=0), ValueError, ("input_length is 0", "1 or more")),
    Mistake("no texts", lambda _: _layers(include=None), TypeError, ("several words or texts", "NoneType")),
    Mistake("a number", lambda _: _layers(include=["rain", 3]), TypeError, ("text 1 is 3", "int", "str")),
    Mistake("a mapping", lambda _: _layers(include={"rain": 1}), TypeError, ("include=", "table", "dict")),
    Mistake("a DataFrame", lambda _: _layers(include=pd.DataFrame(TABLE)), TypeError, ("include=", "column")),
    Mistake("a table of Arrow", lambda _: _layers(include=pa.table(TABLE)), TypeError, ("Table", "column")),
    Mistake(
        "several columns",
        lambda _: _layers(include=np.array([["a", "b"], ["c", "d"]])),
        ValueError,
        ("include=", "(2, 2)", "texts[:, 0]"),
    ),
    Mistake(
        "an unfinished query of Polars",
        lambda _: _layers(include=pl.LazyFrame(TABLE)),
        TypeError,
        ("LazyFrame", "collect it", "column"),
    ),
    Mistake("negative", lambda _: _layers(max_tokens=-1), ValueError, ("max_tokens is -1", "0 or more")),
]


@each(MISTAKES)
def test_mistake_is_explained(mistake: Mistake, tmp_path: Path) -> None:
    """Each message says what is wrong and what to do."""
    check(mistake, tmp_path)
