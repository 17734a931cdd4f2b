"""The pictures in `docs/images/`, of the terminal and of plots, each made from a real run of the command.

    python tools/make_screens.py [demo] [coverage] [compare] [words] [quality]

The command runs offline, with an empty cache. Its input files are those of
`docs/choose-a-source.md`. Needs embedhub and embedhub-eval[plot].
"""

import fcntl
import io
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
SCREENS = {
    "demo": "embedhub demo",
    "coverage": "embedhub coverage glove-6b-20k reviews.txt",
    "compare": "embedhub compare glove-6b-20k wordnet-ppmi --text reviews.txt --benchmarks pairs.tsv",
}
PLOTS = {
    "words": "embedhub plot glove-6b-20k:50 violin guitar storm snow bread cheese --topn 5 --out words.svg",
    "quality": f"{SCREENS['compare']} --plot quality.svg",
}
COLUMNS = {"compare": 70}
PHONE = 56  # columns that can be read on a phone
LETTER = 15 / 20  # of the size in rich's template


def output_of(command: str, folder: Path, columns: int) -> str:
    """Return what a command writes to a terminal of that width, with its escape sequences."""
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    settings = {"EMBEDHUB_CACHE": str(folder / "cache"), "EMBEDHUB_OFFLINE": "1", "EMBEDHUB_PROGRESS": "0"}
    with subprocess.Popen(  # noqa: S603 - one of the commands above
        shlex.split(command),
        cwd=folder,
        env=os.environ | settings | {"TERM": "xterm-256color"},
        stdin=subprocess.DEVNULL,
        stdout=end,
        stderr=end,
    ) as process:
        os.close(end)
        written = bytearray()
        while True:
            try:
                part = os.read(terminal, 65536)
            except OSError:  # what Linux raises when the other end is closed
                break
            if not part:
                break
            written += part
        os.close(terminal)
    if process.returncode:
        sys.exit(f"{command}: exit status {process.returncode}\n{written.decode()}")
    return written.decode().replace("\r\n", "\n")


def picture_of(command: str, output: str, columns: int) -> str:
    """Return a terminal with a command and its output as SVG."""
    console = Console(
        record=True, width=columns, file=io.StringIO(), force_terminal=True, legacy_windows=False
    )
    console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
    console.print(Text.from_ansi(output.rstrip("\n")))
    svg = console.export_svg(title=command.partition(" --")[0], unique_id="terminal")
    # Without the web fonts of rich's template: the picture loads nothing from elsewhere.
    svg = re.sub(r"(?s)@font-face \{.*?\}\s*", "", svg)
    # With a size, so that a wide page does not enlarge its letters.
    svg = re.sub(
        r'viewBox="0 0 (\S+) (\S+)"',
        lambda match: (
            f'width="{float(match[1]) * LETTER:.0f}" height="{float(match[2]) * LETTER:.0f}" {match[0]}'
        ),
        svg,
        count=1,
    )
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def main() -> None:
    """Run the commands, and write their pictures."""
    page = (ROOT / "docs" / "choose-a-source.md").read_text("utf-8")
    IMAGES.mkdir(exist_ok=True)
    for name in sys.argv[1:] or [*SCREENS, *PLOTS]:
        command = (SCREENS | PLOTS)[name]
        with tempfile.TemporaryDirectory() as folder:
            for title, text in re.findall(r'(?ms)^```text title="([^"]+)"\n(.*?)^```$', page):
                Path(folder, title).write_text(text, "utf-8")
            columns = COLUMNS.get(name, PHONE)
            output = output_of(command, Path(folder), columns)
            picture = (
                Path(folder, f"{name}.svg").read_text("utf-8")
                if name in PLOTS
                else picture_of(command, output, columns)
            )
        (IMAGES / f"{name}.svg").write_text(picture, "utf-8")


if __name__ == "__main__":
    main()
