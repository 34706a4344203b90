"""A stage in a process of its own, for a Keras backend that this process can no longer take.

Keras reads `KERAS_BACKEND` once, when it is first imported, and `import tensorflow` imports it. The
parent waits; the child prints on its standard error, and on its standard output one line of JSON
if it fails or stops. It inherits the descriptor of the run directory's lock, and ends when its
parent does.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from pipelines.rundir import RunDirectory, RunError
from sentiment_lstm.errors import Paused
from sentiment_lstm.module_path import module_path

log = logging.getLogger(__name__)

PAUSED = 75  # as sysexits.h has it: a temporary failure, to be tried again


def needs_own_process(backend: str) -> bool:
    """Tell whether this process is already bound to another backend than `backend`."""
    keras = sys.modules.get("keras")
    if keras is not None:
        return bool(keras.config.backend() != backend)
    return "tensorflow" in sys.modules and backend != "tensorflow"


def choose_backend(backend: str) -> None:
    """Make `backend` the one that Keras takes when it is imported in this process."""
    os.environ["KERAS_BACKEND"] = backend


def run_in_own_process(
    stage: str, run: RunDirectory, backend: str, lock: int, max_minutes: float | None = None
) -> None:
    """Execute a stage of the recipe in `run` in a new process under `backend`.

    Raises:
        RunError: with the line the stage failed with.
        Paused: if it can, after so many minutes.
    """
    # -P: files in the current directory must not pass for packages.
    command = [sys.executable, "-P", "-m", __name__, stage, str(run.path.resolve())]
    command += [] if max_minutes is None else [str(max_minutes)]
    log.info("%s: in a process of its own, under the Keras backend %s", stage, backend)
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=_environment(backend),
        pass_fds=(lock,),
    ) as child:
        last = _last_line(child)
    if child.returncode == 128 + signal.SIGINT:
        raise KeyboardInterrupt(_said(last, "interrupted"))
    if child.returncode == PAUSED:
        raise Paused(_said(last, "paused"))
    if child.returncode != 0:
        unsaid = f"{stage} ended with status {child.returncode}: see {run.log}"
        raise RunError(_said(last, "error") or unsaid)


def _environment(backend: str) -> dict[str, str]:
    """Return this process's environment, with its module search path spelled out."""
    return os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": module_path()}


def _last_line(child: subprocess.Popen[bytes]) -> bytes:
    """Wait for the child to end by itself, on a first Ctrl-C too: it reaches the child as well.

    A training then saves where it stands, and the child's last line says so.
    """
    assert child.stdout is not None
    try:
        lines = child.stdout.read().splitlines()
        child.wait()
    except KeyboardInterrupt:
        lines = child.stdout.read().splitlines()
        child.wait()
        raise KeyboardInterrupt(_said(lines[-1] if lines else b"", "interrupted")) from None
    return lines[-1] if lines else b""


def _said(line: bytes, key: str) -> str:
    try:
        return str(json.loads(line)[key])
    except (ValueError, LookupError, TypeError):
        return ""


def main(stage: str, directory: str, max_minutes: str = "") -> int:
    """Be the child: execute one stage and return the exit status."""
    from pipelines.config import load_recipe
    from pipelines.logs import handled, log_file, native_messages_in
    from pipelines.stages import stage_named
    from pipelines.terminal import MessageHandler, terminal_progress
    from sentiment_lstm.errors import SentimentError, system_message

    threading.Thread(target=_end_with_parent, daemon=True).start()
    run = RunDirectory(Path(directory))
    try:
        with (
            handled(log_file(run.log)),
            handled(MessageHandler()),
            native_messages_in(run.log),
        ):
            recipe = load_recipe(str(run.recipe))
            minutes = float(max_minutes) if max_minutes else None
            stage_named(stage).execute(recipe, run, terminal_progress(), minutes)
    except Paused as paused:
        print(json.dumps({"paused": str(paused)}), flush=True)  # noqa: T201 - as below
        return PAUSED
    except SentimentError as error:
        print(json.dumps({"error": str(error)}), flush=True)  # noqa: T201 - read by the parent
        return 1
    except OSError as error:
        print(json.dumps({"error": system_message(error)}), flush=True)  # noqa: T201 - likewise
        return 1
    except KeyboardInterrupt as stop:
        print(json.dumps({"interrupted": str(stop)}), flush=True)  # noqa: T201 - likewise
        return 128 + signal.SIGINT
    return 0


def _end_with_parent() -> None:
    """Wait for standard input to end, which it does when the parent is gone, however it went."""
    while os.read(0, 1):  # not sys.stdin, which the interpreter wants to itself at its end
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
