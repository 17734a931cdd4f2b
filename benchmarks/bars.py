"""What `run.py` measured, as a picture of small multiples: a panel for each question, a bar for each tool."""

from html import escape
from typing import Any, NamedTuple

WIDTH = 440  # pixels, so that nothing shrinks much on a phone
LABELS, VALUES = 152, 68  # columns of text
ROW, BAR, TITLE, GAP = 22, 14, 30, 14
STYLE = """
  text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #24292f }
  .title { font-weight: 600 }
  .ours text { font-weight: 600 }
  rect { fill: #9aa4ae }
  .ours rect { fill: #00796b }
  rect.page { fill: #ffffff; stroke: #d0d7de }
"""


class Panel(NamedTuple):
    """A question, the step that answers it, and the tools by their ways."""

    title: str
    step: str
    tools: dict[str, str]
    unit: str = "s"


TOOLS = {
    "embedhub": "embedhub",
    "polars": "polars",
    "pandas": "pandas",
    "keras_io": "keras.io's loop",
    "seed": "kerasglove's loop",
    "gensim": "gensim",
}
PANELS = (
    Panel("Parse a text file: {rows:,} words, {dim} dimensions", "text to store", TOOLS),
    Panel("Peak memory while parsing", "text to store", TOOLS, "MB"),
    Panel(
        "From then on: a matrix for 20,000 words",
        "vocabulary to matrix",
        {"embedhub": "embedhub", "gensim": 'gensim, mmap="r"', "seed": "parsing the text again"},
    ),
    Panel(
        "From a matrix to a Keras layer",
        "matrix to layer",
        {"embedhub": "embedhub", "weights": "weights=[matrix]"},
    ),
)


def picture(written: dict[str, Any]) -> str:
    """Return the picture as SVG, with its figures as text for those who do not see it."""
    results = {(result["step"], result["way"]): result for result in written["results"]}
    parts: list[str] = []
    descriptions = []
    y = GAP
    for panel in PANELS:
        title = panel.title.format(**written)
        field, scale = ("peak", 1e6) if panel.unit == "MB" else ("seconds", 1)
        values = {
            way: results[panel.step, way][field] / scale
            for way in panel.tools
            if (panel.step, way) in results
        }
        shown = {
            way: f"{value:,.0f} MB" if panel.unit == "MB" else f"{value:.3g} s"
            for way, value in values.items()
        }
        descriptions.append(f"{title}: " + ", ".join(f"{panel.tools[way]} {shown[way]}" for way in shown))
        parts.append(f'<text class="title" x="{GAP}" y="{y + 16}">{escape(title)}</text>')
        y += TITLE
        for way in sorted(values, key=values.__getitem__):
            fraction = values[way] / max(values.values())
            bar = _bar(panel.tools[way], fraction, shown[way], y)
            parts.append(f'<g class="ours">{bar}</g>' if way == "embedhub" else bar)
            y += ROW
        y += GAP
    size = f'width="{WIDTH}" height="{y}" viewBox="0 0 {WIDTH} {y}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>',
        "<title>Time and memory of embedhub and of other tools; less is better</title>",
        f"<desc>{escape('. '.join(descriptions))}.</desc>",
        f"<style>{STYLE}</style>",
        f'<rect class="page" x="0.5" y="0.5" width="{WIDTH - 1}" height="{y - 1}" rx="6"/>',
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _bar(label: str, fraction: float, value: str, y: int) -> str:
    x = GAP + LABELS
    length = max(1.0, fraction * (WIDTH - x - GAP - VALUES))
    return (
        f'<text x="{x - 8}" y="{y + 12}" text-anchor="end">{escape(label)}</text>'
        f'<rect x="{x}" y="{y}" width="{length:.1f}" height="{BAR}"/>'
        f'<text x="{x + length + 6:.1f}" y="{y + 12}">{value}</text>'
    )
