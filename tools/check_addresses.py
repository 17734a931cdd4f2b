"""Check that every pinned address of the sources and benchmarks still answers as its pin says.

    python tools/check_addresses.py [NAME ...]

Requests a few bytes of each file, as embedhub does but never from a mirror. A NAME may be a handle of a
scheme, as in bpemb://en/10000; without names, those of schemes are not asked for. The exit code is 1 if one
is:

unreachable  no answer, or a passing fault of the server, twice
gone         HTTP 404 or another refusal, a web page, an archive without the member
size         another number of bytes than the pin has
no ranges    the server sends whole files only

A file that has moved is as pinned, but a permanent redirect leads to it: its address should be changed.
"""

import argparse
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass
from threading import Lock
from typing import Any
from urllib.parse import urljoin, urlsplit

import embedhub_eval
import requests
from embedhub_eval import Benchmark
from rich.console import Console
from rich.progress import track

import embedhub
from embedhub import DownloadError, EmbeddingSource, RemoteFile, RemoteSource
from embedhub._sniff import SNIFF_BYTES, sniff
from embedhub.download.http import HttpBytes, SafeSession, TransientError, peek
from embedhub.download.zip_member import locate
from embedhub.registry.loading import get_source

AT_ONCE = 4
"""Requests to one host at the same time."""
GIVE_UP = 8
"""A host is not asked again after so many addresses in a row that are unreachable."""
WAIT = 1.0
"""Seconds before the second try, unless the server asks for more."""
_counting = Lock()
ORDER = ("ok", "moved", "no ranges", "size", "gone", "unreachable")
"""Each status; the worst is printed last, where it is seen."""


@dataclass(frozen=True)
class Answer:
    """The status of an address, the size that it offers if that is known, and what else is to be said."""

    file: RemoteFile
    status: str
    size: int | None = None
    detail: str = ""

    def __str__(self) -> str:
        expected, got = ("-" if size is None else f"{size:,}" for size in (self.file.size, self.size))
        detail = f"  ({self.detail})" if self.detail else ""
        return f"{self.status:11} {expected:>14} {got:>14}  {self.file.location}{detail}"


def pinned(things: Iterable[EmbeddingSource | Benchmark]) -> list[RemoteFile]:
    """Return the files of sources and benchmarks, companion files too: one for each address and size."""
    files: dict[tuple[str, int | None], RemoteFile] = {}
    for thing in things:
        if isinstance(thing, Benchmark):
            groups = [tuple(thing.files)]
        else:
            groups = [thing.candidates(dim) for dim in thing.dims] if isinstance(thing, RemoteSource) else []
        for part in (part for group in groups for file in group for part in file.all_files):
            files.setdefault((part.location, part.size), part)
    return list(files.values())


def ask(file: RemoteFile) -> Answer:
    """Ask for a few bytes of a file: the first, or the end of its archive, which lists the member's size.

    Raises:
        TransientError: The fault may have passed in a moment.
    """
    responses: list[requests.Response] = []

    def remember(response: requests.Response, *_: Any, **__: Any) -> None:
        responses.append(response)

    with SafeSession() as session:
        session.hooks["response"] = [remember]  # is called for redirects, too
        remote = HttpBytes(file.url, session, file.headers)
        try:
            remote.stat()
            size = remote.size
            if file.member:
                size = locate(remote, file.member).size if remote.ranges else None
            wrong = file.size not in {None, size} and not (size is None and file.member)
            status = "size" if wrong else "ok" if remote.ranges else "no ranges"
            if status != "ok" or file.size is None:
                start = (
                    remote.stream(0, min(SNIFF_BYTES, remote.size or SNIFF_BYTES))
                    if remote.ranges
                    else [peek(remote)]
                )
                if seen := sniff(b"".join(start)):
                    return Answer(file, "gone", size, f"this is {seen}")
        except TransientError:
            raise
        except DownloadError as error:
            unreachable = not responses or responses[-1].status_code in {429, 503}  # with a long Retry-After
            return Answer(file, "unreachable" if unreachable else "gone", detail=_short(error, file))
    first = responses[0]  # what a temporary redirect leads to may be anywhere tomorrow
    if status == "ok" and first.is_permanent_redirect:
        return Answer(file, "moved", size, f"to {urljoin(first.url, first.headers['Location'])}")
    return Answer(file, status, size)


def _ask_twice(file: RemoteFile, failures: Counter[str]) -> Answer:
    """Ask again after a passing fault; count each host's failures in a row, and leave it alone at GIVE_UP."""
    host = urlsplit(file.url).netloc
    if failures[host] >= GIVE_UP:
        return Answer(file, "unreachable", detail=f"not asked, after {GIVE_UP} of this host in a row")
    try:
        try:
            answer = ask(file)
        except TransientError as error:
            time.sleep(max(error.wait, WAIT))
            answer = ask(file)
    except TransientError as error:
        answer = Answer(file, "unreachable", detail=_short(error, file))
    with _counting:
        failures[host] = failures[host] + 1 if answer.status == "unreachable" else 0
    return answer


def _short(error: DownloadError, file: RemoteFile) -> str:
    return str(error).removeprefix(f"{file.url}: ")


def ask_all(files: Iterable[RemoteFile]) -> Iterator[Answer]:
    """Ask for each file, several hosts at once, and give the answers as they come."""
    failures: Counter[str] = Counter()
    pools: dict[str, ThreadPoolExecutor] = {}
    with ExitStack() as stack:
        futures = []
        for file in files:
            host = urlsplit(file.url).netloc
            if host not in pools:
                pools[host] = ThreadPoolExecutor(AT_ONCE)
                stack.callback(pools[host].shutdown, wait=False, cancel_futures=True)  # for Ctrl-C
            futures.append(pools[host].submit(_ask_twice, file, failures))
        yield from (future.result() for future in as_completed(futures))


def _place(answer: Answer) -> tuple[int, str, int]:
    """Return where an answer stands in the table, however soon it came."""
    return ORDER.index(answer.status), answer.file.location, -(answer.file.size or 0)


def main() -> int:
    """Print a line for each address, and a summary; return 1 if one is not as pinned."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a source or benchmark, or scheme://...")
    names = parser.parse_args().names
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        things: list[Any] = [*embedhub.sources().values(), *embedhub_eval.benchmarks().values()]
    if caught:  # the sources of a broken plugin would go unasked
        print("\n".join(str(warning.message) for warning in caught), file=sys.stderr)
        return 1
    handles = [name for name in names if "://" in name]
    if unknown := set(names) - {*handles, *(thing.name for thing in things)}:
        parser.error(f"no source or benchmark is named {' or '.join(sorted(unknown))}")
    asked_for = [thing for thing in things if not names or thing.name in names]
    files = pinned([*map(get_source, handles), *asked_for])
    console = Console(stderr=True)
    asking = track(ask_all(files), "Asking", len(files), console=console, disable=not console.is_terminal)
    answers = sorted(asking, key=_place)
    for answer in answers:
        print(answer)
    counts = Counter(answer.status for answer in answers)
    summary = ", ".join(f"{counts[status]} {status}" for status in ORDER if counts[status])
    print(f"Addresses: {len(answers)}, of which {summary}")
    return int(not counts.keys() <= {"ok", "moved"})


if __name__ == "__main__":
    sys.exit(main())
