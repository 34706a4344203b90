"""Counting and encoding texts: the preprocess stage beside scikit-learn's CountVectorizer."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from pipelines.config import load_recipe
from pipelines.preprocess import execute
from pipelines.rundir import RunDirectory
from sentiment_lstm.progress import silent
from sentiment_lstm.sources import Example, RejectedRow
from tests.benchmarks.machine import Gemm
from tests.benchmarks.options import Options
from tests.benchmarks.reviews import LABELS, SPLITS, reviews
from tests.benchmarks.table import Row
from tests.benchmarks.timing import medians, round_robin


@dataclass(frozen=True)
class Memory:
    """A data set whose texts are in memory, so that reading them is no part of what is timed."""

    parts: dict[str, Sequence[Example]]
    labels: tuple[str, ...] = LABELS
    rejections: list[RejectedRow] = field(default_factory=list)
    twins: dict[str, int] = field(default_factory=dict)

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(self.parts)

    @property
    def sizes(self) -> dict[str, int]:
        return {split: len(part) for split, part in self.parts.items()}

    def examples(self, split: str) -> Iterator[Example]:
        return iter(self.parts[split])

    @classmethod
    def of(cls, options: Options) -> "Memory":
        """Take all splits of a source, or the first texts of each."""
        limit = -(-options.texts // len(SPLITS))
        train, test, rest = (reviews(options.source, split, limit) for split in SPLITS)
        held = max(2, len(train) // 10)
        parts = {"train": train[held:], "validation": train[:held], "test": test}
        return cls({**parts, "unsupervised": rest})


def run(options: Options, gemm: Gemm) -> Iterator[Row]:
    """Yield one row."""
    from sklearn.feature_extraction.text import CountVectorizer

    memory = Memory.of(options)
    texts = [review.text for part in memory.parts.values() for review in part]
    runs = {
        "ours": lambda: _preprocess(memory),
        "CountVectorizer": lambda: CountVectorizer().fit_transform(texts),
    }
    rounds = min(options.rounds, 3)
    found = medians(round_robin(runs, rounds=rounds, between=gemm))
    ours = found.pop("ours")
    note = f"texts in memory; ours also writes texts and ids to disk; {rounds} rounds"
    yield Row("preprocess", f"{len(texts):,} texts", "s", ours, found, note=note)


def _preprocess(memory: Memory) -> None:
    with (
        tempfile.TemporaryDirectory() as directory,
        patch("pipelines.preprocess.open_dataset", lambda *_: memory),
    ):
        execute(load_recipe("imdb-scratch"), RunDirectory(Path(directory)), silent)
