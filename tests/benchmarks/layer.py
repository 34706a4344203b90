"""One layer: embedding → LSTM → dense, forward and forward with backward, over a grid of shapes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tests.benchmarks.layer_case import GRID, Case
from tests.benchmarks.machine import Gemm
from tests.benchmarks.options import Options
from tests.benchmarks.table import Row
from tests.benchmarks.timing import Run, ahead_at_best, geometric_mean, medians, round_robin

# Passes by name, and how much work each is, in forward passes.
PASSES = {"step": 3, "forward": 1}
# torch's way back through packed sequences takes time quadratic in their length, 15 times that of
# padded ones here: no peer.
LEFT_OUT = {"step": ("torch packed",), "forward": ()}
BURST = 0.4  # seconds of calls at each turn
SAME = 1e-3  # float32, summed in another order over hundreds of steps


def run(options: Options, gemm: Gemm) -> Iterator[Row]:
    """Yield a row for each case and pass, then the geometric means."""
    rows: dict[str, list[Row]] = {name: [] for name in PASSES}
    for case in [GRID[4].tiny()] if options.tiny else GRID:
        for name, runs in _passes(case).items():
            row = _row(case, name, runs, options, gemm)
            rows[name].append(row)
            yield row
    for name, of_pass in rows.items():
        yield _mean(name, of_pass)


def _passes(case: Case) -> dict[str, dict[str, Run]]:
    """Return the contenders of each pass, once it is seen that all of them answer alike."""
    from tests.benchmarks.layer_peers import contenders

    who = contenders(case)
    passes: dict[str, dict[str, Run]] = {
        name: {k: getattr(c, name) for k, c in who.items() if k not in LEFT_OUT[name]}
        for name in PASSES
    }
    for name, runs in passes.items():
        _check_alike(f"{case} {name}", {who: run() for who, run in runs.items()})
    return passes


def _check_alike(what: str, answers: Mapping[str, Any]) -> None:
    for name, answer in answers.items():
        if not np.allclose(answer, answers["ours"], rtol=SAME, atol=SAME):
            raise AssertionError(f"{what}: {name} answers {answer}, ours {answers['ours']}")


def _row(case: Case, name: str, runs: Mapping[str, Run], options: Options, gemm: Gemm) -> Row:
    first = len(gemm.seconds)
    taken = round_robin(
        runs, rounds=options.rounds, seconds=options.seconds, between=gemm, burst=BURST
    )
    found = medians(taken, 1e3)
    ours = found.pop("ours")
    peak = gemm.since(first)
    share = PASSES[name] * case.flops / (ours / 1e3) / peak
    note = (
        f"{share:.0%} of GEMM peak ({peak / 1e9:.0f} GFLOP/s); {len(taken['ours'])} calls, "
        f"by the fastest of each ×{ahead_at_best(taken):.2f}"
    )
    return Row(f"layer {name}", str(case), "ms", ours, found, note=note)


def _mean(name: str, rows: Sequence[Row]) -> Row:
    """Return a row of ratios, ours being 1: geometric means over the cases, best form of each."""
    means = {
        label: geometric_mean([min(row.ratios(kind)) for row in rows])
        for label, kind in (("better keras", "keras"), ("torch", "torch"))
        if rows[0].ratios(kind)
    }
    return Row(f"layer {name}", "geometric mean of ratios", "of ours", 1.0, means)
