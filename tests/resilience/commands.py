"""The command line as a person has it: in this process for many cases, in its own for the rest."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

import pipelines
from pipelines.cli import cli

ROOT = Path(pipelines.__file__).parents[1]
TESTS = Path(__file__).parents[2]  # where `tests` is found, also where the packages are installed
COMMAND = (sys.executable, "-P", "-c", "from pipelines.cli import main; main()")
KEPT = ("KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL", "TF_FORCE_GPU_ALLOW_GROWTH")


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit status, what it printed, and the exception it let through."""

    status: int
    shown: str
    told: str
    escaped: BaseException | None = None

    def last(self) -> str:
        """Return the last line on standard error."""
        lines = self.told.splitlines()
        return lines[-1] if lines else ""


def within(*arguments: Any, stdin: bytes | None = None) -> Ended:
    """Run the command line in this process, and put back the environment that it sets."""
    before = {name: os.environ.get(name) for name in KEPT}
    try:
        result = CliRunner().invoke(cli, [str(a) for a in arguments], input=stdin)
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
    escaped = result.exception if not isinstance(result.exception, SystemExit) else None
    return Ended(result.exit_code, result.stdout, result.stderr, escaped)


def environment(**more: str) -> dict[str, str]:
    """Return this process's environment, with the packages and the tests findable from anywhere."""
    path = os.pathsep.join(filter(None, (str(ROOT), str(TESTS), os.environ.get("PYTHONPATH"))))
    return os.environ | {"PYTHONPATH": path} | more


def apart(*arguments: Any, **options: Any) -> Ended:
    """Run the command line as a process of its own."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        env=environment(),
        capture_output=True,
        check=False,
        **options,
    )
    shown, told = (
        stream.decode(errors="backslashreplace") for stream in (done.stdout, done.stderr)
    )
    return Ended(done.returncode, shown, told)


def refusal_fault(ended: Ended, *named: str) -> str:
    """Say what keeps an end from being a refusal: one line that names the thing, status 1.

    Args:
        ended: how the command ended.
        named: what the line has to name, one of them at least.
    """
    if ended.escaped is not None:
        return f"{type(ended.escaped).__name__} came through: {ended.escaped}"
    if ended.status != 1:
        return f"status {ended.status}: {ended.last() or ended.shown[:80]}"
    errors = [line for line in ended.told.splitlines() if not line.startswith("warning: ")]
    if len(errors) != 1 or not errors[0].startswith("error: "):
        return f"{len(errors)} lines on standard error: {ended.told[-200:]!r}"
    if ended.shown:
        return f"answers in spite of it: {ended.shown[:80]!r}"
    if named and not any(name in errors[0] for name in named):
        return f"names none of {named}: {errors[0]}"
    return ""
