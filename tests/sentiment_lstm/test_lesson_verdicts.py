"""Verdicts from figures written by hand: each rule says yes, and says no."""

import pytest

from sentiment_lstm.lesson_plan import EQUAL_PARAMETERS, EQUAL_UNITS, SECTIONS, WHOLE
from sentiment_lstm.lesson_verdicts import judge, spread

NETS = (WHOLE, EQUAL_UNITS, EQUAL_PARAMETERS)


def trial(*learnt_at):
    return {"runs": [{"learnt_at": n} for n in learnt_at]}


def memory(**lags):
    """Return figures from `lag=(LSTM, equal units, equal parameters)`."""
    return {
        ("adding", lag, net): value
        for lag, values in lags.items()
        for net, value in zip(NETS, values, strict=True)
    }


YES, NO = trial(5, 9), trial(None, None)


@pytest.mark.parametrize(
    ("measured", "confirmed", "number"),
    [
        (memory(a=(YES, NO, NO)), True, "LSTM learnt in 2 of 2 runs"),
        (memory(a=(YES, YES, NO)), False, "equal units learnt in 2 of 2"),
        (memory(a=(trial(1, None), NO, NO)), True, "LSTM learnt in 1 of 2"),
        (memory(a=(trial(1, None, None), *[trial(None, None, None)] * 2)), False, "1 of 3"),
        (memory(a=(NO, YES, NO)), False, "LSTM learnt in 0 of 2"),
        (memory(a=(NO, NO, NO)), False, "learnt in none of 6 runs"),
    ],
)
def test_memory_is_judged_by_the_share_of_runs(measured, confirmed, number):
    verdict = judge("memory", measured)
    assert verdict.confirmed == confirmed
    assert number in verdict.number


def test_a_failure_counts_only_where_another_network_has_succeeded():
    verdict = judge("memory", memory(a=(YES, NO, NO), b=(NO, NO, NO)))
    assert verdict.confirmed
    assert "LSTM learnt in 2 of 2 runs" in verdict.number
    assert "RNN, equal units learnt in 0 of 2 runs" in verdict.number
    assert "1 too hard for all" in verdict.number


def flow(before, after, of):
    empty = {"h": [1.0, 0.5, 0.1], "c": []}
    return {"runs": [{"before": empty | {of: before}, "after": empty | {of: after}}]}


@pytest.mark.parametrize(
    ("rnn", "lstm", "confirmed"),
    [
        (([1, 0.9, 1e-4], [1, 0.9, 1e-4]), ([1e-300, 0.5, 0.3], [1e-300, 0.5, 0.4]), True),
        (([1, 0.9, 0.02], [1, 0.9, 1e-4]), ([1e-300, 0.5, 0.3], [1e-300, 0.5, 0.4]), False),
        (([1, 0.9, 1e-4], [1, 0.9, 1e-1]), ([1e-300, 0.5, 0.3], [1e-300, 0.5, 0.4]), False),
        (([1, 0.9, 1e-4], [1, 0.9, 1e-4]), ([1e-300, 0.5, 9e-4], [1e-300, 0.5, 0.4]), False),
    ],
)
def test_gradients_are_judged_as_many_steps_back_as_they_were_followed(rnn, lstm, confirmed):
    measured = {("LSTM, forget bias 3",): flow(*lstm, "c"), ("plain RNN",): flow(*rnn, "h")}
    verdict = judge("gradients", measured)
    assert verdict.confirmed == confirmed
    assert verdict.number.startswith("2 steps back")


def test_gradients_of_a_training_that_broke_confirm_nothing():
    broken = flow([1, 0.9, 1e-4], [], "h")
    del broken["runs"][0]["after"]
    lstm = flow([1e-300, 0.5, 0.3], [1e-300, 0.5, 0.4], "c")
    verdict = judge("gradients", {("LSTM, forget bias 3",): lstm, ("plain RNN",): broken})
    assert verdict.confirmed is False
    assert "broke" in verdict.number


def runs(losses, exploded=0, start=0.5):
    common = {"exploded": exploded, "curve": [start, 0.4]}
    return {"runs": [{"loss": loss, **common} for loss in losses]}


@pytest.mark.parametrize(
    ("lstm", "rnn", "confirmed"),
    [
        (runs([0.1, 0.2]), runs([0.1, 0.3]), True),
        (runs([0.1, 0.2]), runs([0.1, None]), True),
        (runs([0.1, 0.2]), runs([0.1, 0.15]), False),
        (runs([0.1, 0.2], exploded=1), runs([0.1, 0.3]), False),
        (runs([0.1, None]), runs([0.1, 0.3], exploded=1), False),
        (runs([0.1, 0.2], start=0.39), runs([0.1, 0.3]), False),
    ],
)
def test_stability_is_judged_by_spread_and_explosions(lstm, rnn, confirmed):
    measured = {(net, "not clipped"): rnn for net in NETS[1:]} | {(WHOLE, "not clipped"): lstm}
    assert judge("stability", measured).confirmed == confirmed


def test_spread_is_the_largest_loss_over_the_smallest():
    assert spread([{"loss": 0.2}, {"loss": 0.5}, {"loss": 0.3}]) == pytest.approx(2.5)


def cost(parameters, ms):
    plain = {"units": 8, "parameters": 100, "multiply_adds": 90, "ms": 2.0}
    ours = {"units": 8, "parameters": parameters, "multiply_adds": 360, "ms": ms}
    return {(): {WHOLE: ours, EQUAL_UNITS: plain}}


@pytest.mark.parametrize(
    ("parameters", "ms", "confirmed"), [(400, 5.0, True), (340, 5.0, False), (400, 1.9, False)]
)
def test_cost_is_judged_by_counts_and_by_time(parameters, ms, confirmed):
    verdict = judge("cost", cost(parameters, ms))
    assert verdict.confirmed == confirmed
    assert f"{parameters / 100:.2f} times the parameters, 4.00 times" in verdict.number


def accuracy(*longest, count=1000):
    return {
        (net,): {"accuracy": 0.7, "by_length": [{}, {"accuracy": share, "count": count}]}
        for net, share in zip(NETS, longest, strict=True)
    }


@pytest.mark.parametrize(
    ("measured", "confirmed"),
    [
        (accuracy(0.85, 0.80, 0.81), True),
        (accuracy(0.85, 0.80, 0.84), False),
        (accuracy(0.85, 0.80, 0.81, count=100), False),
        (accuracy(0.80, 0.85, 0.85), False),
    ],
)
def test_accuracy_is_judged_on_the_longest_texts_and_beyond_chance(measured, confirmed):
    assert judge("accuracy", measured).confirmed == confirmed


def gates(**values):
    return {(task, name): value for name, value in values.items() for task in ("adding", "order")}


@pytest.mark.parametrize(
    ("measured", "confirmed"),
    [
        (gates(LSTM=YES, f=YES, i=NO), True),
        (gates(LSTM=YES, f=YES, i=YES), False),
        (gates(LSTM=trial(1, None), f=YES, i=NO), False),
        (gates(LSTM=NO, f=NO, i=NO), False),
    ],
)
def test_gates_are_judged_by_what_is_lost_without_them(measured, confirmed):
    assert judge("gates", measured).confirmed == confirmed


def test_what_was_not_measured_is_not_judged():
    for section in SECTIONS:
        verdict = judge(section, {}, "there are no texts")
        assert (verdict.confirmed, verdict.word) == (None, "not measured")
        assert verdict.number == "there are no texts"
        assert verdict.claim
        assert verdict.rule


def test_a_verdict_is_a_word():
    assert judge("gates", gates(LSTM=YES, i=NO)).word == "confirmed"
    assert judge("gates", gates(LSTM=YES, i=YES)).word == "not confirmed"
