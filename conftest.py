"""What all tests share: a cache of their own, no way out to the network, a small server, the real data."""

import csv
import gzip
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import embedhub_eval
import hypothesis
import numpy as np
import pytest
from children import PATIENCE, child
from command import add_distribution, seeing
from numpy.typing import NDArray
from real_files import REAL_DATA, REAL_SETS
from remote import HOST
from serving import Serving, serving_folder
from small_sets import SETS

import embedhub
from embedhub.registry.builtin.glove import GLOVE_6B
from embedhub.vectors.blocks import Block
from embedhub.vectors.store import open_store
from embedhub.vectors.store_writer import StoreWriter

# On a busy machine an example may take long, and the first one waits for what it imports and compiles.
hypothesis.settings.register_profile("embedhub", deadline=None)
hypothesis.settings.load_profile("embedhub")

# What a shell starts in the background ignores Ctrl-C, and so would the commands that are tested with it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what this system lacks, mark what needs the real data, and begin with the slow tests."""
    for item in items:
        for name, here in {"linux": sys.platform == "linux", "posix": os.name == "posix"}.items():
            if not here and item.get_closest_marker(name):
                item.add_marker(pytest.mark.skip(reason=f"needs {name}: see the markers in pyproject.toml"))
        if "real_data" in getattr(item, "fixturenames", ()):
            item.add_marker("real_data")
    # The others fill the other core meanwhile.
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def machine_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of machine code for all tests and their processes, shared by the workers of xdist."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "compiled"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, machine_code: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test an empty cache, no EMBEDHUB_* variable, and a proxy address where no server listens.

    Progress is hidden, since it depends on the time that work takes whether a line of it is written.
    """
    for name in [name for name in os.environ if name.startswith("EMBEDHUB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("EMBEDHUB_PROGRESS", "0")
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setattr("embedhub.download.resumable._FIRST_WAIT", 0.01)
    monkeypatch.setenv(
        "NUMBA_CACHE_DIR", str(machine_code)
    )  # each compilation takes a second of processor time
    folder = tmp_path / "cache"
    monkeypatch.setenv("EMBEDHUB_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder with Stanford's whole glove.6B.zip in the layout of a mirror, or skip."""
    if not (REAL_DATA / "mirror" / "nlp.stanford.edu" / "data" / "glove.6B.zip").is_file():
        pytest.skip(
            "needs the whole glove.6B.50d.txt: put https://nlp.stanford.edu/data/glove.6B.zip into "
            "../shared/data/mirror/nlp.stanford.edu/data/"
        )
    return REAL_DATA


@pytest.fixture(scope="session")
def real_texts(real_data: Path) -> Path:
    """Return the folder with the published SST-2 and TREC, or skip."""
    folder = real_data / "text"
    if not folder.is_dir():
        pytest.skip(
            "needs SST-2 and TREC: put train.tsv, dev.tsv, test.tsv into ../shared/data/text/sst2/, "
            "and train.txt, test.txt into ../shared/data/text/trec/"
        )
    return folder


@pytest.fixture(scope="session")
def _glove_20k_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the store of the embedded GloVe vectors once."""
    folder = tmp_path_factory.mktemp("glove-20k")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBEDHUB_CACHE", str(folder))
        embedhub.load("glove-6b-20k")
    return folder


@pytest.fixture
def glove_20k(_glove_20k_cache: Path, monkeypatch: pytest.MonkeyPatch) -> embedhub.Vectors:
    """Open real GloVe vectors: glove-6b-20k. The test's cache is the one that holds their store."""
    monkeypatch.setenv("EMBEDHUB_CACHE", str(_glove_20k_cache))
    return embedhub.load("glove-6b-20k")


@pytest.fixture(scope="session")
def glove_lines() -> list[bytes]:
    """Return the 20,000 lines of real GloVe text, to cut small files from."""
    fetched = embedhub.sources()["glove-6b-20k"].fetch(50)
    assert fetched is not None
    return gzip.decompress(fetched.path.read_bytes()).splitlines(keepends=True)


@pytest.fixture(scope="session")
def glove_sample(glove_lines: list[bytes]) -> tuple[list[bytes], list[str], NDArray[np.float32]]:
    """Return each tenth of those lines, their words, and their numbers as Python parses them."""
    lines = glove_lines[::10]
    fields = [line.decode().split(" ") for line in lines]
    rows = np.array([[float(number) for number in numbers] for _, *numbers in fields], np.float32)
    return lines, [word for word, *_ in fields], rows


@pytest.fixture(scope="session")
def glove_6b_mirror(
    glove_lines: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, embedhub.RemoteSource]:
    """Return a mirror that serves glove-6b cut to 20,000 words, and that source with the cut files' hashes.

    Both candidates are there in their real form: the member of Stanford's archive, after others, and word2vec
    text in gzip. Only hashes, sizes and the number of words differ from the real source.
    """
    folder = tmp_path_factory.mktemp("glove-mirror")
    real = GLOVE_6B
    member, release = real.candidates(50)
    text = b"".join(glove_lines)
    archive = folder / member.url.removeprefix("https://")
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        # Large enough that a download of the whole archive shows.
        target.writestr(
            "glove.6B.100d.txt", b"".join(line[:-1] + line[line.index(b" ") :] for line in glove_lines[:5000])
        )
        target.writestr(member.member or "", text)
    other = folder / release.url.removeprefix("https://")
    other.parent.mkdir(parents=True)
    other.write_bytes(gzip.compress(b"%d 50\n" % len(glove_lines) + text, 1, mtime=0))
    files = (
        replace(
            member,
            known_hash=_sha256(text),
            size=len(text),
            archive_hash=_sha256(archive.read_bytes()),
            archive_size=archive.stat().st_size,
        ),
        replace(release, known_hash=_sha256(other.read_bytes()), size=other.stat().st_size),
    )
    return folder, replace(real, vocab_size=len(glove_lines), files={50: files})


def _sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@pytest.fixture(scope="session")
def _glove_cache(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the store of the real GloVe 6B 50d once, from the mirror as a folder."""
    folder = tmp_path_factory.mktemp("glove")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBEDHUB_CACHE", str(folder))
        patch.setenv("EMBEDHUB_MIRROR", str(real_data / "mirror"))
        embedhub.load("glove-6b", 50)
    return folder


@pytest.fixture
def glove_50d(_glove_cache: Path, monkeypatch: pytest.MonkeyPatch) -> embedhub.Vectors:
    """Open the real GloVe 6B 50d; the test's cache is the one that holds it."""
    monkeypatch.setenv("EMBEDHUB_CACHE", str(_glove_cache))
    return embedhub.load("glove-6b", 50)


@pytest.fixture(scope="session")
def demo_texts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Write the sentences of the demo as a file for training and one for testing."""
    folder = tmp_path_factory.mktemp("demo")
    text = (resources.files("embedhub") / "demo_texts.tsv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t"))
    for split in ("train", "test"):
        lines = [f"{row['text']}\t{row['topic']}\n" for row in rows if row["split"] == split]
        (folder / f"{split}.tsv").write_text("".join(lines), "utf-8")
    return folder / "train.tsv", folder / "test.tsv"


@pytest.fixture(scope="session")
def small_benchmarks(
    glove_6b_mirror: tuple[Path, embedhub.RemoteSource],
) -> dict[str, embedhub_eval.Benchmark]:
    """Add benchmarks of our own to the mirror of glove_6b_mirror, and return them by the name they stand for.

    Each has the address and the form of the published set; hash, size and number of items are its own.
    """
    folder, _ = glove_6b_mirror
    made = {}
    for name, text in SETS.items():
        real = embedhub_eval.benchmarks()[name]
        published = real.files[0]
        place = folder / published.url.removeprefix("https://")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text)
        file = replace(published, known_hash=_sha256(text), size=len(text))
        total = sum(line[:1] not in {b"#", b":"} for line in text.splitlines())
        made[name] = replace(real, files=(file,), total=total)
    return made


@pytest.fixture
def small_mirror(
    glove_6b_mirror: tuple[Path, embedhub.RemoteSource],
    small_benchmarks: dict[str, embedhub_eval.Benchmark],
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """Let glove-6b and the benchmarks' names stand for the small files, and serve those from a mirror.

    That is so in the process of the test only; small_plugin is for commands.
    """
    folder, source = glove_6b_mirror
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(folder))
    # These mappings are the registries' own dicts, not copies.
    sources: Any = embedhub.sources().providers()["glove-6b"]
    monkeypatch.setitem(sources, embedhub.sources().provider("glove-6b"), source)
    assert embedhub.sources()["glove-6b"] is source
    benchmarks: Any = embedhub_eval.benchmarks()
    for name, benchmark in small_benchmarks.items():
        monkeypatch.setitem(benchmarks, name, benchmark)
    return folder


_SMALL_PLUGIN = """
from dataclasses import replace
from embedhub import hookimpl
from embedhub.registry.builtin.glove import GLOVE_6B

PINS = {pins!r}


def pinned(files, name):
    return tuple(
        replace(file, known_hash=known_hash, size=size, archive_hash=archive_hash)
        for file, (known_hash, size, archive_hash) in zip(files, PINS[name])
    )


@hookimpl
def embedhub_sources():
    files = pinned(GLOVE_6B.candidates(50), "glove-6b")
    yield replace(GLOVE_6B, name="small-glove-6b", vocab_size=20_000, files={{50: files}})
"""
_SMALL_BENCHMARKS = """
from dataclasses import replace
from embedhub_eval import hookimpl
from embedhub_eval.builtin_benchmarks import BENCHMARKS
from embedhub_small import PINS, pinned


@hookimpl
def embedhub_benchmarks():
    for one in BENCHMARKS:
        if one.name in PINS:
            yield replace(one, name="small-" + one.name, files=pinned(one.files, one.name))
"""


@pytest.fixture(scope="session")
def small_plugin(
    glove_6b_mirror: tuple[Path, embedhub.RemoteSource],
    small_benchmarks: dict[str, embedhub_eval.Benchmark],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, str]:
    """Return the environment in which a plugin offers what small_mirror has, as small-glove-6b and so on."""
    folder, source = glove_6b_mirror
    files = {"glove-6b": source.candidates(50)}
    files |= {name: one.files for name, one in small_benchmarks.items()}
    pins = {
        name: [(f.known_hash, f.size, f.archive_hash) for f in several] for name, several in files.items()
    }
    site = tmp_path_factory.mktemp("small-plugin")
    add_distribution(site, "embedhub-small", _SMALL_PLUGIN.format(pins=pins))
    add_distribution(site, "embedhub-small-sets", _SMALL_BENCHMARKS, group="embedhub_eval")
    return seeing(site) | {"EMBEDHUB_MIRROR": str(folder)}


@pytest.fixture(scope="session")
def real_mirror(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a mirror as a folder, with the real GloVe 6B 50d and the published benchmarks, or skip."""
    if not (real_data / "eval").is_dir():
        pytest.skip(
            f"needs the published benchmarks ({', '.join(REAL_SETS.values())}) in ../shared/data/eval/, "
            "from the URLs in embedhub_eval/benchmarks.toml"
        )
    folder = tmp_path_factory.mktemp("mirror")
    for host in (real_data / "mirror").iterdir():
        (folder / host.name).symlink_to(host)
    for name, file in REAL_SETS.items():
        place = folder / embedhub_eval.benchmarks()[name].files[0].url.removeprefix("https://")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(real_data / "eval" / file)
    return folder


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the made-up host in a mirror, from which all is downloaded."""
    folder = tmp_path / "mirror" / HOST
    folder.mkdir(parents=True)
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(folder.parent))
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    return folder


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """Return a folder that other users may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def serve() -> Iterator[Callable[..., Serving]]:
    """Return a function that serves a folder until the test ends."""
    with ExitStack() as stack:
        yield lambda folder, **options: stack.enter_context(serving_folder(folder, **options))


@pytest.fixture
def glove_server(
    glove_6b_mirror: tuple[Path, embedhub.RemoteSource],
    serve: Callable[..., Serving],
    monkeypatch: pytest.MonkeyPatch,
) -> Serving:
    """Serve the mirror with GloVe 6B cut to 20,000 words."""
    serving = serve(glove_6b_mirror[0])
    monkeypatch.setenv("EMBEDHUB_MIRROR", serving.base)
    return serving


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return a function that starts a process, as `child` does; the process ends with the test."""
    with ExitStack() as stack:
        yield lambda *command, **options: stack.enter_context(child(*command, **options))


@pytest.fixture(scope="session")
def make_vectors(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., embedhub.Vectors]:
    """Return a function that gives vectors with the asked-for words, each with a row of its own."""

    def make(
        words: list[str],
        dim: int = 4,
        fallbacks: tuple[Any, ...] = (),
        tokenization: str | None = None,
    ) -> embedhub.Vectors:
        folder = tmp_path_factory.mktemp("vectors") / "store"
        rows = np.random.default_rng(len(words)).normal(size=(len(words), dim)).astype(np.float32)
        with StoreWriter(folder, name="tiny", dim=dim) as writer:
            writer.write(Block(words, rows))
        return open_store(folder, fallbacks=fallbacks, tokenization=tokenization)

    return make


@pytest.fixture(scope="session")
def install() -> Callable[..., None]:
    """Return a function that builds distributions and installs their wheels into a folder, offline."""
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--no-compile"]

    def install(site: Path, *folders: Path) -> None:
        places = map(str, ("--target", site, *folders))
        subprocess.run(
            [sys.executable, "-m", "pip", "install", *options, *places], check=True, timeout=PATIENCE
        )

    return install


@pytest.fixture
def example() -> Callable[..., str]:
    """Return a function that runs a script of examples/ in a process of its own, and returns what it says."""

    def run(script: str, *arguments: str) -> str:
        path = Path(__file__).parent / "examples" / script
        command = [sys.executable, "-W", "error::UserWarning", str(path), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
