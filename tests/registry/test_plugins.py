"""Plugins that are installed beside embedhub: each is isolated, and each problem is named."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from children import PATIENCE
from command import add_distribution, add_plugin, run, seeing

from embedhub.registry.failure import end_sentence

HOOK = """\
import sys
import embedhub
from embedhub import RemoteFile, RemoteSource, hookimpl

def source(name):
    file = RemoteFile(f"https://example.org/{name}.txt", format="glove")
    return RemoteSource(
        name=name, files={2: file}, description="", language="en", cased=False, license="", citation="",
        homepage="",
    )

@hookimpl
def embedhub_sources():
"""
BROKEN = {
    "exits": ("import sys\nsys.exit(3)\n", "it called sys.exit(): 3 (made_up_exits.py, line 2). "),
    "exits-in-hook": (
        HOOK + "    sys.exit()\n",
        "it called sys.exit() (made_up_exits_in_hook.py, line 14). ",
    ),
    "closes": (HOOK + "    raise GeneratorExit\n", "GeneratorExit"),
    "skips": ("import pytest\npytest.skip('not here', allow_module_level=True)\n", "Skipped: not here"),
    "invents": ("class Odd(BaseException):\n    pass\n\nraise Odd('own')\n", "Odd: own"),
    "unprintable": (
        "class Odd(Exception):\n    def __str__(self):\n        return 1 / 0\n\nraise Odd\n",
        "is skipped, because it is broken: Odd (made_up_unprintable.py, line 5). ",
    ),
    "no-python": ("x = 1\n1 +\n", "SyntaxError: invalid syntax (made_up_no_python.py, line 2). "),
    "fails-in-library": (
        "import json\n\n" + HOOK + "    return read()\n\ndef read():\n    json.loads('{')\n",
        " (made_up_fails_in_library.py, line 19). ",
    ),
    "has-many-lines": (
        "raise ValueError('one\\n  two.\\n')\n",
        "ValueError: one two (made_up_has_many_lines.py, line 1). ",
    ),
    "misspells": (
        HOOK.replace("embedhub_sources", "embedhub_source") + "    return []\n",
        "broken: there is no hook embedhub_source. Did you mean embedhub_sources? Update",
    ),
    "invents-a-hook": (
        HOOK.replace("embedhub_sources", "tides") + "    return []\n",
        "broken: there is no hook tides; expected embedhub_commands or embedhub_formats or ",
    ),
    "takes-more": (
        HOOK.replace("embedhub_sources()", "embedhub_sources(cache, folder)") + "    return []\n",
        "broken: its hook embedhub_sources takes cache, folder; expected no arguments. ",
    ),
    "one-format": (
        HOOK.replace("embedhub_sources", "embedhub_formats") + "    return embedhub.Format('x', print)\n",
        "; expected Format objects in a list. ",
    ),
    "asks-at-import": ("import embedhub\nembedhub.sources()['glove-6b']\n", "embedhub.sources() was called"),
    "asks-in-hook": (HOOK + "    return [*embedhub.sources().values()]\n", "embedhub.sources() was called"),
    "asks-first": (
        "from embedhub.registry.registry import sources\nALL = sources\n" + HOOK + "    return list(ALL())\n",
        "embedhub.sources() was called",
    ),
    "registers": (HOOK + "    embedhub.register(source('theirs'))\n", "embedhub.register() was called"),
    "loads": (HOOK + "    embedhub.load('wordnet-ppmi', 25)\n", "embedhub.load() was called"),
    "wraps": (
        HOOK.replace("@hookimpl", "@hookimpl(wrapper=True)") + "    return (yield)\n",
        "embedhub_sources is a wrapper; expected @hookimpl without wrapper or hookwrapper",
    ),
    "wraps-as-before": (
        HOOK.replace("@hookimpl", "@hookimpl(hookwrapper=True)") + "    yield\n",
        "embedhub_sources is a wrapper",
    ),
    "one": (HOOK + "    return source('alone')\n", "expected EmbeddingSource objects in a list"),
    "odd-name": (
        HOOK + "    odd = source('odd')\n    object.__setattr__(odd, 'name', 3)\n    return [odd]\n",
        "ValueError: name is 3",
    ),
    "list": (HOOK + "    return []\n\nSOURCES = [source('in-a-list')]\n", "is not an object of type"),
}
ODD = {
    "returns-none": (
        HOOK + "    source('lost')\n",
        "provides nothing: its hook embedhub_sources returned None",
    ),
    "returns-nothing": (
        HOOK + "    return iter(())\n",
        "provides nothing: its hook embedhub_sources returned no",
    ),
    "twice": (HOOK + "    return [source('double'), source('double')]\n", "provides the name 'double' twice"),
    "reserved": (
        HOOK + "    return [source('glove-6b'), source('kept')]\n",
        "provides the name 'glove-6b', which is embedhub's own; that one is skipped",
    ),
}
GOOD = HOOK + "    print('a greeting')\n    return [source('good')]\n\nprint('another')\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with all of these plugins, and good ones before and after them."""
    site = tmp_path_factory.mktemp("site")
    for name, (code, _) in (BROKEN | ODD).items():
        add_distribution(site, f"made-up-{name}", code, attribute="SOURCES" if name == "list" else "")
    add_distribution(site, "made-up-good", GOOD)
    return site


def python(site: Path, code: str, *options: str, **variables: str) -> Any:
    """Run Python where the distributions of a folder are installed, and return the JSON that it prints."""
    done = subprocess.run(
        [sys.executable, *options, "-c", code],
        env=os.environ | seeing(site) | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


LOOK = """
import json, warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import embedhub
    mine = embedhub.ComputedSource(
        name="mine", dims=(2,), version=1, compute=print, description="", language="en", cased=False,
        license="", citation="", homepage="",
    )
    embedhub.register(mine)
    names = list(embedhub.sources())
    list(embedhub.sources().values())
print(json.dumps([names, [str(warning.message) for warning in caught]]))
"""


@pytest.fixture(scope="module")
def seen(site: Path) -> tuple[list[str], list[str]]:
    """Return the names and the warnings of a process that has registered a source before."""
    names, messages = python(site, LOOK)
    return names, messages


def test_other_sources_are_available(seen: tuple[list[str], list[str]]) -> None:
    """Whatever a plugin does, the other sources and what the user has registered are available."""
    assert seen[0] == ["double", "glove-6b", "glove-6b-20k", "good", "kept", "mine", "wordnet-ppmi"]


@pytest.mark.parametrize("name", [*BROKEN, *ODD])
def test_one_warning_names_the_plugin(name: str, seen: tuple[list[str], list[str]]) -> None:
    """A plugin that fails, gives nothing, or gives a name that is taken is named once, with what to do."""
    provider = f"made-up-{name} (made-up-{name})"
    (message,) = (text for text in seen[1] if text.startswith(f"The embedhub plugin {provider} "))
    assert (BROKEN | ODD)[name][1] in message
    assert ("is skipped, because it is broken: " in message) is (name in BROKEN)
    assert message.endswith("Update or uninstall it, or name it in EMBEDHUB_DISABLE_PLUGINS.")
    assert "\n" not in message
    assert ".. " not in message


def test_nothing_else_is_warned_of(seen: tuple[list[str], list[str]]) -> None:
    """There is no warning but those."""
    assert len(seen[1]) == len(BROKEN | ODD)


@pytest.mark.slow
def test_what_plugins_print_goes_to_stderr(site: Path) -> None:
    """Output of a plugin does not mix with results, and each problem is shown on stderr."""
    done = run("list", "--json", **seeing(site))
    assert done.returncode == 0
    assert "good" in {entry["name"] for entry in json.loads(done.stdout)}
    assert "a greeting" in done.stderr
    assert "another" in done.stderr
    for name in BROKEN | ODD:
        start = f"Warning: The embedhub plugin made-up-{name} (made-up-{name})"
        assert done.stderr.count(f"{start} {'is skipped' if name in BROKEN else 'provides'}") == 1, name


@pytest.mark.slow
def test_doctor_names_each_problem(site: Path) -> None:
    """The doctor has each problem with what to do, and goes on after a plugin that exits."""
    done = run("doctor", "--json", **seeing(site))
    assert done.returncode == 1
    findings: dict[str, str] = {}
    for finding in json.loads(done.stdout):  # a plugin on a slow machine has a second one
        findings[finding["name"]] = (
            f"{findings.get(finding['name'], '')}{end_sentence(finding['value'])} {finding['advice']}"
        )
    for name, (_, text) in (BROKEN | ODD).items():
        assert text.removesuffix(" Update") in findings[f"made-up-{name} (made-up-{name})"] + " "
        assert "Update or uninstall it, or name it in EMBED" in findings[f"made-up-{name} (made-up-{name})"]
    assert findings["made-up-good (made-up-good)"] == "1.0, sources: 1. None"


@pytest.mark.slow
def test_unknown_name_shows_the_problems(site: Path) -> None:
    """The error for a name that no source has shows why a plugin may not have given it."""
    done = run("info", "theirs", **seeing(site), EMBEDHUB_DISABLE_PLUGINS="made-up-exits")
    error = done.stderr[done.stderr.index("\nError: ") + 1 :]
    assert error.startswith("Error: No source is named 'theirs'.")
    assert "The embedhub plugin made-up-registers (made-up-registers) is skipped" in error
    assert error.endswith("EMBEDHUB_DISABLE_PLUGINS leaves out made-up-exits.\n")


ERRORS = """
import json, sys, embedhub
print(json.dumps([list(embedhub.sources()), "glove-6b" in embedhub.sources()]))
"""


@pytest.mark.slow
def test_warnings_as_errors_stop_nothing(site: Path) -> None:
    """Where a filter makes a warning an exception, problems are logged, and all other sources work."""
    names, known = python(site, ERRORS, "-W", "error")
    assert known
    assert {"good", "kept", "wordnet-ppmi"} <= set(names)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ERRORS],
        env=os.environ | seeing(site),
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    assert "The embedhub plugin made-up-exits (made-up-exits) is skipped" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_interrupt_of_the_user_is_not_a_problem_of_a_plugin(tmp_path: Path) -> None:
    """Ctrl-C while a plugin is imported ends the command."""
    add_distribution(tmp_path, "made-up-slow", "raise KeyboardInterrupt\n")
    done = run("list", **seeing(tmp_path))
    assert (done.returncode, done.stderr) == (130, "Interrupted.\n")


def test_failing_command_hook_is_isolated(tmp_path: Path) -> None:
    """A plugin that exits while it adds commands is named, and the help is shown."""
    hook = "@hookimpl\ndef embedhub_commands(app):\n    print('hi')\n    exit(4)\n"
    code = f"from embedhub import hookimpl\n\n{hook}"
    add_distribution(tmp_path, "made-up-commands", code)
    done = run("--help", **seeing(tmp_path))
    assert done.returncode == 0
    assert "hi" not in done.stdout.split()
    assert "The embedhub plugin made-up-commands (made-up-commands) is skipped" in done.stderr
    assert "it called sys.exit(): 4 (made_up_commands.py, line 6). Update" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["list", "--json"], ["--help"], ["tides"]])
def test_debug_shows_the_traceback_of_a_plugin(arguments: list[str], tmp_path: Path) -> None:
    """With --debug, the traceback of a plugin's error is on stderr, also if the plugin adds commands."""
    add_distribution(tmp_path, "made-up-broken", "def fail():\n    1 / 0\n\nfail()\n")
    done = run("--debug", *arguments, **seeing(tmp_path))
    assert "The embedhub plugin made-up-broken (made-up-broken) failed.\nTraceback " in done.stderr
    assert f'File "{tmp_path / "made_up_broken.py"}", line 2, in fail' in done.stderr
    assert "Traceback" not in done.stdout
    assert "Traceback" not in run(*arguments, **seeing(tmp_path)).stderr


def test_one_object_of_two_entry_points_is_given_once(tmp_path: Path) -> None:
    """A module that two distributions name, such as a renamed one, is used once, and the second is named."""
    add_plugin(tmp_path, "made-up-new", "source('only')")
    shutil.copytree(tmp_path / "made_up_new-1.0.dist-info", tmp_path / "made_up_old-1.0.dist-info")
    facts = tmp_path / "made_up_old-1.0.dist-info" / "METADATA"
    facts.write_text(facts.read_text("utf-8").replace("made-up-new", "made-up-old"), "utf-8")
    names, messages = python(tmp_path, LOOK)
    assert "only" in names
    (message,) = messages
    assert "it names the same object as made-up-" in message


def test_distribution_without_metadata_is_a_plugin(tmp_path: Path) -> None:
    """What is left of a distribution that was half removed does not stop the others."""
    for name in ("made-up-half", "made-up-other"):
        add_plugin(tmp_path, name, f"source('of-{name}')")
        (tmp_path / f"{name.replace('-', '_')}-1.0.dist-info" / "METADATA").unlink()
    names, messages = python(tmp_path, LOOK)
    assert {"of-made-up-half", "of-made-up-other"} <= set(names)
    assert messages == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("requirement", "command"),
    [
        ("embedhub>=99", "python -m pip install -U embedhub"),
        ("EmbedHub[eval]~=99.0", "python -m pip install -U embedhub"),
        ("embedhub==99.*", "python -m pip install -U embedhub"),
        ("embedhub<0.0.1", "python -m pip install -U made-up-picky"),
        ("embedhub!=0.1.0", "python -m pip install -U made-up-picky"),
    ],
)
def test_another_version_of_embedhub_is_advised(requirement: str, command: str, tmp_path: Path) -> None:
    """A plugin that needs another version of embedhub is named with what to update, also if it fails."""
    for name, code in (
        ("works", HOOK + "    return [source('fine')]\n"),
        ("fails", "import embedhub.absent\n"),
    ):
        site = tmp_path / name
        requires = ("numpy", "embedhub>=99; extra == 'never'", "not a requirement", requirement)
        add_distribution(site, "made-up-picky", code, requires=requires)
        done = run("list", **seeing(site))
        (line,) = done.stderr.splitlines()
        assert f"needs {requirement}, and this is embedhub 0.1.0" in line
        assert line.endswith(f"Run: {command}")
        assert ("ModuleNotFoundError" in line) is (name == "fails")
        assert ("fine" in done.stdout) is (name == "works")
        (finding,) = (
            f for f in json.loads(run("doctor", "--json", **seeing(site)).stdout) if "picky" in f["name"]
        )
        assert finding["advice"] == f"Run: {command}"


SLOW = """
import json, embedhub
from embedhub.registry import plugins
plugins._SLOW = -1
print(json.dumps([str(problem) for problem in embedhub.sources().plugins.problems]))
"""


@pytest.mark.slow
def test_slow_plugin_is_named(tmp_path: Path) -> None:
    """A plugin that takes long to load is named, with the packages that it imports; nothing is warned of."""
    add_distribution(tmp_path, "made-up-heavy", "import gensim\n" + HOOK + "    return [source('heavy')]\n")
    problems = python(tmp_path, SLOW, "-W", "error::UserWarning:__main__")
    (text,) = (problem for problem in problems if "made-up-heavy" in problem)
    start = "The embedhub plugin made-up-heavy (made-up-heavy) takes "
    assert text.startswith(start)
    assert " s to load (it imported " in text
    assert "gensim" in text
    assert "Ask its authors to import what is slow" in text


@pytest.mark.parametrize(
    "name",
    [
        "made-up-p-one",
        "made_up.p_one",
        "MADE-UP--P-ONE",
        "made-up-p-one (made-up-p-one)",
        "other, made-up-p-one ",
    ],
)
def test_plugin_is_disabled_by_any_spelling(name: str, tmp_path: Path) -> None:
    """A distribution has the spellings that pip takes, and the one that messages have."""
    add_plugin(tmp_path, "made-up-p-one", "1 / 0")
    add_plugin(tmp_path, "other", "source('other')")
    names, messages = python(tmp_path, LOOK, EMBEDHUB_DISABLE_PLUGINS=name)
    assert messages == []
    assert ("other" in names) is not name.startswith("other")


def test_disabled_name_that_matches_nothing_is_named(tmp_path: Path) -> None:
    """A misspelt name in EMBEDHUB_DISABLE_PLUGINS is named; plugins of benchmarks are known."""
    add_plugin(tmp_path, "made-up-one", "source('one')")
    add_distribution(tmp_path, "made-up-pairs", "", group="embedhub_eval")
    disabled = "made-up-onne,made-up-pairs,MADE-UP-ONE"
    names, messages = python(tmp_path, LOOK, EMBEDHUB_DISABLE_PLUGINS=disabled)
    assert "one" not in names
    (message,) = messages
    assert message.startswith(
        "EMBEDHUB_DISABLE_PLUGINS names 'made-up-onne', which no installed plugin is named."
    )
    done = run("doctor", "--json", **seeing(tmp_path), EMBEDHUB_DISABLE_PLUGINS=disabled)
    findings = {finding["name"]: finding for finding in json.loads(done.stdout)}
    assert "No installed plugin is named 'made-up-onne'." in findings["EMBEDHUB_DISABLE_PLUGINS"]["advice"]


REFRESH = """
import json, pathlib, shutil, sys, warnings
import embedhub
site = pathlib.Path(sys.argv[1])
sources = embedhub.sources()
mine = embedhub.ComputedSource(
    name="mine", dims=(2,), version=1, compute=print, description="", language="en", cased=False,
    license="", citation="", homepage="",
)
embedhub.register(mine)
seen = [["first" in sources, "second" in sources]]
(site / "later").rename(site / "now" / "made_up_second-1.0.dist-info")
shutil.rmtree(site / "now" / "made_up_first-1.0.dist-info")
seen.append(["first" in sources, "second" in sources])
sources.refresh()
seen.append(["first" in sources, "second" in sources])
print(json.dumps([seen, sources["mine"] is mine, sources.provider("second")]))
"""


def test_refresh_finds_what_was_installed_meanwhile(tmp_path: Path) -> None:
    """A refresh finds new plugins, forgets removed ones, and keeps what was registered."""
    now = tmp_path / "now"
    add_plugin(now, "made-up-first", "source('first')")
    add_plugin(now, "made-up-second", "source('second')")
    (now / "made_up_second-1.0.dist-info").rename(tmp_path / "later")
    done = subprocess.run(
        [sys.executable, "-c", REFRESH, tmp_path],
        env=os.environ | seeing(now),
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    seen, kept, provider = json.loads(done.stdout)
    assert seen == [[True, False], [True, False], [False, True]]
    assert kept
    assert provider == "made-up-second (made-up-second)"


DATA = HOOK.partition("@hookimpl")[0] + "\nSOURCE = source('quiet-rivers')\n"


def test_entry_point_may_name_a_source(tmp_path: Path) -> None:
    """An entry point that names a source, not a module with hooks, gives this source."""
    add_distribution(tmp_path, "made-up-data", DATA, attribute="SOURCE")
    names, messages = python(tmp_path, LOOK)
    assert messages == []
    assert "quiet-rivers" in names
    done = run("info", "quiet-rivers", **seeing(tmp_path))
    assert "made-up-data (made-up-data)" in done.stdout


COUNT = """
import json, sys
from embedhub.registry import hookspecs
from embedhub.registry.plugins import Plugins
from embedhub.registry.source import EmbeddingSource
calls = 0
def count(frame, event, argument):
    global calls
    calls += event in {"call", "c_call"}
plugins = Plugins(hookspecs, (), {"embedhub_sources": EmbeddingSource})
plugins.offered("embedhub_sources")
plugins.refresh()
sys.setprofile(count)
offered = plugins.offered("embedhub_sources")
sys.setprofile(None)
print(json.dumps([calls, len(offered)]))
"""


@pytest.mark.slow
def test_cost_is_linear_in_the_plugins(tmp_path: Path) -> None:
    """Twice as many plugins take at most twice as many calls of functions."""
    calls: list[int] = []
    for number in (0, 20, 40, 80):
        site = tmp_path / str(number)
        site.mkdir()
        for plugin in range(number):
            add_plugin(site, f"made-up-{plugin}", f"source('n{plugin}')")
        made, offered = python(site, COUNT)
        assert offered == number
        calls.append(made)
    each = [(made - calls[0]) / number for made, number in zip(calls[1:], (20, 40, 80), strict=True)]
    assert max(each) < 1.05 * min(each), each


def test_hook_may_have_another_name_or_be_of_a_later_version(tmp_path: Path) -> None:
    """A function may name the hook that it implements; one marked as optional may implement no known hook."""
    code = HOOK.replace("@hookimpl", "@hookimpl(specname='embedhub_sources')").replace(
        "_sources():", "_now():"
    )
    later = "\n@hookimpl(optionalhook=True)\ndef embedhub_later(things):\n    1 / 0\n"
    add_distribution(tmp_path, "made-up-later", f"{code}    return [source('tides')]\n{later}")
    names, messages = python(tmp_path, LOOK)
    assert "tides" in names
    assert messages == []


def test_hook_takes_some_of_its_arguments(tmp_path: Path) -> None:
    """A hook may leave out arguments of its specification, or have its own with defaults, as in pluggy."""
    code = (
        "from embedhub import hookimpl\n\n@hookimpl\ndef embedhub_commands(text='called'):\n    print(text)\n"
    )
    add_distribution(tmp_path, "made-up-commands", code)
    done = run("--help", **seeing(tmp_path))
    assert (done.returncode, done.stderr) == (0, "called\n")
