"""Batch classification on a cluster: an input cut into shards, an output file for each.

A shard is the unit of everything: an actor holds a classifier and is given one shard at a time, a
shard that is finished is never made again, and what a killed actor or command had begun is begun
again. Which shards there are is written down before the first is answered.
"""

import json
import logging
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.classify import model_or_default
from pipelines.distributed.cluster import Cluster, cluster
from pipelines.distributed.engine import Engine
from pipelines.distributed.scoring import Report, Wish, read_report, report_name, score
from pipelines.distributed.shards import SHARD_BYTES, Shard, cut
from pipelines.distributed.stores import Folder, below, from_anywhere, identity
from sentiment_lstm.bundle import Bundle, payload_digest, read_bundle, resolve_model
from sentiment_lstm.classifier import SentimentClassifier
from sentiment_lstm.errors import DataError
from sentiment_lstm.parallel import use_cores
from sentiment_lstm.progress import Progress

PLAN, SUMMARY = "plan.json", "summary.json"
TRIES = 4  # of a shard; what kills four processes will kill the next

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Batch:
    """What is classified.

    Attributes:
        model: name or directory of the model; None is the one that ships.
        source: path or URL of a file, or of a folder of files.
        kind: how the files are written; None tells it by each one's name.
        output: path or URL of the folder that gets the answers.
        wish: how they are answered and written.
        shard_bytes: of input, after which a shard ends.
    """

    model: str | None
    source: str
    kind: str | None
    output: str
    wish: Wish
    shard_bytes: int = SHARD_BYTES


class Scorer:
    """An actor: a classifier that answers about one shard after the other, on one core."""

    def __init__(self, made_of: Sequence[Any]) -> None:
        import ray

        bundle, wish, output = ray.get(list(made_of))
        use_cores(1)
        self._classifier = SentimentClassifier(bundle, compiled=True)
        self._wish, self._output = wish, output

    def score(self, number: int, shard: Shard) -> Report:
        """Leave the files of a shard; see `scoring.score`."""
        return score(number, shard, self._classifier, self._wish, self._output)


def classify_batch(batch: Batch, engine: Engine, progress: Progress) -> dict[str, int]:
    """Answer about every row of an input; go on where an earlier command was stopped.

    Returns:
        How many `rows` and `shards` there are, and rows `answered` and `rejected`.

    Raises:
        DataError: if the input cannot be read, or the output holds the answers of other texts.
        BundleError: if there is no such model, or it is not sound.
        RunError: if there is no cluster, or processes end again and again.
    """
    directory = resolve_model(model_or_default(batch.model))
    bundle, output = read_bundle(directory), Folder(from_anywhere(batch.output))
    sources = below(from_anywhere(batch.source))
    told = _identity(batch, sources, payload_digest(directory))
    with cluster(engine) as running:
        shards = _shards(batch, output, sources, told, running)
        reports = _reports(shards, output, bundle, batch.wish, running)
        done = list(progress(reports, total=len(shards), label="classify"))
    return _concluded(done, output)


def _identity(batch: Batch, sources: Sequence[str], model: str) -> dict[str, Any]:
    """Return what the answers depend on, and the cut."""
    return {
        "model": model,
        "input": [identity(source) for source in sources],
        "kind": batch.kind,
        "shard_bytes": batch.shard_bytes,
        **{k: v for k, v in asdict(batch.wish).items() if k != "strict"},
    }


def _shards(
    batch: Batch, output: Folder, sources: Sequence[str], told: dict[str, Any], running: Cluster
) -> list[Shard]:
    """Return the shards that were planned, or plan them.

    Raises:
        DataError: if other work was planned there, or its files are not ours.
    """
    if PLAN in output.names():
        plan = json.loads(output.read(PLAN))
        if plan["told"] != json.loads(json.dumps(told)):
            raise DataError(
                f"{output.name} holds answers of another input, model or options: give another "
                "--output, or remove it"
            )
        return [Shard(**values) for values in plan["shards"]]
    if output.names():
        raise DataError(f"{output.name} holds other files: give a new --output")
    cuts = running.mapped(cut, [(s, batch.kind, batch.wish.column, batch.shard_bytes)
                                for s in sources])  # fmt: skip
    shards = [shard for parts in cuts for shard in parts]
    plan = {"told": told, "shards": [asdict(shard) for shard in shards]}
    with output.written(PLAN) as path:
        path.write_text(json.dumps(plan) + "\n", "utf-8")
    return shards


def _reports(
    shards: Sequence[Shard], output: Folder, bundle: Bundle, wish: Wish, running: Cluster
) -> Iterator[Report]:
    """Yield the report of each shard, first those of finished ones."""
    names = output.names()
    done = [n for n in range(len(shards)) if report_name(n) in names]
    yield from (read_report(output, n) for n in done)
    left = deque((n, shards[n]) for n in range(len(shards)) if report_name(n) not in names)
    if left:
        yield from running.shared(Scorer, (bundle, wish, output), "score", left, tries=TRIES)


def _concluded(reports: Sequence[Report], output: Folder) -> dict[str, int]:
    for report in reports:
        for note in report.notes:
            log.warning("part %d: %s", report.number, note)
    counts = {
        "shards": len(reports),
        "rows": sum(report.answered + report.rejected for report in reports),
        "answered": sum(report.answered for report in reports),
        "rejected": sum(report.rejected for report in reports),
    }
    with output.written(SUMMARY) as path:
        path.write_text(json.dumps(counts) + "\n", "utf-8")
    return counts
