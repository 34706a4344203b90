"""Processes of their own: how long one takes and how much memory it comes to hold."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLI = (sys.executable, "-m", "pipelines")

# A small process starts the command: the kernel counts what a process was before it became another
# program as its own memory, so a child of this large one would look at least as large.
LAUNCHER = """
import json, resource, subprocess, sys, time
started = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
seconds = time.perf_counter() - started
kilobytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
error = done.stderr.decode(errors="replace")[-2000:] if done.returncode else ""
print(json.dumps([seconds, kilobytes, error]))
"""


@dataclass(frozen=True)
class Ended:
    """What became of a process: wall time, and the most memory that it or a child of it held."""

    seconds: float
    megabytes: float


def run_child(command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> Ended:
    """Run a command to its end.

    Raises:
        RuntimeError: it failed.
    """
    output = subprocess.run(
        [sys.executable, "-S", "-c", LAUNCHER, *map(str, command)],
        env=_environment() | dict(environment or {}),
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    seconds, kilobytes, error = json.loads(output)
    if error:
        raise RuntimeError(f"{' '.join(map(str, command))[:200]}: {error}")
    return Ended(seconds, kilobytes * 1024 / 1e6)


def _environment() -> dict[str, str]:
    """Return this process's environment for a command of this checkout.

    What is installed has its bytecode beside it, so a checkout may write it down as well.
    """
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
