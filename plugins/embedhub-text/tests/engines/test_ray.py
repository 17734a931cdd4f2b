"""Ray Data: two CPUs, and a worker process that is killed."""

from collections.abc import Callable, Iterator
from typing import Any

import embedhub_text
import pytest

pytest.importorskip("ray.data", reason="ray[data] is not installed")

# Ray 2.60 sets options of its own that it has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ray", "ignore::FutureWarning:ray")


@pytest.fixture
def ray(embed: embedhub_text.TextEmbedder) -> Iterator[Any]:
    """Start Ray with two CPUs on loopback."""
    import ray

    ray.init(num_cpus=2, include_dashboard=False, _node_ip_address="127.0.0.1", log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield ray
    ray.shutdown()


def test_documented_code_runs(page: Callable[[str], None]) -> None:
    """The code of the page computes the vectors of one process."""
    page("Ray Data")


def test_tasks_of_a_killed_worker_are_repeated(ray: Any, workers: Any) -> None:
    """The tasks of a killed worker are run again, and the vectors are the same."""
    work = workers.work

    def killed_once(batch: Any) -> Any:
        return {**batch, "vector": work(batch["text"])}

    table = ray.data.from_items([{"at": i, "text": text} for i, text in enumerate(workers.texts)])
    table = table.repartition(16)
    rows = table.map_batches(killed_once, batch_size=None).take_all()
    rows.sort(key=lambda row: row["at"])
    workers.check([row["vector"] for row in rows])
