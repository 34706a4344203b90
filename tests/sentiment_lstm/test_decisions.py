"""Thresholds and bands against every one there is, tried one by one with scikit-learn's metrics."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_score,
    recall_score,
)

from sentiment_lstm.decisions import (
    Aim,
    band_at,
    best_threshold,
    cut_at,
    narrowest_band,
    parse_aim,
)
from sentiment_lstm.errors import DataError, SettingsError

SCORES = {
    "accuracy": accuracy_score,
    "f1": lambda y, v: f1_score(y, v, zero_division=0),
    "precision": lambda y, v: precision_score(y, v, zero_division=0),
    "recall": lambda y, v: recall_score(y, v, zero_division=0),
}
AIMS = ("accuracy", "f1", "precision=0.8", "precision=1", "recall=0.7", "recall=1")


def texts(seed, n=60, levels=25):
    """Return probabilities, many of them equal, that lean to the labels, and these."""
    random = np.random.default_rng(seed)
    labels = (random.random(n) < 0.35).astype(int)
    shifted = np.clip(random.normal(0.35 + 0.25 * labels, 0.2, n), 0, 1)
    return np.round(shifted * levels) / levels, labels


def every_cut(p):
    """Yield a threshold for each way of parting the texts that a threshold from 0 to 1 has."""
    levels = [0.0, *sorted(set(p.tolist())), 1.0]
    for low, high in pairwise(levels):
        middle = (low + high) / 2
        if middle > low or high == 0:
            yield middle


def by_hand(p, labels, aim):
    """Return the best (figure, -distance, -threshold); None where no cut reaches the aim."""
    name, _, least = aim.partition("=")
    sought = {"precision": "recall", "recall": "precision"}.get(name, name)
    found = []
    for threshold in every_cut(p):
        verdicts = (p >= threshold).astype(int)
        if least and SCORES[name](labels, verdicts) < float(least):
            continue
        found.append((SCORES[sought](labels, verdicts), -abs(threshold - 0.5), -threshold))
    return max(found, default=None)


@pytest.mark.parametrize("aim", AIMS)
@pytest.mark.parametrize("seed", range(12))
def test_the_best_threshold_is_the_best_of_all_cuts(aim, seed):
    p, labels = texts(seed, n=25 if seed % 2 else 60)
    expected = by_hand(p, labels, aim)
    if expected is None:
        with pytest.raises(SettingsError, match="no threshold reaches"):
            best_threshold(p, labels, aim)
        return
    cut = best_threshold(p, labels, aim)
    assert cut.threshold == pytest.approx(-expected[2], abs=1e-15)
    verdicts = (p >= cut.threshold).astype(int)
    for name, score in SCORES.items():
        assert cut.figure(name) == pytest.approx(score(labels, verdicts), abs=1e-15)
    tn, fp, fn, tp = confusion_matrix(labels, verdicts, labels=[0, 1]).ravel()
    assert vars(cut.counts) == {
        "true_positives": tp, "false_positives": fp, "false_negatives": fn, "true_negatives": tn,
    }  # fmt: skip


PROBABILITIES = st.one_of(
    st.floats(0, 1), st.sampled_from([0.0, 1.0, 0.5, 5e-324, np.nextafter(0.5, 1)])
)
LABELLED = st.lists(st.tuples(PROBABILITIES, st.booleans()), min_size=1, max_size=12)


@given(LABELLED, st.sampled_from(["accuracy", "f1", "recall=0.6", "recall=1"]))
def test_no_cut_is_better_and_no_text_is_on_the_threshold_if_there_is_room(labelled, aim):
    p, labels = np.array([p for p, _ in labelled]), np.array([y for _, y in labelled])
    if aim != "accuracy" and not labels.any():
        with pytest.raises(DataError):
            best_threshold(p, labels, aim)
        return
    cut, goal = best_threshold(p, labels, aim), parse_aim(aim)
    assert 0 <= cut.threshold <= 1
    assert cut == cut_at(p, labels, cut.threshold)
    for other in (cut_at(p, labels, t) for t in (*p, *np.nextafter(p, 1.0), 0.0, 0.5, 1.0)):
        if goal.least is None or other.figure(goal.figure) >= goal.least:
            assert other.figure(goal.sought) <= cut.figure(goal.sought)
    below = max([q for q in p if q < cut.threshold], default=0.0)
    if cut.threshold in p:  # nothing lies between it and the text below
        assert cut.threshold in (0.0, np.nextafter(below, 1.0))


@given(LABELLED)
def test_probabilities_turned_round_turn_the_best_accuracy_round(labelled):
    p, labels = np.array([p for p, _ in labelled]), np.array([y for _, y in labelled])
    p = np.round(p, 3)
    best = best_threshold(p, labels, "accuracy")
    other = best_threshold(1 - p, ~labels, "accuracy")
    on_an_end = {0.0, 1.0} & set(p.tolist())
    assert on_an_end or best.figure("accuracy") == other.figure("accuracy")


def test_of_equal_cuts_the_one_nearest_a_half_is_taken():
    p = np.array([0.1, 0.2, 0.3, 0.62, 0.9])
    assert best_threshold(p, [0, 0, 0, 1, 1], "accuracy").threshold == pytest.approx(0.46)
    # 0.25 and 0.76 are both wrong once.
    assert best_threshold(p, [0, 0, 1, 0, 1], "accuracy").threshold == pytest.approx(0.25)
    assert best_threshold(p, [0, 0, 1, 1, 1], "recall=0.3").threshold == pytest.approx(0.46)
    # 0.3 and 0.7 are equally near.
    assert best_threshold([0.2, 0.4, 0.6, 0.8], [0, 1, 0, 1], "accuracy").threshold == (
        pytest.approx(0.3)
    )


def test_all_or_none_may_be_best():
    p = [0.2, 0.6]
    assert best_threshold(p, [1, 1], "accuracy").threshold == pytest.approx(0.1)
    assert best_threshold(p, [0, 0], "accuracy").threshold == pytest.approx(0.8)
    assert best_threshold([0.0, 0.6], [1, 1], "accuracy").threshold == 0.0
    at_one = best_threshold([0.5, 1.0], [0, 0], "accuracy")
    assert (at_one.threshold, at_one.figure("accuracy")) == (0.75, 0.5)  # nothing is above 1


def test_an_aim_out_of_reach_names_the_best_there_is():
    p, labels = [0.2, 0.4, 0.6, 0.8], [1, 1, 0, 1]
    assert best_threshold(p, labels, "precision=1").counts.true_positives == 1
    with pytest.raises(SettingsError) as caught:
        best_threshold(p, [0, 1, 1, 0], "precision=0.9")
    assert str(caught.value) == (
        "no threshold reaches precision=0.9 on these 4 texts: the most is 0.6667, at 0.3000 with "
        "recall 1.0000: aim lower"
    )


def test_of_the_most_precise_cuts_the_one_that_finds_most_is_named():
    with pytest.raises(SettingsError, match=r"most is 0\.5000, at 0\.0500 with recall 1\.0000"):
        best_threshold([0.9, 0.8, 0.2, 0.1], [0, 1, 0, 1], "precision=0.6")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("acuracy", "did you mean 'accuracy'?"),
        ("F1", "did you mean 'f1'?"),
        ("presicion=0.9", "did you mean 'precision=P'?"),
        ("speed", "known: accuracy, f1, precision=P, recall=R"),
        ("", "known: accuracy"),
        ("precision", "give a least value, as in precision=0.95"),
        ("recall=", "as in recall=0.95"),
        ("recall=most", "as in recall=0.95"),
        ("recall=0", "above 0 and at most 1"),
        ("precision=1.01", "above 0 and at most 1"),
        ("precision=nan", "above 0 and at most 1"),
        ("accuracy=0.9", "leave out =0.9"),
        ("f1=", "leave out ="),
    ],
)
def test_what_is_no_aim_is_one_line_with_the_way_out(text, part):
    with pytest.raises(SettingsError) as caught:
        parse_aim(text)
    assert part in str(caught.value)
    assert repr(text) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("text", ["accuracy", "f1", "precision=0.95", "recall=1"])
def test_an_aim_is_written_as_it_is_read(text):
    assert str(parse_aim(text)) == text
    assert parse_aim(f" {text.replace('=', ' = ')} ") == parse_aim(text)
    assert parse_aim("recall=0.5") == Aim("recall", 0.5)


def test_what_is_not_labelled_probabilities_is_refused():
    with pytest.raises(DataError, match="no labelled text"):
        best_threshold([], [], "accuracy")
    with pytest.raises(DataError, match="text 2 is nan"):
        best_threshold([0.5, np.nan], [0, 1], "accuracy")
    with pytest.raises(DataError, match=r"text 1 is 1\.5"):
        best_threshold([1.5, 0.5], [0, 1], "accuracy")
    with pytest.raises(DataError, match="recall counts those"):
        best_threshold([0.5, 0.6], [0, 0], "recall=0.5")
    with pytest.raises(ValueError, match="0 for the first"):
        best_threshold([0.5, 0.6], [0, 2], "accuracy")
    with pytest.raises(ValueError, match=r"\(2,\) and labels \(3,\)"):
        best_threshold([0.5, 0.6], [0, 1, 1], "accuracy")


def bands(margins, correct):
    """Yield (margin, next one, decided, right) for each set of texts that may stay undecided."""
    for edge in [-1.0, *sorted(set(margins.tolist()))]:
        above = [m for m in margins.tolist() if m > edge]
        decided = margins > edge
        if edge < 0.5:
            yield edge, min(above, default=np.inf), decided.sum(), (decided & correct).sum()


@pytest.mark.parametrize("accuracy", [0.5, 0.8, 0.9, 0.95, 1.0])
@pytest.mark.parametrize("seed", range(8))
def test_the_narrowest_band_is_the_first_of_all_that_reaches_the_accuracy(accuracy, seed):
    random = np.random.default_rng(seed)
    margins = np.round(random.random(40) ** 2, 2)
    correct = random.random(40) < 0.6 + 0.5 * margins
    expected = [b for b in bands(margins, correct) if b[2] and b[3] / b[2] >= accuracy]
    if not expected:
        with pytest.raises(SettingsError, match="ask for less"):
            narrowest_band(margins, correct, accuracy)
        return
    edge, above, decided, right = expected[0]
    band = narrowest_band(margins, correct, accuracy)
    assert (band.texts, band.decided, band.right) == (40, decided, right)
    assert band.abstain == 0 if edge < 0 else edge < band.abstain <= min(above, 0.5)
    assert band.abstain < 0.5
    assert band.accuracy == pytest.approx(accuracy_score(np.ones(decided), correct[margins > edge]))
    assert band.coverage == decided / 40
    assert band == band_at(margins, correct, band.abstain)


def test_an_accuracy_out_of_reach_names_the_best_band():
    with pytest.raises(SettingsError) as caught:
        narrowest_band([0.1, 0.2, 0.3, 0.3], [False, True, True, False], 0.9)
    assert str(caught.value) == (
        "no band below 0.5 makes 0.9 of the decided texts right: the most is 0.6667, of the 3 of 4 "
        "texts that 0.1500 decides: ask for less"
    )
    with pytest.raises(SettingsError, match="no band below"):  # the wrong one is too far away
        narrowest_band([0.5, 0.7], [False, True], 0.9)
    with pytest.raises(SettingsError, match="is 0: above 0"):
        narrowest_band([0.5], [True], 0)
    with pytest.raises(DataError, match="no labelled text"):
        narrowest_band([], [], 0.9)
