"""What runs on every Keras backend, run on the two that the rest of the suite does not use.

A process has one backend for life, so each runs in a pytest of its own.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "sentiment_lstm"
SUITES = (
    "lstm", "bptt_ops", "steps", "keras_suite", "model", "losses", "schedules", "optimizers",
    "adversarial", "unlabelled", "torch_lstm", "training", "language_model", "sampled_softmax",
    "softmax_ops", "pretraining", "padding_invariance", "distinct_words", "both_directions",
)  # fmt: skip

# On JAX the time goes into compiling, which takes a fifth less of it with few optimizations, and
# half of the rest where what one test has compiled is there for the next.
QUICK = {
    "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_layer_model_and_training_pass_on(backend, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed: pip install '.[peers]'")
    files = [str(HERE / f"test_{name}.py") for name in SUITES]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files],
        env=os.environ
        | {"KERAS_BACKEND": backend, "JAX_COMPILATION_CACHE_DIR": str(tmp_path)}
        | QUICK,
        cwd=HERE.parents[1],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout[-4000:]
