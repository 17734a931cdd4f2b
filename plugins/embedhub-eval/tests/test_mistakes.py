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
# The mistakes are those of types too.
BENCHMARK: Any = Benchmark
COMPARE: Any = embedhub_eval.compare
EVALUATE: Any = embedhub_eval.evaluate
PLOT_COMPARISON: Any = embedhub_eval.plot_comparison
PLOT_WORDS: Any = embedhub_eval.plot_words
PROBE: Any = embedhub_eval.probe
TEXTS = ["heavy rain", "cold snow", "small cat", "old dog"], ["sky", "sky", "pet", "pet"]


def evaluates(text: str, name: str = "pairs.csv") -> Callable[[Path], Any]:
    """Return a call that evaluates on a file with this text."""

    def call(folder: Path) -> Any:
        (folder / name).write_text(text, "utf-8")
        return embedhub_eval.evaluate(SOURCE, folder / name)

    return call


def reads_table(text: str) -> Callable[[Path], Any]:
    """Return a call that reads benchmarks from a TOML file with this text."""

    def call(folder: Path) -> Any:
        (folder / "mine.toml").write_text(text, "utf-8")
        return embedhub_eval.read_benchmarks(folder / "mine.toml")

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
    Mistake(
        "a dimension as benchmark",
        lambda _: EVALUATE("wordnet-ppmi", 50),
        TypeError,
        ("benchmarks is 50", "'glove-6b:50'"),
    ),
    Mistake(
        "no benchmark",
        lambda _: EVALUATE(SOURCE, []),
        ValueError,
        ("benchmarks is empty", "None for all"),
    ),
    Mistake(
        "benchmarks in one string",
        lambda _: EVALUATE(SOURCE, "simlex-999, men"),
        SourceNotFoundError,
        ("'simlex-999, men'", "as a list: ['simlex-999', 'men']"),
    ),
    Mistake(
        "a URL as benchmark",
        lambda _: EVALUATE(SOURCE, "https://me:secret@example.org/pairs.tsv"),
        SourceNotFoundError,
        ("'https://example.org/pairs.tsv' is a URL", "pass its path", "RemoteFile"),
    ),
    Mistake(
        "benchmarks with new names",
        lambda _: EVALUATE(SOURCE, {"mine": "./pairs.tsv"}),
        TypeError,
        ("benchmarks is {'mine'", "'./pairs.tsv'"),
    ),
    Mistake(
        "no source at all", lambda _: EVALUATE(None, "men"), TypeError, ("sources is None", "'glove-6b:50'")
    ),
    Mistake(
        "sources with their dims in a dict",
        lambda _: COMPARE({"wordnet-ppmi": 50}),
        TypeError,
        ("sources is {'wordnet-ppmi': 50}", "'glove-6b:50'"),
    ),
    Mistake(
        "a misspelt source before benchmarks that are away",
        lambda _: EVALUATE("wordnet-pmi:50"),
        SourceNotFoundError,
        ("'wordnet-pmi'", "Did you mean 'wordnet-ppmi'"),
    ),
    Mistake(
        "a path as counts",
        lambda folder: COMPARE(SOURCE, counts=folder / "reviews.txt"),
        VocabularyError,
        ("counts is", "reviews.txt", "read_counts('reviews.txt', kind='text')"),
    ),
    Mistake(
        "words as counts",
        lambda _: COMPARE(SOURCE, counts=["rain", "snow"]),
        VocabularyError,
        ("counts is ['rain', 'snow']", "read_counts"),
    ),
    Mistake(
        "empty counts", lambda _: COMPARE(SOURCE, counts={}), VocabularyError, ("counts is {}", "one word")
    ),
    Mistake(
        "no benchmarks in a comparison",
        lambda _: COMPARE(SOURCE, benchmarks=None),
        TypeError,
        ("benchmarks is None", "names, paths or Benchmark objects"),
    ),
    Mistake(
        "a spreadsheet",
        lambda folder: EVALUATE(SOURCE, folder / "pairs.xlsx"),
        FormatError,
        ("pairs.xlsx", "spreadsheet", "Save it as CSV"),
    ),
    Mistake(
        "a folder of something else",
        lambda folder: EVALUATE(SOURCE, folder),
        FormatError,
        ("expected a file, or the folder of BATS",),
    ),
    Mistake(
        "a path of BATS that is not there",
        lambda folder: Benchmark(name="bats-of-mine", format="bats", path=folder / "BATS").read(),
        LocalFileError,
        ("BATS", "cannot be read"),
    ),
    Mistake(
        "columns from 0",
        lambda folder: Benchmark(name="mine", format="pairs", path=folder, columns=(0, 1, 2)),
        ValueError,
        ("columns is (0, 1, 2)", "from 1"),
    ),
    Mistake(
        "columns by name",
        lambda folder: BENCHMARK(
            name="mine", format="pairs", path=folder, columns=("word1", "word2", "score")
        ),
        ValueError,
        ("columns is ('word1'", "numbers"),
    ),
    Mistake(
        "a URL in a table of benchmarks",
        reads_table('[mine]\nformat = "pairs"\nurl = "https://example.org/pairs.tsv"\n'),
        TypeError,
        ("mine.toml: [mine]", "no field 'url'", 'files = [{ url = "https://..." }]'),
    ),
    Mistake(
        "files of strings",
        reads_table('[mine]\nformat = "pairs"\nfiles = ["https://example.org/pairs.tsv"]\n'),
        TypeError,
        ("mine.toml: [mine]", "files is", '[{ url = "https://..." }]'),
    ),
    Mistake(
        "a table without a file",
        reads_table('[mine]\nformat = "pairs"\n'),
        ValueError,
        ("mine.toml: [mine]", "files or a path"),
    ),
    Mistake(
        "a table without a format",
        reads_table('[mine]\npath = "pairs.tsv"\n'),
        TypeError,
        ("mine.toml: [mine]", "format is None", "google-analogies"),
    ),
    Mistake(
        "fields without a table",
        reads_table('format = "pairs"\n'),
        TypeError,
        ("format is 'pairs'", "expected a table: [format]"),
    ),
    Mistake("no TOML", reads_table("rain\tstorm\t8\n"), ValueError, ("mine.toml", "expected TOML", "line 1")),
    Mistake(
        "a table that is not there",
        lambda folder: embedhub_eval.read_benchmarks(folder / "mine.toml"),
        LocalFileError,
        ("mine.toml", "TOML"),
    ),
    Mistake(
        "a label that is missing",
        lambda _: PROBE(SOURCE, (TEXTS[0], ["sky", "sky", None, "pet"]), TEXTS),
        ValueError,
        ("train", "label 2 is None"),
    ),
    Mistake(
        "a label that is NaN, as pandas reads an empty cell",
        lambda _: PROBE(SOURCE, TEXTS, (TEXTS[0], ["sky", "sky", "pet", float("nan")])),
        ValueError,
        ("test", "label 3 is nan"),
    ),
    Mistake(
        "texts without words",
        lambda _: PROBE(SOURCE, (["", " "], ["sky", "pet"]), TEXTS),
        VocabularyError,
        ("2 training texts have no words",),
    ),
    Mistake(
        "a tokenizer that returns a string",
        lambda _: PROBE(SOURCE, TEXTS, TEXTS, tokenize=str.upper),
        TypeError,
        ("tokenize returned", "'HEAVY RAIN'", "a list of strings"),
    ),
    Mistake(
        "a misspelt source after one that is away",
        lambda _: PROBE(["glove-6b:50", "wordnet-pmi:25"], TEXTS, TEXTS),
        SourceNotFoundError,
        ("'wordnet-pmi'", "Did you mean 'wordnet-ppmi'"),
    ),
    Mistake(
        "no training texts",
        lambda _: PROBE(SOURCE, None, TEXTS),
        TypeError,
        ("train is a NoneType", "a file"),
    ),
    Mistake(
        "a seed of letters", lambda _: PROBE(SOURCE, TEXTS, TEXTS, seed="x"), ValueError, ("seed is 'x'",)
    ),
    Mistake(
        "path and words exchanged",
        lambda _: PLOT_WORDS("wordnet-ppmi", 25, "map.svg", ["music"]),
        TypeError,
        ("path is ['music']", ".svg"),
    ),
    Mistake(
        "neighbors in letters",
        lambda _: PLOT_WORDS("wordnet-ppmi", 25, ["music"], topn="8"),
        ValueError,
        ("topn is '8'", "an integer from 0"),
    ),
    Mistake("no words", lambda _: PLOT_WORDS("wordnet-ppmi", 25, []), ValueError, ("is 0", "two or more")),
    Mistake(
        "another kind of picture",
        lambda _: PLOT_WORDS("wordnet-ppmi", 25, ["music"], "map.pdf"),
        ValueError,
        ("map.pdf", ".svg or .png"),
    ),
    Mistake(
        "a source instead of a comparison",
        lambda _: PLOT_COMPARISON("wordnet-ppmi:25", "plot.svg"),
        TypeError,
        ("rows is 'wordnet-ppmi:25'", "embedhub_eval.compare"),
    ),
    Mistake(
        "scores instead of a comparison",
        lambda folder: PLOT_COMPARISON(evaluates("rain,storm,8\n")(folder)),
        TypeError,
        ("rows is [<Score", "embedhub_eval.compare"),
    ),
    Mistake(
        "a comparison without figures",
        lambda _: PLOT_COMPARISON(COMPARE("glove-6b:300")),
        ValueError,
        ("nothing to plot", "download=True"),
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
