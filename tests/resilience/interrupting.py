"""Ctrl-C, readers that leave, and streams that are closed or full."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.resilience.commands import COMMAND, environment
from tests.resilience.tally import Tally
from tests.resilience.workshop import Workshop

IDEA = "signals and pipes"
LEFT = 141  # as shells report SIGPIPE


def shell(line: str, *arguments: object) -> "subprocess.CompletedProcess[bytes]":
    """Run a line of bash, in which `s` is the command line and $1… the arguments."""
    quoted = " ".join(f"'{word}'" for word in COMMAND)
    text = f'set -o pipefail; s() {{ {quoted} "$@"; }}; {line}'
    command = ["bash", "-c", text, "bash", *map(str, arguments)]
    return subprocess.run(command, env=environment(), capture_output=True, check=False)


def quiet(done: "subprocess.CompletedProcess[bytes]", *statuses: int) -> str:
    """Say what was wrong with a command whose reader left."""
    told = done.stderr.decode(errors="replace")
    if done.returncode not in statuses or told:
        return f"status {done.returncode}: {told[-200:]}"
    return ""


def one_line(done: "subprocess.CompletedProcess[bytes]", *statuses: int) -> str:
    """Say what was wrong with a command that could not write."""
    lines = done.stderr.decode(errors="replace").splitlines()
    if done.returncode not in statuses or len(lines) > 1 or any("Traceback" in x for x in lines):
        return f"status {done.returncode}: {lines[-3:]}"
    return ""


PIPES = {
    "classify | head -1": ("s classify --model $1 --input $2 | head -1", (LEFT,)),
    "classify --format csv | head -1": (
        "s classify --model $1 --input $2 --format csv | head -1",
        (LEFT,),
    ),
    "yes | classify | head -3": ("yes good | s classify --model $1 | head -3", (LEFT,)),
    "classify | true": ("s classify --model $1 --input $2 | true", (LEFT,)),
    "explain | head -1": ("s explain --model $1 'a good film' --format html | head -1", (LEFT, 0)),
    "models | head -1": ("s models | head -1", (LEFT, 0)),
    "--help | head -1": ("s --help | head -1", (LEFT, 0, 1)),
}
CLOSED = {
    "classify, standard output closed": ("s classify --model $1 good >&-", (0, 1)),
    "classify, standard output full": ("s classify --model $1 good >/dev/full", (1,)),
    "classify, standard error closed": ("s classify --model $1 good 2>&-", (0,)),
    "classify to a file, standard error closed": (
        "s classify --model $1 --input $2 --output $3 2>&-",
        (0,),
    ),
    "classify to a file by its descriptor": (
        "s classify --model $1 --output /dev/stdout good | grep -q good",
        (0,),
    ),
    "classify, all three closed": ("s classify --model $1 good <&- >&- 2>&-", (0, 1)),
    "explain, standard output full": ("s explain --model $1 good >/dev/full", (1,)),
    "models, standard output full": ("s models >/dev/full", (1,)),
    "an error, standard error closed": ("s classify --model nowhere good 2>&-", (1,)),
}


def run(workshop: Workshop, *, times: int, trainings: int) -> Iterator[Tally]:
    """Send Ctrl-C to trainings, leave pipes and close streams."""
    many = workshop.root / "many.txt"
    many.write_text("a good film\n" * 50_000, "utf-8")
    output = workshop.root / "answers.txt"
    for name, lines, judged in (
        ("a reader that leaves", PIPES, quiet),
        ("streams closed or full", CLOSED, one_line),
    ):
        tally = Tally(IDEA, name)
        for case, (line, statuses) in lines.items():
            for _ in range(times):
                done = shell(line, workshop.bundle, many, output)
                tally.count(case, judged(done, *statuses))
        yield tally
    tally = Tally(IDEA, "Ctrl-C while training: saved, and said how to go on")
    for number in range(trainings):
        tally.count(str(number), interrupted(workshop, number))
    yield tally


def interrupted(workshop: Workshop, number: int) -> str:
    """Interrupt a training after some epochs, go on, and say what was wrong."""
    place = workshop.fresh("interrupted") / "run"
    asked = ["train", str(workshop.recipe), "--run-dir", str(place), "--set", "train.epochs=4000"]
    asked += ["--set", "train.patience=4000", "--set", "teach.ngrams=0"]
    before = ["preprocess", *asked[1:]]
    subprocess.run([*COMMAND, *before], env=environment(), capture_output=True, check=True)
    told = _until_epoch([*COMMAND, *asked], 2 + number % 5)
    if told[0] != 130 or "run the same command to go on" not in told[1]:
        return f"status {told[0]}: {told[1]}"
    if not list(Path(place, "train", "checkpoint").glob("*/step-*/manifest.json")):
        return "no checkpoint was saved"
    again = _until_epoch([*COMMAND, *asked], 1)
    epochs = [int(line.split()[1].rstrip(":")) for line in again[2] if line.startswith("epoch ")]
    return "" if epochs and epochs[0] >= 2 + number % 5 else f"it went on at epoch {epochs[:1]}"


def _until_epoch(command: list[str], count: int) -> tuple[int, str, list[str]]:
    """Run until so many epochs were told of, press Ctrl-C; return status, last line, all lines."""
    with subprocess.Popen(
        command, env=environment(), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        lines: list[str] = []
        for line in process.stderr:
            lines.append(line.rstrip())
            if sum(told.startswith("epoch ") for told in lines) == count:
                process.send_signal(signal.SIGINT)
                lines.extend(process.stderr.read().splitlines())
                break
        status = process.wait()
    return status, lines[-1] if lines else "", lines
