"""The Embedding Projector, as a real browser sees it."""

import io
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest
import requests
from children import PATIENCE, child, read_until
from command import executable, run
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

import embedhub

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --window-size=1400,900"
)

# The page is made of elements inside of elements, which no selector sees through.
FIND = """
const find = (root, selector) => {
    for (const element of root.querySelectorAll("*")) {
        if (element.matches(selector)) return element;
        const inside = element.shadowRoot && find(element.shadowRoot, selector);
        if (inside) return inside;
    }
    return null;
};
return arguments[0].reduce((found, selector) => found && find(found.shadowRoot || found, selector), document);
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Run `embedhub projector --open` on the embedded vectors; return what it serves, and the process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBEDHUB_CACHE", str(tmp_path_factory.mktemp("projector")))
        patch.setenv("BROWSER", "true")  # a browser that does nothing
        arguments = ["projector", "wordnet-ppmi", "50", "--topn", "2000", "--open"]
        with child(executable(), *arguments) as process:
            shown = read_until(process, "Serving ")
            if "Serving " not in shown:
                pytest.fail(f"it was not served: {shown} {process.communicate(timeout=PATIENCE)[1]}")
            yield shown.split("Serving ")[1].split()[0], process


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    """Start a headless Chromium with a profile of its own, or skip."""
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("chromium and chromedriver (Debian's chromium-driver) are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS.split(), f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    # With both places named, selenium looks for neither, and downloads nothing.
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.set_script_timeout(PATIENCE)
    driver.set_page_load_timeout(PATIENCE)
    yield driver
    driver.quit()


def test_the_page_shows_the_points_and_finds_a_word(
    served: tuple[str, "subprocess.Popen[str]"], browser: webdriver.Chrome
) -> None:
    """In a real Chromium the projector draws all points, and a search for a word finds just that."""
    url, _ = served
    wait = WebDriverWait(browser, PATIENCE, ignored_exceptions=[StaleElementReferenceException])

    def element(*selectors: str) -> Any:
        return wait.until(lambda driver: driver.execute_script(FIND, selectors))

    browser.get(url)
    for _ in range(2):  # TensorBoard shows a plugin in a frame in a frame
        wait.until(lambda driver: driver.find_elements("tag name", "iframe"))
        browser.switch_to.frame(0)
    wait.until(lambda _: element(".numDataPoints").text == "2000")
    assert element(".status-bar-panel .dim").text == "50"

    def coloured() -> int:
        """Return how many pixels of the scatter plot are neither white nor grey."""
        picture = matplotlib.image.imread(io.BytesIO(element("#scatter").screenshot_as_png))[..., :3]
        return int((np.ptp(picture, axis=2) > 0.2).sum())

    wait.until(lambda _: coloured() > 2000)
    vectors = embedhub.load("wordnet-ppmi", 50)
    assert "music" in vectors.words[:2000]
    element("#search-box", "paper-input", "input").send_keys("music", Keys.ENTER)
    matches = [word for word in vectors.words[:2000] if "music" in word]
    wait.until(lambda _: element("#search-box", ".info").text.startswith(f"{len(matches)} match"))
    assert element(".matches-list").text.split() == matches


def test_what_is_served_is_every_bit(served: tuple[str, "subprocess.Popen[str]"]) -> None:
    """TensorBoard hands the page the same float32, and the same words in the same order."""
    base = f"{served[0].removesuffix('#projector')}data/plugin/projector"

    def answer(route: str) -> requests.Response:
        query = {"run": ".", "name": "wordnet-ppmi-50d"}
        return requests.get(f"{base}/{route}", params=query, timeout=PATIENCE)

    assert answer("runs").json() == ["."]
    assert answer("info").json()["embeddings"][0]["tensorShape"] == [2000, 50]
    vectors = embedhub.load("wordnet-ppmi", 50)
    assert answer("tensor").content == vectors.matrix[:2000].tobytes()
    assert answer("metadata").content.decode().splitlines() == vectors.words[:2000]


def test_a_taken_port_is_said(served: tuple[str, "subprocess.Popen[str]"], tmp_path: Path) -> None:
    """A port that somebody listens on is a failed task, told in a paragraph; the files are there."""
    port = served[0].split(":")[2].split("/")[0]
    done = run("projector", "wordnet-ppmi", 25, "--out", tmp_path / "points", "--open", "--port", port)
    assert done.returncode == 1
    assert "The projector cannot be served: " in done.stderr
    assert f"port {port}" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "points" / "vectors.tsv").exists()


@pytest.mark.posix
def test_ctrl_c_ends_it_cleanly(
    start: Callable[..., "subprocess.Popen[str]"], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After Ctrl-C the process says so, ends with code 0, and its temporary folder is gone."""
    monkeypatch.setenv("BROWSER", "true")
    process = start(executable(), "projector", "wordnet-ppmi", "25", "--topn", "100", "--open")
    shown = read_until(process, "Serving ")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert (out, err, process.returncode) == ("Stopped.\n", "", 0)
    folder = Path(next(line for line in shown.splitlines() if line.startswith("  ")).strip()).parent
    assert folder.name == "wordnet-ppmi-25d-projector"
    assert not folder.exists()


def test_the_command_writes_a_folder(tmp_path: Path) -> None:
    """Without --open it writes a folder, of 5,000 words or those of a file, and says how to look at it."""
    done = run("projector", "wordnet-ppmi", 25, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Wrote 5,000 vectors" in done.stdout
    assert "tensorboard --logdir wordnet-ppmi-25d-projector" in done.stdout
    folder = tmp_path / "wordnet-ppmi-25d-projector"
    assert {file.name for file in folder.iterdir()} == {
        "vectors.tsv",
        "metadata.tsv",
        "projector_config.pbtxt",
    }
    (tmp_path / "words").write_text("music\nrain\n")
    done = run("projector", "wordnet-ppmi", 25, "--words", "words", "--out", "small", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "small" / "metadata.tsv").read_text() == "music\nrain\n"


WITHOUT_TENSORBOARD = """
import sys
from pathlib import Path
sys.modules["tensorboard"] = None
from embedhub.errors import DependencyError
from embedhub.evaluation.projector_page import serve
try:
    serve(Path("points"))
except DependencyError as error:
    print(error)
"""


def test_without_tensorboard_the_extra_is_told() -> None:
    """Where TensorBoard is not installed, the error names the extra, and what needs none."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORBOARD],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    assert "pip install embedhub[projector]" in done.stdout
    assert "points/vectors.tsv" in done.stdout
