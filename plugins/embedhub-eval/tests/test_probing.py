"""The probe: a classifier of texts over the vectors of each source."""

import json
import re
from pathlib import Path
from typing import Any

import embedhub_eval
import numpy as np
import pytest
from command import run
from embedhub_eval.labeled import read_labeled
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

import embedhub
from embedhub.errors import DimNotFoundError, VocabularyError
from embedhub.matrix.tokenizers import get_tokenizer

TRAIN = ["heavy rain", "snow and wind", "a small cat", "my old dog"], ["sky", "sky", "pet", "pet"]


def test_pretrained_vectors_beat_random_ones(demo_texts: tuple[Path, Path]) -> None:
    """If training and test texts share topics but few words, the interval of pretrained vectors is above."""
    probe = embedhub_eval.probe(["wordnet-ppmi:25", "wordnet-ppmi:100"], *demo_texts, columns=(1, 2))
    rows = {(row.source, row.dim): row for row in probe.results}
    assert list(rows) == [
        ("wordnet-ppmi", 25), ("wordnet-ppmi", 100), ("tf-idf", 786), ("random", 25), ("random", 100),
    ]  # fmt: skip
    for dim in (25, 100):
        assert rows["wordnet-ppmi", dim].interval[0] > rows["random", dim].interval[1]
        assert rows["random", dim].token_ratio == 1
    assert "wordnet-ppmi 100d: " in str(probe)


def test_difference_is_that_to_the_best_source(demo_texts: tuple[Path, Path]) -> None:
    """Its interval is narrower than that of independent samples, since all have the same texts."""
    results = embedhub_eval.probe(
        ["wordnet-ppmi:25", "wordnet-ppmi:100"], *demo_texts, columns=(1, 2)
    ).results
    best = max(results[:2], key=lambda result: result.accuracy)
    for result in results:
        assert result.difference == pytest.approx(result.accuracy - best.accuracy)
        if result is best:
            assert result.difference_interval is None
            continue
        low, high = result.difference_interval or (0, 0)
        assert low < result.difference < high
        apart = [abs(end - one.accuracy) for one in (result, best) for end in one.interval]
        assert high - low < sum(apart)


@pytest.mark.slow
def test_tf_idf_is_the_baseline(demo_texts: tuple[Path, Path]) -> None:
    """Its accuracy is that of scikit-learn on the same lower-cased tokens, with the same classifier."""
    split = get_tokenizer("words")
    sets = [read_labeled(path, columns=(1, 2)) for path in demo_texts]
    tokens = [[[word.lower() for word in split(text)] for text in one.texts] for one in sets]
    vectorizer = TfidfVectorizer(analyzer=list)
    model = LogisticRegression(tol=1e-6).fit(vectorizer.fit_transform(tokens[0]), sets[0].labels)
    accuracy = model.score(vectorizer.transform(tokens[1]), sets[1].labels)
    _, result, _ = embedhub_eval.probe("wordnet-ppmi:25", *demo_texts, columns=(1, 2)).results
    assert (result.source, result.dim) == ("tf-idf", len(vectorizer.vocabulary_))
    assert result.accuracy == pytest.approx(accuracy)
    known = [word in vectorizer.vocabulary_ for texts in tokens for text in texts for word in text]
    assert result.token_ratio == pytest.approx(sum(known) / len(known))


def test_reports_and_results_fit_a_screen() -> None:
    """Their repr shows the accuracies; that of a report of many sources is shortened."""
    result = embedhub_eval.ProbeResult("x" * 60, 300, 0.5, (0.4, 0.6), 50, 100, 0.9)
    assert repr(result) == f"<ProbeResult {'x' * 60} 300d: 50.0% (40.0% to 60.0%)>"
    report = embedhub_eval.ProbeReport((result,) * 30, "a" * 400, "b" * 400, 0.2)
    assert repr(report).startswith("<ProbeReport on 100 texts: xxx")
    assert repr(report).endswith("50.0%, 25 more>")
    assert len(repr(report)) < 500


@pytest.mark.slow
def test_same_seed_gives_same_results(demo_texts: tuple[Path, Path]) -> None:
    """Only the random vectors depend on the seed."""
    first, again, other = (
        embedhub_eval.probe("wordnet-ppmi:25", *demo_texts, columns=(1, 2), seed=seed).to_dict()
        for seed in (0, 0, 1)
    )
    assert first == again
    assert first["results"][:2] == other["results"][:2]
    assert first["results"][2]["accuracy"] != other["results"][2]["accuracy"]


@pytest.mark.slow
def test_uncased_source_ignores_case(demo_texts: tuple[Path, Path]) -> None:
    """Texts in capitals have the same results, also with random vectors."""
    train, test = ([line.split("\t") for line in path.read_text().splitlines()] for path in demo_texts)
    sets = [([text for text, _ in rows], [label for _, label in rows]) for rows in (train, test)]
    loud = [([text.upper() for text in texts], labels) for texts, labels in sets]
    assert (
        embedhub_eval.probe("wordnet-ppmi:50", *sets).results
        == embedhub_eval.probe("wordnet-ppmi:50", *loud).results
    )


def test_labels_may_be_numbers_and_unknown() -> None:
    """Labels may be numbers; a label that is not in the training texts is predicted wrong."""
    train = TRAIN[0], [1, 1, 0, 0]
    probe = embedhub_eval.probe(
        ("wordnet-ppmi", 100), train, (["a cold storm", "my kitten", "bread"], [1, 0, 7])
    )
    assert [row.correct for row in probe.results][:1] == [2]
    assert probe.most_frequent == 1 / 3
    assert probe.test == "3 texts with 3 labels (0, 1, 7)"


@pytest.mark.parametrize(
    ("train", "test", "error", "message"),
    [
        ((["a", "b"], ["x", "x"]), (["a"], ["x"]), VocabularyError, "All training texts have the label 'x'"),
        (
            TRAIN,
            (["a"], ["x"]),
            VocabularyError,
            "No test text has a label of the training texts: got 'x'; expected 'pet'",
        ),
        (TRAIN, (["a"], []), ValueError, "test has 1 texts and 0 labels"),
        (([], []), TRAIN, ValueError, "train has 0 texts and 0 labels"),
    ],
)
def test_data_without_a_choice_is_an_error(
    train: Any, test: Any, error: type[Exception], message: str
) -> None:
    """Training texts need two labels, test texts one of them, and both as many labels as texts."""
    with pytest.raises(error, match=message):
        embedhub_eval.probe("wordnet-ppmi:25", train, test)


def test_source_with_several_dims_needs_a_dim() -> None:
    """A name alone selects the only dimension of a source."""
    with pytest.raises(DimNotFoundError, match="has several dims: 25, 50, 100"):
        embedhub_eval.probe("wordnet-ppmi", TRAIN, TRAIN)


@pytest.mark.slow
def test_command_prints_a_table_or_json(demo_texts: tuple[Path, Path]) -> None:
    """`embedhub probe NAME DIM` describes the data and the results; JSON equals the dict of the report."""
    train, test = demo_texts
    files = ("--train", train, "--test", test, "--columns", "1,2")
    shown = run("probe", "wordnet-ppmi:50", *files)
    assert shown.returncode == 0, shown.stderr
    assert "Accuracy on 180 test texts, and the difference to the best source" in shown.stdout
    as_json = run("probe", "wordnet-ppmi:50", *files, "--json")
    report = embedhub_eval.probe("wordnet-ppmi:50", train, test, columns=(1, 2))
    assert json.loads(as_json.stdout) == report.to_dict()
    assert "{:.1%} to {:.1%}".format(*report.results[0].interval) in shown.stdout


@pytest.mark.slow
def test_command_takes_columns_and_tokenized_texts(tmp_path: Path) -> None:
    """`--columns` selects columns; `--tokenize whitespace` keeps the tokens of SST-2."""
    file = tmp_path / "texts.csv"
    file.write_text("id,stars,body\n1,5,good film\n2,1,does n't work\n3,5,good acting\n4,1,bad film\n")
    done = run(
        "probe", "wordnet-ppmi:25", "--train", file, "--test", file, "--columns", "body,stars",
        "--tokenize", "whitespace", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["train"] == "4 texts with 2 labels (1, 5)"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("50",), 1, "A dimension follows the name of its source"),
        (("wordnet-ppmi:50", "--columns", "text"), 2, "expected two, as in text,label"),
        (("wordnet-ppmi:50", "--tokenize", "spaces"), 2, "expected words or whitespace"),
        (("wordnet-ppmi:51", "--columns", "1,2"), 1, "'wordnet-ppmi' has no dim 51"),
        (("wordnet-ppmi:50",), 1, "expected columns 'text' and 'label'; line 1 has 2"),
    ],
)
def test_command_reports_errors(
    demo_texts: tuple[Path, Path], arguments: tuple[str, ...], code: int, message: str
) -> None:
    """Wrong usage has exit code 2, a failed task 1, and neither prints a traceback."""
    done = run("probe", *arguments, "--train", demo_texts[0], "--test", demo_texts[1])
    assert done.returncode == code
    assert message in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_usage_has_the_required_options() -> None:
    """A missing source or option is an error that shows all that the command requires."""
    for arguments in ((), ("wordnet-ppmi:25",), ("--train", "a.tsv")):
        done = run("probe", *arguments)
        assert done.returncode == 2
        assert "Usage: embedhub probe SOURCE... --train TRAIN --test TEST" in done.stderr


def check_order(probe: embedhub_eval.ProbeReport, glove: tuple[str, int]) -> None:
    """Check that all sources beat random vectors significantly, and larger dimensions smaller ones."""
    rows = {(row.source, row.dim): row for row in probe.results}
    wordnet = [rows["wordnet-ppmi", dim] for dim in (25, 50, 100)]
    for row in (rows[glove], *wordnet):
        assert row.interval[0] > rows["random", row.dim].accuracy > probe.most_frequent
    assert wordnet[0].accuracy < wordnet[1].accuracy < wordnet[2].accuracy


@pytest.mark.slow
def test_glove_and_wordnet_beat_random_vectors(
    glove_20k: embedhub.Vectors, demo_texts: tuple[Path, Path]
) -> None:
    """On the demo's sentences each source beats random vectors significantly."""
    probe = embedhub_eval.probe(
        ["glove-6b-20k:50", "wordnet-ppmi:25", "wordnet-ppmi:50", "wordnet-ppmi:100"],
        *demo_texts,
        columns=(1, 2),
    )
    check_order(probe, ("glove-6b-20k", 50))


DATA: list[tuple[str, str, dict[str, Any], str, str]] = [
    (
        *("sst2/train.tsv", "sst2/test.tsv", {"tokenize": "whitespace", "columns": (1, 2)}),
        "6,920 texts with 2 labels (0, 1)",
        "1,821 texts with 2 labels (0, 1)",
    ),
    (
        *("trec/train.txt", "trec/test.txt", {"label_first": True}),
        "5,452 texts with 6 labels (ABBR, DESC, ENTY, HUM, LOC, NUM)",
        "500 texts with 6 labels (ABBR, DESC, ENTY, HUM, LOC, NUM)",
    ),
]


@pytest.mark.slow
def test_sst2_and_trec_have_the_results_of_the_page(glove_50d: embedhub.Vectors, real_texts: Path) -> None:
    """Both datasets are read whole, and the table of the guide equals the results."""
    page = (Path(__file__).parents[3] / "docs" / "choose-a-source.md").read_text("utf-8")
    shown = re.findall(r"(?m)^\| `([\w-]+)` \| (\d*) *\| (.*%) \|$", page)
    figures: dict[tuple[str, str], list[float]] = {}
    sources = ["glove-6b:50", "glove-6b-20k:50", *(f"wordnet-ppmi:{dim}" for dim in (25, 50, 100))]
    for train, test, options, about_train, about_test in DATA:
        probe = embedhub_eval.probe(sources, real_texts / train, real_texts / test, **options)
        assert probe.train.startswith(about_train)
        assert probe.test.startswith(about_test)
        check_order(probe, ("glove-6b", 50))
        for row in probe.results:
            dim = "" if row.source == "tf-idf" else str(row.dim)  # another for each dataset
            figures.setdefault((row.source, dim), []).extend(
                100 * figure for figure in (row.accuracy, *row.interval)
            )
    assert {(source, dim) for source, dim, _ in shown} == figures.keys()
    for source, dim, cells in shown:
        # Another machine may see two of 500 texts on the other side of a boundary.
        written = [float(figure) for figure in re.findall(r"([\d.]+)%", cells)]
        assert written == pytest.approx(figures[source, dim], abs=0.5)


@pytest.mark.slow
def test_few_labels_have_the_results_of_the_page(glove_50d: embedhub.Vectors, real_texts: Path) -> None:
    """With 50 training texts, the row of the guide is the mean over five draws of them."""
    page = (Path(__file__).parents[3] / "docs" / "choose-a-source.md").read_text("utf-8")
    figures = []
    for train, test, options, *_ in DATA:
        tokenize = options.get("tokenize", "words")
        layout = {name: value for name, value in options.items() if name != "tokenize"}
        train_set, test_set = (read_labeled(real_texts / file, **layout) for file in (train, test))
        draws = []
        for seed in range(5):
            drawn = np.random.default_rng(seed).permutation(len(train_set.texts))[:50]
            few = [train_set.texts[i] for i in drawn], [train_set.labels[i] for i in drawn]
            report = embedhub_eval.probe(
                ["glove-6b:50", "wordnet-ppmi:100"], few, (test_set.texts, test_set.labels), tokenize=tokenize
            )
            draws.append([100 * result.accuracy for result in report.results[:3]])
        figures.extend(np.mean(draws, axis=0).tolist())
    (row,) = re.findall(r"(?m)^\| 50 \| (.*%) \|$", page)
    assert [float(cell.rstrip("%")) for cell in row.split(" | ")] == pytest.approx(figures, abs=0.5)
