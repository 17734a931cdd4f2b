"""What users get wrong about vocabularies, and the errors."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from mistakes import Mistake, check, each

import embedhub
from embedhub import VocabularyError

WORDS = ["rain", "wind", "snow"]
COUNTS = "{word: i for i, word in enumerate(sorted(counts, key=counts.get, reverse=True), 1)}"
TABLE = {"word": WORDS, "index": [1, 2, 3]}


def vocabulary(label: str, word_index: Any, *words: str, **options: Any) -> Mistake:
    """Return the mistake of passing a vocabulary."""
    return Mistake(
        label,
        lambda _: embedhub.embedding_matrix("wordnet-ppmi", 25, word_index, **options),
        VocabularyError,
        words,
    )


MISTAKES = [
    vocabulary("inverted", {1: "rain"}, "inverted", "{word: index for index, word in"),
    vocabulary("a set", {"rain", "wind"}, "set", "not ordered", "sorted("),
    vocabulary("the keys of a dict", {"rain": 1}.keys(), "dict_keys", "sequence of words"),
    vocabulary("a Counter", Counter(["a", "rain", "of", "rain"]), "Counter", "counts", COUNTS),
    vocabulary("a Counter of distinct counts", Counter(rain=2, wind=1), "Counter", COUNTS),
    vocabulary(
        "equal counts in a dict", {"rain": 7, "wind": 7}, "'rain' and 'wind' at the same index 7", COUNTS
    ),
    vocabulary("large counts in a dict", {"the": 22_038_615, "rain": 9}, "22,038,615", "Renumber", COUNTS),
    vocabulary("value_counts of pandas", pd.Series(["rain"]).value_counts(), "1 of type int", "to_dict()"),
    vocabulary("nothing", {}, "is empty", "Was the tokenizer fitted?"),
    vocabulary("an empty list", [], "is empty", "sequence of words"),
    vocabulary("None", None, "is of type NoneType", "{'the': 1, 'cat': 2}"),
    vocabulary("a text", "the rain", "is of type str", "A text is not a vocabulary", "include=texts"),
    vocabulary("texts", ["the rain", "a cold wind"], "0 of 2", "2 of 2 contain spaces", "adapt(texts)"),
    vocabulary("one text", ["the rain falls"], "1 of 1 contain spaces", "they may be texts"),
    vocabulary("texts after special tokens", ["", "[UNK]", "the rain"], "1 of 1 contain spaces"),
    vocabulary("an int", 50_000, "is of type int", "mapping of word -> index"),
    vocabulary("a generator", (word for word in WORDS), "is of type generator", "sequence"),
    vocabulary("pairs", [("rain", 1)], "('rain', 1) of type tuple at position 0", "dict(...)"),
    vocabulary(
        "texts that are tokenized", [WORDS], "of type list at position 0", "adapt a TextVectorization"
    ),
    vocabulary("indices in place of words", np.arange(3), "0 of type int at position 0"),
    vocabulary("a missing value", ["rain", None], "None of type NoneType at position 1"),
    vocabulary("a negative index", {"rain": -1}, "'rain': -1", "integers from 0"),
    vocabulary("fractions", {"rain": 1.0}, "'rain': 1.0 of type float", "integers"),
    vocabulary("only special tokens", ["", "[UNK]"], "only special tokens", "adapted"),
    vocabulary("a Series of word to index", pd.Series([1, 2, 3], index=WORDS), "1 of type int", "to_dict()"),
    vocabulary("a DataFrame of pandas", pd.DataFrame(TABLE), "DataFrame, a table", "dict(zip(", "tolist()"),
    vocabulary("a DataFrame of Polars", pl.DataFrame(TABLE), "DataFrame, a table", "to_list() in Polars"),
    vocabulary("a LazyFrame of Polars", pl.LazyFrame(TABLE), "LazyFrame, a table", "dict(zip("),
    vocabulary("a Table of Arrow", pa.table(TABLE), "Table, a table", "to_pylist() in Arrow"),
    vocabulary("a Series of indices of Polars", pl.Series([1, 2]), "1 of type int at position 0"),
    vocabulary("a matrix of words", np.array([WORDS]), "shape (1, 3)", "sequence of words"),
    vocabulary("counts that are a list", ["rain"], "counts is of type list", "Counter", counts=["rain"]),
    vocabulary("counts of other words", ["rain"], "none of the words", counts={"wind": 1}),
    vocabulary("fractions as counts", ["rain"], "not integers", counts={"rain": 0.5}),
]


@each(MISTAKES)
def test_mistake_is_explained(mistake: Mistake, tmp_path: Path) -> None:
    """Each message says what is wrong and what to do."""
    check(mistake, tmp_path)
