"""What the processes of a test run: a module that each can import, as the tests themselves cannot be."""

import hashlib
from pathlib import Path
from typing import Any

from children import PATIENCE
from embedhub_text import TextEmbedder


def whole_matrix(embed: TextEmbedder, barrier: Any, results: Any) -> None:
    """Use each row of the source, and report how this process has mapped the matrix."""
    words = list(embed.vectors.words)
    rows = embed([words[start : start + 4096] for start in range(0, len(words), 4096)]).vectors
    barrier.wait(PATIENCE)  # all processes have it mapped now
    mappings: list[dict[str, Any]] = []
    inside = False
    for line in Path("/proc/self/smaps").read_text("utf-8").splitlines():
        name, *values = line.split()
        if not name.endswith(":"):
            inside = line.endswith("matrix.npy")
            if inside:
                mappings.append({"mode": values[0], "file": (values[2], values[3])})
        elif inside and name in {"Size:", "Private_Dirty:", "Anonymous:"}:
            mappings[-1][name] = 1024 * int(values[0])
    results.put((mappings, hashlib.sha256(rows).hexdigest()))
    barrier.wait(PATIENCE)
