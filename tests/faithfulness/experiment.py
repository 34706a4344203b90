"""How much of a verdict goes with the words that a method ranks first, and what ranking costs."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from sentiment_lstm.bundle import Bundle
from sentiment_lstm.explained_output import explained_output
from sentiment_lstm.inference import Network
from sentiment_lstm.predictions import Answers
from tests.faithfulness.deletion import BINS, Ids, Scores, variants
from tests.faithfulness.methods import Method


@dataclass
class Outcome:
    """One method's figures, an entry a text.

    Attributes:
        comprehensiveness: P(verdict) less that without the rationale, mean over bins; more is
            better.
        sufficiency: P(verdict) less that of the rationale alone, mean over bins; less is better.
        seconds: that the ranking took.
    """

    comprehensiveness: list[float] = field(default_factory=list)
    sufficiency: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def measured(
    bundle: Bundle, texts: Iterable[Ids], methods: Mapping[str, Method]
) -> dict[str, Outcome]:
    """Return the outcome of each method; what it explains is the model's own verdict.

    Ctrl-C ends it early: of the texts so far, the last of which some methods may not have seen.
    """
    outcomes = {name: Outcome() for name in methods}
    with suppress(KeyboardInterrupt):
        _measure(bundle, texts, methods, outcomes)
    return outcomes


def _measure(
    bundle: Bundle,
    texts: Iterable[Ids],
    methods: Mapping[str, Method],
    outcomes: Mapping[str, Outcome],
) -> None:
    network, answers = Network(bundle.config, bundle.weights), Answers(bundle.config)
    for number, ids in enumerate(texts):
        (answer,) = answers(network.logits([ids]))
        output = explained_output(bundle.config, answer.label)
        for name, method in methods.items():
            if not number:
                method(ids, output)  # what is compiled at the first call is not the method's cost
            started = perf_counter()
            scores = method(ids, output)
            outcomes[name].seconds.append(perf_counter() - started)
            removed, kept = falls(network, ids, scores, output.probabilities)
            outcomes[name].comprehensiveness.append(removed)
            outcomes[name].sufficiency.append(kept)


def falls(
    network: Network, ids: Ids, scores: Scores, probabilities: Callable[[Scores], Scores]
) -> tuple[float, float]:
    """Return comprehensiveness and sufficiency of one ranking."""
    removed, kept = variants(ids, scores)
    whole, *others = probabilities(network.logits([ids, *removed, *kept]))
    falls = whole - np.array(others)
    return float(falls[: len(BINS)].mean()), float(falls[len(BINS) :].mean())
