"""Which values a search may try: ranges of recipe keys, each checked before anything is trained."""

import math
import typing
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from sentiment_lstm.errors import SettingsError, suggestion
from sentiment_lstm.settings import ModelSettings, TrainSettings, parse_section

# What trials may differ in: all else decides what they share, or what is made of a finished model.
SECTIONS: dict[str, type[Any]] = {"model": ModelSettings, "train": TrainSettings}
SHARED = ("data", "text", "pretrain", "teach", "evaluate", "export", "track")
BOUND = "train.backend"  # a process takes one, and the trials of a search share theirs
KINDS: dict[str, Any] = {
    f"{section}.{key}": hint
    for section, kind in SECTIONS.items()
    for key, hint in typing.get_type_hints(kind).items()
    if f"{section}.{key}" != BOUND
}
PARTS = ("low", "high", "step", "log", "choices")
# Keys that shape the weights, which those that a network starts from must fit.
SHAPES = ("model.embedding", "model.units", "model.directions", "model.layers")


@dataclass(frozen=True)
class Range:
    """The values of one key: those between two ends, or some that are named.

    Attributes:
        key: `section.key` of the recipe.
        low: least value of a number; None where values are named.
        high: most value of it, likewise.
        step: distance of a value from the next; None for any number between the ends.
        log: whether values are tried evenly by their logarithm.
        choices: the named values, lists as tuples; empty for a number between two ends.
    """

    key: str
    low: float | None = None
    high: float | None = None
    step: float | None = None
    log: bool = False
    choices: tuple[Any, ...] = ()

    @property
    def is_integer(self) -> bool:
        """Whether the key holds whole numbers."""
        return KINDS[self.key] is int

    def __str__(self) -> str:
        if self.choices:
            return f"{self.key} in {', '.join(map(shown, self.choices))}"
        how = " (log)" if self.log else f" by {self.step}" if self.step else ""
        return f"{self.key} from {self.low} to {self.high}{how}"

    def extremes(self) -> tuple[Any, ...]:
        """Return the values that every other one lies between, or all that are named."""
        return self.choices or (self.low, self.high)

    def holds(self, value: Any) -> bool:
        """Tell whether a search may try a value."""
        if self.low is None or self.high is None:
            return value in self.choices
        between = bool(self.low <= value <= self.high)
        return between and (self.step is None or _steps(self.low, value, self.step) % 1 == 0)

    def holding(self, value: Any) -> "Range":
        """Return this range, widened where it must be to hold a value."""
        if self.low is None or self.high is None:
            return replace(self, choices=tuple(sorted({*self.choices, value})))
        return replace(self, low=min(self.low, value), high=max(self.high, value))

    def written(self) -> dict[str, Any]:
        """Return the table that a recipe writes for it."""
        if self.choices:
            return {"choices": [list(c) if isinstance(c, tuple) else c for c in self.choices]}
        told = {"low": self.low, "high": self.high, "step": self.step, "log": self.log or None}
        return {part: value for part, value in told.items() if value is not None}


def parse_range(key: str, table: object) -> Range:
    """Read a range as a recipe writes it.

    Args:
        key: `section.key`.
        table: `{ low, high }`, with `step` or `log = true` if wanted, or `{ choices }`.

    Raises:
        SettingsError: for a key that trials cannot differ in, a table of another form, and values
            that the key itself would refuse.
    """
    _check_key(key)
    if not isinstance(table, Mapping):
        raise _wrong(key, f"is {table!r}: write {{ low = …, high = … }} or {{ choices = [ … ] }}")
    for part in table:
        if part not in PARTS:
            raise _wrong(key, f"has {part!r}: {suggestion(str(part), PARTS)}")
    return _named(key, table) if "choices" in table else _between(key, table)


def default_space(own: Mapping[str, Any], given: Collection[str] = ()) -> tuple[Range, ...]:
    """Return what is searched where a recipe names nothing; its own values are among all of it.

    Args:
        own: the value that the recipe has of each key.
        given: keys that are not to be searched.
    """
    return tuple(r.holding(own[r.key]) for r in DEFAULT if r.key not in given)


DEFAULT = (
    Range("train.learning_rate", low=1e-4, high=3e-2, log=True),
    Range("train.batch_size", choices=(32, 64, 128)),
    Range("model.embedding", choices=(16, 32, 64, 128)),
    Range("model.units", choices=(16, 32, 64, 128)),
    Range("model.dropout", low=0.0, high=0.6),
)


def _wrong(key: str, what: str) -> SettingsError:
    return SettingsError(f"tune: the range of {key} {what}")


def _check_key(key: str) -> None:
    if key in KINDS:
        return
    if key == BOUND or key.partition(".")[0] in SHARED:
        raise SettingsError(
            f"tune: {key} cannot differ from trial to trial, as all share one process and the "
            f"same texts: search keys of {' and '.join(SECTIONS)}, and set this one in its section"
        )
    raise SettingsError(f"unknown key tune.{key!r}: {suggestion(key, KINDS)}")


def _named(key: str, table: Mapping[str, Any]) -> Range:
    others, named = sorted(table.keys() - {"choices"}), table["choices"]
    if others:
        raise _wrong(key, f"has choices and {others[0]}: leave one of the two out")
    if not isinstance(named, list | tuple) or len(named) < 2:
        raise _wrong(key, f"has choices {named!r}: give a list of two values or more")
    choices = tuple(_value(key, value) for value in named)
    if len(set(choices)) != len(choices):
        raise _wrong(key, f"has choices {list(named)!r}: name each value once")
    return Range(key, choices=choices)


def _between(key: str, table: Mapping[str, Any]) -> Range:
    if KINDS[key] not in (int, float):
        raise _wrong(key, "has no choices: this key holds no number, write { choices = [ … ] }")
    for end in ("low", "high"):
        if end not in table:
            raise _wrong(key, f"has no {end}: write {{ low = …, high = … }}")
    low, high = _number(key, table["low"]), _number(key, table["high"])
    if not low < high:
        raise _wrong(key, f"goes from {low} to {high}: low is to be less than high")
    step, log = _step(key, table, low, high), _log(key, table, low)
    return Range(key, low=low, high=high, step=step, log=log)


def _value(key: str, value: Any) -> Any:
    """Return a value as its section has it, which checks its type and its bounds."""
    section, _, name = key.partition(".")
    try:
        return getattr(parse_section(SECTIONS[section], section, {name: value}), name)
    except SettingsError as error:
        raise SettingsError(f"tune: {error}") from None


def _number(key: str, value: Any) -> Any:
    number = _value(key, value)
    if not math.isfinite(number):
        raise _wrong(key, f"has the end {number}: give a finite number")
    return number


def _step(key: str, table: Mapping[str, Any], low: float, high: float) -> float | None:
    if "step" not in table:
        return None
    step, kinds = table["step"], (int,) if KINDS[key] is int else (int, float)
    if type(step) not in kinds or not (math.isfinite(step) and step > 0):
        wanted = "whole number" if KINDS[key] is int else "number"
        raise _wrong(key, f"has step {step!r}: give a {wanted} above 0")
    steps = _steps(low, high, step)
    if steps < 1 or steps % 1:
        last = Decimal(str(low)) + max(1, int(steps)) * Decimal(str(step))
        raise _wrong(key, f"has high {high}, which no steps of {step} lead to: {last} would do")
    return type(low)(step)


def _steps(low: float, value: float, step: float) -> Decimal:
    """Return how many steps lead from one value to another, in decimal as people write them."""
    return (Decimal(str(value)) - Decimal(str(low))) / Decimal(str(step))


def _log(key: str, table: Mapping[str, Any], low: float) -> bool:
    log = table.get("log", False)
    if type(log) is not bool:
        raise _wrong(key, f"has log {log!r}: give true or false")
    if log and "step" in table:
        raise _wrong(key, "has log and step: leave one of the two out")
    if log and low <= 0:
        raise _wrong(key, f"has log and low {low}: a logarithm needs a low above 0")
    return log


def shown(value: Any) -> str:
    """Return a value as people read it, numbers whole."""
    return "+".join(map(str, value)) if isinstance(value, tuple) else str(value)


def names(ranges: Iterable[Range]) -> list[str]:
    """Return the keys of ranges."""
    return [r.key for r in ranges]
