"""The command: `python -m tests.ladder [RUNG]...`; see `--help`."""

from collections.abc import Sequence
from pathlib import Path

import click

from tests.ladder.kept import KEPT, keep, read
from tests.ladder.rungs import ladder
from tests.ladder.table import render
from tests.ladder.training import trained

RUNGS = {rung.name: rung for rung in ladder()}


@click.command()
@click.argument("rungs", nargs=-1, type=click.Choice(list(RUNGS)), metavar="[RUNG]...")
@click.option("--seeds", default=3, show_default=True, help="Trainings of each rung.")
@click.option("--epochs", default=2, show_default=True, help="Of each training.")
@click.option(
    "--runs",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("runs/ladder"),
    show_default=True,
    help="Where the run directories are.",
)
@click.option(
    "--kept",
    type=click.Path(dir_okay=False, path_type=Path),
    default=KEPT,
    help="File of what was found; what it holds is not trained again.  [default: beside this one]",
)
@click.option("--set", "overrides", multiple=True, metavar="SECTION.KEY=VALUE")
def main(
    rungs: Sequence[str], seeds: int, epochs: int, runs: Path, kept: Path, overrides: Sequence[str]
) -> None:
    """Train RUNGs that were not trained yet, and print the table of those of as many epochs.

    RUNGs are scratch, pretrained, schedule, adversarial, virtual and distilled; the table
    alone without any. The first seed of each comes first. Stopped, it goes on where it was
    when it is run again.
    """
    for seed in range(seeds):
        for name in rungs:
            results = read(kept)
            if not any((r.rung, r.seed, r.epochs) == (name, seed, epochs) for r in results):
                keep([*results, trained(RUNGS[name], seed, epochs, runs, overrides)], kept)
    alike = [result for result in read(kept) if result.epochs == epochs]
    click.echo("\n".join(render(list(RUNGS.values()), alike)))


if __name__ == "__main__":
    main()
