"""What would be uploaded: an sdist and a wheel, built offline, the wheel from the sdist."""

import re
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest
import yaml
from children import PATIENCE

import embedhub

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Build both, with the build backend that is installed here; return sdist and wheel."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-P", "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


def metadata_of(wheel: Path) -> Message:
    """Return what the wheel says of itself."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name))


@pytest.mark.slow
def test_distributions_pass_twine_check(built: tuple[Path, Path]) -> None:
    """Twine accepts the metadata of wheel and sdist without a warning."""
    command = [sys.executable, "-m", "twine", "check", "--strict", *map(str, built)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout
    assert re.sub("\x1b\\[[0-9;]*m", "", done.stdout).count("PASSED") == 2


@pytest.mark.slow
def test_wheel_has_only_the_package(built: tuple[Path, Path]) -> None:
    """Every module and data file of the package, its types, vectors and both licenses; no tests, no tools."""
    with zipfile.ZipFile(built[1]) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        shipped = {name.split(".dist-info/")[1] for name in archive.namelist() if ".dist-info/" in name}
    kept = [path for path in (ROOT / "embedhub").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert names == {path.relative_to(ROOT).as_posix() for path in kept}
    assert {
        "embedhub/py.typed",
        "embedhub/registry/builtin/glove_6b_20k.txt.gz",
        "embedhub/registry/builtin/wordnet_ppmi.npz",
    } <= names
    assert {
        "licenses/LICENSE",
        "licenses/embedhub/registry/builtin/glove_6b_20k_LICENSE.txt",
        "licenses/embedhub/registry/builtin/wordnet_ppmi_LICENSE.txt",
        "entry_points.txt",
    } <= shipped


def test_sdist_has_the_tracked_files(built: tuple[Path, Path]) -> None:
    """All files in version control but its own settings are in the sdist, and no build outputs."""
    with tarfile.open(built[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = ["CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "LICENSE", "README.md", "SECURITY.md"]
    wanted += ["mkdocs.yml", "pyproject.toml", "tox.ini", "PKG-INFO"]
    for folder in ("benchmarks", "docs", "embedhub", "examples", "plugins", "tests", "tools"):
        files = [path for path in (ROOT / folder).rglob("*") if path.is_file()]
        wanted += [path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts]
    assert set(wanted) - {name for name in wanted if name.endswith((".pyc", ".orig"))} <= names
    assert not {name for name in names if "__pycache__" in name or name.endswith(".pyc")}


def test_wheel_metadata_matches_the_project(built: tuple[Path, Path]) -> None:
    """Name, version, license, Python and extras are those of the project."""
    about = metadata_of(built[1])
    assert (about["Name"], about["Version"]) == ("embedhub", embedhub.__version__)
    assert about["License-Expression"] == "MIT AND LicenseRef-WordNet-3.0 AND PDDL-1.0"
    assert about["Requires-Python"] == ">=3.11"
    assert about["Description-Content-Type"] == "text/markdown"
    assert {"jax", "torch"} <= set(about.get_all("Provides-Extra", []))


def test_installation_page_has_every_extra(built: tuple[Path, Path]) -> None:
    """The page of installation has each extra."""
    page = (ROOT / "docs" / "install.md").read_text("utf-8")
    extras = metadata_of(built[1]).get_all("Provides-Extra", [])
    assert [extra for extra in extras if f"`embedhub[{extra}]`" not in page] == []


def test_citation_file_is_valid() -> None:
    """CITATION.cff has the fields that version 1.2.0 of its format demands, and this version of embedhub."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["cff-version"] == "1.2.0"
    assert (citation["type"], citation["title"]) == ("software", "embedhub")
    assert citation["version"] == embedhub.__version__
    assert citation["authors"] == [{"name": "The embedhub authors"}]
    assert isinstance(citation["license"], list)
    assert all(isinstance(word, str) for word in citation["keywords"])


def test_changelog_begins_with_this_version() -> None:
    """The first version of the changelog is the one that would be released."""
    versions = re.findall(r"(?m)^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"))
    assert versions[0] == embedhub.__version__
