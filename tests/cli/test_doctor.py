"""`embedhub doctor`: its checks, and its advice for each problem."""

import json
import re
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import pytest
from command import add_distribution, add_plugin, run, seeing

import embedhub
from embedhub import settings
from embedhub._names import folder_name
from embedhub.cli import doctor


def test_doctor_shows_its_checks(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without problems it shows versions, backend, cache, settings, proxies and plugins, and exits with 0."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "compiled"))
    done = run("doctor", KERAS_BACKEND="", KERAS_HOME=str(tmp_path), EMBEDHUB_OFFLINE="1")
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("No problems.\n")
    for topic, name, value in (
        ("versions", "embedhub", embedhub.__version__),
        ("versions", "numpy", metadata.version("numpy")),
        ("keras", "backend", rf"tensorflow {metadata.version('tensorflow')} \(from the default of Keras\)"),
        ("cache", "folder", rf"{cache} \(created on first use\)"),
        ("cache", "writable", "yes"),
        ("cache", "free space", r"[\d,.]+ GB"),
        ("cache", "compiled reader", "not yet"),
        ("settings", "EMBEDHUB_OFFLINE", "1"),
        ("settings", "EMBEDHUB_MIRROR", "not set"),
        ("settings", "proxy: http", "http://127.0.0.1:9"),
        ("plugins", r"embedhub-text \(text\)", r"[\d.]+, commands: embed"),
        ("plugins", r"embedhub-eval \(eval\)", r"[\d.]+, commands: compare, evaluate, plot, probe"),
    ):
        assert re.search(rf"(?m)^{topic} +{name} +ok +{value}", done.stdout), name
    assert not cache.exists()


@pytest.mark.slow
def test_doctor_shows_no_secret() -> None:
    """No password, token or signature, and no value that is refused or misplaced, is in its report."""
    for mirror in (
        "https://me:hunter1@example.org/x?sig=hunter2",
        "me:hunter1@example.org",
        "ftp://h/?k=hunter2",
    ):
        done = run(
            "doctor",
            EMBEDHUB_MIRROR=mirror,
            EMBEDHUB_MIROR="https://example.org/?X-Amz-Signature=hunter3",
            EMBEDHUB_TOKEN="hunter4",
            EMBEDHUB_OFFLINE="hunter5",
            EMBEDHUB_PROGRESS="hunter6",
            http_proxy="me:hunter7@proxy:80",
            https_proxy="//me:hunter8@proxy",
        )
        assert "EMBEDHUB_TOKEN" in done.stdout
        assert "hunter" not in done.stdout + done.stderr


@pytest.mark.slow
def test_doctor_advises_for_each_problem(tmp_path: Path, cache: Path) -> None:
    """Each problem has its advice, in JSON too, and the exit code is 1."""
    site = tmp_path / "site"
    add_plugin(site, "embedhub-broken", "1 / 0")
    add_plugin(site, "embedhub-one", "source('same')")
    add_plugin(site, "embedhub-two", "source('same')")
    (cache / "vectors" / folder_name("mine") / "2d-0123456789abcdef").mkdir(parents=True)
    done = run(
        "doctor",
        "--json",
        **seeing(site),
        KERAS_BACKEND="theano",
        EMBEDHUB_OFLINE="1",
        EMBEDHUB_REQUIRE_HASH="perhaps",
        EMBEDHUB_MIRROR=str(tmp_path / "nowhere"),
        https_proxy="http://me:secret@127.0.0.1:9",
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert "secret" not in done.stdout
    findings = {finding["name"]: finding for finding in json.loads(done.stdout)}
    advice = {name: finding["advice"] for name, finding in findings.items() if not finding["ok"]}
    assert advice == {
        "backend": "embedhub supports tensorflow, jax, torch. Set KERAS_BACKEND to one of them.",
        "mine 2d": "Run: embedhub cache repair mine:2",
        "EMBEDHUB_MIRROR": "There is no such folder.",
        "EMBEDHUB_OFLINE": "embedhub has no such setting. Did you mean EMBEDHUB_OFFLINE?",
        "EMBEDHUB_REQUIRE_HASH": "Expected 1 or 0.",
        "embedhub-broken (embedhub-broken)": (
            "Update or uninstall it, or name it in EMBEDHUB_DISABLE_PLUGINS."
        ),
        "same": "Uninstall one of them, or name one in EMBEDHUB_DISABLE_PLUGINS.",
    }
    assert findings["embedhub-broken (embedhub-broken)"]["value"] == (
        "is skipped, because it is broken: ZeroDivisionError: division by zero (embedhub_broken.py, line 16)"
    )
    assert findings["embedhub-one (embedhub-one)"]["value"] == "1.0, sources: 1"
    assert findings["proxy: https"]["value"] == "http://127.0.0.1:9"


@pytest.mark.slow
def test_sentences_end_once(tmp_path: Path) -> None:
    """A problem and its advice are two sentences, however the text of an error ends."""
    add_distribution(tmp_path, "made-up-stops", "raise ValueError('no tides here.')\n")
    add_distribution(tmp_path, "made-up-typo", HOOK.replace("_commands", "_comands"))
    output = run("doctor", **seeing(tmp_path)).stdout
    assert "broken: ValueError: no tides here (made_up_stops.py, line 1). Update or uninstall it, " in output
    assert "broken: there is no hook embedhub_comands. Did you mean embedhub_commands? Update or " in output


HOOK = "from embedhub import hookimpl\n\n@hookimpl\ndef embedhub_commands():\n    return 3\n"


@pytest.mark.slow
def test_plugins_of_another_group_must_be_plugins(tmp_path: Path) -> None:
    """A package whose hook returns no plugins of another group is a problem, and the others are shown."""
    add_distribution(tmp_path, "made-up-group", HOOK.replace("_commands", "_plugins"))
    done = run("doctor", "--json", **seeing(tmp_path))
    assert done.returncode == 1
    findings = {finding["name"]: finding for finding in json.loads(done.stdout)}
    assert (
        "embedhub_plugins returned 3; expected Plugins" in findings["made-up-group (made-up-group)"]["value"]
    )
    assert findings["embedhub-text (text)"]["ok"]


def findings_of(topic: str) -> dict[str, doctor.Finding]:
    """Return the findings of a topic in this process, by name."""
    return {finding.name: finding for finding in doctor.examine() if finding.topic == topic}


def test_the_backend_is_the_one_that_keras_will_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """KERAS_BACKEND comes before the config file of Keras, and that before TensorFlow."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    for content in ('{"backend": "tensorflow"}', "not JSON", "[]"):
        (tmp_path / "keras.json").write_text(content, "utf-8")
        assert findings_of("keras")["backend"].value.startswith("tensorflow ")
    (tmp_path / "keras.json").write_text('{"backend": "openvino"}', "utf-8")
    finding = findings_of("keras")["backend"]
    assert f"(from {tmp_path / 'keras.json'})" in finding.value
    assert str(finding.advice).startswith("embedhub supports")
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    assert "(from KERAS_BACKEND)" in findings_of("keras")["backend"].value


def test_a_backend_that_is_not_installed_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """The advice is the command that installs the backend."""
    missing = next((name for name in ("torch", "jax") if find_spec(name) is None), None)
    if missing is None:
        pytest.skip("every backend is installed")
    monkeypatch.setenv("KERAS_BACKEND", missing)
    assert f'pip install "embedhub[{missing}]"' in str(findings_of("keras")["backend"].advice)


@pytest.mark.slow
def test_an_old_or_missing_package_is_a_problem(tmp_path: Path) -> None:
    """A package that is missing, or older than embedhub needs, has the command that installs it.

    Distributions in a folder before the others stand for what is installed.
    """
    requirements = ("numpy>=1.26", "not-there>=2", "keras>=3.5", "jax>=99; extra == 'jax'")
    for name, version, lines in (
        ("embedhub", "0.1.0", "".join(f"Requires-Dist: {line}\n" for line in requirements)),
        ("numpy", "1.9.10", ""),
    ):
        folder = tmp_path / f"{name}-{version}.dist-info"
        folder.mkdir()
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{lines}"
        (folder / "METADATA").write_text(text, "utf-8")
    done = run("doctor", "--json", **seeing(tmp_path))
    findings = {finding["name"]: finding for finding in json.loads(done.stdout)}
    assert findings["numpy"]["value"] == "1.9.10"
    assert findings["numpy"]["advice"].endswith('python -m pip install -U "numpy>=1.26"')
    assert findings["not-there"]["value"] == "not installed"
    assert findings["not-there"]["advice"].endswith('python -m pip install -U "not-there>=2"')
    assert findings["keras"]["ok"]
    assert "jax" not in findings


@pytest.mark.linux
def test_an_unusable_cache_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in place of the cache folder, or a folder that is not writable, is a problem."""
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("EMBEDHUB_CACHE", str(file / "cache"))
    assert f"{file} is not a folder" in str(findings_of("cache")["folder"].advice)
    monkeypatch.setenv("EMBEDHUB_CACHE", "/proc/nothing")
    findings = findings_of("cache")
    assert findings["writable"].value.startswith("no (")
    assert "Set EMBEDHUB_CACHE" in str(findings["writable"].advice)
    assert findings["free space"].advice


@pytest.mark.slow
def test_disabled_plugins_are_not_checked(tmp_path: Path, cache: Path) -> None:
    """With EMBEDHUB_DISABLE_PLUGINS=1 a broken plugin is not a problem."""
    add_plugin(tmp_path / "site", "embedhub-broken", "1 / 0")
    done = run(
        "doctor", **seeing(tmp_path / "site"), EMBEDHUB_DISABLE_PLUGINS="1", KERAS_BACKEND="tensorflow"
    )
    assert done.returncode == 0, done.stdout
    assert "disabled by EMBEDHUB_DISABLE_PLUGINS" in done.stdout


def test_plugins_of_schemes_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has its version and its scheme, and is not imported."""
    add_distribution(tmp_path, "river", "1 / 0", group="embedhub.schemes", attribute="open_river")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert findings_of("plugins")["river (river)"].value == "1.0, scheme: river://"


def test_doctor_checks_every_setting() -> None:
    """The environment variables that the settings document are those that it checks."""
    documented = set(re.findall(r"EMBEDHUB_\w+", str(settings.__doc__)))
    assert documented <= {name for name in findings_of("settings") if name.startswith("EMBEDHUB_")}


def test_lock_file_of_the_working_folder_is_shown(tmp_path: Path) -> None:
    """It is in force although no variable names it."""
    assert run("lock", "wordnet-ppmi:25", cwd=tmp_path).returncode == 0
    shown = run("doctor", cwd=tmp_path).stdout
    assert re.search(rf"EMBEDHUB_LOCK +ok +{re.escape(str(tmp_path / 'embedhub.lock'))}", shown)
    assert re.search("EMBEDHUB_LOCK +ok +off", run("doctor", cwd=tmp_path, EMBEDHUB_LOCK="off").stdout)
