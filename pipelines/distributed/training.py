"""Training by several processes: each step's batch is shared out, all move by the summed gradient.

Every process runs the training of one machine (`sentiment_lstm.fitting.fit`), which asks its group
for sums; no other code takes the steps. The process of rank 0 keeps checkpoints in the run
directory, which all processes must reach. When one is lost the others are ended, for they would
wait for it, and a new group goes on from the last checkpoint.
"""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pipelines.config import Recipe
from pipelines.distributed.cluster import Cluster, cluster, lost
from pipelines.distributed.engine import Engine
from pipelines.distributed.meeting import Meeting, RayGroup
from pipelines.rundir import RunDirectory, RunError
from sentiment_lstm.errors import GroupError, Paused, SentimentError
from sentiment_lstm.parallel import use_cores

if TYPE_CHECKING:
    from sentiment_lstm.resumable import History, OnEpoch

TRIES = 4  # of a group, without a new checkpoint in between
WATCH_SECONDS = 0.5

T = TypeVar("T")

log = logging.getLogger(__name__)


class Lost(Exception):  # noqa: N818 - it is tried again
    """A process of the group has ended."""


@dataclass(frozen=True)
class Work:
    """What a group trains.

    Attributes:
        stage: "train" or "pretrain".
        recipe: its settings.
        place: working directory, which the recipe's paths are seen from.
        directory: of the run, absolute.
        checkpoints: directory of this very training's checkpoints, absolute.
        max_minutes: after which it stops, or None.
    """

    stage: str
    recipe: Recipe
    place: Path
    directory: Path
    checkpoints: Path
    max_minutes: float | None


class Trainer:
    """An actor: one process of a group, on so many cores."""

    def __init__(self, cores: int, backend: str) -> None:
        use_cores(cores)
        # Before Keras and its backend are imported, which take them as they find them.
        os.environ |= {
            "KERAS_BACKEND": backend,
            "TF_CPP_MIN_LOG_LEVEL": "2",
            "TF_NUM_INTRAOP_THREADS": str(cores),
            "TF_NUM_INTEROP_THREADS": "1",
        }

    def train(self, work: Work, rank: int, size: int, meetings: list[Any]) -> tuple[str, "History"]:
        """Train with the others; return the digest of the best weights, and the history.

        Rank 0 leaves model and checkpoints, and tells of each epoch.
        """
        from pipelines.pretrain import pretrain_recipe
        from pipelines.train import fit_recipe
        from sentiment_lstm.groups import fingerprint

        os.chdir(work.place)
        first = rank == 0
        trained = (fit_recipe if work.stage == "train" else pretrain_recipe)(
            work.recipe,
            RunDirectory(work.directory),
            work.checkpoints,
            leaves_model=first,
            max_minutes=work.max_minutes if first else None,  # one clock decides for all
            group=RayGroup(rank, size, meetings),
            on_epoch=_telling(meetings[0]) if first else lambda _: None,
        )
        return fingerprint(trained.weights.values()), trained.history


def _telling(meeting: Any) -> "OnEpoch":
    """Return what tells whoever watches, and waits until it is there to be seen."""
    import ray

    return lambda row: ray.get(meeting.tell.remote(row))


def train_on(
    engine: Engine,
    stage: str,
    recipe: Recipe,
    run: RunDirectory,
    checkpoints: Path,
    max_minutes: float | None,
    on_epoch: "OnEpoch",
) -> "History":
    """Do the work of a stage that trains, by the processes of a cluster; return the history.

    Args:
        engine: the cluster.
        stage: "train" or "pretrain".
        recipe: what to train.
        run: where the token arrays are, and the model goes.
        checkpoints: of this very training.
        max_minutes: after which it stops.
        on_epoch: called with each new row of the history.

    Raises:
        Paused: after `max_minutes`.
        GroupError: if the processes do not end with the same weights.
        RunError: if there is no cluster, or processes end again and again.
        SentimentError: whatever the training raises.
    """
    told: dict[int, dict[str, Any]] = {}  # by epoch: a group that begins anew repeats none

    def once(row: dict[str, Any]) -> None:
        if row["epoch"] not in told:
            on_epoch(row)
        told[row["epoch"]] = row

    work = Work(stage, recipe, Path.cwd(), run.path.resolve(), checkpoints.resolve(), max_minutes)
    with cluster(engine) as running:
        return while_checkpoints_come(lambda: _attempt(work, running, once), checkpoints)


def while_checkpoints_come(attempt: Callable[[], T], checkpoints: Path) -> T:
    """Try until it succeeds, as long as there is a new checkpoint now and then.

    Raises:
        RunError: after so many tries that left none.
    """
    failures = 0
    while True:
        before = _newest(checkpoints)
        try:
            return attempt()
        except Lost as error:
            failures = failures + 1 if _newest(checkpoints) == before else 1
            if failures == TRIES:
                raise RunError(f"{error}, {TRIES} times in turn: give it more memory") from error
            log.warning("%s: all begin anew from the last checkpoint", error)


def _newest(checkpoints: Path) -> str:
    return max((path.name for path in checkpoints.glob("step-*")), default="")


def _attempt(work: Work, running: Cluster, on_epoch: "OnEpoch") -> "History":
    """Have one group train to the end; return the history.

    Raises:
        Lost: if one of its processes has ended.
    """
    with _group(work.recipe.train.backend, running) as (trainers, meetings):
        size = len(trainers)
        begun = [t.train.remote(work, rank, size, meetings) for rank, t in enumerate(trainers)]
        ended = _watched(begun, meetings[0], on_epoch)
    log.info("%d processes trained, weights %s", size, ended[0][0][:16])
    if len({digest for digest, _ in ended}) > 1:
        raise GroupError(
            f"the {size} processes end with other weights, each: train on processors of one kind"
        )
    history: History = ended[0][1]
    return history


@contextmanager
def _group(backend: str, running: Cluster) -> Iterator[tuple[list[Any], list[Any]]]:
    """Yield the actors of a group: those that train, and where they meet. They are ended after."""
    import ray

    size, cores = running.group()
    trainer = ray.remote(num_cpus=cores)(Trainer)
    meeting = ray.remote(num_cpus=0, max_concurrency=max(1000, 2 * size))(Meeting)
    trainers = [trainer.remote(cores, backend) for _ in range(size)]
    meetings = [meeting.remote(size) for _ in range(size)]
    try:
        yield trainers, meetings
    finally:
        for actor in (*trainers, *meetings):
            ray.kill(actor)


def _watched(begun: list[Any], meeting: Any, on_epoch: "OnEpoch") -> list[Any]:
    """Return what each process answers, and tell of epochs meanwhile.

    The first to fail ends the watch: the others wait for it, and would for ever.
    """
    import ray

    left = list(begun)
    while left:
        done, left = ray.wait(left, num_returns=1, timeout=WATCH_SECONDS)
        for row in _got(meeting.told.remote()):
            on_epoch(row)
        for one in done:
            _got(one)
    for row in _got(meeting.told.remote()):
        on_epoch(row)
    return [_got(one) for one in begun]


def _got(reference: Any) -> Any:
    """Wait for an answer.

    Raises:
        Lost: if the process that was to give it, or one that it asked, has ended.
        SentimentError: what was raised there, as it was.
    """
    import ray

    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, ray.exceptions.RayError):
            raise Lost(lost(error.cause)) from error
        if isinstance(error.cause, SentimentError | OSError | Paused):
            raise error.cause from None
        raise
    except ray.exceptions.RayError as error:
        raise Lost(lost(error)) from error
