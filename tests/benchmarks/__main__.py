"""The command: `python -m tests.benchmarks [SECTION]...`; see `--help`."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

import click

from sentiment_lstm.settings import PRECISIONS
from tests.benchmarks.machine import Gemm, describe_machine
from tests.benchmarks.options import TINY, Options
from tests.benchmarks.table import LEGEND, Row, render

SECTIONS = (
    "layer", "half", "epoch", "profile", "inference", "start", "preprocess", "memory", "growth",
    "accuracy",
)  # fmt: skip
LONG = ("accuracy",)  # run where they are named

ENVIRONMENT = {
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


@click.command()
@click.argument("sections", nargs=-1, type=click.Choice(SECTIONS), metavar="[SECTION]...")
@click.option("--tiny", is_flag=True, help="Small cases, to see that everything runs.")
@click.option("--source", type=click.Choice(["imdb", "demo"]), help="Where the texts come from.")
@click.option("--seconds", type=float, help="layer: time for each case and pass, at least.")
@click.option("--rounds", type=int, help="Rounds at least.")
@click.option("--units", type=int, multiple=True, help="epoch, inference: sizes of models.")
@click.option("--steps", type=int, help="epoch: steps timed of each; 0 is whole epochs.")
@click.option("--times", type=int, help="epoch: how often whole epochs are timed.")
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    help="epoch, inference, accuracy: of our LSTM; peers take their faster.",
)
@click.option("--epochs", type=int, help="accuracy: epochs.")
@click.option("--seeds", type=int, help="accuracy: trainings of each, from other weights.")
@click.option("--reviews", type=int, help="inference: test reviews; 0 is all 25,000.")
@click.option("--singles", type=int, help="inference: single texts timed.")
@click.option("--texts", type=int, help="preprocess, memory: texts; 0 is all 100,000.")
@click.option("--cap", type=int, help="growth: most texts, up to a million.")
def main(sections: Sequence[str], tiny: bool, **given: Any) -> None:
    """Measure the package beside its peers and print one table of ratios.

    SECTIONs are layer, half, epoch, profile, inference, start, preprocess, memory and growth, which
    run by default, and accuracy, which takes half an hour.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    changes = {name: value for name, value in given.items() if value not in (None, ())}
    options = replace(TINY if tiny else Options(), **changes)
    gemm, machine = Gemm(options.gemm), describe_machine()
    usual = [name for name in SECTIONS if name not in LONG]
    rows = list(_rows(sections or usual, options, gemm))
    click.echo("\n\n".join(["\n".join([machine, gemm.describe()]), render(rows), LEGEND]))


def _rows(sections: Sequence[str], options: Options, gemm: Gemm) -> Iterator[Row]:
    """Yield every section's rows, telling of each on standard error as it comes."""
    gemm()
    for name in sections:
        for row in import_module(f"tests.benchmarks.{name}").run(options, gemm):
            click.echo(" | ".join(row.cells()), err=True)
            yield row
        gemm()


if __name__ == "__main__":
    main()
