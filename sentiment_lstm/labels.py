"""Labels as files give them, read as the task wants them: names of classes, or numbers."""

import math
from array import array
from collections.abc import Sequence
from typing import Any

from sentiment_lstm.bundle_config import has_control_characters
from sentiment_lstm.errors import DataError, suggestion
from sentiment_lstm.sources import Example, Found, RejectedRow

MOST_LABELS = 1000  # a column with more values than this holds numbers or texts, not labels


class LabelReader:
    """Reads labels, and learns the names of those it was not told until it is closed.

    Attributes:
        names: of the labels, in order; empty for regression and, unless told, before `close`.
    """

    def __init__(self, task: str, names: tuple[str, ...]) -> None:
        self.names = names
        self._numbers = task == "regression"
        self._classes = {name: number for number, name in enumerate(names)}
        self._learns = not names and not self._numbers

    def example(self, found: Found) -> Example | RejectedRow:
        """Return the example with its label, or why it has none."""
        label, reason = self._number(found) if self._numbers else self._name(found)
        return RejectedRow(found.file, found.line, reason) if reason else Example(found.text, label)

    def _number(self, found: Found) -> tuple[float, str]:
        number = _number(found.label)
        if math.isfinite(number):
            return number, ""
        return number, f"the label {found.label!r} is not a finite number"

    def _name(self, found: Found) -> tuple[str, str]:
        name = _name(found.label)
        if not name:
            return name, "no label"
        if has_control_characters(name):
            return name, f"the label {name!r} holds control characters"
        if self._learns or name in self._classes:
            return name, ""
        return name, f"unknown label {name!r}: {suggestion(name, self.names)}"

    def class_of(self, label: str | float | None) -> int:
        """Return the number of a label's class; there is one class of all numbers."""
        if not isinstance(label, str):
            return 0
        number = self._classes.setdefault(label, len(self._classes))
        if len(self._classes) > MOST_LABELS:
            raise DataError(
                f"the label column holds more than {MOST_LABELS} different values, such as "
                f"{label!r}: set data.label to another, or data.task to 'regression'"
            )
        return number

    def close(self, classes: "array[int]") -> "array[int]":
        """Put the learnt labels in order, learn no more, and renumber the classes so far."""
        if not self._learns:
            return classes
        learnt, self._learns = list(self._classes), False
        self.names = _sorted(learnt)
        self._classes = {name: number for number, name in enumerate(self.names)}
        return array("i", (self._classes[learnt[old]] for old in classes))


def _number(value: Any) -> float:
    """Return a label as a number, NaN if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    if isinstance(value, str) and ("_" in value or not value.strip().isascii()):
        return math.nan  # Python reads 1_000, and the digits of every script
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan


def _name(value: Any) -> str:
    """Return a label as text: 5, 5.0 and " 5 " are "5", true is "true", nothing is ""."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        whole = math.isfinite(value) and value == int(value)
        return str(int(value)) if whole else "" if math.isnan(value) else str(value)
    return str(value).strip() if isinstance(value, int | str) else ""


def _sorted(names: Sequence[str]) -> tuple[str, ...]:
    """Sort names as numbers if all of them are, else as text."""
    numbers = {name: _number(name) for name in names}
    numeric = all(map(math.isfinite, numbers.values()))
    return tuple(sorted(names, key=lambda name: (numbers[name] if numeric else 0.0, name)))
