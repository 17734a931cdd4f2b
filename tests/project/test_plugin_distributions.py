"""What would be uploaded of each distribution in plugins/: its license, and the versions it is made for."""

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import NamedTuple

import pytest
from children import PATIENCE
from packaging.requirements import Requirement
from packaging.version import Version

import embedhub

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml"))
LICENSE = (ROOT / "LICENSE").read_bytes()


class Built(NamedTuple):
    """The two files of a distribution, as an index would have them."""

    wheel: zipfile.ZipFile
    sdist: tarfile.TarFile

    def shipped(self, name: str) -> bytes:
        """Return a file that the wheel puts beside its metadata."""
        (path,) = (path for path in self.wheel.namelist() if path.endswith(f".dist-info/{name}"))
        return self.wheel.read(path)

    @property
    def about(self) -> Message:
        """The metadata of the wheel."""
        return message_from_bytes(self.shipped("METADATA"))

    def requirements(self) -> dict[str, Requirement]:
        """Return what is installed with it, by name."""
        found = map(Requirement, self.about.get_all("Requires-Dist", []))
        return {requirement.name: requirement for requirement in found if requirement.marker is None}


@pytest.fixture(scope="module", params=PLUGINS, ids=lambda folder: folder.name)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """Build a distribution with the build backend that is installed here."""
    out = tmp_path_factory.mktemp(request.param.name)
    command = [sys.executable, "-P", "-m", "hatchling", "build", "-d", str(out)]
    subprocess.run(command, cwd=request.param, check=True, capture_output=True, timeout=PATIENCE)
    (wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive, tarfile.open(sdist) as tar:
        yield Built(archive, tar)


def test_license_text_is_shipped(built: Built) -> None:
    """Wheel and sdist have the text of the license that their metadata names, which is the project's own."""
    assert built.about["License-Expression"] == "MIT"
    assert built.about.get_all("License-File") == ["LICENSE"]
    assert built.shipped("licenses/LICENSE") == LICENSE
    (path,) = (path for path in built.sdist.getnames() if path.count("/") == 1 and path.endswith("/LICENSE"))
    content = built.sdist.extractfile(path)
    assert content is not None
    assert content.read() == LICENSE


def next_minor(version: Version) -> Version:
    """Return the first version that may change what others depend on: before 1.0, the next minor one."""
    return Version(f"{version.major}.{version.minor + 1}")


def admits_one_minor(requirement: Requirement, version: Version) -> bool:
    """Return whether a requirement is met by a version, and by none that may change the interface."""
    return requirement.specifier.contains(version) and not requirement.specifier.contains(next_minor(version))


def test_requires_the_version_of_embedhub_it_is_made_for(built: Built) -> None:
    """A plugin works with this version of embedhub, and is not installed with one that may break it."""
    assert admits_one_minor(built.requirements()["embedhub"], Version(embedhub.__version__))


def versions() -> dict[str, Version]:
    """Return the version of each distribution in plugins/."""
    files = [(folder / "pyproject.toml").read_text("utf-8") for folder in PLUGINS]
    projects = [tomllib.loads(file)["project"] for file in files]
    return {project["name"]: Version(project["version"]) for project in projects}


def test_plugins_require_the_plugins_they_are_made_for(built: Built) -> None:
    """What a plugin needs of another plugin is capped in the same way."""
    for name, requirement in built.requirements().items():
        if name in versions():
            assert admits_one_minor(requirement, versions()[name])


def test_extras_install_the_plugins_of_this_version() -> None:
    """The extras of embedhub name plugins only, each with the version that belongs to it; `all` names all."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    required = {extra: [*map(Requirement, lines)] for extra, lines in extras.items()}
    assert {requirement.name for requirement in required["all"]} == set(versions())
    for extra in ("text", "eval", "all"):
        for requirement in required[extra]:
            assert admits_one_minor(requirement, versions()[requirement.name])
