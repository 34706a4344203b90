"""Training from lists of texts and labels, for people who live in notebooks."""

from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.batching import TokenArrays
from sentiment_lstm.bundle import read_bundle
from sentiment_lstm.deciding import Wish, check_wish, decide, write_decision
from sentiment_lstm.errors import DataError, SettingsError, suggestion
from sentiment_lstm.labels import LabelReader
from sentiment_lstm.progress import Progress, silent
from sentiment_lstm.settings import (
    TASKS,
    ModelSettings,
    TextSettings,
    TrainSettings,
    check_section,
    parse_section,
    setting,
)
from sentiment_lstm.sources import Found, RejectedRow
from sentiment_lstm.splitting import carved
from sentiment_lstm.text import Encoder, Vocabulary, tokenise

if TYPE_CHECKING:
    from sentiment_lstm.fitting import Splits


@dataclass(frozen=True)
class ListSettings:
    """How lists of texts and labels are understood and divided."""

    task: str = setting("classification", help="predict a label or a number", choices=TASKS)
    labels: tuple[str, ...] = setting((), help="labels in order; empty takes them from the data")
    validation_fraction: float = setting(
        0.1, help="share of the texts carved for validation", low=0.001, high=0.9
    )
    seed: int = setting(0, help="seed of the division", low=0)

    def __post_init__(self) -> None:
        check_section(self, "data")


SECTIONS = {
    "data": ListSettings,
    "text": TextSettings,
    "model": ModelSettings,
    "train": TrainSettings,
}


def train(
    texts: Sequence[str],
    labels: Sequence[Any],
    recipe: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    output: str | Path = "model",
    aim: str | None = None,
    abstain: float = 0.0,
    progress: Progress = silent,
    on_epoch: Callable[[dict[str, Any]], None] = lambda _: None,
) -> Path:
    """Train a classifier, or a regression, and return the directory of its bundle.

    Args:
        texts: what to learn from.
        labels: one a text: names or whole numbers, or real numbers for a regression.
        recipe: settings by section, as in a recipe file: `{"model": {"units": 32}}`. The sections
            are `data` (task, labels, validation_fraction, seed), `text`, `model` and `train`.
        output: where the bundle goes; one that stands there is replaced, other files are not.
        aim: what the threshold between two labels is chosen for on validation, such as "f1" or
            "precision=0.9" (see `decisions.parse_aim`); 0.5 by default. Where it is out of reach
            the model is left with 0.5.
        abstain: margin below which the model answers "unsure" (see `predictions.Answers`).
        progress: shows the steps of each epoch.
        on_epoch: called after each epoch with its losses and figures.

    Raises:
        SettingsError: the recipe holds an unknown key or an impossible value; the aim is none, or
            out of reach, or the model cannot have it or the margin.
        DataError: the lists differ in length, a label cannot be used, or a class is too small.
        BundleError: `output` holds other files, or no bundle can hold such labels or targets.

    Example:
        >>> directory = train(texts, labels, {"train": {"epochs": 3}})
        >>> SentimentClassifier.load(directory).classify(["a fine film"])
    """
    sections = _sections(recipe or {})
    splits = _splits(texts, labels, sections["data"], sections["text"])
    wish = Wish(aim, abstain) if aim is not None or abstain else None
    if wish is not None:
        check_wish(splits.task, splits.labels, wish)
    from sentiment_lstm.fitting import fit

    trained = fit(
        splits,
        Path(output),
        text=sections["text"],
        model=sections["model"],
        settings=sections["train"],
        progress=progress,
        on_epoch=on_epoch,
    )
    if wish is not None:
        config = read_bundle(Path(output)).config
        found = decide(config, trained.validation_outputs, splits.validation.targets, wish)
        write_decision(Path(output), Path(output), found, "validation")
    return Path(output)


def _sections(recipe: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    for name in recipe:
        if name not in SECTIONS:
            raise SettingsError(f"unknown section {name!r}: {suggestion(name, SECTIONS)}")
    return {
        name: parse_section(kind, name, recipe.get(name, {})) for name, kind in SECTIONS.items()
    }


def _splits(
    texts: Sequence[str], labels: Sequence[Any], data: ListSettings, text: TextSettings
) -> "Splits":
    from sentiment_lstm.fitting import Splits

    targets, names = _targets(texts, labels, data)
    held_out = carved(_classes(targets, names), data.validation_fraction, data.seed)
    counts: Counter[str] = Counter()
    for index in np.flatnonzero(~held_out).tolist():
        counts.update(tokenise(texts[index]))
    vocabulary = Vocabulary.from_counts(counts, text.vocabulary_size, text.min_count)
    encode = Encoder(vocabulary, text.max_tokens, text.head_tokens)

    def arrays(chosen: NDArray[np.bool_]) -> TokenArrays:
        indices = np.flatnonzero(chosen).tolist()
        return TokenArrays.of([encode(texts[i]) for i in indices], [targets[i] for i in indices])

    return Splits(arrays(~held_out), arrays(held_out), vocabulary, names, data.task)


def _targets(
    texts: Sequence[str], labels: Sequence[Any], data: ListSettings
) -> tuple[list[Any], tuple[str, ...]]:
    """Return the class index or the number of each text, and the names of the classes."""
    if len(texts) != len(labels):
        raise DataError(f"{len(texts)} texts and {len(labels)} labels: give one label a text")
    reader = LabelReader(data.task, data.labels)
    read = []
    for index, (text, label) in enumerate(zip(texts, labels, strict=True)):
        value = label.item() if isinstance(label, np.generic) else label
        example = reader.example(Found("labels", index, text, value))
        if isinstance(example, RejectedRow):
            raise DataError(f"text {index}: {example.reason}")
        read.append(example.label)
    if data.task == "regression":
        return read, ()
    classes = reader.close(array("i", (reader.class_of(label) for label in read)))
    _check_classes(classes, reader.names)
    return list(classes), reader.names


def _check_classes(classes: Sequence[int], names: Sequence[str]) -> None:
    if len(names) < 2:
        raise DataError(f"the labels are {list(names)}: give texts of at least two labels")
    for index, name in enumerate(names):
        count = classes.count(index)
        if count < 2:
            raise DataError(
                f"the label {name!r} has {count} texts: give at least 2, or leave it out"
            )


def _classes(targets: Sequence[Any], names: Sequence[str]) -> NDArray[np.int32]:
    return np.asarray(targets if names else np.zeros(len(targets)), np.int32)
