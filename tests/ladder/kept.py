"""What is kept of each training: which test texts it had right, so that rungs can be paired."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.atomic import replaced_file

KEPT = Path(__file__).with_name("kept.jsonl")
Bits = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Result:
    """A training that ended.

    Attributes:
        rung: its name.
        seed: of the training.
        epochs: that it was given.
        validation: accuracy of its best epoch on the validation split.
        ece: expected calibration error on test.
        right: `(n,)` whether each text of the test split was told right, in the split's order.
    """

    rung: str
    seed: int
    epochs: int
    validation: float
    ece: float
    right: Bits

    @property
    def test(self) -> float:
        """Accuracy on test."""
        return float(self.right.mean())

    def row(self) -> str:
        """Return a line of JSON."""
        packed = base64.b64encode(np.packbits(self.right).tobytes()).decode()
        return json.dumps(vars(self) | {"right": packed, "texts": len(self.right)})


def result_of(line: str) -> Result:
    """Return what a line of JSON tells."""
    told: dict[str, Any] = json.loads(line)
    packed = np.frombuffer(base64.b64decode(told.pop("right")), np.uint8)
    right = np.unpackbits(packed, count=told.pop("texts")).astype(bool)
    return Result(**told, right=right)


def read(path: Path = KEPT) -> list[Result]:
    """Return what was kept; nothing where there is no file."""
    return [result_of(line) for line in path.read_text().splitlines()] if path.exists() else []


def keep(results: Sequence[Result], path: Path = KEPT) -> None:
    """Write results in place of what was kept."""
    with replaced_file(path) as temporary:
        temporary.write_text("".join(f"{r.row()}\n" for r in results))
