"""What a command changes on purpose in what a stage has left: the stage's record goes with it.

A stage is out of date when one of its outputs is not as its record says. A command that changes an
output therefore first writes the record that will be true beside the one that is, then changes the
output; `settle` puts the later record in force if it tells of what is there, and removes it if not.
So whenever the command is killed, one record is true, and the next command finds it.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pipelines.rundir import RunDirectory
from pipelines.stamp import digests, output_changes, read_stamp, write_stamp
from sentiment_lstm.atomic import recover

AMENDED = "train"  # the one stage whose outputs a command changes


@contextmanager
def amending(run: RunDirectory, output: Path, content: bytes) -> Iterator[None]:
    """Have the record of training tell that one of its outputs holds `content`, once it does.

    Args:
        run: the run directory, which the caller has locked.
        output: the file that changes meanwhile.
        content: what it will hold.
    """
    settle(run)
    recorded = read_stamp(run.stamp(AMENDED))
    if recorded is not None:
        name = output.relative_to(run.path).as_posix()
        outputs = recorded.outputs | {name: hashlib.sha256(content).hexdigest()}
        write_stamp(run.amended_stamp(AMENDED), replace(recorded, outputs=outputs))
    try:
        yield
    finally:
        settle(run)


def settle(run: RunDirectory) -> None:
    """End what a killed command began: see the module."""
    later = run.amended_stamp(AMENDED)
    recorded = read_stamp(later)
    if recorded is None:
        later.unlink(missing_ok=True)
        return
    recover(run.bundle)
    there = digests(run.path, (run.path / name for name in recorded.outputs))
    if any(output_changes(recorded.outputs, there)):
        later.unlink()
    else:
        later.replace(run.stamp(AMENDED))
