"""Downloads from a real nginx."""

import gzip
import shutil
import socket
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from children import PATIENCE, child
from remote import HOST

from embedhub import DownloadError, RemoteFile
from embedhub.download.fetch import fetch_first

NGINX = (
    shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin") or ""
)
if not NGINX:
    pytest.skip("needs nginx (Debian: nginx-light)", allow_module_level=True)
TEXT = b"".join(b"word%d %d.25 -0.5\n" % (i, i * 7919 % 100_003) for i in range(200_000))
CONFIG = """
daemon off;
pid {root}/pid;
error_log {root}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3;
    uwsgi_temp_path {root}/t4; scgi_temp_path {root}/t5;
    server {{
        listen 127.0.0.1:{first};
        root {root};
        location /files/ {{ }}
        location /slow/ {{ alias {root}/files/; limit_rate 2m; }}
        location /noranges/ {{ alias {root}/files/; max_ranges 0; }}
        location /busy/ {{ return 503; }}
        location /moved/ {{ rewrite ^/moved/(.*) http://127.0.0.1:{first}/again/$1 permanent; }}
        location /again/ {{ rewrite ^/again/(.*) http://localhost:{second}/files/$1 redirect; }}
    }}
    server {{ listen 127.0.0.1:{second}; root {root}; }}
}}
"""


def free_port() -> int:
    """Return a port that is not in use."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def nginx(open_folder: Path) -> Iterator[str]:
    """Start nginx on two free loopback ports; return its base URL."""
    root = open_folder  # nginx's workers are another user
    (root / "files" / HOST).mkdir(parents=True)
    (root / "files" / HOST / "some.txt").write_bytes(TEXT)
    with zipfile.ZipFile(root / "files" / HOST / "some.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("some.txt", TEXT)
    for _ in range(5):  # another process may take a port before nginx does
        first, second = free_port(), free_port()
        (root / "nginx.conf").write_text(CONFIG.format(root=root, first=first, second=second))
        with child(NGINX, "-c", root / "nginx.conf", "-p", root) as process:
            until = time.monotonic() + PATIENCE
            # It writes the file when it listens.
            while not (root / "pid").exists() and process.poll() is None and time.monotonic() < until:
                time.sleep(0.02)
            if (root / "pid").exists():
                yield f"http://127.0.0.1:{first}"
                return
            process.kill()
            _, shown = process.communicate(timeout=PATIENCE)
    pytest.fail(f"nginx did not start: {shown}")


def a_file(kind: str) -> RemoteFile:
    """Return the text as a file without a published hash, whole or in an archive."""
    name, member = ("some.zip", "some.txt") if kind == "member" else ("some.txt", None)
    return RemoteFile(url=f"https://{HOST}/{name}", member=member, size=len(TEXT))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["member", "whole"])
@pytest.mark.parametrize("place", ["files", "slow", "noranges", "moved"])
def test_nginx_serves_a_download(nginx: str, monkeypatch: pytest.MonkeyPatch, place: str, kind: str) -> None:
    """With ranges and without, slowly, and behind two redirects to another host name and port."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", f"{nginx}/{place}")
    path = fetch_first([a_file(kind)], label="some 2d").path
    data = path.read_bytes()
    assert (gzip.decompress(data) if kind == "member" else data) == TEXT


@pytest.mark.parametrize("kind", ["member", "whole"])
def test_nginx_503_is_retried(nginx: str, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """A lasting 503 is retried a few times, then reported."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", f"{nginx}/busy")
    with pytest.raises(
        DownloadError, match=r"HTTP 503 Service Temporarily Unavailable. Given up after 5 tries"
    ):
        fetch_first([a_file(kind)], label="some 2d")
