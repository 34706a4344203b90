"""Six claims of the LSTM against a plain RNN, each with the rule that confirms it from what was
measured.

A rule is stated beside its claim, is applied to numbers alone, and can say no.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sentiment_lstm.lesson_plan import (
    EQUAL_PARAMETERS,
    EQUAL_UNITS,
    FORGET_BIASES,
    WHOLE,
    Name,
)

# What was measured in a section, by the names of its plan.
Measured = Mapping[Name, Any]

RNNS = (EQUAL_UNITS, EQUAL_PARAMETERS)
VANISHED = 0.01  # of the norm one step back, below which a gradient has vanished
FURTHER = 10.0  # times the plain RNN's gradient that an LSTM's must be
DEARER = 3.5  # times the parameters and products, of the 4 that four gates suggest
CERTAIN = 1.96  # standard errors of a difference


@dataclass(frozen=True)
class Verdict:
    """A claim and what came of it.

    Attributes:
        section: a name in `lesson_plan.SECTIONS`.
        claim: in one sentence.
        rule: when it counts as confirmed.
        confirmed: whether it does; None where nothing was measured.
        number: the figures that decided, or why there are none.
    """

    section: str
    claim: str
    rule: str
    confirmed: bool | None
    number: str

    @property
    def word(self) -> str:
        """The verdict as people read it."""
        if self.confirmed is None:
            return "not measured"
        return "confirmed" if self.confirmed else "not confirmed"


def judge(section: str, measured: Measured, why_not: str = "") -> Verdict:
    """Return the verdict of a section; of one that was not measured, `why_not` says the reason."""
    claim, rule, decide = _RULES[section]
    confirmed, number = decide(measured) if measured else (None, why_not)
    return Verdict(section, claim, rule, confirmed, number)


def learnt(value: Mapping[str, Any]) -> int:
    """Count the runs of a trial in which the task was learnt."""
    return sum(run["learnt_at"] is not None for run in value["runs"])


def _memory(measured: Measured) -> tuple[bool, str]:
    """Count a failure only where another network has learnt the same within the same budget."""
    cells = {name[:2] for name in measured}
    counted = [
        cell for cell in cells if any(learnt(v) for n, v in measured.items() if n[:2] == cell)
    ]
    totals = {net: _total(measured[*cell, net] for cell in counted) for net in (WHOLE, *RNNS)}
    if not counted:
        runs = sum(len(value["runs"]) for value in measured.values())
        return False, f"learnt in none of {runs} runs: the budget is too small to tell"
    shares = {net: done / runs for net, (done, runs) in totals.items()}
    confirmed = shares[WHOLE] >= 0.5 and all(shares[WHOLE] > shares[rnn] for rnn in RNNS)
    told = [f"{net} learnt in {done} of {runs} runs" for net, (done, runs) in totals.items()]
    rest = len(cells) - len(counted)
    return confirmed, "; ".join([*told, *([f"{rest} too hard for all"] if rest else [])])


def _total(values: Iterable[Mapping[str, Any]]) -> tuple[int, int]:
    """Count the runs of some trials in which the task was learnt, and all their runs."""
    trials = list(values)
    return sum(map(learnt, trials)), sum(len(value["runs"]) for value in trials)


def _gradients(measured: Measured) -> tuple[bool, str]:
    lstm = measured[(f"LSTM, forget bias {FORGET_BIASES[-1]}",)]
    rnn = measured[("plain RNN",)]
    back = len(rnn["runs"][0]["before"]["h"]) - 1
    plain, ours = followed(rnn, "before", "h"), followed(lstm, "before", "c")
    trained = [followed(value, "after", of) for value, of in ((rnn, "h"), (lstm, "c"))]
    if not all(trained):
        return False, "a training broke, and no gradient is left to follow"
    ratios = [ours[-1] / plain[-1], trained[1][-1] / trained[0][-1]]
    confirmed = plain[-1] < VANISHED * plain[1] and all(ratio > FURTHER for ratio in ratios)
    return confirmed, (
        f"{back} steps back, at the start and trained: plain RNN {plain[-1]:.1e} and "
        f"{trained[0][-1]:.1e}, LSTM with forget bias {FORGET_BIASES[-1]} {ours[-1]:.1e} and "
        f"{trained[1][-1]:.1e}"
    )


def followed(value: Mapping[str, Any], when: str, of: str) -> list[float]:
    """Return the geometric mean over a trial's runs of the norms of a gradient."""
    norms = [run[when][of] for run in value["runs"] if run.get(when)]
    means: list[float] = np.exp(np.log(norms).mean(axis=0)).tolist() if norms else []
    return means


def _stability(measured: Measured) -> tuple[bool, str]:
    free = {net: measured[net, "not clipped"]["runs"] for net in (WHOLE, *RNNS)}
    spreads = {net: spread(runs) for net, runs in free.items()}
    bursts = {net: sum(run["exploded"] for run in runs) for net, runs in free.items()}
    even = all(spreads[WHOLE] < spreads[rnn] and bursts[WHOLE] <= bursts[rnn] for rnn in RNNS)
    return even and _has_trained(free[WHOLE]), "; ".join(
        f"{net}: largest loss {spreads[net]:.3g} times the smallest, {bursts[net]} steps exploded"
        for net in free
    )


def _has_trained(runs: Iterable[Mapping[str, Any]]) -> bool:
    """Tell whether every loss has halved: those of networks that learn nothing lie close too."""
    return all(run["loss"] is not None and run["loss"] < run["curve"][0] / 2 for run in runs)


def spread(runs: Any) -> float:
    """Return how many times the smallest loss over seeds the largest is; infinite if one broke."""
    losses = [run["loss"] for run in runs]
    return math.inf if None in losses else max(losses) / max(min(losses), 1e-12)


def _cost(measured: Measured) -> tuple[bool, str]:
    ours, plain = measured[()][WHOLE], measured[()][EQUAL_UNITS]
    times = {key: ours[key] / plain[key] for key in ("parameters", "multiply_adds", "ms")}
    confirmed = min(times["parameters"], times["multiply_adds"]) >= DEARER and times["ms"] > 1
    return confirmed, (
        f"of the plain RNN of {plain['units']} units, the LSTM has {times['parameters']:.2f} times "
        f"the parameters, {times['multiply_adds']:.2f} times the multiply-adds, "
        f"{times['ms']:.2f} times the time a step ({ours['ms']:.3g} ms, {plain['ms']:.3g} ms)"
    )


def _accuracy(measured: Measured) -> tuple[bool, str]:
    longest = {net: measured[(net,)]["by_length"][-1] for net in (WHOLE, *RNNS)}
    confirmed = all(_leads(longest[WHOLE], longest[rnn]) for rnn in RNNS)
    told = [
        f"{net} {part['accuracy']:.4f} (all {measured[(net,)]['accuracy']:.4f})"
        for net, part in longest.items()
    ]
    return confirmed, f"of the longest quarter: {'; '.join(told)}"


def _leads(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    variances = [q["accuracy"] * (1 - q["accuracy"]) / q["count"] for q in (ours, theirs)]
    return bool(ours["accuracy"] - theirs["accuracy"] > CERTAIN * math.sqrt(sum(variances)))


def _gates(measured: Measured) -> tuple[bool, str]:
    names = dict.fromkeys(name for _, name in measured)
    totals = {
        name: _total(value for (_, of), value in measured.items() if of == name) for name in names
    }
    whole, others = totals[WHOLE][0], [totals[name][0] for name in names if name != WHOLE]
    told = ", ".join(f"{name} {done} of {runs}" for name, (done, runs) in totals.items())
    return whole > 0 and max(others) <= whole and min(others) < whole, f"learnt: {told}"


_Rule = tuple[str, str, Callable[[Measured], tuple[bool, str]]]
_RULES: dict[str, _Rule] = {
    "memory": (
        "An LSTM remembers over lags at which a plain RNN does not.",
        "The LSTM learns in half of its runs or more and oftener than either RNN, over the tasks "
        "and lags that some network learnt within the budget that all had.",
        _memory,
    ),
    "gradients": (
        "The gradient vanishes back through a plain RNN and not through an LSTM's cell.",
        "As many steps back as the lag, the plain RNN's norm is below 1 % of that one step back, "
        "and that by the cell of the LSTM with the largest forget bias is more than 10 times the "
        "RNN's, both at the start and trained.",
        _gradients,
    ),
    "stability": (
        "An LSTM trains more evenly than a plain RNN.",
        "Without clipping, each loss of the LSTM has halved since its first 50 steps, they lie "
        "closer together over seeds than either RNN's, and its gradient explodes no oftener.",
        _stability,
    ),
    "cost": (
        "At equal units an LSTM costs about four times as much.",
        "It has 3.5 times the parameters and multiply-adds or more, and a step takes longer.",
        _cost,
    ),
    "accuracy": (
        "On long texts an LSTM judges better than a plain RNN.",
        "On the longest quarter of validation the LSTM leads either RNN by more than 1.96 standard "
        "errors of the difference.",
        _accuracy,
    ),
    "gates": (
        "Each gate has its part in the memory.",
        "No LSTM with a gate held open learns oftener than the whole, and one at least seldomer.",
        _gates,
    ),
}
