"""Machine code for training, made by a process of its own while this one gets ready to train.

Both take a core some seconds: the code once after an install, importing a Keras backend and tracing
a network at every start. The process (`sentiment_lstm.making`) leaves the code where numba looks
for it, and beside it a file that says so.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from numba import njit

from sentiment_lstm import making
from sentiment_lstm.module_path import module_path

PATIENCE = 120.0  # seconds; on a slow machine it takes twenty

_making: "list[subprocess.Popen[bytes]]" = []


@contextmanager
def made_aside(precision: str, units: int) -> Iterator[None]:
    """Have the code of an LSTM's training made while the block runs, if there is none yet.

    Whoever needs it inside the block waits for it by `wait`.

    Args:
        precision: dtype policy of the layer.
        units: width of its state.
    """
    form = making.form_of(precision, units)
    process = None if making.is_made(form) else _begin(form)
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
    if any(process.poll() is None for process in _making):
        njit(lambda: None)()  # loads what numba needs for any code, which takes a while too
    for process in _making:
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()


def _begin(form: str) -> "subprocess.Popen[bytes] | None":
    """Start the process; it says nothing, and where it fails this one makes the code itself."""
    # -P: files in the current directory must not pass for packages.
    command = [sys.executable, "-P", "-m", making.__name__, form]
    how: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    with suppress(OSError):
        return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": module_path()}, **how)
    return None
