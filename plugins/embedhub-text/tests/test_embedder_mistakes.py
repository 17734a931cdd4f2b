"""What users get wrong when they embed texts, and what the messages say."""

from pathlib import Path
from typing import Any

import embedhub_text
import numpy as np
import pandas as pd
import pyarrow as pa
from mistakes import Mistake, check, each

from embedhub.errors import DimNotFoundError, SourceNotFoundError


def embed(texts: Any, **options: Any) -> Any:
    """Embed texts; anything is passed, since these are mistakes."""
    return embedhub_text.TextEmbedder("wordnet-ppmi", 25, **options)(texts)


def embedder(*arguments: Any, **options: Any) -> Any:
    """Make an embedder; anything is passed, since these are mistakes."""
    return embedhub_text.TextEmbedder(*arguments, **options)


MISTAKES = [
    Mistake("one text", lambda _: embed("rain"), TypeError, ("'rain'",)),
    Mistake("a number", lambda _: embed(["rain", 3]), TypeError, ("3",)),
    Mistake(
        "a table of Arrow", lambda _: embed(pa.table({"text": ["rain"]})), TypeError, ("Table", "column")
    ),
    Mistake(
        "a DataFrame", lambda _: embed(pd.DataFrame({"text": ["rain"]})), TypeError, ("DataFrame", "column")
    ),
    Mistake("texts of rows", lambda _: embed([{"text": "rain"}]), TypeError, ("text 0", "dict", "str")),
    Mistake("a mapping", lambda _: embed({"text": ["rain"]}), TypeError, ("dict", 'batch["text"]')),
    Mistake("several columns", lambda _: embed(np.array([["a", "b"], ["c", "d"]])), ValueError, ("(2, 2)",)),
    Mistake(
        "another pooling",
        lambda _: embedder("wordnet-ppmi", 25, pooling="sum"),
        ValueError,
        ("'sum'", "'mean'", "'sif'"),
    ),
    Mistake(
        "another tokenizer",
        lambda _: embedder("wordnet-ppmi", 25, tokenize="letters"),
        ValueError,
        ("'letters'", "words, whitespace", "a function, or a tokenizer"),
    ),
    Mistake(
        "a tokenizer that returns a text",
        lambda _: embedder("wordnet-ppmi", 25, tokenize=str.lower)(["Heavy rain"]),
        TypeError,
        ("tokenize returned", "'heavy rain'", "a list of strings"),
    ),
    Mistake("no source", lambda _: embedder("glove-6bb", 50), SourceNotFoundError, ("'glove-6b'",)),
    Mistake("no dim", lambda _: embedder("wordnet-ppmi"), DimNotFoundError, ("25, 50, 100",)),
    Mistake("another dim", lambda _: embedder("wordnet-ppmi", 30), DimNotFoundError, ("30", "25, 50, 100")),
    Mistake("a text as dim", lambda _: embedder("wordnet-ppmi", "50"), TypeError, ("dim=50",)),
    Mistake("no weights", lambda _: embed(["rain"], pooling="idf"), ValueError, ("fit(texts)", "weights=")),
    Mistake(
        "a length of pooled texts",
        lambda _: embedder("wordnet-ppmi", 25, input_length=4),
        ValueError,
        ("input_length is 4", "pooling=None"),
    ),
    Mistake(
        "weights of a mean",
        lambda _: embedder("wordnet-ppmi", 25, weights="here"),
        ValueError,
        ("'here'", "'sif' and 'idf'"),
    ),
    Mistake(
        "fit of a mean",
        lambda _: embedder("wordnet-ppmi", 25).fit(["rain"]),
        ValueError,
        ("'mean'", "'sif' and 'idf'"),
    ),
]


@each(MISTAKES)
def test_mistake_is_explained(mistake: Mistake, tmp_path: Path) -> None:
    """Each message says what is wrong and what to do."""
    check(mistake, tmp_path)
