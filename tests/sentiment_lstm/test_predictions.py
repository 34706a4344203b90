"""Verdicts and those that are held back, against the rule written out."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_lstm.bundle_config import BundleConfig
from sentiment_lstm.errors import SettingsError
from sentiment_lstm.metrics import margins, verdicts
from sentiment_lstm.predictions import Answers

TWO = BundleConfig(labels=("no", "yes"), temperature=1.5, threshold=0.375)
THREE = BundleConfig(labels=("a", "b", "c"))
NUMBER = BundleConfig(task="regression", target_scale=2.0)
SHARES = st.lists(st.floats(0.01, 1), min_size=3, max_size=3).map(
    lambda xs: [x / sum(xs) for x in xs]
)


@given(st.floats(0, 1), st.floats(0, 0.499))
def test_of_two_labels_the_distance_to_the_threshold_decides(p, abstain):
    answer = Answers(TWO, abstain=abstain).of_two(p)
    near = abs(p - 0.375) < abstain
    assert answer.label == ("unsure" if near else "yes" if p >= 0.375 else "no")
    assert answer.unsure == near
    assert (answer.probability, answer.probabilities) == (p, (1 - p, p))


@given(SHARES, st.floats(0, 0.499))
def test_of_more_labels_the_lead_of_the_likeliest_decides(shares, abstain):
    answer = Answers(THREE, abstain=abstain).of_many(shares)
    first, second, _ = sorted(shares, reverse=True)
    near = first - second < abstain
    assert answer.label == ("unsure" if near else "abc"[shares.index(first)])
    assert answer.unsure == near
    assert (answer.probability, answer.probabilities) == (first, tuple(shares))


def test_a_margin_is_met_by_an_equal_distance():
    answers = Answers(TWO, threshold=0.5, abstain=0.25)
    assert [answers.of_two(p).label for p in (0.25, 0.75)] == ["no", "yes"]
    inside = (math.nextafter(0.25, 1), math.nextafter(0.75, 0))
    assert [answers.of_two(p).label for p in inside] == ["unsure", "unsure"]
    assert Answers(THREE, abstain=0.25).of_many([0.5, 0.25, 0.25]).label == "a"


@pytest.mark.parametrize("config", [TWO, THREE])
def test_verdicts_are_those_of_arrays_of_probabilities(config):
    logits = np.random.default_rng(5).normal(0, 1.5, (200, config.outputs)).astype(np.float32)
    answers = Answers(config, abstain=0.2)(logits)
    p = np.array([answer.probabilities for answer in answers])
    unsure = margins(p, config.threshold) < 0.2
    labels = np.where(unsure, "unsure", np.array(config.labels)[verdicts(p, config.threshold)])
    assert [answer.label for answer in answers] == labels.tolist()
    assert 20 < unsure.sum() < 180


@pytest.mark.parametrize("config", [TWO, THREE, NUMBER])
def test_what_was_decided_is_decided_anew_as_if_at_first(config):
    logits = np.random.default_rng(6).normal(0, 2, (60, config.outputs)).astype(np.float32)
    abstain = 0.0 if config is NUMBER else 0.3
    one, other = Answers(config), Answers(config, abstain=abstain)
    again = [other.again(answer) for answer in one(logits)]
    assert again == other(logits)
    assert [one.again(answer) for answer in again] == one(logits)


def test_the_models_own_margin_holds_unless_another_is_given():
    own = BundleConfig(labels=("no", "yes"), abstain=0.2)
    assert Answers(own).of_two(0.6).label == "unsure"
    assert Answers(own, abstain=0.0).of_two(0.6).label == "yes"
    assert Answers(own, abstain=0.0).of_two(0.5).label == "yes"


@pytest.mark.parametrize("abstain", [-0.01, 0.5, 1, math.nan, math.inf])
def test_an_impossible_margin_is_refused(abstain):
    with pytest.raises(SettingsError, match=r"at least 0 and less than 0\.5"):
        Answers(TWO, abstain=abstain)


def test_a_model_with_such_a_label_is_never_unsure_of_its_own():
    own = BundleConfig(labels=("sure", "unsure"))
    answer = Answers(own).of_two(0.9)
    assert (answer.label, answer.unsure) == ("unsure", False)
    assert Answers(own, abstain=0.0).of_two(0.9) == answer
    with pytest.raises(SettingsError, match="a label 'unsure' of its own, leave it out"):
        Answers(own, abstain=0.1)
    with pytest.raises(SettingsError, match="a regression decides nothing"):
        Answers(NUMBER, abstain=0.1)
