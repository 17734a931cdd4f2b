"""`embedhub doctor`: what it looks at, and what it says where something is wrong."""

import json
import re
from importlib import metadata
from pathlib import Path

import pytest
from command import add_plugin, run, seeing

import embedhub
from embedhub import settings
from embedhub.cli import _doctor as doctor


def test_doctor_tells_what_it_looked_at(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a sound machine it tells versions, backend, cache, settings and proxies; nothing is wrong."""
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    done = run("doctor", KERAS_BACKEND="", KERAS_HOME=str(tmp_path), EMBEDHUB_OFFLINE="1")
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("Nothing is wrong.\n")
    for topic, name, value in (
        ("versions", "embedhub", embedhub.__version__),
        ("versions", "numpy", metadata.version("numpy")),
        ("keras", "backend", rf"tensorflow {metadata.version('tensorflow')} \(by the default of Keras\)"),
        ("cache", "folder", rf"{cache} \(made on first use\)"),
        ("cache", "writable", "yes"),
        ("cache", "free space", r"[\d,.]+ GB"),
        ("cache", "compiled reader", "not yet"),
        ("settings", "EMBEDHUB_OFFLINE", "1"),
        ("settings", "EMBEDHUB_MIRROR", "not set"),
        ("settings", "proxy: http", "http://127.0.0.1:9"),
    ):
        assert re.search(rf"(?m)^{topic} +{name} +ok +{value}", done.stdout), name
    assert not cache.exists()


def test_doctor_says_what_to_do(tmp_path: Path, cache: Path) -> None:
    """Each thing that is wrong is told with its cure, in JSON too, and the exit code is 1."""
    site = tmp_path / "site"
    add_plugin(site, "embedhub-broken", "1 / 0")
    add_plugin(site, "embedhub-one", "source('same')")
    add_plugin(site, "embedhub-two", "source('same')")
    (cache / "vectors" / "mine" / "2d-0123456789abcdef").mkdir(parents=True)
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
    wrong = {name: finding["advice"] for name, finding in findings.items() if not finding["ok"]}
    switch_off = "name it in EMBEDHUB_DISABLE_PLUGINS."
    assert wrong == {
        "backend": "embedhub is made for tensorflow, jax, torch; set KERAS_BACKEND to one of them.",
        "mine 2d": "embedhub cache repair",
        "EMBEDHUB_MIRROR": "There is no such folder.",
        "EMBEDHUB_OFLINE": "embedhub knows no such variable. Did you mean EMBEDHUB_OFFLINE?",
        "EMBEDHUB_REQUIRE_HASH": "EMBEDHUB_REQUIRE_HASH is 'perhaps'; expected 1 or 0.",
        "embedhub-broken (embedhub-broken)": f"Update or uninstall it, or {switch_off}",
        "same": "Uninstall one of them, or name one in EMBEDHUB_DISABLE_PLUGINS.",
    }
    assert findings["embedhub-broken (embedhub-broken)"]["value"] == "ZeroDivisionError: division by zero"
    assert findings["embedhub-one (embedhub-one)"]["value"] == "1.0, 1 source"
    assert findings["proxy: https"]["value"] == "http://me:***@127.0.0.1:9"


def findings_of(topic: str) -> dict[str, doctor.Finding]:
    """Return what is found of a topic in this process, by name."""
    return {finding.name: finding for finding in doctor.examine() if finding.topic == topic}


def test_the_backend_is_the_one_that_keras_will_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """KERAS_BACKEND comes before the config file of Keras; one that is not installed is wrong."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    for content in ('{"backend": "tensorflow"}', "not JSON", "[]"):
        (tmp_path / "keras.json").write_text(content, "utf-8")
        assert findings_of("keras")["backend"].value.startswith("tensorflow ")
    (tmp_path / "keras.json").write_text('{"backend": "openvino"}', "utf-8")
    found = findings_of("keras")["backend"]
    assert f"(by {tmp_path / 'keras.json'})" in found.value
    assert str(found.advice).startswith("embedhub is made for")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.setattr(doctor, "_version", lambda _: None)
    assert "pip install embedhub[torch]" in str(findings_of("keras")["backend"].advice)


def test_an_old_or_absent_package_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is older than embedhub needs, or not there, is told with the command that helps."""
    version = {"numpy": "1.25.2", "rich": None}
    real = doctor._version  # noqa: SLF001 - what is installed cannot be made older here
    monkeypatch.setattr(doctor, "_version", lambda name: version.get(name, real(name)))
    found = findings_of("versions")
    assert found["numpy"].value == "1.25.2"
    assert str(found["numpy"].advice).endswith("python -m pip install -U numpy")
    assert found["rich"].value == "not installed"
    assert found["rich"].advice
    assert found["keras"].advice is None


@pytest.mark.linux
def test_a_cache_that_cannot_be_used_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file where the folder should be, or a folder that cannot be written, is told."""
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("EMBEDHUB_CACHE", str(file / "cache"))
    assert f"{file} is no folder" in str(findings_of("cache")["folder"].advice)
    monkeypatch.setenv("EMBEDHUB_CACHE", "/proc/nothing")
    found = findings_of("cache")
    assert found["writable"].value.startswith("no (")
    assert "Set EMBEDHUB_CACHE" in str(found["writable"].advice)
    assert found["free space"].advice


def test_switched_off_plugins_are_told(tmp_path: Path, cache: Path) -> None:
    """With EMBEDHUB_DISABLE_PLUGINS a broken plugin is nobody's trouble."""
    add_plugin(tmp_path / "site", "embedhub-broken", "1 / 0")
    done = run(
        "doctor", **seeing(tmp_path / "site"), EMBEDHUB_DISABLE_PLUGINS="1", KERAS_BACKEND="tensorflow"
    )
    assert done.returncode == 0, done.stdout
    assert "switched off by EMBEDHUB_DISABLE_PLUGINS" in done.stdout


def test_doctor_knows_every_variable() -> None:
    """The variables that the settings document are the ones that it looks at."""
    documented = set(re.findall(r"EMBEDHUB_\w+", str(settings.__doc__)))
    assert documented == set(doctor._SETTINGS)  # noqa: SLF001 - the table under test
