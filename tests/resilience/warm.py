"""A process that has imported what takes long, and runs each command in a fork of itself.

A command that trains takes some ten seconds to start and two to do its work: most of the time of
hundreds of them would go into imports. A fork begins where those have ended. Nothing of TensorFlow
has run by then, and `determinism` holds the weights of a fork against those of a process of its
own.
"""

import ctypes
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipelines.cli import main as command_line
from tests.resilience.commands import Ended, environment

HEAVY = (
    "tensorflow", "pipelines.evaluate_model", "pipelines.preprocess", "pipelines.pretrain",
    "pipelines.train", "sentiment_lstm.baseline", "sentiment_lstm.explain", "sentiment_lstm.export",
    "sentiment_lstm.fitting", "sentiment_lstm.plots", "sentiment_lstm.pretraining",
)  # fmt: skip


KILLED = -signal.SIGKILL  # the status of what was


class Started:
    """A command that runs in a fork."""

    def __init__(self, warm: "Warm", shown: Path, told: Path) -> None:
        self._warm, self._shown, self._told = warm, shown, told
        self.pid = int(warm.line())
        self._status: int | None = None

    def running(self) -> bool:
        """Tell whether it has not ended."""
        return self._status is None and not self._warm.says_something()

    def kill(self) -> None:
        """End it as the kernel would: SIGKILL."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> Ended:
        """Wait for its end; a status below 0 is the number of the signal that ended it."""
        if self._status is None:
            self._status = int(self._warm.line())
        shown, told = (p.read_text("utf-8", "backslashreplace") for p in (self._shown, self._told))
        return Ended(self._status, shown, told)


class Warm:
    """Starts one command after the other; the process ends when its owner does."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env=environment(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="2"),
        )
        self.line()  # all is imported

    def start(self, *arguments: Any, unprivileged: bool = False) -> Started:
        """Start a command; unprivileged, it is bound by permissions even where we are root."""
        shown, told = self._root / "shown", self._root / "told"
        asked = {"arguments": [*map(str, arguments)], "shown": str(shown), "told": str(told)}
        line = json.dumps(asked | {"unprivileged": unprivileged}) + "\n"
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode())
        return Started(self, shown, told)

    def run(self, *arguments: Any, **options: Any) -> Ended:
        """Run a command to its end."""
        return self.start(*arguments, **options).wait()

    def line(self) -> bytes:
        """Return the next line that the process says; for `Started` alone."""
        assert self._process.stdout is not None
        line: bytes = self._process.stdout.readline()
        assert line, "the process that runs commands has ended"
        return line

    def says_something(self) -> bool:
        """Tell whether a line waits."""
        return bool(select.select([self._process.stdout], [], [], 0)[0])

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def main() -> None:
    """Answer each line of standard input: the fork's number at once, its status at its end."""
    for name in HEAVY:
        importlib.import_module(name)
    _say("ready")
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _be(json.loads(line))
        _say(child)
        _say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _say(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def _be(asked: dict[str, Any]) -> None:
    """Be the command, and end with its status."""
    status: Any = 1
    try:
        _redirect(asked["shown"], asked["told"])
        if asked["unprivileged"]:
            _give_up_privileges()
        sys.argv[1:] = asked["arguments"]
        command_line()
    except SystemExit as end:
        status = end.code or 0
    except BaseException:  # as the interpreter would show it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _redirect(shown: str, told: str) -> None:
    """Have the three standard streams stand for nothing and for two files."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, name in ((1, shown), (2, told)):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666), number)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, errors="backslashreplace", closefd=False)  # noqa: SIM115


def _give_up_privileges() -> None:
    """Take all capabilities from this process (capset(2), version 3 of its header)."""
    libc = ctypes.CDLL(None, use_errno=True)
    header, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    if libc.capset(header, none):
        raise OSError(ctypes.get_errno(), "capset")


if __name__ == "__main__":
    main()
