"""Spark: two threads of a local JVM, each with a Python process, one of which is killed."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import embedhub_text
import pytest

pytest.importorskip("pyspark.sql", reason="pyspark is not installed")

# What the project uses of PySpark 4.3 works with pandas 3: these tests say so.
pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")


@pytest.fixture
def spark(embed: embedhub_text.TextEmbedder) -> Iterator[Any]:
    """Start Spark on loopback, with four attempts at each task."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2,4]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
    session = builder.config("spark.log.level", "OFF").getOrCreate()
    yield session
    session.stop()


def test_documented_code_runs(page: Callable[[str], None]) -> None:
    """The code of the page computes the vectors of one process."""
    page("Spark")


def test_task_of_a_killed_process_is_repeated(spark: Any, workers: Any) -> None:
    """The task of a killed Python process is run again, and the vectors are the same."""
    work = workers.work

    def killed_once(frames: Iterable[Any]) -> Iterator[Any]:
        for frame in frames:
            yield frame.assign(vector=list(work(frame["text"])))

    df = spark.createDataFrame(list(enumerate(workers.texts)), "at long, text string").repartition(8)
    rows = df.mapInPandas(killed_once, "at long, text string, vector array<float>").orderBy("at").collect()
    workers.check([row["vector"] for row in rows])
