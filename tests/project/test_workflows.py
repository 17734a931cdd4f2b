"""The workflows of continuous integration run what a contributor runs."""

import configparser
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def tox() -> configparser.ConfigParser:
    """Return tox.ini."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "tox.ini", encoding="utf-8")
    return parser


def labels() -> dict[str, list[str]]:
    """Return the labels of tox.ini, and the environments of each."""
    lines = tox()["tox"]["labels"].strip().splitlines()
    return {
        name.strip(): names.replace(" ", "").split(",") for name, names in (line.split("=") for line in lines)
    }


def steps(workflow: Path) -> list[dict[str, Any]]:
    """Return the steps of all jobs of a workflow."""
    jobs = yaml.safe_load(workflow.read_text("utf-8"))["jobs"].values()
    return [step for job in jobs for step in job["steps"]]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_call_environments_of_tox(workflow: Path) -> None:
    """Every tox environment and label that a workflow names is in tox.ini; nothing else runs the tests."""
    sections = {name.removeprefix("testenv:") for name in tox().sections()} | {"py"}
    for command in (step["run"] for step in steps(workflow) if "run" in step):
        assert "pytest" not in command
        for option, names in re.findall(r"tox -([em]) (\S+)", command):
            known = set(labels()) if option == "m" else sections | {'"py${PYTHON/./}"'}
            assert set(names.split(",")) <= known, command


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_pin_each_action_to_a_commit(workflow: Path) -> None:
    """An action is named by the hash of a commit, which a tag that moves cannot change."""
    actions = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert actions
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) for action in actions)


def test_every_claimed_python_is_tested_on_every_system() -> None:
    """The matrix has the versions of tox's label, among them all that the classifiers claim."""
    tests = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text("utf-8"))
    matrix = tests["jobs"]["tests"]["strategy"]["matrix"]
    assert {system.partition("-")[0] for system in matrix["system"]} == {"ubuntu", "macos", "windows"}
    assert [f"py{version.replace('.', '')}" for version in matrix["python"]] == labels()["pythons"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    claimed = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    assert set(claimed) <= set(matrix["python"])


def test_lint_checks_every_workflow() -> None:
    """The schema check in tox names each file, since tox expands no patterns."""
    commands = tox()["testenv:lint"]["commands"]
    assert all(f".github/workflows/{workflow.name}" in commands for workflow in WORKFLOWS)
