"""What a tracker is, and what it is told of the training that it follows."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class Subject:
    """A training that is followed.

    Attributes:
        title: its name among others.
        parameters: what the recipe says, by `section.key`.
        notes: where it is, and what made it, by name.
        record: the file in which a tracker notes what it needs to go on with this very training.
        events: the directory of event files.
    """

    title: str
    parameters: Mapping[str, Any]
    notes: Mapping[str, str]
    record: Path
    events: Path


class Tracker(Protocol):
    """Holds the figures of one training, and may raise whatever its library raises."""

    def open(self) -> None:
        """Begin, or go on with what it holds of this training."""

    def steps(self) -> Set[int]:
        """Return the epochs whose figures it holds."""

    def log(self, figures: Mapping[str, float], step: int) -> None:
        """Take figures, all or none of them.

        Args:
            figures: by name.
            step: the epoch that they belong to.
        """

    def close(self, *, finished: bool) -> None:
        """Let go of the training, which has ended or been interrupted."""
