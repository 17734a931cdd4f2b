"""What MkDocs adds to docs/: pages from the top of the project, and the scripts of Mermaid.

`mkdocs.yml` names this file in `hooks`.
"""

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
# Pages of the site, and the files that they are of the project; pages link to the files.
FROM_THE_TOP = {
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "security.md": "SECURITY.md",
}
# MkDocs counts the warnings of loggers below its own, and --strict makes them errors.
_log = logging.getLogger("mkdocs.hooks.embedhub")


def on_files(files: "Files", config: "MkDocsConfig") -> "Files":
    """Add the pages and the scripts to those of docs/."""
    from mkdocs.structure.files import File

    for name, original in FROM_THE_TOP.items():
        files.append(File.generated(config, name, abs_src_path=str(ROOT / original)))
    for script in _mermaid():
        files.append(File.generated(config, f"mermaid/{script.name}", abs_src_path=str(script)))
    return files


def on_page_markdown(markdown: str, page: "Page", **_: object) -> str:
    """Make links to files at the top of the project links to their pages, and leave the catalog its width."""
    if page.file.src_uri == "catalog.md":
        page.meta["hide"] = ["toc"]
    up = "../" * page.file.src_uri.count("/")
    for name, original in FROM_THE_TOP.items():
        markdown = markdown.replace(f"]({up}../{original}", f"]({up}{name}")
    return markdown


def _mermaid() -> list[Path]:
    """Return the scripts of Mermaid, as nicegui ships them, so that the site loads none from elsewhere."""
    package = find_spec("nicegui")
    if package is None or package.origin is None:
        _log.warning("The drawings need Mermaid: python -m pip install --no-deps nicegui")
        return []
    return sorted(Path(package.origin).with_name("elements").glob("mermaid/dist/*.js"))
