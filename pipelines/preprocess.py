"""The preprocess stage: texts to token ids on disk, by a vocabulary taken from train alone.

Two passes. The first writes every text down, tokenises it and counts the tokens of train; the
second turns the tokens into ids. Between them the tokens stand on disk as numbers. Neither holds
the texts, so memory does not grow with them.
"""

import json
import logging
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Protocol

import numpy as np

from pipelines.config import Recipe
from pipelines.distributed.engine import LOCAL, Engine
from pipelines.labelled import target_of
from pipelines.rundir import RunDirectory
from pipelines.summary import (
    REJECTIONS_SHOWN,
    SplitSummary,
    describe_balance,
    describe_left_out,
)
from pipelines.token_workers import TokenWorkers, packs, receive, send
from sentiment_lstm.atomic import replaced_directory
from sentiment_lstm.batching import TokenWriter
from sentiment_lstm.datasets import UNLABELLED, Dataset, open_dataset
from sentiment_lstm.progress import Progress
from sentiment_lstm.settings import TextSettings
from sentiment_lstm.text import UNKNOWN, Vocabulary, truncate
from sentiment_lstm.token_blocks import TokenBlock

log = logging.getLogger(__name__)

_json_string = json.JSONEncoder(ensure_ascii=False).encode


class Tokens(Protocol):
    """What makes token blocks of texts: processes of this machine, or a cluster."""

    def blocks(self, texts: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the token block of each pack of texts, in order."""
        ...  # pragma: no cover


def execute(recipe: Recipe, run: RunDirectory, progress: Progress, engine: Engine = LOCAL) -> None:
    """Make the run's token arrays, texts, vocabulary and summary.

    Raises:
        DataError: when the data are missing, or hold nothing that the task can use.
        RunError: if a cluster is asked for, and there is none.
    """
    dataset = open_dataset(recipe.data, progress)
    with replaced_directory(run.preprocess) as directory, ExitStack() as files:
        read = _Reading(dataset, directory, files.enter_context(_tokens(engine)), files, progress)
        texts = {split: read(split, run.texts(split).name) for split in dataset.splits}
        counts = _count_tokens(texts["train"])
        vocabulary = _vocabulary(counts, recipe.text)
        vocabulary.save(directory / run.vocabulary.name)
        encode = _Encoding(directory, vocabulary, recipe.text, dataset.labels, progress)
        summary = {
            "task": recipe.data.task,
            "labels": list(dataset.labels),
            "vocabulary": {"size": len(vocabulary), "distinct": len(counts)},
            "splits": {split: encode(split, texts[split]) for split in texts},
            **_left_out(dataset),
        }
        (directory / run.summary.name).write_text(json.dumps(summary, indent=1) + "\n", "utf-8")
    _announce(summary, run.summary)


def _tokens(engine: Engine) -> AbstractContextManager[Tokens]:
    if not engine.distributed:
        return TokenWorkers()
    from pipelines.distributed.tokenising import cluster_tokens

    return cluster_tokens(engine)


def _announce(summary: Mapping[str, Any], path: Path) -> None:
    sizes = ", ".join(f"{name} {split['texts']:,}" for name, split in summary["splits"].items())
    log.info("texts: %s; vocabulary %d; more in %s", sizes, summary["vocabulary"]["size"], path)
    for line in chain(describe_balance(summary), describe_left_out(summary)):
        log.warning("%s", line)


def _left_out(dataset: Dataset) -> dict[str, Any]:
    """Return what did not come into the splits: twins of test texts, and rows of no use."""
    rejections = dataset.rejections
    first = [
        {"file": row.file, "line": row.line, "reason": row.reason}
        for row in rejections[:REJECTIONS_SHOWN]
    ]
    return {"twins": dataset.twins, "rejections": {"total": len(rejections), "first": first}}


@dataclass(frozen=True)
class _Texts:
    """A split's texts as token blocks on disk, and in memory 8 bytes a text: its target.

    A target is a label's index or a real number.
    """

    blocks: BinaryIO
    targets: "array[float]"

    def __iter__(self) -> Iterator[TokenBlock]:
        self.blocks.seek(0)
        while (block := receive(self.blocks)) is not None:
            yield TokenBlock.from_bytes(block)


@dataclass(frozen=True)
class _Reading:
    """Reads one split after the other: writes its texts down, and tokenises them."""

    dataset: Dataset
    directory: Path
    tokens: Tokens
    files: ExitStack
    progress: Progress

    def __call__(self, split: str, name: str) -> _Texts:
        """Write each text of a split as a JSON string on a line of its own, and its tokens."""
        spool = self.files.enter_context(TemporaryFile(dir=self.directory))  # noqa: SIM115
        texts = _Texts(spool, array("d"))
        with (self.directory / name).open("wb") as file:
            lines = _written(packs(self._lines(split, texts.targets)), file)
            for block in self.tokens.blocks(lines):
                send(spool, block)
        return texts

    def _lines(self, split: str, targets: "array[float]") -> Iterator[bytes]:
        examples = self.dataset.examples(split)
        for example in self.progress(
            examples, total=self.dataset.sizes[split], label=f"read {split}"
        ):
            targets.append(target_of(example, self.dataset.labels))
            yield (_json_string(example.text) + "\n").encode("utf-8")


def _written(packs: Iterable[bytes], file: BinaryIO) -> Iterator[bytes]:
    for pack in packs:
        file.write(pack)
        yield pack


def _count_tokens(texts: _Texts) -> Counter[str]:
    counts: Counter[str] = Counter()
    for block in texts:
        counts.update(block.counts())
    return counts


def _vocabulary(counts: Counter[str], settings: TextSettings) -> Vocabulary:
    return Vocabulary.from_counts(counts, settings.vocabulary_size, settings.min_count)


@dataclass(frozen=True)
class _Encoding:
    """Encodes one split after the other into token arrays."""

    directory: Path
    vocabulary: Vocabulary
    settings: TextSettings
    labels: Sequence[str]
    progress: Progress

    def __call__(self, split: str, texts: _Texts) -> dict[str, Any]:
        """Write a split's arrays and return its figures."""
        summary = SplitSummary()
        encoded = (ids for block in texts for ids in block.ids(self.vocabulary))
        shown = self.progress(encoded, total=len(texts.targets), label=f"encode {split}")
        with TokenWriter(self.directory, split, len(self.vocabulary)) as writer:
            for ids, target in zip(shown, texts.targets, strict=True):
                kept = truncate(ids, self.settings.max_tokens, self.settings.head_tokens)
                writer.append(kept, 0 if split == UNLABELLED else self._stored(target))
                unknown = int(np.count_nonzero(ids == UNKNOWN))
                summary.add(self._label(target), len(ids), unknown, len(kept) < len(ids))
        return summary.figures()

    def _stored(self, target: float) -> float | int:
        return int(target) if self.labels else target

    def _label(self, target: float) -> str:
        return self.labels[int(target)] if self.labels and target >= 0 else ""
