"""Machine code for training, made by a process of its own while this one gets ready to train.

Both take a core some seconds: the code once after an install, importing a Keras backend and tracing
a network at every start. The process leaves the code where numba looks for it (see
`sentiment_lstm.compiled`), and beside it a file that says so.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numba
import numpy as np
from llvmlite import binding

from sentiment_lstm import bptt, bptt_words
from sentiment_lstm.compiled import kept_in, stamp
from sentiment_lstm.module_path import module_path
from sentiment_lstm.precision import NARROW, SINGLE, Form, narrow_fits

PATIENCE = 120.0  # seconds; on a slow machine it takes twenty

FORMS = {"float32": SINGLE, "bfloat16": NARROW}

_making: "list[subprocess.Popen[bytes]]" = []


@contextmanager
def made_aside(precision: str, units: int) -> Iterator[None]:
    """Have the code of an LSTM's training made while the block runs, if there is none yet.

    Whoever needs it inside the block waits for it by `wait`.

    Args:
        precision: dtype policy of the layer.
        units: width of its state.
    """
    form = "bfloat16" if precision != "float32" and narrow_fits(units) else "float32"
    process = None if _is_made(form) else _begin(form)
    _making.extend([process] if process else [])
    try:
        yield
    finally:
        if process:
            _making.remove(process)
            process.terminate()  # which does nothing where it has ended
            process.wait()


def wait() -> None:
    """Wait for the code that is being made, if any is, but not for a process that hangs."""
    for process in _making:
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()


def _is_made(form: str) -> bool:
    """Tell whether there is code, or no place to keep any."""
    place = _sign(form)
    return place is None or place.exists()


def _sign(form: str) -> Path | None:
    """Return the file that says that the code of these sources is there.

    For this processor, numba and Python: of another one numba takes none.
    """
    place = kept_in()
    features = binding.get_host_cpu_features().flatten()
    makers = (stamp(), numba.__version__, sys.version, binding.get_host_cpu_name(), features)
    digest = hashlib.sha256("\n".join(makers).encode()).hexdigest()
    return None if place is None else place / f"made-{form}-{digest[:16]}"


def _begin(form: str) -> "subprocess.Popen[bytes] | None":
    """Start the process; it says nothing, and where it fails this one makes the code itself."""
    # -P: files in the current directory must not pass for packages.
    command = [sys.executable, "-P", "-m", __name__, form]
    how: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    with suppress(OSError):
        return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": module_path()}, **how)
    return None


def make(form: Form) -> None:
    """Go forth and back through an LSTM that is as small as can be, which compiles all of it."""
    width = form.breadth
    numbers = [np.zeros(shape, form.stored) for shape in ((1, 1, width), *2 * [(width, 4 * width)])]
    bias, state = np.zeros(4 * width, np.float32), np.zeros((1, width), np.float32)
    batch = bptt.Batch(numbers[0], np.ones((1, 1), np.bool_), np.zeros((1, 0), np.float32))
    weights = bptt.Weights(numbers[1], numbers[2], bias)
    outputs, tape = bptt.forward(batch, weights, state, state)
    _ = bptt.backward(batch, weights, tape, outputs)
    of_words = replace(batch, sequences=numbers[0][0], words=np.zeros((1, 1), np.int32))
    outputs, tape = bptt.forward(*bptt_words.started(of_words, weights), state, state)
    _ = bptt_words.backward(of_words, weights, tape, outputs)


def main(form: str) -> None:
    """Make the code of a form, and say so where it is kept."""
    make(FORMS[form])
    place = _sign(form)
    if place is not None:
        place.touch()


if __name__ == "__main__":
    main(sys.argv[1])
