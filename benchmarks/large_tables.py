"""Memory and time to open a large model folder: embedhub's mapped store against model2vec.

    python benchmarks/large_tables.py [--rows 500000] [--dim 256] [--repeat 3] [--folder SCRATCH]

It makes the folder of a model like potion-multilingual-128M, with random vectors, and builds embedhub's store
of it. Then each variant opens the model in a fresh process, looks up tokens, and embeds texts; variants take
turns, and figures are medians. Last, two processes do it at once, and wait for each other before their memory
is read. Private memory is what no other process shares; it is dirty where it is not a copy of a file, so that
the system cannot drop it. Sums of the vectors are compared. The scratch folder takes twice the size of the
table (1.1 GB), and is removed.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from corpora import words

TOKENS, TEXTS, TEXT_WORDS = 1_000, 1_000, 16
VARIANTS = ("embedhub", "model2vec")
STEPS = ("open", "look up", "embed")
SIZES = ("peak", "private", "dirty")
UNKNOWN = "[UNK]"
CHUNK = 50_000  # rows


def make_model(folder: Path, rows: int, dim: int) -> None:
    """Write a folder of model2vec: a table of random float32, and a tokenizer of whole words."""
    folder.mkdir()
    table = {"dtype": "F32", "shape": [rows, dim], "data_offsets": [0, 4 * rows * dim]}
    header = json.dumps({"embeddings": table}).encode()
    header += b" " * (-len(header) % 8)
    random = np.random.default_rng(0)
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for start in range(0, rows, CHUNK):
            file.write(random.standard_normal((min(CHUNK, rows - start), dim), np.float32).tobytes())
    tokenizer = {
        "version": "1.0",
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "model": {
            "type": "WordLevel",
            "vocab": {token: row for row, token in enumerate([UNKNOWN, *words(rows - 1)])},
            "unk_token": UNKNOWN,
        },
        "added_tokens": [],
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), "utf-8")
    (folder / "config.json").write_text(json.dumps({"normalize": False}), "utf-8")


def sample(rows: int) -> tuple[list[str], list[str]]:
    """Return tokens and texts, drawn evenly from the vocabulary."""
    known, random = words(rows - 1), np.random.default_rng(1)
    tokens = [known[row] for row in random.integers(0, len(known), TOKENS)]
    drawn = random.integers(0, len(known), (TEXTS, TEXT_WORDS)).tolist()
    return tokens, [" ".join(known[row] for row in text) for text in drawn]


def memory() -> dict[str, float]:
    """Return the memory of this process in MB."""
    rollup = Path("/proc/self/smaps_rollup").read_text("utf-8").splitlines()[1:]
    fields = {line.split()[0]: int(line.split()[1]) * 1024 / 1e6 for line in rollup}
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text("utf-8").splitlines())
    return {
        "peak": int(status["VmHWM"].split()[0]) * 1024 / 1e6,
        "private": sum(value for field, value in fields.items() if field.startswith("Private_")),
        "dirty": fields["Private_Dirty:"],
    }


def open_embedhub(folder: str) -> tuple[Callable[[list[str]], Any], Callable[[list[str]], Any]]:
    """Import embedhub and open the store; return functions that look up tokens and embed texts."""
    from embedhub_text import TextEmbedder

    import embedhub

    vectors = embedhub.load(folder)
    return vectors.lookup, TextEmbedder(vectors, tokenize="whitespace")


def open_model2vec(folder: str) -> tuple[Callable[[list[str]], Any], Callable[[list[str]], Any]]:
    """Import model2vec and open the model; return functions that look up tokens and embed texts."""
    from model2vec import StaticModel

    model = StaticModel.from_pretrained(folder)
    rows: Any = model.tokenizer.token_to_id
    return lambda tokens: model.embedding[[rows(token) for token in tokens]], model.encode


def measure(variant: str, folder: str, rows: int) -> None:
    """Measure one variant in this process, and print seconds, memory and a digest as JSON."""
    tokens, texts = sample(rows)
    times = []

    def timed(function: Callable[[Any], Any], argument: Any) -> Any:
        start = time.perf_counter()
        result = function(argument)
        times.append(time.perf_counter() - start)
        return result

    look_up, embed = timed(open_embedhub if variant == "embedhub" else open_model2vec, folder)
    found = timed(look_up, tokens)
    vectors = timed(embed, texts)
    print("ready", flush=True)
    sys.stdin.readline()
    digest = [float(np.abs(array).sum(dtype=np.float64)) for array in (found, vectors)]
    result = {"seconds": dict(zip(STEPS, times, strict=True)), **memory(), "sums": digest}
    print(json.dumps(result), flush=True)
    sys.stdin.readline()


def run(variant: str, folder: Path, rows: int, count: int = 1) -> list[dict[str, Any]]:
    """Measure a variant in several processes at once; return what each printed."""
    command = [sys.executable, __file__, "--variant", variant, "--folder", str(folder), "--rows", str(rows)]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
            )
            for _ in range(count)
        ]
        results = []
        for say in ("ready", "result"):
            for process in processes:
                line = process.stdout.readline() if process.stdout else ""
                if not line:
                    raise SystemExit(f"a process of {variant} ended before its {say}; see above.")
                if say == "result":
                    results.append(json.loads(line))
            for process in processes:
                if process.stdin:
                    process.stdin.write("\n")
                    process.stdin.flush()
        return results


def shown(results: list[dict[str, Any]]) -> str:
    """Return the cells of a row: medians of seconds and of MB."""
    seconds = [statistics.median(result["seconds"][step] for result in results) for step in STEPS]
    sizes = [statistics.median(result[size] for result in results) for size in SIZES]
    cells = [f"{value:.2f} s" if value >= 0.1 else f"{1000 * value:.1f} ms" for value in seconds]
    return " | ".join(cells + [f"{value:,.0f} MB" for value in sizes])


def compare(folder: Path, rows: int, dim: int, repeat: int) -> None:
    """Make the model and the store, measure all variants, and print a table."""
    os.environ |= {"EMBEDHUB_CACHE": str(folder / "cache"), "EMBEDHUB_PROGRESS": "0", "HF_HUB_OFFLINE": "1"}
    make_model(folder / "model", rows, dim)
    start = time.perf_counter()
    run("embedhub", folder / "model", rows)  # builds the store
    built = time.perf_counter() - start
    run("model2vec", folder / "model", rows)  # compiles its modules
    found: dict[str, list[dict[str, Any]]] = {variant: [] for variant in VARIANTS}
    for _ in range(repeat):
        for variant, results in found.items():
            results.extend(run(variant, folder / "model", rows))
    pairs = {variant: run(variant, folder / "model", rows, 2) for variant in VARIANTS}
    sums = [result["sums"] for results in (*found.values(), *pairs.values()) for result in results]
    if not np.allclose(sums, sums[0], rtol=1e-5):
        raise SystemExit(f"the variants differ: {sums}")
    packages = ("embedhub", "model2vec", "numpy", "tokenizers")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in packages)
    print(
        f"{rows:,} x {dim} float32 ({4 * rows * dim / 1e6:,.0f} MB); {datetime.now(UTC):%Y-%m-%d}, "
        f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, {versions}; "
        f"store built in {built:.1f} s\n"
    )
    print(
        f"| variant | import and open | {TOKENS:,} tokens | {TEXTS:,} texts "
        "| peak resident | private | private and dirty |"
    )
    print(f"|---{6 * '|---'}|")
    for variant in VARIANTS:
        print(f"| {variant} | {shown(found[variant])} |")
    for variant in VARIANTS:
        print(f"| {variant}, each of two processes | {shown(pairs[variant])} |")


def main() -> None:
    """Compare all variants, or measure one in this process."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--folder", help="where the scratch folder is made")
    parser.add_argument("--variant", choices=VARIANTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.variant:
        measure(options.variant, options.folder, options.rows)
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        compare(Path(folder), options.rows, options.dim, options.repeat)


if __name__ == "__main__":
    main()
