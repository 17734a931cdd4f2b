"""The scheme plugins of this project, from servers on this machine."""

import io
import pickle
import sys
import tarfile
import zipfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from serving import Serving

import embedhub
from embedhub.errors import OfflineError, SourceNotFoundError, UnverifiedWarning
from embedhub.registry.stored_handles import find_stores

ROOT = Path(__file__).parents[2]


def imported(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the module of a plugin of the checkout, which is forgotten after the test."""
    monkeypatch.syspath_prepend(str(ROOT / "plugins" / name.replace("_", "-")))
    for known in [known for known in sys.modules if known.partition(".")[0] == name]:
        monkeypatch.delitem(sys.modules, known)
    module = import_module(name)
    monkeypatch.setitem(sys.modules, name, module)
    return module


@pytest.fixture
def histwords(tmp_path: Path) -> Path:
    """Return a folder that mirrors an archive of three decades, whose numbers cannot be compressed."""
    folder = tmp_path / "served" / "snap.stanford.edu" / "historical_embeddings"
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    with zipfile.ZipFile(folder / "eng-all_sgns.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for decade in (1970, 1980, 1990):
            rows = random.standard_normal((200, 300))
            rows[0] = decade
            rows[1] = 0
            file = io.BytesIO()
            np.save(file, rows)
            archive.writestr(f"sgns/{decade}-w.npy", file.getvalue())
            words = ["now", "absent", *(f"word{number}" for number in range(198))]
            archive.writestr(f"sgns/{decade}-vocab.pkl", pickle.dumps(words, 0))
    return tmp_path / "served"


def test_only_the_members_of_a_decade_are_downloaded(
    histwords: Path, serve: Callable[..., Serving], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an archive on a server with ranges, the matrix and the words of one decade are requested."""
    source = imported("embedhub_histwords", monkeypatch).open_decade("eng-all/1980", None)
    serving = serve(histwords)
    monkeypatch.setenv("EMBEDHUB_MIRROR", serving.base)
    with pytest.warns(UnverifiedWarning):
        vectors = source.vectors(300)
    assert vectors["now"][0] == 1980
    assert "absent" not in vectors
    assert len(vectors) == 199
    (archive,) = histwords.rglob("*.zip")
    with zipfile.ZipFile(archive) as members:
        decade = sum(info.compress_size for info in members.infolist() if "/1980-" in info.filename)
    # The two members, and the last 64 KiB, with the directory, for each of them.
    assert decade < serving.sent < decade + 3 * 65_536 < archive.stat().st_size
    assert not list(cache.rglob("*.zip"))


def test_texts_are_embedded_by_the_pieces_of_bpemb(
    tmp_path: Path, serve: Callable[..., Serving], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A TextEmbedder takes the tokenizer of the vectors: a text is the mean of its pieces."""
    sentencepiece = pytest.importorskip("sentencepiece")
    embedhub_text = pytest.importorskip("embedhub_text")
    plugin = imported("embedhub_bpemb", monkeypatch)
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["it rained in stratford", "the rain fell", "the ford 0000"]),
        model_writer=model,
        model_type="bpe",
        vocab_size=35,
        minloglevel=2,
    )
    pieces = list(plugin.PieceTokenizer(model.getvalue()).get_vocab())
    rows = np.random.default_rng(0).standard_normal((len(pieces), 25)).astype("<f4")
    lines = (piece.encode() + b" " + row.tobytes() + b"\n" for piece, row in zip(pieces, rows, strict=True))
    content = b"%d 25\n" % len(pieces) + b"".join(lines)
    folder = tmp_path / "served" / "bpemb.h-its.org" / "en"
    folder.mkdir(parents=True)
    (folder / "en.wiki.bpe.vs1000.model").write_bytes(model.getvalue())
    with tarfile.open(folder / "en.wiki.bpe.vs1000.d25.w2v.bin.tar.gz", "w:gz") as archive:
        info = tarfile.TarInfo("data/en/en.wiki.bpe.vs1000.d25.w2v.bin")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    monkeypatch.setenv("EMBEDHUB_MIRROR", serve(tmp_path / "served").base)
    with pytest.warns(UnverifiedWarning):
        vectors = plugin.open_pieces("en/1000", 25).vectors(25)
    tokenizer = plugin.tokenizer_of(vectors)
    text = "The RAIN in Stratford, 1871"
    found = [pieces.index(piece) for piece in tokenizer.tokenize(text) if piece in pieces]
    assert len(found) > 3
    embed = embedhub_text.TextEmbedder(vectors, tokenize=tokenizer)
    np.testing.assert_allclose(embed([text])[0], rows[found].mean(axis=0), rtol=1e-5)
    copy = pickle.loads(pickle.dumps(tokenizer))  # noqa: S301 - our own
    assert copy.tokenize(text) == tokenizer.tokenize(text)


def test_stores_and_messages_have_the_handle(
    histwords: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Advice and the cache name a decade by the string that opens it."""
    plugin = imported("embedhub_histwords", monkeypatch)
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    with pytest.raises(OfflineError, match=r"embedhub\.load\('histwords://eng-all/1980', 300\)"):
        plugin.open_decade("eng-all/1980", None).vectors(300)
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(histwords))
    with pytest.warns(UnverifiedWarning):
        plugin.open_decade("eng-all/1980", None).vectors(300)
    (store,) = find_stores("histwords://eng-all/1980")
    assert (store.name, store.handle) == ("histwords-eng-all-1980", "histwords://eng-all/1980")


@pytest.mark.parametrize(
    ("name", "plugin"),
    [("histwords", "embedhub-histwords"), ("histwords-eng-all-1990", "embedhub-histwords")],
)
def test_names_like_a_scheme_say_how_to_write_it(name: str, plugin: str) -> None:
    """A name that begins like a scheme of this project is answered with the scheme and its plugin."""
    with pytest.raises(SourceNotFoundError, match=rf"are named histwords://\.\.\., with the plugin {plugin}"):
        embedhub.load(name)
    with pytest.raises(SourceNotFoundError, match=f"needs the plugin {plugin}"):
        embedhub.load("histwords://eng-all/1990")
