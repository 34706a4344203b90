"""The command: `python -m tests.behaviour MODEL`, MODEL as for `sentiment-lstm classify`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from pipelines.json_lines import json_lines
from sentiment_lstm.bundle import CARD, resolve_model, update_card
from sentiment_lstm.card import with_figures
from sentiment_lstm.classifier import SentimentClassifier
from tests.behaviour.judge import (
    Probabilities,
    both_sides_right,
    failure_rate,
    sentence_accuracy,
)
from tests.behaviour.pairs import asked_sentences, development_pairs, flip_pairs
from tests.behaviour.suite import CAPABILITIES


@click.command()
@click.argument("model", required=False)
@click.option("--run", type=Path, help="Also ask one sentence of each validation text of a run.")
@click.option("--card", is_flag=True, help="Also state the figures in the model's card.")
@click.option("--development", is_flag=True, help="Show what goes wrong of other pairs instead.")
@click.option("--sentences", is_flag=True, help="Print every sentence that is asked for instead.")
def main(
    model: str | None, run: Path | None, card: bool, development: bool, sentences: bool
) -> None:
    """Print how a model of two labels behaves: failures per capability, pairs right."""
    if sentences:
        click.echo("\n".join(asked_sentences()))
        return
    if model is None:
        raise click.UsageError("give a MODEL, or --sentences")
    classifier = SentimentClassifier.load(model)

    def probabilities(texts: Sequence[str]) -> list[float]:
        return [answer.probability for answer in classifier.classify(texts)]

    if development:
        _show(probabilities)
        return
    click.echo("| capability | checks | failed |\n| --- | --- | --- |")
    figures = {}
    for name, checks in CAPABILITIES.items():
        rate = figures[f"{name} failed"] = failure_rate(checks(), probabilities)
        click.echo(f"| {name} | {len(list(checks()))} | {rate:.1%} |")
    pairs = flip_pairs()
    right = both_sides_right(pairs, probabilities)
    figures["pairs right on both sides"] = right
    click.echo(f"\npairs right on both sides: {right:.1%} of {len(pairs)}")
    if run is not None:
        texts = list(json_lines(run / "preprocess" / "validation.texts.jsonl"))
        labels = np.load(run / "preprocess" / "validation.targets.npy") == 1
        right = sentence_accuracy(texts, list(labels), probabilities)
        figures["labels told by one sentence"] = right
        click.echo(f"labels of whole texts told by one sentence: {right:.1%} of {len(texts):,}")
    if card:
        state(resolve_model(model), {"behaviour": figures})


def _show(probabilities: Probabilities) -> None:
    """Print which development pairs are right by heading, and the wrong ones with their answers."""
    for name, pairs in development_pairs().items():
        right = both_sides_right(pairs, probabilities)
        click.echo(f"{name}: {right:.1%} of {len(pairs)}")
        for pair in pairs:
            good, bad = probabilities(pair)
            if not good >= 0.5 > bad:
                click.echo(f"  {good:.2f} {pair.positive}\n  {bad:.2f} {pair.negative}")


def state(directory: Path, figures: Mapping[str, Any]) -> None:
    """Add figures to the card of a model."""
    update_card(directory, with_figures((directory / CARD).read_text("utf-8"), figures))


if __name__ == "__main__":
    main()
