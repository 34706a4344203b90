"""Half precision: our layer in mixed bfloat16 beside itself in float32, and beside PyTorch's."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from tests.benchmarks.layer import BURST
from tests.benchmarks.layer_case import GRID
from tests.benchmarks.machine import Gemm
from tests.benchmarks.options import Options
from tests.benchmarks.table import Row
from tests.benchmarks.timing import medians, round_robin

LARGE = GRID[2]


def run(options: Options, gemm: Gemm) -> Iterator[Row]:
    """Yield one row: a step at 512 units."""
    case = LARGE.tiny() if options.tiny else LARGE
    runs = {
        "mixed bfloat16": _layer(case, "mixed_bfloat16").step,
        "our float32": _layer(case, "float32").step,
    }
    with patch("sentiment_lstm.bptt_ops.available", lambda *_, **__: False):
        scan = _layer(case, "mixed_bfloat16")
        scan.step()  # traced now
    runs["mixed bfloat16, as a scan by TensorFlow"] = scan.step
    taken = round_robin(runs, rounds=min(options.rounds, 5), between=gemm, burst=BURST)
    found = medians(taken, 1e3)
    ours = found.pop("mixed bfloat16")
    yield Row("half", f"step of {case}", "ms", ours, found, note=_products())


def _layer(case: Any, policy: str) -> Any:
    import keras

    from sentiment_lstm.lstm import LSTM
    from tests.benchmarks.layer_model import keras_model
    from tests.benchmarks.layer_peers import KerasLayer

    keras.config.set_dtype_policy(policy)
    try:
        return KerasLayer(case, keras_model(case, LSTM), jit=False)
    finally:
        keras.config.set_dtype_policy("float32")


def _products() -> str:
    """Return what multiplies."""
    from sentiment_lstm.bfloat16_products import means

    return f"products are taken {means()}"
