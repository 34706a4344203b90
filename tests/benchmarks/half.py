"""Half precision: our layer in mixed bfloat16 beside itself in float32."""

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

from tests.benchmarks.layer_case import GRID
from tests.benchmarks.machine import Gemm
from tests.benchmarks.options import Options
from tests.benchmarks.table import Row
from tests.benchmarks.timing import medians, round_robin

LARGE = GRID[2]
INSTRUCTIONS = "avx512_bf16"


def run(options: Options, gemm: Gemm) -> Iterator[Row]:
    """Yield one row: a step at 512 units."""
    import keras

    from sentiment_lstm.lstm import LSTM
    from tests.benchmarks.layer_peers import KerasLayer

    case = LARGE.tiny() if options.tiny else LARGE
    single = KerasLayer(case, LSTM, jit=False)
    with patch("sentiment_lstm.bptt_ops.available", lambda *_, **__: False):
        scan = KerasLayer(case, LSTM, jit=False)
        scan.step()  # traced now
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        half = KerasLayer(case, LSTM, jit=False)
    finally:
        keras.config.set_dtype_policy("float32")
    runs = {
        "float32": single.step,
        "float32 by TensorFlow": scan.step,
        "mixed bfloat16 by TensorFlow": half.step,
    }
    found = medians(round_robin(runs, rounds=min(options.rounds, 3), between=gemm), 1e3)
    ours = found.pop("float32")
    yield Row("half", f"step of {case}", "ms", ours, {}, found, _instructions())


def _instructions() -> str:
    """Return whether the processor multiplies in bfloat16."""
    try:
        has = INSTRUCTIONS in Path("/proc/cpuinfo").read_text("utf-8").split()
    except OSError:
        return f"whether the processor has {INSTRUCTIONS} is not known"
    return f"the processor has {'' if has else 'no '}{INSTRUCTIONS}"
