"""Run code as other users, where the tests are root.

As a script it imports and compiles all that the code needs, since Python's own modules may be readable by
root only. Then it forks a process for each line of its standard input, and answers what that has printed.
"""

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from children import child, limited

OWNER, MEMBER, STRANGER = 12345, 12346, 12347
"""Three users without names."""
GROUP = 12340
"""The group of the first two."""

AsUser = Callable[..., str]
"""Runs code as a user in a cache; returns what it prints, and the last line of an error."""

only_root = pytest.mark.skipif(getattr(os, "getuid", int)() != 0, reason="only root can become another user")


@contextmanager
def other_users() -> Iterator[AsUser]:
    """Yield a function that runs code as a user."""
    with child(sys.executable, __file__, stderr=subprocess.DEVNULL) as process:

        def as_user(user: int, code: str, cache: Path, *, umask: int = 0o022, **variables: str) -> str:
            variables |= {"EMBEDHUB_CACHE": str(cache), "HOME": "/nonexistent"}
            request = {"user": user, "code": code, "umask": umask, "variables": variables}
            assert process.stdin
            assert process.stdout
            process.stdin.write(f"{json.dumps(request)}\n")
            process.stdin.flush()
            with limited(process):
                return str(json.loads(process.stdout.readline()))

        yield as_user


_WARM_UP = """
import encodings.cp437, fcntl, mmap, os, shutil, tempfile, types, warnings
from pathlib import Path
import embedhub, embedhub_text, embedhub.cli.doctor, embedhub.download.failures
from embedhub import RemoteFile, _atomic, _cache
from embedhub.cli import doctor
from embedhub.registry import catalog
from embedhub.download.fetch import fetch_first
from embedhub.registry import inventory as stores
from embedhub.registry.builtin import packaged
warnings.simplefilter("ignore")
# So may the files of the package be.
data = tempfile.TemporaryDirectory()
os.chmod(data.name, 0o755)
for file in Path(packaged.__file__).parent.glob("*_*.*z"):
    shutil.copy(file, data.name)
packaged.resources = types.SimpleNamespace(files=lambda _: Path(data.name))
with tempfile.TemporaryDirectory() as folder:
    os.environ["EMBEDHUB_CACHE"] = folder
    text = Path(folder, "warm.txt")
    text.write_text("rain 1 2\\n", "utf-8")
    for source, dim in ((text, 2), ("wordnet-ppmi", 25)):
        embedhub.load(source, dim)
    embedhub_text.embed_file("wordnet-ppmi", 25, text, text.with_suffix(".npy"))
    embedhub.sources()["glove-6b"].dims
    doctor.examine()
"""


def _answer(request: dict[str, object], names: dict[str, object]) -> str:
    """Run code in a process of its own, as a user, and return what it prints."""
    reading, writing = os.pipe()
    if (number := os.fork()) == 0:
        shown = io.StringIO()
        with contextlib.redirect_stdout(shown):
            try:
                _become(int(str(request["user"])))
                os.umask(int(str(request["umask"])))
                os.environ.update(request["variables"])  # type: ignore[call-overload]
                exec(str(request["code"]), names)  # noqa: S102 - of a test
            except BaseException as error:  # noqa: BLE001 - the test looks at it
                print(f"{type(error).__name__}: {error}")  # noqa: T201
        os.write(writing, shown.getvalue().encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as output:
        text = output.read()
    os.waitpid(number, 0)
    return text


def _become(user: int) -> None:
    in_group = user != STRANGER
    os.setgroups([GROUP] if in_group else [])
    os.setgid(GROUP if in_group else user)
    os.setuid(user)


if __name__ == "__main__":
    warm: dict[str, object] = {}
    exec(_WARM_UP, warm)  # noqa: S102 - the names that it imports are those of the code
    for line in sys.stdin:
        sys.stdout.write(f"{json.dumps(_answer(json.loads(line), warm))}\n")
        sys.stdout.flush()
