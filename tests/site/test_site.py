"""The site in a real browser: Chromium or Chrome with its chromedriver, without which these tests skip.

`tox -e docs` runs them.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from children import PATIENCE

pytest.importorskip("mkdocs", reason="the site is built and tested by tox -e docs")
pytest.importorskip("selenium", reason="the site is built and tested by tox -e docs")

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

pytestmark = pytest.mark.timeout(900)  # all pages are visited before the first of these tests

ROOT = Path(__file__).parents[2]
BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chromium-browser"))), None)
DRIVER = shutil.which("chromedriver")
WIDE, PHONE = 1280, 420
DRAWN = "return document.querySelectorAll('.diagram:not(:has(svg))').length == 0"
SHOWN = """
const rows = [...document.querySelectorAll("tr:has([data-languages])")];
return rows.filter((row) => row.checkVisibility()).map((row) => row.querySelector("code").textContent);
"""
LOOK = """
const seen = (selector) => [...document.querySelectorAll(selector)];
const code = seen(".language-python pre > code, .language-sh pre > code, .language-toml pre > code");
return {
  width: document.documentElement.scrollWidth,
  code: code.length,
  cut: code.filter((code) => code.scrollWidth > code.clientWidth).map((code) => code.textContent),
  broken: seen("img").filter((image) => !image.naturalWidth || !image.alt).map((image) => image.src),
};
"""


def build(folder: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """Build the site of a project; with --quiet a warning would be no error."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", out],
        cwd=folder,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the built site."""
    out = tmp_path_factory.mktemp("site")
    done = build(ROOT, out)
    assert done.returncode == 0, done.stderr
    return out


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder, and keeps the paths that it does not have."""

    missing: list[str] = []

    def send_error(self, *arguments: Any, **options: Any) -> None:
        """Keep the path."""
        self.missing.append(self.path)
        super().send_error(*arguments, **options)

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def base(site: Path) -> Iterator[str]:
    """Serve the site, and return its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    """Start a browser that can reach nothing but loopback, and that logs its requests."""
    if not BROWSER or not DRIVER:
        pytest.skip("no browser: Debian has chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in (
        "--headless=new",
        "--no-sandbox",  # a user of a container may be root
        "--disable-dev-shm-usage",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.set_page_load_timeout(PATIENCE)
    driver.set_script_timeout(PATIENCE)
    yield driver
    driver.quit()


def resize(browser: webdriver.Chrome, width: int) -> None:
    """Give the page a width."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


@contextmanager
def preferring(browser: webdriver.Chrome, scheme: str) -> Iterator[None]:
    """Prefer a color scheme, as the settings of a system do."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    yield
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@dataclass(frozen=True)
class Visit:
    """What a page is in the browser.

    Args:
        phone: Its widths and pictures at the width of a phone, as the script `LOOK` finds them.
        wide: The same at the width of a laptop.
        addresses: What it requested.
        errors: What it wrote to the console.
    """

    phone: dict[str, Any]
    wide: dict[str, Any]
    addresses: list[str]
    errors: list[str]


@pytest.fixture(scope="module")
def visits(browser: webdriver.Chrome, base: str, site: Path) -> dict[str, Visit]:
    """Visit every page, and return what was seen of each."""
    visited = {}
    for file in sorted(site.rglob("*.html")):
        page = file.relative_to(site).as_posix().removesuffix("index.html")
        resize(browser, PHONE)
        browser.get(base + page)
        WebDriverWait(browser, PATIENCE).until(lambda driver: driver.execute_script(DRAWN))
        phone = browser.execute_script(LOOK)
        resize(browser, WIDE)
        wide = browser.execute_script(LOOK)
        events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
        visited[page] = Visit(
            phone=phone,
            wide=wide,
            addresses=[
                event["params"]["request"]["url"]
                for event in events
                if event["method"] == "Network.requestWillBeSent"
            ],
            errors=[entry["message"] for entry in browser.get_log("browser")],
        )
    return visited


def test_pages_request_nothing_from_another_host(visits: dict[str, Visit], base: str) -> None:
    """Every page works from the site's own files, all of which exist, and without an error in the console."""
    assert len(visits) > 50
    for page, visit in visits.items():
        assert visit.addresses, page
        elsewhere = [url for url in visit.addresses if not url.startswith((base, "data:", "blob:"))]
        assert (page, elsewhere, visit.errors) == (page, [], [])
    assert Handler.missing == []


def test_pages_fit_a_phone(visits: dict[str, Visit]) -> None:
    """No page is wider than a phone; tables and code scroll by themselves."""
    assert {
        page: visit.phone["width"] for page, visit in visits.items() if visit.phone["width"] > PHONE
    } == {}


def test_code_is_not_cut_on_a_laptop(visits: dict[str, Visit]) -> None:
    """Each line of Python, shell and TOML is shown whole at 1280 pixels."""
    assert sum(visit.wide["code"] for visit in visits.values()) > 100
    assert {page: visit.wide["cut"] for page, visit in visits.items() if visit.wide["cut"]} == {}


def test_pictures_are_shown_and_described(visits: dict[str, Visit]) -> None:
    """Each picture of each page loads, and has a text in place of it."""
    assert {page: visit.wide["broken"] for page, visit in visits.items() if visit.wide["broken"]} == {}


def test_broken_links_and_pictures_fail_the_build(tmp_path: Path) -> None:
    """A link to no page, to no heading of a page, and a picture that is not there are errors."""
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    for name in ("mkdocs.yml", "tools/docs_hooks.py", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    with (tmp_path / "docs" / "start.md").open("a", encoding="utf-8") as page:
        page.write("\n[A](no-page.md) [B](install.md#no-heading) ![C](images/no-picture.svg)\n")
    done = build(tmp_path, tmp_path / "site")
    assert done.returncode != 0
    for target in ("no-page.md", "#no-heading", "images/no-picture.svg"):
        assert target in done.stdout + done.stderr


def test_catalog_is_a_plain_table_without_scripts(site: Path) -> None:
    """The page itself has all rows, each with a link to a page, and no field that does nothing."""
    page = (site / "catalog" / "index.html").read_text("utf-8")
    links = re.findall(r'<td><a href="([^"]+)/">', page)
    assert sorted(links) == sorted(path.parent.name for path in (site / "catalog").glob("*/index.html"))
    assert "catalog-filter" not in page


def shown(browser: webdriver.Chrome) -> list[str]:
    """Return the names in the catalog that are shown."""
    names: list[str] = browser.execute_script(SHOWN)
    return names


@pytest.fixture
def catalog(browser: webdriver.Chrome, base: str) -> webdriver.Chrome:
    """Open the catalog."""
    resize(browser, WIDE)
    browser.get(f"{base}catalog/")
    return browser


FAMILIES = [
    "fasttext-aligned-*",
    "fasttext-cc-*",
    "fasttext-cc-*-subword",
    "fasttext-wiki-*",
    "numberbatch-*",
]


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"text": "GloVe twee"}, ["glove-twitter-27b"]),
        ({"language": "german"}, FAMILIES),
        ({"language": "DE"}, FAMILIES),
        ({"language": "Luxemb"}, ["fasttext-cc-*", "fasttext-cc-*-subword", "fasttext-wiki-*"]),
        ({"language": "en", "dim": "25"}, ["wordnet-ppmi", "glove-twitter-27b"]),
        ({"language": "en", "size": "100", "dim": "50"}, ["glove-6b", "glove-6b-20k", "wordnet-ppmi"]),
        ({"size": "70", "dim": "100"}, ["wordnet-ppmi"]),
        ({"case": "cased", "license": "MIT"}, ["potion-multilingual-128m", "static-embedding-japanese"]),
        ({"language": "no such language"}, []),
    ],
    ids=lambda value: " ".join(value.values()) if isinstance(value, dict) else None,
)
def test_catalog_is_filtered_as_you_type(
    catalog: webdriver.Chrome, fields: dict[str, str], names: list[str]
) -> None:
    """Text, language, dimension, size, case and license select rows, and the address keeps them."""
    count = len(shown(catalog))
    for field, text in fields.items():
        catalog.find_element(By.NAME, field).send_keys(text)
    assert shown(catalog) == names
    output = catalog.find_element(By.CSS_SELECTOR, ".catalog-filter output")
    assert output.text == f"{len(names)} of {count} rows"
    catalog.get(catalog.current_url)
    assert shown(catalog) == names
    catalog.find_element(By.CSS_SELECTOR, ".catalog-filter button").click()
    WebDriverWait(catalog, PATIENCE).until(lambda driver: len(shown(driver)) == count)
    assert "?" not in catalog.current_url


def test_catalog_is_used_with_the_keyboard(catalog: webdriver.Chrome) -> None:
    """Tab goes from field to field, which have labels, then to the rows that are shown."""
    catalog.find_element(By.NAME, "text").send_keys("word2vec")
    for name in ("language", "dim", "size", "case", "license"):
        catalog.switch_to.active_element.send_keys(Keys.TAB)
        field = catalog.switch_to.active_element
        assert (field.get_attribute("name"), bool(field.accessible_name)) == (name, True)
    catalog.switch_to.active_element.send_keys(Keys.TAB)
    assert catalog.switch_to.active_element.text == "Clear"
    for _ in range(2):  # the table can be scrolled
        catalog.switch_to.active_element.send_keys(Keys.TAB)
        if catalog.switch_to.active_element.tag_name == "a":
            break
    catalog.switch_to.active_element.send_keys(Keys.ENTER)
    assert catalog.current_url.endswith("/catalog/word2vec-google-news/")


def test_citation_is_copied(browser: webdriver.Chrome, base: str) -> None:
    """The button beside the BibTeX entry of a source copies it."""
    permissions = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": base}
    browser.execute_cdp_cmd("Browser.grantPermissions", permissions)
    browser.get(f"{base}catalog/wordnet-ppmi/")
    buttons = WebDriverWait(browser, PATIENCE).until(
        lambda driver: driver.find_elements(By.CSS_SELECTOR, ".language-bibtex button")
    )
    buttons[0].click()
    read = "navigator.clipboard.readText().then(arguments[0])"
    copied = WebDriverWait(browser, PATIENCE).until(lambda driver: driver.execute_async_script(read))
    assert re.fullmatch(r"@book\{fellbaum1998wordnet,\n.*\n\}", copied.strip(), re.DOTALL)


COLORS = """
const color = (selector, property) => getComputedStyle(document.querySelector(selector))[property];
return [color("body", "backgroundColor"), color(".md-typeset p a", "color")];
"""


def luminance(color: str) -> float:
    """Return the relative luminance of a color, as WCAG defines it."""
    parts = [float(part) / 255 for part in re.findall(r"[\d.]+", color)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_site_follows_the_color_scheme(browser: webdriver.Chrome, base: str) -> None:
    """The background is that of the system's scheme, links are legible on it, and a button changes it."""
    for scheme, dark in {"light": False, "dark": True}.items():
        with preferring(browser, scheme):
            browser.get(f"{base}catalog/glove-6b/")
            browser.execute_script("localStorage.clear()")  # a choice of the reader goes first
            browser.refresh()
            background, link = map(luminance, browser.execute_script(COLORS))
            assert (background < 0.5) == dark
            assert (max(background, link) + 0.05) / (min(background, link) + 0.05) >= 4.5
    body = browser.find_element(By.TAG_NAME, "body")
    before = body.get_attribute("data-md-color-scheme")
    buttons = browser.find_elements(By.CSS_SELECTOR, "label[for^=__palette]")
    next(button for button in buttons if button.is_displayed()).click()
    assert body.get_attribute("data-md-color-scheme") != before
    browser.execute_script("localStorage.clear()")
