"""The command: `python -m tests.distributed [IDEA]...`; see `--help`."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from tests.distributed.clusters import bearing_a_token, running_cluster
from tests.resilience.tally import Tally, table

IDEAS = ("alike", "as-one", "training", "answers", "speed", "scaling")


@click.command()
@click.argument("ideas", nargs=-1, type=click.Choice(IDEAS), metavar="[IDEA]...")
@click.option("--runs", default=20, show_default=True, help="alike: trainings.")
@click.option("--kills", default=10, show_default=True, help="training, answers: of each kind.")
@click.option("--texts", default=1_000_000, show_default=True, help="speed: texts.")
@click.option("--rounds", default=3, show_default=True, help="speed: of each engine, in turn.")
@click.option("--model", default="imdb-tiny", show_default=True, help="answers, speed: the model.")
def main(ideas: Sequence[str], **counts: int | str) -> None:
    """Try what a cluster promises, and print one table of what was kept.

    IDEAs are alike (two workers end with one set of weights), as-one (their losses are those of one
    process), training and answers (workers and commands killed), speed and scaling; all of them by
    default. What was not as promised is told on standard error, case by case.
    """
    tallies = []
    with tempfile.TemporaryDirectory() as directory, bearing_a_token():
        for idea in ideas or IDEAS:
            root = Path(directory) / idea
            root.mkdir()
            for tally in _tried(idea, root, counts):
                tallies.append(tally)
                click.echo(f"{tally.name}: {tally.survived} of {tally.tried}", err=True)
                click.echo("".join(f"  lost: {x}\n" for x in tally.lost), err=True, nl=False)
    click.echo("\n".join(table(tallies)))


def _tried(idea: str, root: Path, counts: dict[str, int | str]) -> Iterator[Tally]:
    from tests.distributed import answers, speed, trainings

    runs, kills, texts, rounds = (int(counts[k]) for k in ("runs", "kills", "texts", "rounds"))
    model = str(counts["model"])
    with running_cluster() as two:
        if idea == "alike":
            yield from trainings.alike(root, two, runs)
        elif idea == "as-one":
            yield from trainings.as_one(root, two, 3)
        elif idea == "training":
            yield from trainings.killed(root, two, kills)
        elif idea == "answers":
            yield from answers.killed(root, two, model, kills)
        elif idea == "speed":
            yield from speed.classified(root, two, model, texts, rounds)
    if idea == "scaling":
        yield from _scaled(root)


def _scaled(root: Path) -> Iterator[Tally]:
    from tests.distributed import speed

    with running_cluster(1) as one, running_cluster(2) as two:
        yield from speed.trained(root, one, two)


if __name__ == "__main__":
    main()
