"""Parts of an interrupted run that are damaged, planted or linked; and fitted weights that are damaged."""

import os
import shutil
import stat
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import embedhub_text
import numpy as np
import pytest
from children import PATIENCE, child
from command import executable
from embedhub_text._parts import remove

from embedhub.errors import OutputError, StoreWarning

TEXTS = [f"a {word}" for word in ("cat", "dog", "film", "song", "day", "night")]


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a file of six texts, and the parts of a run that was killed at its end."""
    folder = tmp_path_factory.mktemp("interrupted")
    (folder / "in.txt").write_text("\n".join(TEXTS) + "\n", "utf-8")
    command = (executable(), "embed", "wordnet-ppmi:25", folder / "in.txt")
    env = os.environ | {"EMBEDHUB_CACHE": str(folder / "cache")}
    with child(
        *command, "--out", folder / "out.npy", "--batch-size", "1", at="os.rename */out.npy 1", env=env
    ) as process:
        process.kill()
        process.communicate(timeout=PATIENCE)
    (folder / "out.npy.partial").rename(folder / "kept")
    return folder


@pytest.fixture
def parts(interrupted: Path) -> Iterator[Path]:
    """Return the folder of these parts."""
    parts = interrupted / "out.npy.partial"
    shutil.copytree(interrupted / "kept", parts)
    yield parts
    (interrupted / "out.npy").unlink(missing_ok=True)
    if os.path.lexists(parts):
        remove(parts)


@pytest.fixture
def run(interrupted: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Return a function that runs the same again, and returns how many rows of the earlier run are used."""
    monkeypatch.setenv("EMBEDHUB_CACHE", str(interrupted / "cache"))

    def run(*, overwrite: bool = False) -> int:
        output = interrupted / "out.npy"
        result = embedhub_text.embed_file(
            "wordnet-ppmi", 25, interrupted / "in.txt", output, batch_size=1, overwrite=overwrite
        )
        assert np.array_equal(np.load(output), embedhub_text.TextEmbedder("wordnet-ppmi", 25)(TEXTS))
        assert not (interrupted / "out.npy.partial").exists()
        return result.resumed

    return run


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"null", None])
@pytest.mark.parametrize("overwrite", [True, False])
def test_damaged_settings_of_a_run_are_made_again(
    content: bytes | None, overwrite: bool, run: Callable[..., int], parts: Path
) -> None:
    """All parts are made again, with a warning; a run that had just begun has no settings, and gives none."""
    path = parts / "manifest.json"
    path.unlink() if content is None else path.write_bytes(content)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        assert run(overwrite=overwrite) == 0
    assert [warning.category for warning in warned] == ([] if content is None else [StoreWarning])


@pytest.mark.parametrize("size", [0, 8, 100, -1])
@pytest.mark.parametrize("overwrite", [True, False])
def test_damaged_part_is_made_again(size: int, overwrite: bool, run: Callable[..., int], parts: Path) -> None:
    """It and those after it, with a warning; those before it are used."""
    part = parts / "000002.arrow"
    part.write_bytes(part.read_bytes()[:size])
    with pytest.warns(StoreWarning, match=r"000002\.arrow: this file is empty, cut off or damaged"):
        assert run(overwrite=overwrite) == 2


@pytest.mark.posix
@pytest.mark.parametrize("kind", ["link", "dangling", "file", "open"])
def test_parts_that_others_may_have_planted_are_not_used(
    kind: str, run: Callable[..., int], parts: Path
) -> None:
    """A link, a file, and a folder that others can write to are an error; --force removes just these."""
    elsewhere = parts.with_name(f"elsewhere-{kind}")
    if kind == "open":
        parts.chmod(0o770)
    else:
        parts.rename(elsewhere)
        if kind == "file":
            parts.touch()
        else:
            parts.symlink_to(elsewhere if kind == "link" else parts.with_name("nowhere"))
    with pytest.raises(OutputError, match="expected a folder of parts that only you can write to"):
        run()
    assert run(overwrite=True) == 0
    assert not os.path.lexists(parts)
    kept = {path.name for path in parts.with_name("kept").iterdir()}
    assert kind == "open" or {path.name for path in elsewhere.iterdir()} == kept


@pytest.mark.posix
@pytest.mark.skipif(getattr(os, "getuid", int)() != 0, reason="only root can give a folder away")
def test_parts_of_another_user_are_not_used(run: Callable[..., int], parts: Path) -> None:
    """The owner of the folder counts, whatever its mode."""
    os.chown(parts, 12345, -1)
    with pytest.raises(OutputError, match="only you can write to"):
        run()


@pytest.mark.posix
def test_parts_are_private_and_the_output_is_not(run: Callable[..., int], parts: Path) -> None:
    """The umask decides on the output."""
    assert stat.S_IMODE(parts.stat().st_mode) == 0o700
    run()
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(parts.with_name("out.npy").stat().st_mode) == 0o666 & ~umask


def test_damaged_weights_are_written_again() -> None:
    """`fit` on the same texts replaces what is damaged, with a warning."""
    embed = embedhub_text.TextEmbedder("wordnet-ppmi", 25, pooling="idf")
    embed.fit(TEXTS)
    folder = Path(embed.weights or "")
    (folder / "weights.npy").write_bytes(b"")
    with pytest.warns(StoreWarning, match="They are written again"):
        embedhub_text.TextEmbedder("wordnet-ppmi", 25, pooling="idf").fit(TEXTS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = embedhub_text.TextEmbedder("wordnet-ppmi", 25, pooling="idf").fit(TEXTS)
    assert again(["a cat"]).any()
