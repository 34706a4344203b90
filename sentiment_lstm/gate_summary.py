"""A trace in few numbers: gates averaged over units, the units that matter, how long they remember.

    half-life = ln ½ / mean_t ln f_t

is in how many words the forget gate of a unit, as open as it was over this text, halves what the
cell holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sentiment_lstm.errors import SettingsError
from sentiment_lstm.gate_trace import GATES, Doubles, LayerTrace

MOST_UNITS = 3  # of a direction, that are shown unless others are asked for

Gates = dict[str, Doubles]


@dataclass(frozen=True)
class UnitTrace:
    """One unit over a text.

    Attributes:
        unit: its number, from 0.
        share: what passes through it of the output.
        half_life: in words; infinite if it forgets nothing.
        gates: i, f, o, g, c and h at each word, `(T,)` each.
    """

    unit: int
    share: float
    half_life: float
    gates: Gates


@dataclass(frozen=True)
class DirectionTrace:
    """One direction of the top layer over a text, in the order of the text.

    Attributes:
        name: "forward" or "backward".
        half_life: the median over the units.
        mean: i, f, o, g, c and h at each word, averaged over the units, `(T,)` each.
        units: those asked for, or through which most of the output passes, most first.
    """

    name: str
    half_life: float
    mean: Gates
    units: tuple[UnitTrace, ...]


def summarise(layer: LayerTrace, parts: Doubles, units: Sequence[int]) -> list[DirectionTrace]:
    """Return the summary of each direction of a layer.

    Args:
        layer: its trace.
        parts: of the output, by word and unit, `(D, T, H)`, as `contributions` gives them.
        units: the units to show; none for those through which most of the output passes.

    Raises:
        SettingsError: for a unit that the layer does not have.
    """
    H = parts.shape[2]
    for unit in units:
        if not 0 <= unit < H:
            raise SettingsError(f"unit is {unit}: the model has units 0 to {H - 1}")
    lives = half_lives(layer.f)
    return [
        _direction(name, _in_text_order(layer, d), parts[d].sum(axis=0), lives[d], units)
        for d, name in enumerate(("forward", "backward")[: len(parts)])
    ]


def _in_text_order(layer: LayerTrace, direction: int) -> Gates:
    """Return the gates of a direction, `(T, H)` each, as views: of a long text they are large."""
    gates = {name: getattr(layer, name)[direction] for name in GATES}
    return {name: values[::-1] if direction else values for name, values in gates.items()}


def _direction(
    name: str, gates: Gates, shares: Doubles, lives: Doubles, units: Sequence[int]
) -> DirectionTrace:
    most = np.argsort(-np.abs(shares), kind="stable")[:MOST_UNITS].tolist() if shares.any() else []
    shown = tuple(
        UnitTrace(u, float(shares[u]), float(lives[u]), {k: v[:, u] for k, v in gates.items()})
        for u in dict.fromkeys(units or most)
    )
    mean = {gate: values.mean(axis=1) for gate, values in gates.items()}
    return DirectionTrace(name, float(np.median(lives)), mean, shown)


def half_lives(f: Doubles) -> Doubles:
    """Return the half-life of each unit in words, `(D, H)`, from its forget gates `(D, T, H)`.

    It is infinite where nothing is forgotten, and NaN for a text without words.
    """
    if not f.shape[1]:
        return np.full((f.shape[0], f.shape[2]), np.nan)
    with np.errstate(divide="ignore"):  # a gate that is shut gives ln 0 and a half-life of 0
        kept = np.log(f).mean(axis=1)
        return np.asarray(np.log(2) / np.abs(kept))
