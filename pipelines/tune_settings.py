"""The section [tune] of a recipe: how a search goes about it, and the ranges that it tries.

Beside the keys of the section stand those of the recipe, in quotes or not:

    [tune]
    trials = 30
    "train.learning_rate" = { low = 1e-4, high = 3e-2, log = true }
    "model.units" = { choices = [16, 32, 64] }
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from pipelines.search_space import KINDS, SECTIONS, SHARED, Range, names, parse_range
from sentiment_lstm.errors import SettingsError, suggestion
from sentiment_lstm.settings import check_section, parse_section, setting

OBJECTIVES = ("validation_loss", "validation_accuracy")


@dataclass(frozen=True)
class TuneSettings:
    """How a search for settings is made; `space` are the ranges, none for the usual ones."""

    objective: str = setting(
        "validation_loss", help="what trials are judged by", choices=OBJECTIVES
    )
    trials: int = setting(20, help="trainings that are finished or stopped early", low=1)
    epochs: int = setting(0, help="epochs of a trial at most; 0 is train.epochs", low=0)
    pruning: bool = setting(True, help="stop a trial that does worse than the median of others")
    seed: int = setting(0, help="seed of the values that are tried", low=0)
    space: tuple[Range, ...] = setting((), help="ranges, each by the key of the recipe")

    def __post_init__(self) -> None:
        check_section(self, "tune")
        if self.epochs and "train.epochs" in names(self.space):
            raise SettingsError(
                f"tune.epochs is {self.epochs} and train.epochs has a range: leave one of them out"
            )

    @property
    def maximizes(self) -> bool:
        """Whether more of the objective is better."""
        return self.objective == "validation_accuracy"

    def written(self) -> dict[str, Any]:
        """Return the section as a recipe writes it: a range is a key among the others."""
        told = {k: v for k, v in asdict(self).items() if k != "space"}
        return told | {r.key: r.written() for r in self.space}


OWN = {f.name for f in fields(TuneSettings)} - {"space"}


def parse_tune(values: Mapping[str, Any]) -> TuneSettings:
    """Build the section from a mapping, as TOML gives it.

    Raises:
        SettingsError: for an unknown key, a value of the wrong type or out of its bounds, and for
            a range that `parse_range` refuses.
    """
    flat = _flat(values)
    own = {k: v for k, v in flat.items() if k in OWN}
    for key in flat.keys() - OWN:
        if "." not in key:
            raise SettingsError(f"unknown key tune.{key}: {suggestion(key, OWN | KINDS.keys())}")
    space = tuple(parse_range(key, table) for key, table in flat.items() if key not in OWN)
    settings = parse_section(TuneSettings, "tune", own)
    return TuneSettings(**{name: getattr(settings, name) for name in OWN}, space=space)


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Take `train.epochs = …` without its quotes, which TOML reads as a table in a table."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        inner = isinstance(value, Mapping) and key in (*SECTIONS, *SHARED)
        flat |= {f"{key}.{k}": v for k, v in value.items()} if inner else {key: value}
    return flat
