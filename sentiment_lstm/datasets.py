"""Where labelled texts come from: IMDB, a person's own files, or the embedded demo corpus.

A data set streams: texts pass through and are never kept. What decides which text belongs to which
split (its class and a hash of it) is read once, when it is first needed.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sentiment_lstm import demo
from sentiment_lstm.errors import DataError, SettingsError, suggestion
from sentiment_lstm.labels import LabelReader
from sentiment_lstm.progress import Progress, silent
from sentiment_lstm.settings import TASKS, check_section, setting
from sentiment_lstm.sources import (
    IMDB_LABELS,
    Example,
    FolderSource,
    ImdbSource,
    RejectedRow,
    Source,
    TableSource,
    TextSource,
    imdb_root,
)

if TYPE_CHECKING:
    from sentiment_lstm.splitting import Division, Scan

SOURCES = ("imdb", "files", "demo")
SPLITS = ("train", "validation", "test")
UNLABELLED = "unlabelled"
IMDB_UNLABELLED = "unsupervised"


@dataclass(frozen=True)
class DataSettings:
    """Which texts a model learns from and how they are divided into splits."""

    source: str = setting("imdb", help="where the texts come from", choices=SOURCES)
    task: str = setting("classification", help="predict a label or a number", choices=TASKS)
    dir: str = setting(
        "", help="folder of tensorflow_datasets; empty is $TFDS_DATA_DIR or ~/tensorflow_datasets"
    )
    train: str = setting("", help="file or folder of labelled texts (source files)")
    validation: str = setting("", help="the same for validation; empty carves it from train")
    test: str = setting("", help="the same for test; empty carves it from train")
    text: str = setting("text", help="column or key that holds the text")
    label: str = setting("label", help="column or key that holds the label")
    labels: tuple[str, ...] = setting((), help="labels in order; empty takes them from the data")
    validation_fraction: float = setting(
        0.1, help="share of train carved for validation", low=0.001, high=0.9
    )
    test_fraction: float = setting(
        0.1,
        help="share of the file carved for test where no test file is given",
        low=0.001,
        high=0.9,
    )
    seed: int = setting(0, help="seed of the division into splits and of the demo corpus", low=0)
    size: int = setting(8_000, help="texts in train (source demo)", low=2)
    limit: int = setting(0, help="texts of each split at most, for quick trials; 0 is all", low=0)
    drop_twins: bool = setting(True, help="drop texts from training that stand in test too")
    strict: bool = setting(
        False, help="stop at the first row that cannot be used, instead of leaving it out"
    )
    unlabelled: str = setting(
        "", help="texts without labels: a file (source files) or 'unsupervised' (source imdb)"
    )

    def __post_init__(self) -> None:
        check_section(self, "data")
        _check_task(self)
        _check_columns(self)
        if self.source == "files" and not self.train:
            raise SettingsError("data.train is empty: name a file or folder of labelled texts")
        _check_unlabelled(self)


def _check_unlabelled(settings: DataSettings) -> None:
    name, source = settings.unlabelled, settings.source
    if source == "demo" and name:
        raise SettingsError(
            f"data.unlabelled is {name!r} and data.source is 'demo', which has no unlabelled "
            "texts: leave it empty"
        )
    if source == "imdb" and name not in ("", IMDB_UNLABELLED):
        raise SettingsError(
            f"data.unlabelled is {name!r} and data.source is 'imdb': "
            f"give {IMDB_UNLABELLED!r}, or leave it empty"
        )


def _check_task(settings: DataSettings) -> None:
    if settings.task == "regression" and settings.source != "files":
        raise SettingsError(
            f"data.task is 'regression' and data.source is {settings.source!r}, which has labels: "
            "use the source 'files', or 'classification'"
        )
    if settings.labels and settings.task == "regression":
        raise SettingsError(
            f"data.labels is {list(settings.labels)} and data.task is 'regression': "
            "leave the labels empty"
        )
    if len(settings.labels) == 1 or len(set(settings.labels)) != len(settings.labels):
        raise SettingsError(
            f"data.labels is {list(settings.labels)}: name at least two, each once, or none"
        )


def _check_columns(settings: DataSettings) -> None:
    if not settings.text or not settings.label or settings.text == settings.label:
        raise SettingsError(
            f"data.text is {settings.text!r} and data.label is {settings.label!r}: "
            "name two different columns"
        )


class Dataset(Protocol):
    """Splits of texts and labels, read from the source again each time they are asked for."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels in order, empty for regression."""
        ...  # pragma: no cover

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits."""
        ...  # pragma: no cover

    @property
    def sizes(self) -> dict[str, int]:
        """Examples in each split."""
        ...  # pragma: no cover

    @property
    def rejections(self) -> list[RejectedRow]:
        """Rows that could not be used."""
        ...  # pragma: no cover

    @property
    def twins(self) -> dict[str, int]:
        """Texts left out of each split because they stand in test too.

        Of unlabelled, also those that stand in validation.
        """
        ...  # pragma: no cover

    def examples(self, split: str) -> Iterator[Example]:
        """Yield the examples of a split, in the same order every time."""
        ...  # pragma: no cover

    def inputs(self) -> dict[str, str]:
        """Return the SHA-256 of every input by name; imports no TensorFlow, reads no rows."""
        ...  # pragma: no cover


def open_dataset(settings: DataSettings, progress: Progress = silent) -> Dataset:
    """Return the data set that the settings describe; nothing is read before it is asked for.

    Raises:
        DataError: here if a file is missing; from what the data set is asked for, if it cannot
            be used: no column, no labels, a single class, too few examples to divide.
    """
    if settings.source == "demo":
        return DemoDataset(settings)
    if settings.source == "files":
        return SourcedDataset(settings, _files(settings), progress)
    return SourcedDataset(settings, _imdb(settings), progress)


def _imdb(settings: DataSettings) -> dict[str, Source]:
    root = imdb_root(settings.dir)
    sources: dict[str, Source] = {split: ImdbSource(root, split) for split in ("train", "test")}
    if settings.unlabelled:
        sources[UNLABELLED] = ImdbSource(root, settings.unlabelled)
    return sources


def _files(settings: DataSettings) -> dict[str, Source]:
    named = {s: getattr(settings, s) for s in SPLITS if getattr(settings, s)}
    sources = {split: _labelled(_existing(name), settings) for split, name in named.items()}
    if settings.unlabelled:
        sources[UNLABELLED] = TextSource(_existing(settings.unlabelled), settings.text)
    return sources


def _existing(name: str) -> Path:
    path = Path(name).expanduser()
    if not path.exists():
        raise DataError(f"there is no file or folder {name}: check the path in section data")
    return path


def _labelled(path: Path, settings: DataSettings) -> Source:
    if path.is_dir():
        return FolderSource(path)
    return TableSource(path, settings.text, settings.label)


class DemoDataset:
    """The generated corpus: `size` texts in train, a quarter of that in validation and in test.

    No skeleton of a test sentence occurs in train or validation, so there are no twins.
    """

    def __init__(self, settings: DataSettings) -> None:
        self.labels = _in_order(demo.LABELS, settings)
        self.splits = SPLITS
        held_out = max(2, settings.size // 4)
        whole = {"train": settings.size, "validation": held_out, "test": held_out}
        self.sizes = {s: min(n, settings.limit or n) for s, n in whole.items()}
        self.rejections: list[RejectedRow] = []
        self.twins: dict[str, int] = {}
        self._seed = settings.seed

    def examples(self, split: str) -> Iterator[Example]:
        """Yield the examples of a split, in the same order every time."""
        _check_split(split, self.splits)
        for text, label in demo.generate(split, self.sizes[split], self._seed):
            yield Example(text, label)

    def inputs(self) -> dict[str, str]:
        """Return nothing: everything is in the settings."""
        return {}


class SourcedDataset:
    """Splits made of files: those given as they are, the others carved from train by seed.

    The first question that needs it reads every row once and keeps of it a class and a key, 12
    bytes; texts are never kept.
    """

    def __init__(
        self, settings: DataSettings, sources: Mapping[str, Source], progress: Progress
    ) -> None:
        self._settings = settings
        self._sources = sources
        self._progress = progress

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits: train, validation, test and, where asked for, unlabelled."""
        return (*SPLITS, *(part for part in self._sources if part not in SPLITS))

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels in order, empty for regression."""
        return self._survey.labels.names

    @property
    def sizes(self) -> dict[str, int]:
        """Examples in each split."""
        return {split: self._survey.division.size(split) for split in self.splits}

    @property
    def rejections(self) -> list[RejectedRow]:
        """Rows that could not be used."""
        return self._survey.rejections

    @property
    def twins(self) -> dict[str, int]:
        """Texts left out of each split because they stand in test too.

        Of unlabelled, also those that stand in validation.
        """
        return self._survey.division.twins

    def examples(self, split: str) -> Iterator[Example]:
        """Yield the examples of a split, in the same order every time.

        Raises:
            DataError: if a file is no longer as it was when it was first read.
        """
        _check_split(split, self.splits)
        part = split if split in self._sources else "train"
        chosen = self._survey.division.chosen(part, split).tolist()
        usable = (e for e in self._read(part, self._survey.labels) if isinstance(e, Example))
        for example, wanted in zip_longest(usable, chosen):
            if example is None or wanted is None:
                raise DataError(f"the data of {part} changed while they were read: start again")
            if wanted:
                yield example

    def inputs(self) -> dict[str, str]:
        """Return the SHA-256 of every input file; a folder of texts has one for all of it."""
        return {n: d for source in self._sources.values() for n, d in source.digests().items()}

    def _read(self, part: str, labels: LabelReader) -> Iterator[Example | RejectedRow]:
        for item in self._sources[part].rows():
            if isinstance(item, RejectedRow):
                yield item
            else:
                yield Example(item.text, None) if part == UNLABELLED else labels.example(item)

    @cached_property
    def _survey(self) -> "_Survey":
        """Read every row once, and decide which belongs to which split."""
        from sentiment_lstm.splitting import divide

        settings = self._settings
        labels, rejections = _label_reader(settings), list[RejectedRow]()
        scans = {part: self._scan(part, labels, rejections) for part in self._sources}
        fractions = {"test": settings.test_fraction, "validation": settings.validation_fraction}
        carve = {split: f for split, f in fractions.items() if split not in scans}
        _check_classes(scans["train"], labels.names, carve, rejections)
        division = divide(scans, carve, settings.seed, settings.drop_twins, settings.limit)
        _check_sizes(division)
        _check_train(scans["train"], division, labels.names, settings.limit)
        return _Survey(labels, rejections, division)

    def _scan(self, part: str, labels: LabelReader, rejections: list[RejectedRow]) -> "Scan":
        """Read every row of a part for its class and its key."""
        from sentiment_lstm.splitting import Scan, text_key

        classes, keys = array("i"), array("Q")
        rows = self._read(part, labels)
        for item in self._progress(rows, total=None, label=f"scan {part}"):
            if isinstance(item, RejectedRow):
                self._reject(item, rejections)
            else:
                classes.append(labels.class_of(item.label))
                keys.append(text_key(item.text))
        return Scan.of(labels.close(classes), keys)

    def _reject(self, row: RejectedRow, rejections: list[RejectedRow]) -> None:
        if self._settings.strict:
            raise DataError(f"{row}: mend the row, or set data.strict to false to leave it out")
        rejections.append(row)


@dataclass(frozen=True)
class _Survey:
    """What one reading of all rows has found out."""

    labels: LabelReader
    rejections: list[RejectedRow]
    division: "Division"


def _check_classes(
    train: "Scan",
    labels: tuple[str, ...],
    carve: Mapping[str, float],
    rejections: Sequence[RejectedRow],
) -> None:
    """See that train can be learnt from and divided.

    Raises:
        DataError: if it holds nothing, a single label, or too few examples of one.
    """
    if not len(train.classes):
        why = f"{len(rejections)} were rejected, the first: " if rejections else "there are no rows"
        raise DataError(f"no row of train can be used: {why}{rejections[0] if rejections else ''}")
    counts = dict(zip(labels or ("",), train.counts(len(labels or ("",))), strict=True))
    present = [name for name, count in counts.items() if count]
    if labels and len(present) < 2:
        raise DataError(f"train holds the single label {present[0]!r}: give at least two")
    for name, count in counts.items():
        if count < 1 + len(carve):
            raise DataError(
                f"{f'label {name!r}' if name else 'train'} has {count} examples, too few for "
                f"{' and '.join(('train', *carve))}: {_typo(name, present)}"
                "add some, or give a file for each split"
            )


def _typo(name: str, present: Sequence[str]) -> str:
    """Return the question whether a label is another one misspelt, or nothing."""
    others = [other for other in present if other != name]
    nearest = suggestion(name, others)
    return f"{nearest} Else " if name and nearest.startswith("did") else ""


def _check_sizes(division: "Division") -> None:
    for split in division.splits:
        if not division.size(split):
            twins = division.twins.get(split, 0)
            why = f"all its {twins} texts stand in test too" if twins else "no row can be used"
            raise DataError(f"the split {split} is empty, {why}: give another file for it")


def _check_train(scan: "Scan", division: "Division", labels: tuple[str, ...], limit: int) -> None:
    """See that dropping twins left train every label."""
    if not labels or 0 < limit < len(labels):  # numbers, or too few texts for one of each
        return
    left = replace(scan, classes=scan.classes[division.chosen("train", "train")])
    for name, count in zip(labels, left.counts(len(labels)), strict=True):
        if not count:
            raise DataError(
                f"label {name!r} has no examples left in train, as its texts stand in test too: "
                "add some, or set data.drop_twins to false"
            )


def _label_reader(settings: DataSettings) -> LabelReader:
    imdb = settings.source == "imdb"
    names = _in_order(IMDB_LABELS, settings) if imdb else settings.labels
    return LabelReader(settings.task, names)


def _in_order(labels: tuple[str, ...], settings: DataSettings) -> tuple[str, ...]:
    """Return a source's own labels in the order that the settings ask for."""
    if settings.labels and set(settings.labels) != set(labels):
        raise DataError(
            f"data.labels is {list(settings.labels)} and {settings.source} has the labels "
            f"{list(labels)}: name these, in any order, or none"
        )
    return settings.labels or labels


def _check_split(split: str, known: tuple[str, ...]) -> None:
    if split not in known:
        raise DataError(f"there is no split {split!r}: {suggestion(split, known)}")
