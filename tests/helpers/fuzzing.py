"""Mutated files and answers of servers: embedhub raises its own errors, or has the vectors.

    python fuzzing.py --minutes 60 --processes 2 --first 0

Each case is made from the number that is its seed. A worker writes that number before it begins, so that a
crash or a hang is seen, and its case kept. Half of the workers check the bounds of the compiled loop. What
fails is written to tests/fuzz_cases/, whose files tests/system/test_fuzz_cases.py runs again.
"""

import argparse
import base64
import bz2
import faulthandler
import gzip
import io
import itertools
import json
import lzma
import os
import random
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import writers
from remote import source_of

import embedhub
from embedhub import Block, Fetched, RemoteFile
from embedhub._frozen import FrozenDict
from embedhub.download import connections, http, resumable
from embedhub.registry.local_file import open_source

CASES = Path(__file__).parents[1] / "fuzz_cases"
LIMIT = 60  # seconds for a case
_WORDS = ["rain", "the", "café", "a-b", "\udcff", "x" * 40, "1", "."]
_ROWS = np.linspace(-2, 2, len(_WORDS) * 4, dtype=np.float32).reshape(-1, 4)
_NGRAMS = np.linspace(-1, 1, 40, dtype=np.float32).reshape(-1, 4)
_TEXT = writers.glove(_WORDS[:4], _ROWS[:4]) * 3 + b"last 1 2 3 4\n"
_TENSORS = writers.safetensors({"embeddings": ("F32", _ROWS), "weights": ("F16", np.ones(8, np.float16))})
_CONCEPTS = [f"/c/en/{word}" for word in "abcdefgh"]

FILES = {
    "glove": writers.glove(_WORDS, _ROWS),
    "tabs": writers.glove(_WORDS, _ROWS).replace(b" ", b"\t"),
    "blanks": writers.glove(_WORDS, _ROWS).replace(b" ", b"  "),
    "word2vec": writers.word2vec_text(_WORDS, _ROWS),
    "vec": writers.word2vec_text(_WORDS, _ROWS, b" \n"),
    "numberbatch": writers.word2vec_text(_CONCEPTS, _ROWS),
    "binary": writers.word2vec_binary(_WORDS, _ROWS),
    "binary lines": writers.word2vec_binary(_WORDS, _ROWS, b"\n"),
    "fasttext": writers.fasttext_bin(_WORDS, _ROWS, _NGRAMS),
    "fasttext words": writers.fasttext_bin(_WORDS, _ROWS),
    "npz": writers.npz(["rain", "snow", "hail", "fog"], _ROWS[:4]),
    "tokens": _TENSORS,
}
_TOKENIZER = writers.tokenizer(list("abcdefgh"))
_TOKENS = [
    b"0", b"-1", b"9" * 20, b"9" * 5000, b"1e400", b"nan", b"inf", b"\0", b"\n", b"\r\n", b" ", b"\t",
    b"[" * 2000, b"{", b"}", b'"', b":", b"\xff" * 8, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f",
    b"\xef\xbb\xbf", b"PK\3\4", b"PK\1\2", b"PK\5\6", b"\x1f\x8b", b"x" * 70_000, b"gzip", b"bytes 0-",
    b"\r\nContent-Length: 5", b"\r\nTransfer-Encoding: chunked", b"\r\nContent-Range: bytes 0-0/9",
    b"\r\nLocation: /", b"\r\nRetry-After: 5", b"HTTP/1.1 302 Found\r\n", b"\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
]  # fmt: skip


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return bytes with up to five changes: of bits, numbers and parts, or by words of the formats."""
    changed = bytearray(data)
    for _ in range(chance.randint(0, 5)):
        at = chance.randint(0, len(changed))
        size = chance.choice((1, 1, 2, 4, 8, 30, 200))
        match chance.randrange(7):
            case 0 if at < len(changed):
                changed[at] ^= 1 << chance.randrange(8)
            case 1:
                changed[at : at + size] = chance.randbytes(size)
            case 2:
                del changed[at : at + size]
            case 3:
                changed[at:at] = chance.choice(_TOKENS)
            case 4:
                token = chance.choice(_TOKENS)
                changed[at : at + len(token)] = token
            case 5:
                changed[at:at] = changed[chance.randint(0, len(changed)) :][:size]
            case _ if not chance.randrange(4):
                del changed[at:]
    return bytes(changed)


def _zip(data: bytes, name: str = "a.txt", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr(name, data)
        archive.writestr("__MACOSX/x", b"")
    return file.getvalue()


_PACKINGS: list[Callable[[bytes], bytes]] = [
    bytes, bytes, bytes, gzip.compress, bz2.compress, lzma.compress, _zip,
    lambda data: _zip(data, method=zipfile.ZIP_LZMA),
]  # fmt: skip


def make_case(seed: int) -> dict[str, Any]:
    """Return the case of a number: a file, a tokenizer, or the archive and the answers of a server.

    Most files are only read, since to build and open a store takes fifty times as long.
    """
    chance = random.Random(seed)  # noqa: S311 - not a secret
    pack = chance.choice(_PACKINGS)
    (kind,) = chance.choices(("read", "file", "tokenizer", "answers"), (300, 3, 1, 1))
    if kind in {"read", "file"}:
        data = FILES[chance.choice(list(FILES))]
        inner = mutated(data, chance) if chance.randrange(3) else data
        packed = pack(inner)
        return {"kind": kind, "data": mutated(packed, chance) if packed != inner else packed}
    if kind == "tokenizer":
        return {"kind": kind, "data": mutated(_TOKENIZER, chance)}
    member = chance.random() < 0.6
    served = _zip(_TEXT) if member else _TEXT
    return {
        "kind": kind,
        "member": "a.txt" if member else None,
        "pinned": chance.random() < 0.7,
        "data": mutated(served, chance) if chance.randrange(3) else served,
        "answers": chance.randrange(1 << 30) if chance.randrange(2) else None,
        "ranges": bool(chance.randrange(4)),
    }


def run_case(case: dict[str, Any], folder: Path) -> None:
    """Run a case in an empty folder; raise what is not embedhub's, and AssertionError for wrong vectors."""
    os.environ["EMBEDHUB_CACHE"] = str(folder / "cache")
    with warnings.catch_warnings(action="ignore"), suppress(embedhub.EmbedhubError):
        if case["kind"] == "answers":
            _run_answers(case)
            return
        is_tokenizer = case["kind"] == "tokenizer"
        path = folder / "a.bin"
        path.write_bytes(_TENSORS if is_tokenizer else case["data"])
        (folder / "tokenizer.json").write_bytes(case["data"] if is_tokenizer else _TOKENIZER)
        if case["kind"] == "read":
            _read(path)
        else:
            _use(embedhub.load(path))


def _read(path: Path) -> None:
    source = open_source(path)
    companions = FrozenDict({file.name: file for file in source.format.companions})
    (dim,) = source.dims
    for item in source.parse(Fetched(path, None, companions), dim):
        if isinstance(item, Block):
            assert item.vectors.shape == (len(item.words), dim)


def _use(vectors: embedhub.Vectors) -> None:
    words = list(vectors.words)
    assert vectors.words.indices(words[:100]).tolist() == list(range(len(words[:100])))
    assert np.isfinite(np.array(vectors.matrix)).all()
    if vectors.composer is not None:
        vectors.composer.compose([*words[:5], "unheard", "", "é" * 50])


class _Handler(socketserver.BaseRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        """Answer one request, and close."""
        received = b""
        with suppress(OSError, ValueError):  # a range that is none has no answer
            while b"\r\n\r\n" not in received and (data := self.request.recv(65536)):
                received += data
            self.request.sendall(self.server.answer(received))


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, case: dict[str, Any]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._case = case
        self._chance = random.Random(case["answers"])  # noqa: S311 - not a secret

    def answer(self, request: bytes) -> bytes:
        """Return the part of the file that is asked for, as HTTP, mutated if the case says so."""
        data, total = self._case["data"], len(self._case["data"])
        asked = request.partition(b"Range: bytes=")[2].partition(b"\r\n")[0]
        head = b"HTTP/1.1 200 OK\r\n"
        if asked and self._case["ranges"]:
            first, _, last = asked.partition(b"-")
            start, stop = int(first), min(int(last or total), total - 1)
            data = data[start : stop + 1]
            head = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes %d-%d/%d\r\n" % (start, stop, total)
        whole = head + b'ETag: "1"\r\nContent-Length: %d\r\nConnection: close\r\n\r\n' % len(data) + data
        return whole if self._case["answers"] is None else mutated(whole, self._chance)


def _run_answers(case: dict[str, Any]) -> None:
    import hashlib

    digest = f"sha256:{hashlib.sha256(_TEXT).hexdigest()}" if case["pinned"] else None
    with _Server(case) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        os.environ["EMBEDHUB_MIRROR"] = f"http://127.0.0.1:{server.server_address[1]}"
        os.environ["https_proxy"] = "http://127.0.0.1:9"
        file = RemoteFile("https://localhost:9/a", known_hash=digest, member=case["member"], format="glove")
        try:
            vectors = source_of(file, dim=4).vectors(4)
        finally:
            server.shutdown()
            thread.join(LIMIT)
    _use(vectors)
    assert len(vectors) == 5 or digest is None
    assert vectors.lookup(["last"]).tolist() == [[1, 2, 3, 4]] or digest is None


def load_case(path: Path) -> dict[str, Any]:
    """Return a case that was kept."""
    case: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return case | {"data": base64.b85decode(case["data"])}


def keep_case(seed: int, reason: str) -> None:
    """Write the case of a seed as a file that a test runs again, and report it."""
    case = make_case(seed)
    CASES.mkdir(exist_ok=True)
    path = CASES / f"{case['kind']}-{seed}.json"
    data = base64.b85encode(case["data"]).decode()
    path.write_text(json.dumps(case | {"data": data, "reason": reason}, indent=1) + "\n", "utf-8")
    sys.stdout.write(f"seed {seed}: {reason}: {path}\n")
    sys.stdout.flush()


@contextmanager
def prepared() -> Iterator[Path]:
    """Yield a folder for cases; servers are waited for a moment, and files forced to the disk not at all."""
    http.CONNECT_SECONDS = http.READ_SECONDS = 0.2
    http._MAX_RETRY_AFTER = 0  # noqa: SLF001 - it is slept
    connections.SLOW_SECONDS = 0.2
    resumable._FIRST_WAIT = resumable._MAX_WAIT = 0.001  # noqa: SLF001
    os.fsync = lambda _: None  # type: ignore[assignment]  # no power is cut here
    os.environ |= {"EMBEDHUB_PROGRESS": "0", "no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def work(seeds: Iterator[int], note: Path) -> None:
    """Run cases until the process is ended; report what fails."""
    with prepared() as folder:
        run_case(
            {"kind": "file", "data": FILES["glove"]}, folder
        )  # imports and compiles, which may take long
        for seed in seeds:
            note.write_text(str(seed))
            faulthandler.dump_traceback_later(LIMIT, exit=True)
            inside = folder / str(seed)
            inside.mkdir()
            try:
                run_case(make_case(seed), inside)
            except BaseException as error:  # noqa: BLE001 - each is a finding
                keep_case(seed, f"{type(error).__name__}: {error!s:.200}")
                traceback.print_exc()
            shutil.rmtree(inside, ignore_errors=True)


def main() -> int:
    """Run workers for some minutes; restart one that crashes, or hangs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--worker", nargs=3, metavar=("FIRST", "STEP", "NOTE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        first, step, note = options.worker
        work(itertools.count(int(first), int(step)), Path(note))
    before = set(CASES.glob("*.json"))
    ends = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory() as name:
        notes = {Path(name, str(i)): options.first + i for i in range(options.processes)}
        workers: dict[Path, subprocess.Popen[bytes]] = {}
        while time.monotonic() < ends:
            for i, (note, first) in enumerate(notes.items()):
                worker, seed = workers.get(note), first
                if worker and worker.poll() is None:
                    continue
                if worker and note.exists():
                    keep_case(int(note.read_text()), f"exit code {worker.returncode}")
                    seed = int(note.read_text()) + options.processes
                # The machine code with checks of bounds is another.
                code = {"NUMBA_CACHE_DIR": f"{name}/code{i % 2}", "NUMBA_BOUNDSCHECK": str(i % 2)}
                command = [sys.executable, __file__, "--worker", str(seed), str(options.processes), str(note)]
                workers[note] = subprocess.Popen(command, env=os.environ | code)
            time.sleep(0.2)
        for worker in workers.values():
            worker.kill()
            worker.wait(LIMIT)
        run = sum((int(note.read_text()) - first) // options.processes for note, first in notes.items())
    found = set(CASES.glob("*.json")) - before
    sys.stdout.write(f"{run:,} cases, {len(found)} failed; run: pytest tests/system/test_fuzz_cases.py\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
