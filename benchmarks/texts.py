"""Texts per second of `TextEmbedder`, compared with loops over gensim and NumPy, and memory per worker.

    python benchmarks/texts.py [--data ../shared/data] [--rows 100000] [--repeat 3] [--engines ray dask ...]

The vectors are GloVe 6B 50d and the texts SST-2 and TREC, repeated, if the folder of real data has them;
otherwise the vectors are wordnet-ppmi, and the texts are drawn from its words. All variants get the same
tokens, and their results are compared before the timing. Each figure is the best of the repeats, in which the
variants
alternate: other work on the machine can only add time. With ``--engines`` each engine embeds the same texts
with two workers, after a warm-up.
"""

import argparse
import gc
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import embedhub_text
import numpy as np

import embedhub
from embedhub.matrix import tokenizers as tokens

WORKERS = 8
BATCH = 4096
JOBS = 8


def real_texts(data: Path) -> list[str]:
    """Return the texts of SST-2 and TREC."""
    texts = []
    for name in ("train", "dev", "test"):
        lines = (data / "text" / "sst2" / f"{name}.tsv").read_text("utf-8").splitlines()
        texts += [line.rpartition("\t")[0] for line in lines]
    for name in ("train", "test"):
        lines = (data / "text" / "trec" / f"{name}.txt").read_text("latin-1").splitlines()
        texts += [line.partition(" ")[2] for line in lines]
    return texts


def drawn_texts(vectors: embedhub.Vectors, count: int) -> list[str]:
    """Return texts of 16 words, drawn by Zipf's law, of which one in fifty is unknown."""
    generator = np.random.default_rng(0)
    rows = np.minimum(generator.zipf(1.2, size=(count, 16)), len(vectors)) - 1
    words = list(vectors.words)
    return [" ".join(words[i] if i % 50 else f"qwxz{i}" for i in row) for row in rows.tolist()]


def to_keyed_vectors(vectors: embedhub.Vectors) -> Any:
    """Return the same vectors in gensim."""
    from gensim.models import KeyedVectors

    keyed_vectors = KeyedVectors(vectors.dim)
    keyed_vectors.add_vectors(list(vectors.words), np.array(vectors.matrix))
    return keyed_vectors


def gensim_loop(keyed_vectors: Any, documents: list[list[str]]) -> np.ndarray:
    """Return the mean vector of each document, in the usual way."""
    zeros = np.zeros(keyed_vectors.vector_size, np.float32)
    means = []
    for document in documents:
        vectors = [keyed_vectors[word] for word in document if word in keyed_vectors]
        means.append(np.mean(vectors, axis=0) if vectors else zeros)
    return np.array(means)


def numpy_loop(rows: dict[str, int], matrix: np.ndarray, documents: list[list[str]]) -> np.ndarray:
    """Return the mean vector of each document, by a dictionary of all words and their rows."""
    zeros = np.zeros(matrix.shape[1], np.float32)
    found = ([rows[word] for word in document if word in rows] for document in documents)
    return np.array([matrix[numbers].mean(axis=0) if numbers else zeros for numbers in found])


def best_rates(variants: dict[str, Callable[[], Any]], texts: int, repeat: int) -> dict[str, float]:
    """Return the best texts per second of each variant; the variants alternate."""
    times: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(repeat):
        for name, variant in variants.items():
            gc.collect()  # so that no variant pays for the garbage of another
            began = time.perf_counter()
            variant()
            times[name].append(time.perf_counter() - began)
    return {name: texts / min(seconds) for name, seconds in times.items()}


def batches(texts: list[str], size: int) -> list[list[str]]:
    """Split a list of texts into batches."""
    return [texts[start : start + size] for start in range(0, len(texts), size)]


def memory(field: str, pid: int | str = "self", file: str | None = None) -> float:
    """Return a field of a process's memory in MB: of the process, or of its memory map of one file."""
    if file is None:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / 1000
    total, inside = 0, False
    for line in Path(f"/proc/{pid}/smaps").read_text("utf-8").splitlines():
        if "-" in line.split()[0]:
            inside = line.endswith(file)
        elif inside and line.startswith(f"{field}:"):
            total += int(line.split()[1])
    return total / 1000


def report_memory(embed: embedhub_text.TextEmbedder, barrier: Any, results: Any) -> None:
    """Embed every word of the source, and report the memory of this process while the others do the same."""
    words = list(embed.vectors.words)
    for start in range(0, len(words), BATCH):
        embed([words[start : start + BATCH]])
    # Pages that are only in the page cache count for no process: this reads the rest of the matrix.
    float(embed.vectors.matrix.sum())
    del words
    barrier.wait()
    results.put((memory("Pss"), memory("Pss", file="matrix.npy"), memory("Rss", file="matrix.npy")))
    barrier.wait()


def memory_of_workers(embed: embedhub_text.TextEmbedder, workers: int) -> dict[str, float]:
    """Return the memory of workers that all use the whole matrix, in MB."""
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(workers), context.Queue()
    processes = [
        context.Process(target=report_memory, args=(embed, barrier, results)) for _ in range(workers)
    ]
    for process in processes:
        process.start()
    reports = [results.get() for _ in processes]
    for process in processes:
        process.join()
    whole, matrix, resident = (np.array(column) for column in zip(*reports, strict=True))
    return {
        "workers": workers,
        "matrix": embed.vectors.matrix.nbytes / 1e6,
        "PSS of one worker": float(whole.mean()),
        "PSS of the map, one worker": float(matrix.mean()),
        "PSS of the map, all workers": float(matrix.sum()),
        "RSS of the map, one worker": float(resident.mean()),
    }


def _count(embed: embedhub_text.TextEmbedder, work: list[Any]) -> int:
    return sum(len(embed(batch)) for batch in work)


_batches: list[list[str]] = []
"""The batches of texts of a worker, sent before the timing."""


def _receive(work: list[list[str]]) -> None:
    _batches.extend(work)


def _run_job(embed: embedhub_text.TextEmbedder, part: int) -> int:
    return _count(embed, _batches[part::JOBS])


@contextmanager
def pool_of(
    workers: int, embed: embedhub_text.TextEmbedder, work: list[list[str]]
) -> Iterator[Callable[[], int]]:
    """Yield a function that embeds batches in worker processes, after a warm-up.

    As in an engine, the embedder is sent with each job, and the workers have the texts.
    """
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, _receive, (work,)) as pool:

        def run() -> int:
            return sum(pool.starmap(_run_job, [(embed, part) for part in range(JOBS)], chunksize=1))

        assert run() == sum(map(len, work))  # noqa: S101 - a warm-up, and all texts
        yield run


def with_ray(embed: embedhub_text.TextEmbedder, texts: list[str], repeat: int) -> float:
    """Return the texts per second of Ray Data with two CPUs."""
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, _node_ip_address="127.0.0.1")
    ray.data.DataContext.get_current().enable_progress_bars = False
    try:
        table = ray.data.from_items([{"text": text} for text in texts]).repartition(8).materialize()

        def add_vectors(batch: Any) -> Any:
            return {**batch, "vector": embed(batch["text"])}

        variants = {"": lambda: table.map_batches(add_vectors, batch_size=BATCH).materialize()}
        variants[""]()
        return best_rates(variants, len(texts), repeat)[""]
    finally:
        ray.shutdown()


def with_dask(embed: embedhub_text.TextEmbedder, texts: list[str], repeat: int) -> float:
    """Return the texts per second of a LocalCluster of two worker processes."""
    import dask.dataframe as dd
    import pandas as pd
    from dask.distributed import Client, LocalCluster

    with (
        LocalCluster(2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as cluster,
        Client(cluster),
    ):
        frame = dd.from_pandas(pd.DataFrame({"text": texts}), npartitions=8).persist()

        def add_vectors(part: Any) -> Any:
            return part.assign(vector=list(embed(part["text"])))

        variants = {"": lambda: len(frame.map_partitions(add_vectors).persist())}
        variants[""]()
        return best_rates(variants, len(texts), repeat)[""]


def with_spark(embed: embedhub_text.TextEmbedder, texts: list[str], repeat: int) -> float:
    """Return the texts per second of Spark's local[2]."""
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    try:
        frame = spark.createDataFrame([(text,) for text in texts], "text string").repartition(8).cache()
        frame.count()
        schema = "text string, vector array<float>"

        def add_vectors(parts: Any) -> Any:
            for part in parts:
                yield part.assign(vector=list(embed(part["text"])))

        variants = {
            "": lambda: frame.mapInPandas(add_vectors, schema).write.format("noop").mode("overwrite").save()
        }
        variants[""]()
        return best_rates(variants, len(texts), repeat)[""]
    finally:
        spark.stop()


def with_datasets(embed: embedhub_text.TextEmbedder, texts: list[str], repeat: int) -> float:
    """Return the texts per second of a Hugging Face data set in two processes."""
    import datasets

    datasets.disable_progress_bars()
    datasets.disable_caching()
    table = datasets.Dataset.from_dict({"text": texts})

    def add_vectors(batch: Any) -> Any:
        return {"vector": embed(batch["text"])}

    variants = {"": lambda: table.map(add_vectors, batched=True, batch_size=BATCH, num_proc=2)}
    variants[""]()
    return best_rates(variants, len(texts), repeat)[""]


ENGINES = {"ray": with_ray, "dask": with_dask, "spark": with_spark, "datasets": with_datasets}


def main() -> None:
    """Measure, print a table, and write the figures where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--engines", nargs="*", choices=sorted(ENGINES), default=[])
    parser.add_argument("--out", type=Path, help="a JSON file for the figures")
    options = parser.parse_args()
    os.environ["EMBEDHUB_CACHE"] = os.environ.get("EMBEDHUB_CACHE") or tempfile.mkdtemp()
    if options.data.is_dir():
        os.environ["EMBEDHUB_MIRROR"] = str(options.data / "mirror")
        embed = embedhub_text.TextEmbedder("glove-6b", 50)
        texts = real_texts(options.data)
    else:
        embed = embedhub_text.TextEmbedder("wordnet-ppmi", 50)
        texts = drawn_texts(embed.vectors, options.rows)
    # In lower case, so that the loop finds the words that embedhub would find by fallbacks.
    texts = [text.lower() for text in texts]
    texts = (texts * -(-options.rows // len(texts)))[: options.rows]
    figures = measure(embed, texts, options.repeat)
    for name in options.engines:
        figures[f"{name}, two workers"] = ENGINES[name](embed, texts, options.repeat)
        print(f"{name}: {figures[f'{name}, two workers']:,.0f} texts/s", flush=True)
    figures |= memory_of_workers(embed, WORKERS)
    for name, figure in figures.items():
        print(f"{name:45} {figure:12,.1f}")
    if options.out:
        options.out.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")


def measure(embed: embedhub_text.TextEmbedder, texts: list[str], repeat: int) -> dict[str, float]:
    """Return texts per second of the loop, of one process and of two, and the ratios."""
    documents = [tokens.treebank_tokenize(text) for text in texts]
    keyed_vectors, rows = (
        to_keyed_vectors(embed.vectors),
        {word: row for row, word in enumerate(embed.vectors.words)},
    )
    matrix = np.array(embed.vectors.matrix)
    difference = float(np.abs(gensim_loop(keyed_vectors, documents) - embed(documents)).max())
    assert difference < 1e-6, difference  # noqa: S101 - else the figures are of different results
    assert (embed(documents) == embed(texts)).all()  # noqa: S101 - likewise
    figures = best_rates(
        {
            "gensim loop, tokens": lambda: gensim_loop(keyed_vectors, documents),
            "NumPy loop, tokens": lambda: numpy_loop(rows, matrix, documents),
            "one process, tokens": lambda: embed(documents),
            "gensim loop, texts": lambda: gensim_loop(
                keyed_vectors, [tokens.treebank_tokenize(text) for text in texts]
            ),
            "NumPy loop, texts": lambda: numpy_loop(
                rows, matrix, [tokens.treebank_tokenize(text) for text in texts]
            ),
            "one process, texts": lambda: embed(texts),
            f"one process, texts, batches of {BATCH}": lambda: _count(embed, batches(texts, BATCH)),
        },
        len(texts),
        repeat,
    )
    for loop in ("gensim loop", "NumPy loop"):
        for kind in ("tokens", "texts"):
            figures[f"{kind}: ratio to the {loop}"] = (
                figures[f"one process, {kind}"] / figures[f"{loop}, {kind}"]
            )
    for workers in (1, 2):
        with pool_of(workers, embed, batches(texts, BATCH)) as run:
            name = f"{workers} worker process{'es' * (workers > 1)}, texts"
            figures |= best_rates({name: run}, len(texts), repeat)
    figures["words of a text"] = sum(map(len, documents)) / len(documents)
    figures["largest difference from the loop"] = difference
    return figures


if __name__ == "__main__":
    main()
