"""The command: `python -m tests.resilience [IDEA]...`; see `--help`."""

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import click

from sentiment_lstm.settings import BACKENDS
from tests.resilience import (
    at_once,
    damage,
    determinism,
    disk,
    hostile,
    interrupting,
    killed,
    network,
    rows,
    texts,
)
from tests.resilience.tally import Tally, table
from tests.resilience.workshop import Workshop

IDEAS: dict[str, Callable[[Workshop], Iterator[Tally]]] = {
    "damage": partial(damage.run, cuts=20, flips=200),
    "hostile": hostile.run,
    "texts": partial(texts.run, count=10_000, heavy=True),
    "rows": partial(rows.run, bad=2_000),
    "at-once": partial(at_once.run, times=20),
    "signals": partial(interrupting.run, times=20, trainings=20),
    "killed": partial(killed.run, trained=50, writing=20, others=20),
    "disk": partial(disk.run, sizes=disk.SIZES),
    "determinism": partial(
        determinism.run, backends=BACKENDS, stages=("train", "pretrain"), texts=1_000
    ),
    "network": partial(network.run, heavy=True),
}
SHOWN = 10  # losses that are told of each line


@click.command()
@click.argument("ideas", nargs=-1, type=click.Choice(list(IDEAS)), metavar="[IDEA]...")
def main(ideas: Sequence[str]) -> None:
    """Try what the package promises of faults, and print one table of what survived.

    IDEAs are damage, hostile, texts, rows, at-once, signals, killed, disk, determinism and network;
    all of them by default, which takes hours. What was lost is told on standard error, case by
    case.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it
    started, tallies = time.monotonic(), []
    with (
        tempfile.TemporaryDirectory() as directory,
        closing(Workshop(Path(directory))) as workshop,
    ):
        for name in ideas or IDEAS:
            for tally in IDEAS[name](workshop):
                tallies.append(tally)
                click.echo(
                    f"{tally.idea}, {tally.name}: {tally.survived} of {tally.tried}", err=True
                )
                click.echo(
                    "".join(f"  lost: {x}\n" for x in tally.lost[:SHOWN]), err=True, nl=False
                )
    click.echo("\n".join(table(tallies)))
    minutes, load = (time.monotonic() - started) / 60, os.getloadavg()[2]
    click.echo(f"\nIn {minutes:.0f} minutes on {os.cpu_count()} cores under a load of {load:.1f}.")


if __name__ == "__main__":
    main()
