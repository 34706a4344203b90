"""The command: `python -m tests.faithfulness MODEL`, MODEL as for `sentiment-lstm explain`."""

import os
from collections.abc import Sequence

import click
import numpy as np

from pipelines.config import load_section
from pipelines.terminal import terminal_progress
from sentiment_lstm.bundle import Bundle, read_bundle, resolve_model
from sentiment_lstm.datasets import open_dataset
from sentiment_lstm.text import Encoder
from tests.faithfulness.experiment import Ids, measured
from tests.faithfulness.methods import methods_of
from tests.faithfulness.table import render


@click.command()
@click.argument("model")
@click.option("--texts", default=500, show_default=True, help="Texts of the validation split.")
@click.option("--steps", default=50, show_default=True, help="Of integrated gradients.")
@click.option("--seed", default=0, show_default=True, help="Of the choice of texts, and of random.")
@click.option("--set", "overrides", multiple=True, metavar="data.KEY=VALUE", help="Where data are.")
def main(model: str, texts: int, steps: int, seed: int, overrides: Sequence[str]) -> None:
    """Print how faithful each method is to a model, and what it costs.

    Ctrl-C ends it early and prints what the texts so far have shown.
    """
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    bundle = read_bundle(resolve_model(model))
    chosen = validation_texts(bundle, texts, seed, overrides)
    shown = terminal_progress()(chosen, total=len(chosen), label="explain")
    outcome = measured(bundle, shown, methods_of(bundle, steps=steps, seed=seed))
    lengths = [len(ids) for ids in chosen[: min(len(o.sufficiency) for o in outcome.values())]]
    if not lengths:
        raise click.Abort
    click.echo(render(outcome))
    click.echo(f"\n{len(lengths)} texts, {np.mean(lengths):.0f} tokens on average, seed {seed}")


def validation_texts(
    bundle: Bundle, count: int, seed: int, overrides: Sequence[str] = ()
) -> list[Ids]:
    """Return the ids of texts drawn from the validation split that a model came with."""
    config = bundle.config
    dataset = open_dataset(load_section("data", config.data, overrides))
    encode = Encoder(bundle.vocabulary, config.max_tokens, config.head_tokens)
    encoded = [encode(example.text) for example in dataset.examples("validation")]
    readable = [ids for ids in encoded if len(ids)]
    order = np.random.default_rng(seed).permutation(len(readable))[:count]
    return [readable[i] for i in order]


if __name__ == "__main__":
    main()
