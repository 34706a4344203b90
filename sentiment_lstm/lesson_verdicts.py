"""Six claims of the LSTM against a plain RNN, each with the rule that confirms it from what was
measured.

A rule is stated beside its claim, is applied to numbers alone, and can say no.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sentiment_lstm.lesson_plan import (
    CONTROL,
    EQUAL_PARAMETERS,
    EQUAL_UNITS,
    FORGET_BIASES,
    WHOLE,
    Name,
)
from sentiment_lstm.trials import STOCK

# What was measured in a section, by the names of its plan.
Measured = Mapping[Name, Any]

RNNS = (EQUAL_UNITS, EQUAL_PARAMETERS)
NETS = (WHOLE, *RNNS)
WHEN = ("before", "after")  # training
VANISHED = 0.01  # of the norm one step back, below which a gradient has vanished
ABOUT_FOUR = (3.5, 4.5)  # times the parameters and products
# Times the time: small products run at less of a core's speed than those four times as wide.
ABOUT_FOUR_IN_TIME = (2.0, 6.0)
CERTAIN = 1.96  # standard errors of a difference
CHANCE = 0.05  # of runs so far apart, were two networks alike


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
    cells = list(dict.fromkeys(name[:2] for name in measured))
    judged = [cell for cell in cells if cell[1] != CONTROL] or cells
    counted = [cell for cell in judged if any(learnt(measured[*cell, net]) for net in NETS)]
    if not counted:
        runs = sum(len(measured[*cell, net]["runs"]) for cell in judged for net in NETS)
        return False, f"learnt in none of {runs} runs: the budget is too small to tell"
    totals = {net: _total(measured[*cell, net] for cell in counted) for net in NETS}
    done, runs = totals[WHOLE]
    confirmed = done >= runs / 2 and all(_oftener(totals[WHOLE], totals[rnn]) for rnn in RNNS)
    told = [f"{net} learnt in {done} of {runs} runs" for net, (done, runs) in totals.items()]
    rest = [f"{len(judged) - len(counted)} too hard for all"] if len(judged) > len(counted) else []
    return confirmed, "; ".join([*told, *rest, *_control(measured, cells, judged)])


def _control(measured: Measured, cells: Sequence[Name], judged: Sequence[Name]) -> list[str]:
    """Tell what each network learns where next to nothing is to be remembered."""
    easy = [cell for cell in cells if cell not in judged]
    totals = {net: _total(measured[*cell, net] for cell in easy) for net in NETS}
    told = ", ".join(f"{net} {done} of {runs}" for net, (done, runs) in totals.items())
    return [f"at lag {CONTROL}: {told}"] if easy else []


def _oftener(ours: tuple[int, int], theirs: tuple[int, int]) -> bool:
    """Tell by Fisher's exact test whether runs succeeded oftener than chance would have it."""
    from scipy.stats import fisher_exact

    table = [[done, runs - done] for done, runs in (ours, theirs)]
    return bool(fisher_exact(table, alternative="greater").pvalue < CHANCE)


def _total(values: Iterable[Mapping[str, Any]]) -> tuple[int, int]:
    """Count the runs of some trials in which the task was learnt, and all their runs."""
    trials = list(values)
    return sum(map(learnt, trials)), sum(len(value["runs"]) for value in trials)


def _gradients(measured: Measured) -> tuple[bool, str]:
    widest = f"LSTM, forget bias {FORGET_BIASES[-1]}"
    norms = {
        name: [followed(value, when, "h" if name == "plain RNN" else "c") for when in WHEN]
        for (name,), value in measured.items()
    }
    if not all(itertools.chain(*norms.values())):
        return False, "a training broke, and no gradient is left to follow"
    gone = {name: [norm[-1] < VANISHED * norm[1] for norm in both] for name, both in norms.items()}
    told = [f"{name} {both[0][-1]:.1e} and {both[1][-1]:.1e}" for name, both in norms.items()]
    back = len(norms[widest][0]) - 1
    return all(gone["plain RNN"]) and not any(gone[widest]), (
        f"{back} steps back, at the start and trained: {', '.join(told)}"
    )


def followed(value: Mapping[str, Any], when: str, of: str) -> list[float]:
    """Return the geometric mean over a trial's runs of the norms of a gradient."""
    norms = [run[when][of] for run in value["runs"] if run.get(when)]
    means: list[float] = np.exp(np.log(norms).mean(axis=0)).tolist() if norms else []
    return means


def _stability(measured: Measured) -> tuple[bool, str]:
    free = {net: measured[net, "not clipped"]["runs"] for net in NETS}
    spreads = {net: spread(runs) for net, runs in free.items()}
    middles = {net: _median_loss(runs) for net, runs in free.items()}
    bursts = {net: sum(run["exploded"] for run in runs) for net, runs in free.items()}
    even = all(of[WHOLE] <= of[rnn] for rnn in RNNS for of in (middles, bursts)) and all(
        spreads[WHOLE] < spreads[rnn] for rnn in RNNS
    )
    told = [
        f"{net}: largest loss {spreads[net]:.3g} times the smallest, median {middles[net]:.2g}, "
        f"{bursts[net]} steps exploded"
        for net in free
    ]
    return even and _has_trained(free[WHOLE]), "; ".join(told)


def _median_loss(runs: Iterable[Mapping[str, Any]]) -> float:
    return float(np.median([math.inf if run["loss"] is None else run["loss"] for run in runs]))


def _has_trained(runs: Iterable[Mapping[str, Any]]) -> bool:
    """Tell whether every loss has halved: those of networks that learn nothing lie close too."""
    return all(run["loss"] is not None and run["loss"] < run["curve"][0] / 2 for run in runs)


def spread(runs: Any) -> float:
    """Return how many times the smallest loss over seeds the largest is; infinite if one broke."""
    losses = [run["loss"] for run in runs]
    return math.inf if None in losses else max(losses) / max(min(losses), 1e-12)


def _cost(measured: Measured) -> tuple[bool, str]:
    ours, stock, plain = (measured[()][name] for name in (WHOLE, STOCK, EQUAL_UNITS))
    counts = [ours[key] / plain[key] for key in ("parameters", "multiply_adds")]
    times = [layer["ms"] / plain["ms"] for layer in (stock, ours)]
    least, most = ABOUT_FOUR_IN_TIME
    confirmed = all(ABOUT_FOUR[0] <= n <= ABOUT_FOUR[1] for n in counts)
    return confirmed and least <= times[0] <= most, (
        f"of the plain RNN of {plain['units']} units, the LSTM has {counts[0]:.2f} times the "
        f"parameters, {counts[1]:.2f} times the multiply-adds; a step takes {plain['ms']:.3g} ms, "
        f"with Keras's LSTM {times[0]:.2f} times as long, with this package's {times[1]:.2f} times"
    )


def _accuracy(measured: Measured) -> tuple[bool, str]:
    best = {net: best_readings(measured, net) for net in NETS}
    longest = {net: [_quarters(value)[-1] for value in values] for net, values in best.items()}
    shortest = {net: [_quarters(value)[0] for value in values] for net, values in best.items()}
    told = [
        f"{net} {mean_accuracy(longest[net]):.4f} (all {mean_accuracy(best[net]):.4f})"
        for net in NETS
    ]
    leads = [
        f"{100 * (mean_accuracy(part[WHOLE]) - mean_accuracy(part[rnn])):.1f}"
        for rnn in RNNS
        for part in (longest, shortest)
    ]
    return all(_leads(longest[WHOLE], longest[rnn]) for rnn in RNNS), (
        f"of the longest quarter, mean of {len(best[WHOLE])}: {'; '.join(told)}; the LSTM leads by "
        f"{leads[0]} and {leads[2]} points, of the shortest quarter by {leads[1]} and {leads[3]}"
    )


def best_readings(measured: Measured, net: str) -> list[Mapping[str, Any]]:
    """Return what a network read with each seed, at that of its rates at which it read best."""
    rates: dict[str, list[Mapping[str, Any]]] = {}
    for (name, rate, _), value in measured.items():
        if name == net:
            rates.setdefault(rate, []).append(value)
    return max(rates.values(), key=mean_accuracy)


def mean_accuracy(values: Sequence[Mapping[str, Any]]) -> float:
    """Return the mean over trainings."""
    return float(np.mean([value["accuracy"] for value in values]))


def _quarters(value: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the quarters of length that hold texts: of many equal lengths some may not."""
    return [quarter for quarter in value["by_length"] if quarter["count"]]


def _leads(ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]) -> bool:
    lead = mean_accuracy(ours) - mean_accuracy(theirs)
    return lead > CERTAIN * math.hypot(standard_error(ours), standard_error(theirs))


def standard_error(trainings: Sequence[Mapping[str, Any]]) -> float:
    """Return that of the mean accuracy: other weights at the start, and other texts."""
    share, n = mean_accuracy(trainings), len(trainings)
    over_seeds = np.var([one["accuracy"] for one in trainings], ddof=1) / n if n > 1 else 0.0
    return math.sqrt(over_seeds + share * (1 - share) / trainings[0]["count"])


def _gates(measured: Measured) -> tuple[bool, str]:
    names = dict.fromkeys(name for _, name in measured)
    totals = {
        name: _total(value for (_, of), value in measured.items() if of == name) for name in names
    }
    whole = totals[WHOLE][0]
    needed = [gate for gate in "ifo" if totals[f"{gate} = 1"][0] <= whole / 2]
    told = ", ".join(f"{name} {done} of {runs}" for name, (done, runs) in totals.items())
    if not whole:
        return False, f"learnt: {told}: the budget is too small to tell"
    spared = [gate for gate in "ifo" if gate not in needed]
    parts = {"these tasks need": needed, "they do without": spared}
    said = [f"{what} {' and '.join(gates)}" for what, gates in parts.items() if gates]
    return not spared, f"learnt: {told}; {', '.join(said)}"


_Rule = tuple[str, str, Callable[[Measured], tuple[bool, str]]]
_RULES: dict[str, _Rule] = {
    "memory": (
        "An LSTM remembers over lags at which a plain RNN does not.",
        "The LSTM learns in half of its runs or more, and oftener than either RNN by Fisher's "
        "exact test at 5 %, over the tasks and lags that some network learnt within the budget "
        f"that all had. What is learnt at a lag of {CONTROL} decides nothing: it shows whether a "
        "network fails for the lag or for the task.",
        _memory,
    ),
    "gradients": (
        "The gradient vanishes back through a plain RNN and not through the cell of an LSTM whose "
        "forget gate starts nearly open.",
        "As many steps back as the lag, the plain RNN's norm is below 1 % of that one step back, "
        "and that by the cell of the LSTM with the largest forget bias is not, both at the start "
        "and trained; geometric means over seeds.",
        _gradients,
    ),
    "stability": (
        "An LSTM trains more evenly than a plain RNN.",
        "Each at the rate that it has in the memory tasks and without clipping, every loss of the "
        "LSTM has halved since its first 50 steps, they lie closer together over seeds than either "
        "RNN's, their median is no larger, and its gradient explodes no oftener.",
        _stability,
    ),
    "cost": (
        "At equal units an LSTM costs about four times as much.",
        "It has 3.5 to 4.5 times the parameters and multiply-adds, and a step takes 2 to 6 times "
        "as long, both layers being Keras's own.",
        _cost,
    ),
    "accuracy": (
        "On long texts an LSTM judges better than a plain RNN.",
        "On the longest quarter of validation the LSTM's mean over seeds leads either RNN's by "
        "more than 1.96 standard errors, in which seeds and texts count, each network at the "
        "better of its rates by validation.",
        _accuracy,
    ),
    "gates": (
        "Each gate has its part in the memory.",
        "Held open, each of the gates i, f and o costs at least half of the runs that the whole "
        "LSTM learnt.",
        _gates,
    ),
}
