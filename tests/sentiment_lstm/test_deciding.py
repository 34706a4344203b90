"""A model's decision, chosen on its outputs and written into its bundle and its card."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, recall_score

from sentiment_lstm.bundle import read_bundle, read_card
from sentiment_lstm.bundle_config import BundleConfig
from sentiment_lstm.card import decision_of
from sentiment_lstm.deciding import Wish, check_wish, decide, write_decision
from sentiment_lstm.errors import SettingsError
from sentiment_lstm.predictions import Answers

TWO = BundleConfig(labels=("no", "yes"), temperature=1.7, threshold=0.4, abstain=0.1)
THREE = BundleConfig(labels=("a", "b", "c"), temperature=0.8)


def outputs(config, n=150):
    """Return logits that lean to the targets, and these."""
    random = np.random.default_rng(n)
    targets = random.integers(len(config.labels), size=n)
    z = random.normal(0, 1.3, (n, config.outputs))
    z += 3 * targets[:, None] - 1.5 if config.outputs == 1 else 2 * np.eye(3)[targets]
    return z.astype(np.float32), targets


def answered(config, logits, targets):
    """Return the verdicts of `Answers` as numbers, -1 for unsure."""
    numbers = {label: n for n, label in enumerate(config.labels)} | {"unsure": -1}
    return np.array([numbers[answer.label] for answer in Answers(config)(logits)])


def test_a_model_answers_as_was_decided():
    logits, targets = outputs(TWO)
    decision = decide(TWO, logits, targets, Wish("recall=0.9", accuracy=0.95))
    given = answered(decision.config, logits, targets)
    sure = given >= 0
    assert accuracy_score(targets[sure], given[sure]) == pytest.approx(decision.band.accuracy)
    assert decision.band.accuracy >= 0.95
    assert decision.band.coverage == pytest.approx(sure.mean())
    assert 0.3 < sure.mean() < 1
    whole = answered(replace(decision.config, abstain=0.0), logits, targets)
    assert decision.cut.figure("recall") == pytest.approx(recall_score(targets, whole))
    assert decision.cut.figure("recall") >= 0.9
    half = answered(replace(TWO, abstain=0.0, threshold=0.5), logits, targets)
    assert decision.half.figure("accuracy") == pytest.approx(accuracy_score(targets, half))
    left = {"threshold": TWO.threshold, "abstain": TWO.abstain}
    assert replace(decision.config, **left) == TWO


def test_the_threshold_stays_without_an_aim_and_the_margin_goes_without_one():
    logits, targets = outputs(TWO)
    assert decide(TWO, logits, targets, Wish(abstain=0.2)).config == replace(TWO, abstain=0.2)
    assert decide(TWO, logits, targets, Wish("f1")).config.abstain == 0.0


def test_of_many_labels_the_margin_alone_is_decided():
    logits, targets = outputs(THREE)
    decision = decide(THREE, logits, targets, Wish(accuracy=0.9))
    given = answered(decision.config, logits, targets)
    sure = given >= 0
    assert decision.cut is decision.half is None
    assert accuracy_score(targets[sure], given[sure]) == pytest.approx(decision.band.accuracy)
    assert 0.9 <= decision.band.accuracy < 1
    assert sure.sum() == decision.band.decided < len(targets)


@pytest.mark.parametrize(
    ("config", "wish", "part"),
    [
        (THREE, Wish("f1"), "the aim is f1, but the model has 3 labels"),
        (BundleConfig(task="regression"), Wish("f1"), "nothing to decide"),
        (TWO, Wish("f-1"), "did you mean 'f1'"),
        (TWO, Wish(abstain=0.5), r"abstain is 0\.5: give a margin"),
        (BundleConfig(labels=("sure", "unsure")), Wish(accuracy=0.9), "a label 'unsure'"),
    ],
)
def test_what_cannot_be_decided_is_refused(config, wish, part):
    with pytest.raises(SettingsError, match=part):
        check_wish(config.task, config.labels, wish)
    with pytest.raises(SettingsError, match=part):
        decide(config, [0.5], [1], wish)


def test_a_decision_is_written_into_the_model_and_its_card(make_bundle):
    directory = make_bundle(threshold=0.4)
    config = read_bundle(directory).config
    logits, targets = outputs(config)
    decision = decide(config, logits, targets, Wish("precision=0.8", abstain=0.125))
    write_decision(directory, directory, decision, "validation")
    assert read_bundle(directory).config == decision.config
    assert decision_of(read_card(directory)) == {
        "chosen on": "validation, 150 texts",
        "aim": "precision=0.8",
        "threshold": f"{decision.config.threshold:.4f}",
        **{name: f"{decision.cut.figure(name):.4f}" for name in
           ("accuracy", "f1", "precision", "recall")},
        "abstain": "0.1250",
        "coverage": f"{decision.band.coverage:.4f}",
        "accuracy of the decided": f"{decision.band.accuracy:.4f}",
    }  # fmt: skip
    write_decision(directory, directory, decide(config, logits, targets, Wish("f1")), "mine.csv")
    assert "abstain" not in decision_of(read_card(directory))
