"""Two commands on one run directory: one works, the other leaves and names it."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from sentiment_lstm.bundle import read_bundle
from sentiment_lstm.errors import BundleError
from tests.resilience.commands import COMMAND, Ended, apart, environment, refusal_fault
from tests.resilience.tally import Tally
from tests.resilience.workshop import Workshop

IDEA = "two at once"
TEXTS = 16_000  # enough that the second comes while the first works, on a busy machine too


def started(directory: Path) -> "subprocess.Popen[bytes]":
    """Start a stage that takes a while."""
    command = [*COMMAND, "preprocess", "quickstart", "--run-dir", str(directory)]
    command += ["--set", f"data.size={TEXTS}"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=environment(), **pipes)  # type: ignore[call-overload,no-any-return]


def ended(process: "subprocess.Popen[bytes]") -> Ended:
    """Wait for a command."""
    shown, told = (stream.decode(errors="backslashreplace") for stream in process.communicate())
    return Ended(process.returncode, shown, told)


def contest(directory: Path) -> str:
    """Start two commands at the same moment, and say what was wrong with how they went."""
    both = [started(directory) for _ in range(2)]
    ends = [ended(process) for process in both]
    won = [n for n in (0, 1) if ends[n].status == 0]
    if len(won) != 1:
        return f"{len(won)} of two worked: {ends[0].last()} / {ends[1].last()}"
    fault = refusal_fault(ends[1 - won[0]], f"in use by process {both[won[0]].pid} on ")
    return fault or whole(directory)


def whole(directory: Path) -> str:
    """Say what is missing of what the stage makes."""
    summary = json.loads((directory / "preprocess" / "summary.json").read_bytes())
    made = summary["splits"]["train"]["texts"]
    left = [path.name for path in directory.glob(".*.tmp")]
    return "" if made == TEXTS and not left else f"{made} texts, left over {left}"


def stale(directory: Path) -> str:
    """Kill a command in its work; the next one is not kept out by what it left."""
    victim = started(directory)
    lock = directory / ".lock"
    while victim.poll() is None and not (lock.exists() and lock.read_bytes()):
        time.sleep(0.01)
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    if str(victim.pid) not in lock.read_text("utf-8"):
        return "it had ended before it was killed"
    after = apart("preprocess", "quickstart", "--run-dir", directory, "--set", f"data.size={TEXTS}")
    return f"status {after.status}: {after.last()}" if after.status else whole(directory)


REPLACING = """
import sys
from pathlib import Path
from sentiment_lstm.bundle import update_card
for number in range(int(sys.argv[2])):
    update_card(Path(sys.argv[1]), f"# {number}")
"""


def read_while_replaced(workshop: Workshop, times: int) -> Tally:
    """Read a model again and again while another process replaces it so many times."""
    tally = Tally(IDEA, "a model read while it is replaced")
    model = workshop.new_bundle("replaced")
    command = [sys.executable, "-P", "-c", REPLACING, str(model), str(times)]
    with subprocess.Popen(command, env=environment()) as writer:
        while writer.poll() is None:
            try:
                read_bundle(model)
                tally.count(str(tally.tried), "")
            except BundleError as error:
                tally.count(str(tally.tried), str(error))
    tally.count("the writer", f"status {writer.returncode}" if writer.returncode else "")
    return tally


def run(workshop: Workshop, *, times: int) -> Iterator[Tally]:
    """Have two commands meet, and one be killed, so many times."""
    for name, attempt in (("two commands, one works", contest), ("a stale lock", stale)):
        tally = Tally(IDEA, name)
        for number in range(times):
            tally.count(str(number), attempt(workshop.fresh("at-once") / "run"))
        yield tally
    yield read_while_replaced(workshop, 10 * times)
