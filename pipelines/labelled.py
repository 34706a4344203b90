"""Labelled texts that a finished model is held against."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sentiment_lstm.bundle_config import BundleConfig
from sentiment_lstm.datasets import DataSettings, open_dataset
from sentiment_lstm.errors import DataError
from sentiment_lstm.labels import LabelReader
from sentiment_lstm.progress import Progress
from sentiment_lstm.sources import Example, FolderSource, RejectedRow, TableSource

log = logging.getLogger(__name__)


@dataclass
class Labelled:
    """Texts and their targets: label numbers of a model, or real numbers."""

    texts: list[str] = field(default_factory=list)
    targets: list[float] = field(default_factory=list)


def labelled_file(path: Path, data: DataSettings, config: BundleConfig) -> Labelled:
    """Read a file or folder of labelled texts; rows that cannot be used are logged.

    Args:
        path: a table with the columns that `data` names, or a folder with one for each label.
        data: names the columns, and tells whether one row that cannot be used is one too many.
        config: of the model, which knows its labels.

    Raises:
        DataError: if it cannot be read, or holds no usable row.
    """
    source = FolderSource(path) if path.is_dir() else TableSource(path, data.text, data.label)
    reader = LabelReader(config.task, config.labels)
    rows = (row if isinstance(row, RejectedRow) else reader.example(row) for row in source.rows())
    labelled = _gathered(_usable(rows, data.strict), config)
    if not labelled.texts:
        raise DataError(f"{path} holds no labelled text that can be used: see the reasons above")
    return labelled


def labelled_split(data: DataSettings, config: BundleConfig, progress: Progress) -> Labelled:
    """Read the test split that a model came with.

    Raises:
        DataError: if its data are missing, or their labels are not the model's.
    """
    dataset = open_dataset(data, progress)
    if set(dataset.labels) != set(config.labels):
        raise DataError(
            f"the data have the labels {list(dataset.labels)} and the model "
            f"{list(config.labels)}: give --input FILE with labels of the model"
        )
    examples = progress(dataset.examples("test"), total=dataset.sizes["test"], label="read test")
    return _gathered(examples, config)


def _gathered(examples: Iterable[Example], config: BundleConfig) -> Labelled:
    labelled = Labelled()
    for example in examples:
        labelled.texts.append(example.text)
        labelled.targets.append(target_of(example, config.labels))
    return labelled


def target_of(example: Example, labels: tuple[str, ...]) -> float:
    """Return the number of an example's label, or the real number that it is.

    An example of no label has -1.
    """
    if example.label is None:
        return -1
    return labels.index(example.label) if isinstance(example.label, str) else example.label


def _usable(rows: Iterable[Example | RejectedRow], strict: bool) -> Iterator[Example]:
    """Pass examples on; log each rejected row, and how many there were."""
    rejected = 0
    for row in rows:
        if isinstance(row, RejectedRow) and strict:
            raise DataError(f"{row}: mend the row, or leave out data.strict")
        if isinstance(row, RejectedRow):
            rejected += 1
            log.warning("%s", row)
        else:
            yield row
    if rejected:
        log.warning("%d rows left out", rejected)
