"""The preprocess stage: texts to token ids on disk, by a vocabulary taken from train alone.

Two passes. The first writes every text down and counts the tokens of train; the second encodes
what the first wrote. Neither holds the texts, so memory does not grow with them.
"""

import json
import logging
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.config import Recipe
from pipelines.labelled import target_of
from pipelines.rundir import RunDirectory
from pipelines.summary import REJECTIONS_SHOWN, SplitSummary, describe_left_out
from sentiment_lstm.atomic import replaced_directory
from sentiment_lstm.batching import TokenWriter
from sentiment_lstm.datasets import Dataset, open_dataset
from sentiment_lstm.progress import Progress
from sentiment_lstm.settings import TextSettings
from sentiment_lstm.text import UNKNOWN, Vocabulary, tokenise, truncate

log = logging.getLogger(__name__)


def execute(recipe: Recipe, run: RunDirectory, progress: Progress) -> None:
    """Make the run's token arrays, texts, vocabulary and summary.

    Raises:
        DataError: when the data are missing, or hold nothing that the task can use.
    """
    dataset = open_dataset(recipe.data, progress)
    with replaced_directory(run.preprocess) as directory:
        texts = {
            split: _write_texts(dataset, split, directory / run.texts(split).name, progress)
            for split in dataset.splits
        }
        counts = _count_tokens(texts["train"], progress)
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


def _announce(summary: Mapping[str, Any], path: Path) -> None:
    sizes = ", ".join(f"{name} {split['texts']:,}" for name, split in summary["splits"].items())
    log.info("texts: %s; vocabulary %d; more in %s", sizes, summary["vocabulary"]["size"], path)
    for line in describe_left_out(summary):
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
    """A split's texts on disk, and in memory 8 bytes a text: label index or real number."""

    path: Path
    targets: "array[float]"

    def __iter__(self) -> Iterator[str]:
        with self.path.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def _write_texts(dataset: Dataset, split: str, path: Path, progress: Progress) -> _Texts:
    """Write each text of a split as a JSON string on a line of its own."""
    texts = _Texts(path, array("d"))
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for example in progress(
            dataset.examples(split), total=dataset.sizes[split], label=f"read {split}"
        ):
            file.write(json.dumps(example.text, ensure_ascii=False) + "\n")
            texts.targets.append(target_of(example, dataset.labels))
    return texts


def _count_tokens(texts: _Texts, progress: Progress) -> Counter[str]:
    counts: Counter[str] = Counter()
    for text in progress(texts, total=len(texts.targets), label="count tokens"):
        counts.update(tokenise(text))
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
        shown = self.progress(texts, total=len(texts.targets), label=f"encode {split}")
        with TokenWriter(self.directory, split, len(self.vocabulary)) as writer:
            for text, target in zip(shown, texts.targets, strict=True):
                ids = self.vocabulary.ids(tokenise(text))
                kept = truncate(ids, self.settings.max_tokens, self.settings.head_tokens)
                writer.append(np.array(kept, np.int32), self._stored(target))
                summary.add(self._label(target), len(ids), ids.count(UNKNOWN), kept != ids)
        return summary.figures()

    def _stored(self, target: float) -> float | int:
        return int(target) if self.labels else target

    def _label(self, target: float) -> str:
        return self.labels[int(target)] if self.labels and target >= 0 else ""
