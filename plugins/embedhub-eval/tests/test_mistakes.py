"""What users get wrong about benchmarks and probes, and what the errors say."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import embedhub_eval
import pytest
from embedhub_eval import Benchmark, WordPair, word_pairs
from mistakes import Mistake, check, each

from embedhub.errors import FormatError, LocalFileError, SourceNotFoundError, VocabularyError

SOURCE = "wordnet-ppmi:25"
PROBE: Any = embedhub_eval.probe  # the mistakes are those of types too
TEXTS = ["heavy rain", "cold snow", "small cat", "old dog"], ["sky", "sky", "pet", "pet"]


def evaluates(text: str, name: str = "pairs.csv") -> Callable[[Path], Any]:
    """Return a call that evaluates on a file with this text."""

    def call(folder: Path) -> Any:
        (folder / name).write_text(text, "utf-8")
        return embedhub_eval.evaluate(SOURCE, folder / name)

    return call


MISTAKES = [
    Mistake(
        "two ratings without a header",
        evaluates("rain,storm,8,3\ncat,dog,7,2\n"),
        FormatError,
        ("column 3", "4", "word1, word2 and score", "columns=(1, 2, 3)"),
    ),
    Mistake(
        "two ratings with other names",
        evaluates("word1,word2,speed,weight\nrain,storm,8,3\n"),
        FormatError,
        ("3 ('speed')", "4 ('weight')", "word1, word2 and score"),
    ),
    Mistake(
        "two names of ratings",
        evaluates("word1,word2,score,rating\nrain,storm,8,3\n"),
        FormatError,
        ("3 ('score')", "4 ('rating')"),
    ),
    Mistake(
        "a table without a similarity",
        evaluates("name,city,price\nrain,storm,8\n"),
        FormatError,
        ("pairs.csv", "similarity", "3 ('price')"),
    ),
    Mistake(
        "three words",
        evaluates("word1,word2,first,score\nrain,storm,snow,8\n"),
        FormatError,
        ("columns=(1, 2, 3)",),
    ),
    Mistake(
        "row numbers alone",
        evaluates(",word1,word2\n0,rain,storm\n1,cat,dog\n"),
        FormatError,
        ("line 2", "two words and a number"),
    ),
    Mistake("no number", evaluates("rain,storm\ncat,dog\n"), FormatError, ("line 2", "a number")),
    Mistake("one word", evaluates("rain,8\n"), FormatError, ("line 1", "two words")),
    Mistake("a header alone", evaluates("word1,word2,score\n"), FormatError, ("line 1", "a number")),
    Mistake("an empty file", evaluates(""), FormatError, ("pairs.csv", "has none")),
    Mistake(
        "a rating that is missing",
        evaluates("word1,word2,score\nrain,storm,8\ncat,dog,\n"),
        FormatError,
        ("line 3", "columns 1, 2, 3"),
    ),
    Mistake(
        "three words of an analogy",
        evaluates(": capitals\nathens greece oslo\n", "analogies.txt"),
        FormatError,
        ("line 2", "four words"),
    ),
    Mistake(
        "a file that is not there",
        lambda folder: embedhub_eval.evaluate(SOURCE, folder / "absent.tsv"),
        LocalFileError,
        ("absent.tsv", "cannot be read"),
    ),
    Mistake(
        "a misspelt benchmark",
        lambda _: embedhub_eval.evaluate(SOURCE, "simlex999"),
        SourceNotFoundError,
        ("simlex999", "Did you mean 'simlex-999'"),
    ),
    Mistake(
        "a number as benchmark",
        lambda _: embedhub_eval.evaluate(SOURCE, [353]),  # type: ignore[list-item]
        TypeError,
        ("353", "a name, a path or a Benchmark"),
    ),
    Mistake(
        "an unknown treatment of missing words",
        lambda _: embedhub_eval.evaluate(SOURCE, missing="drop"),  # type: ignore[arg-type]
        ValueError,
        ("missing", "'drop'", "'skip' or 'zero'"),
    ),
    Mistake(
        "an unknown method",
        lambda _: embedhub_eval.evaluate(SOURCE, method="cosadd"),  # type: ignore[arg-type]
        ValueError,
        ("method", "'cosadd'", "'3CosAdd' or '3CosMul'"),
    ),
    Mistake(
        "no source",
        lambda _: embedhub_eval.evaluate([]),
        ValueError,
        ("No source", "name:dim"),
    ),
    Mistake(
        "columns of analogies",
        lambda folder: Benchmark(name="mine", format="analogies", path=folder, columns=(1, 2, 3)),
        ValueError,
        ("columns", "'pairs' only"),
    ),
    Mistake(
        "a benchmark without a file",
        lambda _: Benchmark(name="mine", format="pairs"),
        ValueError,
        ("mine", "files or a path"),
    ),
    Mistake(
        "texts and labels as train and test",
        lambda _: PROBE(SOURCE, *TEXTS),
        TypeError,
        ("train", "pair of texts and labels", "probe(source, (texts, labels), (test_texts, test_labels))"),
    ),
    Mistake(
        "texts of two",
        lambda _: PROBE(SOURCE, ["heavy rain", "small cat"], ["sky", "pet"]),
        TypeError,
        ("train", "pair of texts and labels"),
    ),
    Mistake(
        "a single text",
        lambda _: PROBE(SOURCE, ("rain", ["sky"]), TEXTS),
        TypeError,
        ("train", "'rain'", "a list of texts"),
    ),
    Mistake(
        "a single label",
        lambda _: PROBE(SOURCE, (["rain", "snow", "sun"], "sky"), TEXTS),
        TypeError,
        ("train", "'sky'", "a list of labels"),
    ),
    Mistake(
        "numbers as texts",
        lambda _: PROBE(SOURCE, ([1, 2], ["sky", "pet"]), TEXTS),
        TypeError,
        ("train", "text 0 is 1", "labels and texts swapped"),
    ),
    Mistake(
        "fewer labels than texts",
        lambda _: PROBE(SOURCE, (["rain", "snow"], ["sky"]), TEXTS),
        ValueError,
        ("2 texts and 1 labels", "equal numbers"),
    ),
    Mistake(
        "one label",
        lambda _: PROBE(SOURCE, (["rain", "snow"], ["sky", "sky"]), TEXTS),
        VocabularyError,
        ("'sky'", "two or more labels"),
    ),
    Mistake(
        "no label in common",
        lambda _: PROBE(SOURCE, TEXTS, (["rain"], ["weather"])),
        VocabularyError,
        ("'weather'", "'pet', 'sky'"),
    ),
    Mistake(
        "labeled texts that are not there",
        lambda folder: PROBE(SOURCE, folder / "train.tsv", folder / "test.tsv"),
        LocalFileError,
        ("train.tsv", "labeled texts"),
    ),
    Mistake(
        "one column of labeled texts",
        lambda folder: PROBE(SOURCE, folder / "a.tsv", TEXTS, columns=("text",)),
        ValueError,
        ("columns", "that of the label"),
    ),
]


@each(MISTAKES)
def test_mistake_is_explained(mistake: Mistake, tmp_path: Path) -> None:
    """Each message says what is wrong and what to do."""
    check(mistake, tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        ",word1,word2,score\n0,rain,storm,8.5\n1,cat,dog,7\n",
        "Unnamed: 0,Word 1,Word 2,Human (mean)\n0,rain,storm,8.5\n1,cat,dog,7\n",
        "id;word1;word2;similarity;sd\n17;rain;storm;8,5;1,2\n9;cat;dog;7;1\n",
        "\tscore\tword1\tword2\n0\t8.5\train\tstorm\n1\t7\tcat\tdog\n",
        "pos,freq,Rating,w1,w2\nN,31,8.5,rain,storm\nN,30,7,cat,dog\n",
        "1,rain,storm,8.5\n2,cat,dog,7\n",
    ],
)
def test_names_of_columns_decide(text: str, tmp_path: Path) -> None:
    """Row numbers and other numbers are not a rating, in the dialects of spreadsheets and of pandas."""
    (tmp_path / "pairs.csv").write_text(text, "utf-8")
    assert list(word_pairs.read(tmp_path / "pairs.csv")) == [
        WordPair("rain", "storm", 8.5), WordPair("cat", "dog", 7.0),
    ]  # fmt: skip
