"""Dask: two worker processes, one of which is killed."""

from collections.abc import Callable
from typing import Any

import pytest
from children import PATIENCE

pytest.importorskip("dask.dataframe", reason="dask is not installed")
pytest.importorskip("distributed", reason="dask.distributed is not installed")


def test_documented_code_runs(page: Callable[[str], None]) -> None:
    """The code of the page computes the vectors of one process."""
    page("Dask")


def test_killed_worker_is_restarted(workers: Any) -> None:
    """A killed worker is started again, its parts are repeated, and the vectors are the same."""
    import dask.dataframe as dd
    import pandas as pd
    from dask.distributed import Client, LocalCluster

    work = workers.work

    def killed_once(frame: Any) -> Any:
        return frame.assign(vector=list(work(frame["text"])))

    meta = pd.DataFrame({"text": pd.Series(dtype="str"), "vector": pd.Series(dtype=object)})
    with (
        LocalCluster(2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as cluster,
        Client(cluster) as client,
    ):
        ddf = dd.from_pandas(pd.DataFrame({"text": workers.texts}), npartitions=16)
        job = client.compute(ddf.map_partitions(killed_once, meta=meta))
        frame = job.result(timeout=PATIENCE)
    workers.check(list(frame["vector"]))
