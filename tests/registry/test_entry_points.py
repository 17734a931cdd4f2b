"""Plugins that were built, and installed by pip, together: good ones, and broken ones in every way."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from children import PATIENCE

pytestmark = pytest.mark.slow  # a dozen distributions are built and installed

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "{name}"
version = "1.0"
[project.entry-points.embedhub]
{entry_point} = "{module}"
"""
SOURCE = """
from embedhub import RemoteFile, RemoteSource, hookimpl

def source(name):
    file = RemoteFile("https://example.org/a.txt", format="glove")
    return RemoteSource(
        name=name, files={2: file}, description="", language="en", cased=False,
        license="", citation="", homepage="",
    )

"""
HOOK = SOURCE + "@hookimpl\ndef embedhub_sources():\n"
GOOD = {
    "embedhub-a-good": HOOK + "    yield source('first')\n",
    "embedhub-z-good": HOOK + "    return [source('last')]\n",
    "embedhub-one": HOOK + "    return [source('same'), source('only-one')]\n",
    "embedhub-two": HOOK + "    return [source('same'), source('only-two')]\n",
}
BROKEN = {
    "embedhub-no-import": (
        "import no_such_module_anywhere",
        "ModuleNotFoundError: No module named 'no_such_module_anywhere'",
    ),
    "embedhub-no-python": ("1 +", "SyntaxError"),
    "embedhub-no-hook": (
        SOURCE,
        "no function embedhub_commands or embedhub_formats or embedhub_plugins or embedhub_sources marked ",
    ),
    "embedhub-misspelt": (
        SOURCE + "@hookimpl\ndef embedhub_source():\n    return []\n",
        "there is no hook embedhub_source. Did you mean embedhub_sources?",
    ),
    "embedhub-raises": (HOOK + "    raise OSError('no disk')\n", "OSError: no disk"),
    "embedhub-no-source": (
        HOOK + "    return ['glove']\n",
        "returned 'glove'; expected EmbeddingSource objects",
    ),
    "embedhub-bad-name": (HOOK + "    return [source('Bad Name')]\n", "name is 'Bad Name'"),
    "embedhub-bad-hook": (
        SOURCE + "@hookimpl\ndef embedhub_sources(cache):\n    return []\n",
        "its hook embedhub_sources takes cache; expected no arguments",
    ),
}

# Prints what a process sees if all of them are installed.
LOOK = """
import json, sys, warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import embedhub
    sources = embedhub.sources()
    names = list(sources)
found = {
    "clash": None,
    "providers": {name: sources.provider(name) for name in names},
    "warnings": [[warning.category.__name__, str(warning.message)] for warning in caught],
    "modules": [
        name
        for name, module in sys.modules.items()
        if name.startswith("embedhub_") and module.__file__.startswith(sys.argv[1])
    ],
}
try:
    sources["same"]
except LookupError as error:
    found["clash"] = f"{type(error).__name__}: {error}"
print(json.dumps(found))
"""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, install: Callable[..., None]) -> Path:
    """Build all those distributions, and install their wheels into one folder."""
    folders = []
    for name, code in (GOOD | {name: code for name, (code, _) in BROKEN.items()}).items():
        folder = tmp_path_factory.mktemp(name)
        module = name.replace("-", "_")
        project = PROJECT.format(name=name, module=module, entry_point=f"of-{name}")
        (folder / "pyproject.toml").write_text(project, "utf-8")
        (folder / f"{module}.py").write_text(code, "utf-8")
        folders.append(folder)
    place = tmp_path_factory.mktemp("site")
    install(place, *folders)
    return place


def look(site: Path, code: str = LOOK, **variables: str) -> Any:
    """Run Python where those are installed, and return the JSON that it prints."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EMBEDHUB_")}
    environment |= {"PYTHONPATH": str(site)} | variables
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, site],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="session")
def seen(site: Path) -> Any:
    """Return what one process sees, all others of these tests being the same."""
    return look(site)


def test_installing_a_plugin_makes_its_names_appear(seen: Any) -> None:
    """The sources of every working plugin are there, beside embedhub's own, with who provides them."""
    assert {
        "first": "embedhub-a-good (of-embedhub-a-good)",
        "glove-6b": "embedhub.registry.builtin.glove",
        "last": "embedhub-z-good (of-embedhub-z-good)",
        "only-one": "embedhub-one (of-embedhub-one)",
        "only-two": "embedhub-two (of-embedhub-two)",
        "wordnet-ppmi": "embedhub.registry.builtin.wordnet",
    }.items() <= seen["providers"].items()
    assert list(seen["providers"]) == sorted(seen["providers"])


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_named_and_hurts_no_other(name: str, seen: Any) -> None:
    """Whatever is wrong with a plugin, one warning names it, says why, and what to do."""
    about = [warning for warning in seen["warnings"] if f"plugin {name} (" in warning[1]]
    ((category, message),) = about
    assert category == "PluginWarning"
    assert message.startswith(f"The embedhub plugin {name} (of-{name}) is skipped, because it is broken: ")
    assert BROKEN[name][1] in message
    assert message.endswith("Update or uninstall it, or name it in EMBEDHUB_DISABLE_PLUGINS.")


def test_nothing_else_is_warned_of(seen: Any) -> None:
    """There is a warning for each broken plugin, and none for the others."""
    assert len(seen["warnings"]) == len(BROKEN)


def test_a_clash_is_an_error_only_when_the_name_is_used(seen: Any) -> None:
    """Two plugins with one name are both named when it is asked for; it is not listed, all others are."""
    assert "same" not in seen["providers"]
    assert seen["clash"].startswith(
        "SourceNotFoundError: The source name 'same' is provided by embedhub-one (of-embedhub-one) and by "
        "embedhub-two (of-embedhub-two). Uninstall one of them"
    )


def test_plugins_can_be_switched_off(site: Path) -> None:
    """A plugin named in EMBEDHUB_DISABLE_PLUGINS, by distribution or entry point, is not even imported."""
    names = ",".join([*(f"of-{name}" for name in BROKEN), "embedhub-one"])
    seen = look(site, EMBEDHUB_DISABLE_PLUGINS=names)
    assert seen["warnings"] == []
    assert sorted(seen["modules"]) == ["embedhub_a_good", "embedhub_two", "embedhub_z_good"]
    assert seen["clash"] is None
    assert seen["providers"]["same"] == "embedhub-two (of-embedhub-two)"


def test_all_plugins_can_be_switched_off(site: Path) -> None:
    """With EMBEDHUB_DISABLE_PLUGINS=1 only embedhub's own sources are left."""
    seen = look(site, EMBEDHUB_DISABLE_PLUGINS="1")
    assert (seen["warnings"], seen["modules"]) == ([], [])
    assert seen["clash"].startswith("SourceNotFoundError: No source is named 'same'.")
    assert list(seen["providers"]) == ["glove-6b", "glove-6b-20k", "wordnet-ppmi"]


ONCE = """
import json, sys, warnings
from embedhub.registry.registry import Registry
warnings.simplefilter("ignore")
before, after = Registry(), Registry()
list(before)
sys.path.insert(0, sys.argv[1])
print(json.dumps(["first" in before, "first" in after]))
"""


def test_discovery_happens_once(site: Path) -> None:
    """A registry looks for plugins on first use, and never again."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", ONCE, site],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    assert json.loads(done.stdout) == [False, True]
