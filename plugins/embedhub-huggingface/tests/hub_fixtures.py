"""Fixtures: a small Hub, a cache and a home for each test, and no way to the network."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_server import Hub, serving_hub

# Read when huggingface_hub is imported, which otherwise asks the real Hub for the names of programs.
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test an empty cache, no token, and a proxy address where no server listens."""
    for name in [name for name in os.environ if name.startswith(("EMBEDHUB_", "HF_", "HUGGING_FACE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "home" / "token"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")
    monkeypatch.setenv("EMBEDHUB_PROGRESS", "0")
    monkeypatch.setattr("embedhub.download.resumable._FIRST_WAIT", 0.01)
    folder = tmp_path / "cache"
    monkeypatch.setenv("EMBEDHUB_CACHE", str(folder))
    return folder


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Serve a Hub, which HF_ENDPOINT names."""
    with serving_hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.base)
        yield hub
