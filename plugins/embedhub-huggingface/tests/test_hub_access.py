"""Revisions, access, offline use and faults, with the real client, against a small Hub on this machine."""

import gzip
import hashlib
import json
import pickle
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path
from typing import Any

import pytest
from embedhub_huggingface import HubWarning
from hub_samples import (
    LIMIT,
    OTHER,
    SECRET,
    TABLE,
    TEXT,
    TOKENS,
    add,
    bert,
    model2vec,
    rows,
    safetensors,
)
from hub_server import Hub

import embedhub
from embedhub import errors
from embedhub.registry.inventory import list_stores, remove

pytest_plugins = ["hub_fixtures"]


def test_revision_is_a_branch_a_tag_or_a_commit(hub: Hub) -> None:
    """Each has its own vectors; a commit is opened without asking the Hub again."""
    repo = add(hub, "acme/words", {"v.vec": TEXT})
    first = repo.names["main"]
    repo.commit({"v.vec": OTHER}, "v2.0")
    repo.commit({"a/v.vec": OTHER}, "refs/pr/1")
    repo.commit({"v.vec": OTHER}, "feature/x")
    assert "snow" in embedhub.load("hf://acme/words")
    assert "hail" in embedhub.load("hf://acme/words@v2.0")
    assert "hail" in embedhub.load("hf://acme/words@refs/pr/1/a/v.vec")
    assert "hail" in embedhub.load("hf://acme/words@feature%2Fx/v.vec")
    assert "snow" in embedhub.load(f"hf://acme/words@{first}/v.vec:2")
    asked = len(hub.asked)
    assert "snow" in embedhub.load(f"hf://acme/words@{first}/v.vec")
    assert len(hub.asked) == asked
    with pytest.raises(errors.SourceNotFoundError, match="has no branch, tag or commit 'v9'"):
        embedhub.load("hf://acme/words@v9")


def test_branch_that_moves_is_noticed_and_never_mixed(hub: Hub) -> None:
    """The next load opens the new commit in a store of its own, and the old one is outdated."""
    repo = add(hub, "acme/words", {"v.vec": TEXT})
    old = embedhub.load("hf://acme/words")
    assert [store.state() for store in list_stores()] == ["current"]
    repo.commit({"v.vec": OTHER})
    new = embedhub.load("hf://acme/words")
    assert (list(old), list(new)) == (["rain", "snow"], ["rain", "hail"])
    assert sorted(store.state() for store in list_stores()) == ["current", "outdated"]
    assert list(pickle.loads(pickle.dumps(old))) == ["rain", "snow"]  # noqa: S301 - our own


@pytest.mark.parametrize("token", [None, SECRET])
def test_gated_repository_says_how_to_get_access(hub: Hub, token: str | None, monkeypatch: Any) -> None:
    """Without a token it says to log in, with one to ask for access; with access it opens."""
    add(hub, "acme/gated", {"v.vec": TEXT}, gated="manual")
    hub.tokens[SECRET] = set()
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(errors.DownloadError, match="this repository is gated") as error:
        embedhub.load("hf://acme/gated")
    assert ("has no access yet" if token else "hf auth login") in str(error.value)
    assert f"{hub.base}/acme/gated" in str(error.value)
    hub.tokens[SECRET].add("acme/gated")
    monkeypatch.setenv("HF_TOKEN", SECRET)
    assert "rain" in embedhub.load("hf://acme/gated")


def test_private_or_missing_repository(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a token it may be private; the owner's token opens it."""
    add(hub, "acme/private", model2vec(), private=True)
    hub.tokens |= {SECRET: {"acme/private"}, "other": set()}
    for name in ("private", "none"):
        with pytest.raises(errors.SourceNotFoundError, match=r"no such repository.*or it is private: log in"):
            embedhub.load(f"hf://acme/{name}")
    monkeypatch.setenv("HF_TOKEN", "other")
    with pytest.raises(
        errors.SourceNotFoundError, match="the account of the token that was sent cannot see it"
    ):
        embedhub.load("hf://acme/private")
    monkeypatch.setenv("HF_TOKEN", "expired")
    with pytest.raises(errors.DownloadError, match=r"HTTP 401. The token that was sent is not valid"):
        embedhub.load("hf://acme/private")
    monkeypatch.setenv("HF_TOKEN", SECRET)
    assert "rain" in embedhub.load("hf://acme/private")


def test_token_goes_to_the_hub_only(hub: Hub, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host of large files does not get it, nor is it in a message, a store, a record or a repr."""
    add(hub, "acme/private", model2vec(), private=True)
    hub.tokens[SECRET] = {"acme/private"}
    monkeypatch.setenv("HF_TOKEN", SECRET)
    vectors = embedhub.load("hf://acme/private")
    assert {value for _, value in hub.authorized} == {f"Bearer {SECRET}"}
    assert [path for path, _ in hub.authorized if path.startswith("files:")] == []
    assert [path for path in hub.asked if not path.startswith("/api") and "resolve" not in path]
    hub.tokens[SECRET] = set()
    with pytest.raises(errors.EmbedhubError) as error:
        embedhub.load("hf://acme/private")
    shown = [str(error.value), repr(vectors), repr(vectors.manifest), repr(pickle.dumps(vectors))]
    assert not [text for text in shown if SECRET in text]
    files = [path for path in cache.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]


def test_token_that_cannot_be_read_is_an_error(hub: Hub, tmp_path: Path) -> None:
    """The message has the file, and nothing is requested without the token."""
    add(hub, "acme/words", {"v.vec": TEXT})
    (tmp_path / "home" / "token").mkdir(parents=True)
    with pytest.raises(errors.DownloadError, match=r"request to http.* cannot be made \(.*home.token\)"):
        embedhub.load("hf://acme/words")
    assert hub.asked == []


def test_renamed_repository_opens_with_a_warning(hub: Hub) -> None:
    """The warning has the new handle."""
    add(hub, "acme/new", {"v.vec": TEXT})
    hub.renamed["acme/old"] = "acme/new"
    with pytest.warns(HubWarning, match=r"is called acme/new now. Write 'hf://acme/new/v.vec'"):
        assert "rain" in embedhub.load("hf://acme/old/v.vec")


def test_busy_hub_is_asked_again(hub: Hub) -> None:
    """429 is repeated after the time it asks for, a long one is an error, and a known commit is used then."""
    add(hub, "acme/words", {"v.vec": TEXT})
    hub.api_faults = [{"status": 429, "headers": {"Retry-After": "0"}}, {"status": 503}]
    assert "rain" in embedhub.load("hf://acme/words")
    assert len(hub.of_api()) == 3
    hub.api_faults = [{"status": 429, "headers": {"Retry-After": "900"}}]
    with pytest.raises(errors.DownloadError, match=r"HTTP 429. It asks to wait for 900 s"):
        embedhub.load("hf://acme/words@main")
    hub.api_faults = [{"status": 429, "headers": {"Retry-After": "900"}}]
    with pytest.warns(HubWarning, match=r"The commit [0-9a-f]{40}, which it had before, is used"):
        assert "rain" in embedhub.load("hf://acme/words")
    hub.api_faults = 5 * [{"status": 500}]
    with pytest.raises(errors.DownloadError, match=r"HTTP 500. Given up after 5 tries"):
        embedhub.load("hf://acme/words@main")


def test_busy_host_of_files_is_asked_again(hub: Hub) -> None:
    """429 of a download is repeated too."""
    add(hub, "acme/words", {"v.vec.gz": gzip.compress(TEXT, mtime=0)})
    hub.faults = [{"status": 429, "headers": {"Retry-After": "0"}}]
    assert "rain" in embedhub.load("hf://acme/words")


def test_hub_that_is_not_there(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error of embedhub, and a known commit is used with a warning."""
    add(hub, "acme/words", {"v.vec": TEXT})
    embedhub.load("hf://acme/words")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(errors.DownloadError, match=r"no answer from http://127\.0\.0\.1:9"):
        embedhub.load("hf://acme/words")


def test_offline_opens_what_was_opened_before(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Either switch forbids all requests; the same store is opened, and other handles are an error."""
    add(hub, "acme/words", {"v.vec": TEXT})
    embedhub.load("hf://acme/words")
    asked = len(hub.asked)
    for name in ("EMBEDHUB_OFFLINE", "HF_HUB_OFFLINE"):
        with monkeypatch.context() as patch:
            patch.setenv(name, "1")
            assert "rain" in embedhub.load("hf://acme/words:2")
            with pytest.raises(errors.OfflineError, match=f"never opened with this cache.*{name} is set"):
                embedhub.load("hf://acme/words@main")
            assert [store.state() for store in list_stores()] == ["current"]
    for store in list_stores():
        remove(store)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(errors.OfflineError, match=r"HF_HUB_OFFLINE is set. Wanted:\n  - http.*v\.vec"):
        embedhub.load("hf://acme/words")
    assert len(hub.asked) == asked


def test_mirror_has_the_bytes(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The downloads of another cache, or a folder, serve the files of a commit, which are verified."""
    repo = add(hub, "acme/words", {"v.vec.gz": gzip.compress(TEXT, mtime=0)})
    host = hub.base.partition("//")[2]
    place = tmp_path / "mirror" / host / "acme/words/resolve" / repo.names["main"] / "v.vec.gz"
    place.parent.mkdir(parents=True)
    place.write_bytes(gzip.compress(TEXT, mtime=0))
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path / "mirror"))
    assert "rain" in embedhub.load("hf://acme/words")
    assert hub.sent == 0
    place.write_bytes(gzip.compress(OTHER, mtime=0))
    monkeypatch.setenv("EMBEDHUB_CACHE", str(tmp_path / "other"))
    assert "snow" in embedhub.load("hf://acme/words")
    assert hub.sent > 0


def test_download_is_resumed(hub: Hub) -> None:
    """A connection that breaks costs only what was not sent, in the same call and in the next."""
    text = b"".join(b"word%d %d 0.5\n" % (number, number) for number in range(100_000))
    tokens = b"\n".join(b"w%d" % number for number in range(100_000))
    model = safetensors({"wte.weight": rows(100_000)})
    add(hub, "acme/words", {"v.vec": text, "model.safetensors": model, "vocab.txt": tokens})
    hub.faults = [{}, {"cut": 500_000}]
    assert len(embedhub.load("hf://acme/words/v.vec")) == 100_000
    assert hub.sent < len(text) + 10_000
    hub.sent = 0
    parts = 4  # of the header, the tokens and the tensor: the size and the bytes of each
    hub.faults = [*((2 * parts - 1) * [{}]), {"cut": 1_000_000}, *(9 * [{"status": 404}])]
    with pytest.raises(errors.DownloadError):
        embedhub.load("hf://acme/words#wte.weight")
    hub.faults = []
    with pytest.warns(errors.UnverifiedWarning):
        assert len(embedhub.load("hf://acme/words#wte.weight")) == 100_000
    assert hub.sent < rows(100_000).nbytes + len(tokens) + 10_000


def test_bytes_that_change_are_noticed(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other bytes at the same commit are a checksum error, for text, tokenizer and table alike."""
    repo = add(hub, "acme/words", {"v.vec": TEXT})
    commit = repo.names["main"]
    repo.changes = {"siblings": [{"rfilename": "v.vec", "size": len(TEXT), "blobId": 40 * "0"}]}
    with pytest.raises(errors.ChecksumError, match=r"expected git-sha1:0{40}, got git-sha1:"):
        embedhub.load("hf://acme/words")
    add(hub, "acme/bert", bert())
    with pytest.warns(errors.UnverifiedWarning):
        pickled = pickle.dumps(embedhub.load(f"hf://acme/bert{TABLE}"))
    assert pickle.loads(pickled)["rain"].tolist() == [8, 9, 10, 11]  # noqa: S301 - our own
    for store in list_stores():
        remove(store)
    repo = hub.repos["acme/bert"]
    files = repo.commits[repo.names["main"]]
    files["model.safetensors"] = files["model.safetensors"].replace(
        rows(8).tobytes(), rows(8, start=1).tobytes()
    )
    with pytest.raises(errors.ChecksumError, match="The expected hash is that of its first download"):
        embedhub.load(f"hf://acme/bert{TABLE}")
    monkeypatch.setenv("EMBEDHUB_CACHE", str(tmp_path / "other"))
    with (
        pytest.warns(errors.UnverifiedWarning),
        pytest.raises(errors.StoreError, match="came from another file"),
    ):
        pickle.loads(pickled)  # noqa: S301
    assert commit


OPEN = "import pickle, sys; print(*pickle.load(sys.stdin.buffer).get(sys.argv[1]))"


def test_pickle_opens_the_same_commit_in_another_process(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an empty cache, and after the branch has moved."""
    repo = add(hub, "acme/tiny", model2vec())
    pickled = pickle.dumps(embedhub.load("hf://acme/tiny"))
    repo.commit(model2vec(start=100))
    monkeypatch.setenv("EMBEDHUB_CACHE", str(tmp_path / "another"))
    command = [sys.executable, "-P", "-c", OPEN, "rain"]
    opened = subprocess.run(command, input=pickled, capture_output=True, check=True, timeout=LIMIT)
    assert opened.stdout.split() == [b"8.0", b"9.0", b"10.0", b"11.0"]


def test_lock_file_has_commit_and_hashes(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the hash of a table, which is not published; a branch that has moved is an error."""
    monkeypatch.chdir(tmp_path)
    repo = add(hub, "acme/bert", bert())
    run("lock", f"hf://acme/bert{TABLE}:4")
    (locked,) = tomllib.loads(Path("embedhub.lock").read_text("utf-8"))["vectors"]
    assert locked["revision"] == repo.names["main"]
    table, tokens = locked["files"]
    assert table["hash"] == f"sha256:{hashlib.sha256(rows(8).tobytes()).hexdigest()}"
    assert (table["size"], tokens["hash"].partition(":")[0]) == (rows(8).nbytes, "git-sha1")
    assert len(embedhub.load(f"hf://acme/bert{TABLE}")) == len(TOKENS)
    repo.commit(bert(more=rows(9)))
    with pytest.raises(errors.EmbedhubError, match=r"embedhub\.lock"):
        embedhub.load(f"hf://acme/bert{TABLE}")


def test_processes_share_one_download(hub: Hub) -> None:
    """Of several processes that open a handle at the same time, one downloads the files."""
    text = b"".join(b"word%d %d 0.5\n" % (number, number) for number in range(50_000))
    add(hub, "acme/words", {"v.vec": text})
    command = [sys.executable, "-P", "-c", "import embedhub; print(len(embedhub.load('hf://acme/words')))"]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(3)]
    try:
        assert [process.communicate(timeout=LIMIT)[0].strip() for process in processes] == 3 * [b"50000"]
    finally:
        for process in processes:
            process.kill()
    assert hub.sent < len(text) + 100


def run(*arguments: str, stdin: str = "") -> str:
    """Run the command, and return what it writes."""
    code = "import sys; from embedhub.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *arguments],
        input=stdin, capture_output=True, text=True, check=False, timeout=LIMIT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_command_takes_handles(hub: Hub) -> None:
    """Commands for sources and for the cache take a handle; the list of the cache asks no server."""
    add(hub, "acme/words", {"v.vec": TEXT}, card={"license": "cc-by-4.0", "language": "de"})
    about = json.loads(run("info", "hf://acme/words", "--json"))
    assert (about["license"], about["language"], about["dims"][0]["dim"]) == ("cc-by-4.0", "de", 2)
    assert "2 words" in run("download", "hf://acme/words:2")
    assert run("check", "hf://acme/words")
    covered = json.loads(run("coverage", "hf://acme/words", "-", "--json", stdin="snow\n"))
    assert (covered["source"], covered["ratio"]) == ("hf://acme/words", 1.0)
    asked = len(hub.asked)
    (store,) = json.loads(run("cache", "list", "--json"))["stores"]
    assert (store["handle"], store["state"]) == ("hf://acme/words", "current")
    run("cache", "remove", "hf://acme/words:2", "--yes")
    assert json.loads(run("cache", "list", "--json"))["stores"] == []
    assert len(hub.asked) == asked


ABOUT = {"id": "acme/words", "sha": 40 * "a", "siblings": []}
CHANGES: list[dict[str, Any]] = [
    {"sha": None},
    {"sha": "main"},
    {"id": "../.."},
    {"id": None},
    {"siblings": 3},
    {"siblings": [3]},
    {"siblings": [{"rfilename": 3}]},
    {"siblings": [{}]},
    {"siblings": [{"rfilename": "v.vec", "lfs": 3}]},
    {"siblings": [{"rfilename": "../../v.vec", "size": 3, "blobId": 40 * "a"}]},
    {"tags": 3},
    {"createdAt": 3},
    {"cardData": [1]},
    {"cardData": {"tags": 3}},
    {"cardData": {"self": 1}},
]
ANSWERS = [b"", b"null", b"[]", b"3", b"<html>", b"{}", b'{"id": 3}', 90_000 * b"[", b"\xff\xfe"]


@pytest.mark.parametrize("answer", [*ANSWERS, *(json.dumps(ABOUT | change).encode() for change in CHANGES)])
def test_strange_answer_is_an_error_of_embedhub(hub: Hub, answer: bytes) -> None:
    """Whatever the server sends, and nothing is kept."""
    hub.api_faults = [{"body": answer, "headers": {"Content-Type": "application/json"}}]
    with pytest.raises(errors.EmbedhubError, match="hf://acme/words"):
        embedhub.load("hf://acme/words")
    assert list_stores() == []


@pytest.mark.parametrize(
    "endpoint", ["http://hub.example", "ftp://x", "https://me:secret@host", "[", "https://"]
)
def test_hub_is_asked_by_https_only(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token is never sent in the clear."""
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    with pytest.raises(errors.SettingsError, match="HF_ENDPOINT is") as error:
        embedhub.load("hf://acme/words")
    assert "secret" not in str(error.value)


def test_damaged_record_is_replaced(hub: Hub, cache: Path) -> None:
    """What cannot be read of the cache is found out again."""
    add(hub, "acme/words", {"v.vec": TEXT})
    embedhub.load("hf://acme/words")
    (record,) = (cache / "handles").iterdir()
    for damage in (b"", b"{", b"[]", b'{"version": 1}', record.read_bytes()[:-30]):
        record.write_bytes(damage)
        with warnings.catch_warnings():
            assert "rain" in embedhub.load("hf://acme/words")
