"""The contract of benchmarks: embedhub-eval's own keep it, and it finds what is wrong with others."""

import os
import re
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from benchmark_samples import SAMPLES
from children import PATIENCE
from command import add_distribution, seeing
from embedhub_eval import Analogy, Benchmark, WordPair, builtin_benchmarks
from embedhub_eval.testing import BenchmarkContract
from pages import blocks_of

from embedhub import RemoteFile

PAGE = Path(__file__).parents[3] / "docs" / "evaluation.md"
MORE: dict[str, list[WordPair | Analogy]] = {
    "simverb-3500": [WordPair("lift", "clear", 1.2)],
    "google-analogies": [Analogy("fog", "fogs", "day", ("days",), "syntactic")],
    "bats": [
        Analogy("foot", "feet", "mouse", ("mice",), "inflectional morphology"),
        Analogy("cat", "kitten", "dog", ("pup",), "encyclopedic semantics"),
        Analogy("dog", "pup", "cat", ("kitten",), "encyclopedic semantics"),
    ],
}


class TestBuiltinBenchmarks(BenchmarkContract):
    """The benchmarks of embedhub-eval keep the contract."""

    benchmarks = builtin_benchmarks.BENCHMARKS
    samples = {name: sample for name, (sample, _) in SAMPLES.items()}
    expected = {name: [first, *MORE.get(name, [])] for name, (_, first) in SAMPLES.items()}


def run_contract(site: Path, files: dict[str, str], tests: str) -> tuple[int, str]:
    """Install a distribution with a plugin of benchmarks, run a test file, and return what pytest prints."""
    add_distribution(site, "my-pairs", files["my_pairs.py"], group="embedhub_eval")
    (site / "my_pairs.toml").write_text(files["my_pairs.toml"], "utf-8")
    (site / "tests").mkdir()
    (site / "tests" / "test_my_pairs.py").write_text(tests, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "tests"],
        cwd=site,
        env=os.environ | seeing(site),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def page() -> dict[str, str]:
    """Return the files that the page about evaluation shows, by name."""
    return {block.title: block.code for block in blocks_of(PAGE) if block.title}


@pytest.mark.slow
def test_plugin_of_the_page_keeps_the_contract(page: dict[str, str], tmp_path: Path) -> None:
    """The plugin and the test file that the page shows work together."""
    code, printed = run_contract(tmp_path, page, page["tests/test_my_pairs.py"])
    assert code == 0, printed
    assert "8 passed" in printed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "old", "new", "messages"),
    [
        ("my_pairs.py", "import Path\n", "import Path\n\nimport absent\n", ["No module named 'absent'"]),
        (
            "my_pairs.py",
            "    return BENCHMARKS",
            "    return BENCHMARKS[:0]",
            ["No plugin provides 'my-pairs'", "its hook embedhub_benchmarks returned no objects", "1 failed"],
        ),
        (
            "my_pairs.py",
            "    return BENCHMARKS",
            "    import sklearn\n    open('written', 'w').close()\n    return BENCHMARKS",
            ["imports sklearn", "written", "loaded whenever names are listed"],
        ),
        (
            "my_pairs.py",
            "    return BENCHMARKS",
            "    return [*BENCHMARKS, *BENCHMARKS]",
            ["provides the name 'my-pairs' twice; the first one is used.", "1 failed"],
        ),
        (
            "my_pairs.toml",
            "[my-pairs]",
            "[men]",
            ["provides the name 'men', which is embedhub's own; that one is skipped"],
        ),
    ],
    ids=["import fails", "hook returns nothing", "side effects", "one name twice", "name is taken"],
)
def test_contract_says_why_a_plugin_is_not_loaded_well(
    file: str, old: str, new: str, messages: list[str], page: dict[str, str], tmp_path: Path
) -> None:
    """A plugin that does not provide its benchmark, or does more than that, fails with the reason."""
    assert old in page[file]
    files = page | {file: page[file].replace(old, new)}
    code, printed = run_contract(tmp_path, files, files["tests/test_my_pairs.py"])
    assert code != 0
    for message in messages:
        assert message in printed


GOOD = Benchmark(
    name="mine",
    format="pairs",
    files=(RemoteFile("https://github.com/me/my-pairs/raw/v1/pairs.tsv"),),
    total=2,
    description="Weather",
    language="en",
    license="CC0-1.0",
    citation="Me (2026). My pairs.",
    homepage="https://github.com/me/my-pairs",
)


class Mine(BenchmarkContract):
    """A contract whose tests are called one by one."""

    __test__ = False
    benchmarks = [GOOD]
    samples = {"mine": b"rain\tstorm\t8\nrain\tmusic\t1\n"}
    expected = {"mine": [WordPair("rain", "storm", 8), WordPair("rain", "music", 1)]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"license": ""}, "mine: license is ''; expected one line"),
        ({"citation": "one\ntwo"}, r"mine: citation is 'one\ntwo'; expected one line"),
        (
            {"description": "TODO: describe"},
            "description is 'TODO: describe', a placeholder. Say what is",
        ),
        ({"license": "<license>"}, "license is '<license>', a placeholder. Write the license"),
        ({"homepage": "me.org"}, "mine: homepage is 'me.org'; expected 'https://...'"),
        ({"homepage": "https://example.org/x"}, "homepage is 'https://example.org/x', a placeholder"),
        (
            {"files": (RemoteFile("https://example.com/x"),)},
            "a url of files is 'https://example.com/x', a placeholder",
        ),
        ({"language": "English"}, "mine: language is 'English'; expected a BCP 47 tag"),
        ({"total": 0}, "mine: total is 0; expected a positive int, or None"),
    ],
)
def test_incomplete_metadata_are_a_failure(changes: dict[str, Any], message: str) -> None:
    """The failure has the field, what it is and what is expected."""
    Mine().test_metadata_is_complete(GOOD)
    with pytest.raises(pytest.fail.Exception, match=re.escape(message)):
        Mine().test_metadata_is_complete(replace(GOOD, **changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"benchmarks": []},
            "Other: benchmarks is empty, so that nothing is tested; expected a list of",
        ),
        ({"benchmarks": None}, "benchmarks is None; expected a list of Benchmark objects"),
        ({"benchmarks": {"mine": GOOD}}, "benchmarks has 'mine'; expected a list of Benchmark objects"),
        ({"samples": None}, "samples is None; expected the bytes of a file by name"),
        ({"samples": {"mine": "rain"}}, "samples is {'mine': 'rain'}; expected the bytes of a file by name"),
        ({"expected": {"mine": None}}, "expected is {'mine': None}; it should have a list of items by name"),
    ],
)
def test_a_class_that_tests_nothing_fails(changes: dict[str, Any], message: str) -> None:
    """An attribute that is empty or malformed is a failure that says what to write."""
    contract: Any = type("Other", (Mine,), changes)()
    with pytest.raises(pytest.fail.Exception, match=re.escape(message)):
        contract.test_class_is_complete()


def test_a_generator_of_benchmarks_is_read_once() -> None:
    """Benchmarks may come from a generator: every test sees all of them."""
    contract: Any = type("Other", (Mine,), {"benchmarks": iter([GOOD])})()
    contract.test_class_is_complete()
    assert contract.benchmarks == (GOOD,)


class Careless(Benchmark):
    """A benchmark whose reader lets any bytes pass, and fails on some."""

    def read(self, path: Path | None = None) -> list[Any]:
        """Return the first two fields of each line with a rating that no one gave."""
        assert path is not None
        lines = path.read_text("utf-8").splitlines()
        pairs = [line.split("\t")[:2] for line in lines]
        return [WordPair(left, right, float("nan")) for left, right in pairs]


def test_wrong_items_are_a_failure(tmp_path: Path) -> None:
    """Other items than expected, a missing sample and a wrong number of items are failures."""
    for attribute, values, message in (
        ("expected", {"mine": [WordPair("rain", "storm", 7)]}, "mine: the sample has the items [WordPair("),
        ("samples", {}, "samples has nothing for 'mine'"),
        ("expected", {}, "expected has nothing for 'mine'"),
    ):
        contract: Any = type("Other", (Mine,), {attribute: values})()
        with pytest.raises(pytest.fail.Exception, match=re.escape(message)):
            contract.test_sample_has_the_expected_items(GOOD, tmp_path)
    with pytest.raises(pytest.fail.Exception, match="total is 1, but the sample alone has 2 items"):
        Mine().test_sample_has_the_expected_items(replace(GOOD, total=1), tmp_path)


def test_careless_reader_is_a_failure(tmp_path: Path) -> None:
    """A reader that makes items of a web page, or raises another error for damage, breaks the contract."""
    careless = Careless(**{field.name: getattr(GOOD, field.name) for field in fields(GOOD)})
    with pytest.raises(pytest.fail.Exception, match="a web page in place of its file raises ValueError"):
        Mine().test_web_page_raises_format_error(careless, tmp_path)
    with pytest.raises(
        pytest.fail.Exception, match=r"truncated to .* raises ValueError|with a finite rating"
    ):
        Mine().test_damaged_files_raise_only_format_errors(careless, tmp_path)
