"""How a model decides, chosen on labelled texts: what a bundle's configuration and card then state.

>>> from sentiment_lstm.deciding import Wish, decide  # doctest: +SKIP
>>> decide(config, logits, targets, Wish(aim="recall=0.95")).config.threshold  # doctest: +SKIP
0.3174
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sentiment_lstm.bundle import read_card, rewrite_bundle
from sentiment_lstm.bundle_config import BundleConfig, why_not_abstain
from sentiment_lstm.calibration import probabilities
from sentiment_lstm.card import with_decision
from sentiment_lstm.decisions import (
    Aim,
    Band,
    Cut,
    band_at,
    best_threshold,
    cut_at,
    narrowest_band,
    parse_aim,
)
from sentiment_lstm.errors import SettingsError
from sentiment_lstm.metrics import margins, verdicts

FIGURES = ("accuracy", "f1", "precision", "recall")


@dataclass(frozen=True)
class Wish:
    """What is wanted of a model's verdicts.

    Attributes:
        aim: what the threshold is chosen for, as `parse_aim` reads it; None leaves it as it is.
            Of two labels only.
        abstain: margin below which texts are left undecided; by default every text is decided.
        accuracy: in its place, share of the decided texts that is to be right; the narrowest
            margin that reaches it is taken.
    """

    aim: str | None = None
    abstain: float = 0.0
    accuracy: float | None = None


@dataclass(frozen=True)
class Decision:
    """How a model is to decide, and what that does with the texts that it was chosen on.

    Attributes:
        config: the model's configuration with the threshold and the margin in it.
        aim: what the threshold was chosen for; None where it stayed.
        cut: the threshold's counts, every text decided; None with more than two labels.
        half: those of the threshold 0.5, likewise.
        band: what the margin leaves undecided, and how right the rest is.
    """

    config: BundleConfig
    aim: Aim | None
    cut: Cut | None
    half: Cut | None
    band: Band


def decide(config: BundleConfig, logits: ArrayLike, targets: ArrayLike, wish: Wish) -> Decision:
    """Choose how a model decides.

    Args:
        config: of the model.
        logits: its outputs before temperature, `(n,)` for two labels or `(n, labels)`.
        targets: `(n,)` number of each text's label.
        wish: what is wanted.

    Raises:
        SettingsError: as `check_wish`; for an aim or an accuracy that is out of reach.
        DataError: without texts, or without one of the second label where the aim needs some.
    """
    aim = check_wish(config.task, config.labels, wish)
    p, y = probabilities(logits, config.temperature), np.asarray(targets, np.int64)
    cut = half = None
    if len(config.labels) == 2:
        half = cut_at(p[:, 1], y, 0.5)
        cut = best_threshold(p[:, 1], y, aim) if aim else cut_at(p[:, 1], y, config.threshold)
        config = replace(config, threshold=cut.threshold)
    band = _band(config, p, y, wish)
    return Decision(replace(config, abstain=band.abstain), aim, cut, half, band)


def check_wish(task: str, labels: tuple[str, ...], wish: Wish) -> Aim | None:
    """Return the aim of a wish that a model of such a task and such labels can have.

    Raises:
        SettingsError: for a regression, an aim that is none, an aim without two labels, a margin
            outside [0, 0.5), or one with a label "unsure".
    """
    if task == "regression":
        raise SettingsError("the model gives a number, not a label: there is nothing to decide")
    aim = None if wish.aim is None else parse_aim(wish.aim)
    if aim and len(labels) != 2:
        raise SettingsError(
            f"the aim is {aim}, but the model has {len(labels)} labels: leave it out, a threshold "
            "decides between two"
        )
    some = wish.abstain if wish.accuracy is None else 0.25  # whether it may have any margin
    if why := why_not_abstain(task, labels, some):
        raise SettingsError(f"abstain is {some}: {why}")
    return aim


def _band(config: BundleConfig, p: Any, y: Any, wish: Wish) -> Band:
    each = margins(p, config.threshold)
    correct = verdicts(p, config.threshold) == y
    if wish.accuracy is not None:
        return narrowest_band(each, correct, wish.accuracy)
    return band_at(each, correct, wish.abstain)


def write_decision(directory: Path, target: Path, decision: Decision, chosen_on: str) -> None:
    """Write a model anew, whole or not at all, that decides so and whose card says so.

    Args:
        directory: the model that the decision was made for.
        target: where it goes; `directory` itself, a new directory, or one with a bundle.
        decision: what `decide` returned.
        chosen_on: which texts it was chosen on, for the card.

    Raises:
        BundleError: if the model is not sound as it stands, or `target` holds other files.
    """
    told = {"chosen on": f"{chosen_on}, {decision.band.texts} texts", **dict(_stated(decision))}
    card = with_decision(read_card(directory), told)
    rewrite_bundle(directory, target, decision.config, card)


def _stated(decision: Decision) -> Iterator[tuple[str, Any]]:
    if decision.aim:
        yield "aim", str(decision.aim)
    if decision.cut:
        yield "threshold", decision.cut.threshold
        yield from ((name, decision.cut.figure(name)) for name in FIGURES)
    band = decision.band
    if band.abstain:
        yield from (("abstain", band.abstain), ("coverage", band.coverage))
        yield "accuracy of the decided", band.accuracy
