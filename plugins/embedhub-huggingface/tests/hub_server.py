"""A small Hub on the loopback interface: its API, its files, and a second host for those in Git LFS."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

_LARGE = (".safetensors", ".bin", ".gz", ".zip")


@dataclass
class Repo:
    """A repository: its commits, and what branches and tags name."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    card: Any = field(default_factory=dict)
    tags: list[Any] = field(default_factory=list)
    gated: Any = False
    private: bool = False
    changes: dict[str, Any] = field(default_factory=dict)
    """What an answer of the API has instead of the truth."""

    def commit(self, files: dict[str, bytes], name: str = "main") -> str:
        """Add a commit with these files, and let a branch or a tag name it."""
        commit = hashlib.sha1(repr((len(self.commits), sorted(files))).encode()).hexdigest()  # noqa: S324
        self.commits[commit] = files
        self.names[name] = commit
        return commit

    def find(self, revision: str) -> str | None:
        """Return the commit of a revision."""
        return self.names.get(revision) or (revision if revision in self.commits else None)


@dataclass
class Hub:
    """A Hub that is being served, what was asked, and what is to go wrong."""

    repos: dict[str, Repo] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, set[str]] = field(default_factory=dict)
    """For each token the repositories that it may read although they are private or gated."""
    base: str = ""
    files_base: str = ""
    ranges: bool = True
    api_faults: list[dict[str, Any]] = field(default_factory=list)
    """For each coming request to the API: status, headers and body, or nothing."""
    faults: list[dict[str, Any]] = field(default_factory=list)
    """For each coming request for the bytes of a file: status and headers, or cut (bytes), or nothing."""
    asked: list[str] = field(default_factory=list)
    authorized: list[tuple[str, str]] = field(default_factory=list)
    """Path and Authorization of each request that had one."""
    sent: int = 0
    """Bytes of files."""

    def of_api(self) -> list[str]:
        """Return the requests to the API."""
        return [path for path in self.asked if path.startswith("/api/")]


def is_large(path: str) -> bool:
    """Return whether a file is in Git LFS."""
    return path.endswith(_LARGE)


def git_id(data: bytes) -> str:
    """Return the id that Git gives to these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()  # noqa: S324 - Git's


def _sibling(path: str, data: bytes) -> dict[str, Any]:
    about: dict[str, Any] = {"rfilename": path, "size": len(data), "blobId": git_id(data)}
    if is_large(path):
        sha256 = hashlib.sha256(data).hexdigest()
        about["lfs"] = {"size": len(data), "sha256": sha256, "pointerSize": 130}
    return about


class Handler(BaseHTTPRequestHandler):
    """Answers as the Hub does, or as the host of its large files."""

    protocol_version = "HTTP/1.1"

    def __init__(self, *arguments: Any, hub: Hub, has_api: bool, **options: Any) -> None:
        self.hub = hub
        self.has_api = has_api
        super().__init__(*arguments, **options)

    def do_GET(self) -> None:
        """Answer."""
        hub, parts = self.hub, urlsplit(self.path)
        hub.asked.append(f"{parts.path} {self.headers.get('Range', '')}".strip())
        if authorization := self.headers.get("Authorization"):
            hub.authorized.append((f"{'' if self.has_api else 'files:'}{parts.path}", authorization))
        steps = [unquote(step) for step in parts.path.strip("/").split("/")]
        if not self.has_api:
            self._large(steps)
        elif steps[:2] == ["api", "models"]:
            self._api(steps[2:], parts.query)
        else:
            self._file(steps)

    def _refuse(self, status: int, code: str = "", message: str = "", **headers: str) -> None:
        about = {"X-Error-Code": code, "X-Error-Message": message}
        self._answer(status, b"{}", {name: value for name, value in about.items() if value} | headers)

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(ConnectionError):
            self.wfile.write(body)

    def _may_read(self, name: str) -> bool:
        """Refuse a request for a repository that its token, or the lack of one, does not permit."""
        hub = self.hub
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token and token not in hub.tokens:
            self._refuse(401, message="Invalid credentials in Authorization header")
        elif name not in hub.repos or (hub.repos[name].private and name not in hub.tokens.get(token, ())):
            self._refuse(404 if token else 401, "RepoNotFound", "Repository not found")
        else:
            return True
        return False

    def _is_let_through_gate(self, name: str) -> bool:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.hub.repos[name].gated and name not in self.hub.tokens.get(token, ()):
            self._refuse(403 if token else 401, "GatedRepo", f"Access to model {name} is restricted")
            return False
        return True

    def _api(self, steps: list[str], query: str) -> None:
        hub = self.hub
        if hub.api_faults and (fault := hub.api_faults.pop(0)):
            self._answer(fault.get("status", 200), fault.get("body", b"{}"), fault.get("headers", {}))
            return
        name, rest = "/".join(steps[:2]), steps[2:]
        if name in hub.renamed:
            place = "/".join(["/api/models", hub.renamed[name], *rest]) + (f"?{query}" if query else "")
            self._answer(307, b"", {"Location": place})
            return
        if not self._may_read(name):
            return
        if rest == ["auth-check"]:
            if self._is_let_through_gate(name):
                self._answer(200, b"{}", {})
            return
        repo = hub.repos[name]
        commit = repo.find(rest[1] if rest else "main")
        if commit is None:
            self._refuse(404, "RevisionNotFound", "Invalid rev id")
            return
        has_blobs = parse_qs(query).get("blobs", [""])[0].lower() == "true"
        siblings = [
            _sibling(path, data) if has_blobs else {"rfilename": path}
            for path, data in repo.commits[commit].items()
        ]
        about = {"id": name, "modelId": name, "sha": commit, "siblings": siblings, "cardData": repo.card}
        about |= {"tags": repo.tags, "gated": repo.gated, "private": repo.private} | repo.changes
        self._answer(200, json.dumps(about).encode(), {"Content-Type": "application/json"})

    def _file(self, steps: list[str]) -> None:
        name, commit, path = "/".join(steps[:2]), steps[3], "/".join(steps[4:])
        if not self._may_read(name) or not self._is_let_through_gate(name):
            return
        data = self.hub.repos[name].commits.get(commit, {}).get(path)
        if data is None:
            self._refuse(404, "EntryNotFound", "Entry not found")
        elif is_large(path):
            self._answer(302, b"", {"Location": f"{self.hub.files_base}/{name}/{commit}/{path}?signature=x"})
        else:
            self._bytes(data)

    def _large(self, steps: list[str]) -> None:
        self._bytes(self.hub.repos["/".join(steps[:2])].commits[steps[2]]["/".join(steps[3:])])

    def _bytes(self, data: bytes) -> None:
        hub = self.hub
        fault = hub.faults.pop(0) if hub.faults else {}
        if "status" in fault:
            self._answer(fault["status"], b"", fault.get("headers", {}))
            return
        data = fault.get("data", data)
        start, stop = 0, len(data)
        asked = self.headers.get("Range", "")
        if asked and hub.ranges:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, stop = int(first), min(int(last) + 1 if last else len(data), len(data))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(data)}")
        else:
            self.send_response(200)
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("Content-Length", str(stop - start))
        self.end_headers()
        part = data[start : min(stop, start + fault.get("cut", len(data)))]
        hub.sent += len(part)
        with suppress(ConnectionError):
            self.wfile.write(part)
        if "cut" in fault:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Write nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Write nothing about clients that went away."""


@contextmanager
def serving_hub() -> Iterator[Hub]:
    """Serve a Hub and the host of its large files, each on a free port."""
    hub = Hub()
    servers = [
        _Server(("127.0.0.1", 0), partial(Handler, hub=hub, has_api=has_api)) for has_api in (True, False)
    ]
    hub.base, hub.files_base = (f"http://127.0.0.1:{server.server_address[1]}" for server in servers)
    for server in servers:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield hub
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
