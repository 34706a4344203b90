"""Verdicts from figures written by hand: each rule says yes, and says no."""

import pytest

from sentiment_lstm.lesson_plan import EQUAL_PARAMETERS, EQUAL_UNITS, SECTIONS, WHOLE
from sentiment_lstm.lesson_verdicts import judge, spread, standard_error
from sentiment_lstm.trials import STOCK

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


YES, NO = trial(*[5] * 4), trial(*[None] * 4)
HALF = trial(1, 1, None, None)


@pytest.mark.parametrize(
    ("measured", "confirmed", "number"),
    [
        (memory(a=(YES, NO, NO)), True, "LSTM learnt in 4 of 4 runs"),
        (memory(a=(YES, YES, NO)), False, "equal units learnt in 4 of 4"),
        (memory(a=(YES, HALF, NO)), False, "equal units learnt in 2 of 4"),
        (memory(a=(HALF, NO, NO), b=(HALF, NO, NO)), True, "LSTM learnt in 4 of 8"),
        (memory(a=(HALF, NO, NO)), False, "LSTM learnt in 2 of 4"),
        (memory(a=(trial(1), trial(None), trial(None))), False, "LSTM learnt in 1 of 1"),
        (memory(a=(trial(*[1] * 5, *[None] * 7), *[trial(*[None] * 12)] * 2)), False, "5 of 12"),
        (memory(a=(NO, YES, NO)), False, "LSTM learnt in 0 of 4"),
        (memory(a=(NO, NO, NO)), False, "learnt in none of 12 runs"),
    ],
)
def test_memory_is_judged_by_the_share_of_runs_beyond_chance(measured, confirmed, number):
    verdict = judge("memory", measured)
    assert verdict.confirmed == confirmed
    assert number in verdict.number


def test_a_failure_counts_only_where_another_network_has_succeeded():
    verdict = judge("memory", memory(a=(YES, NO, NO), b=(NO, NO, NO)))
    assert verdict.confirmed
    assert "LSTM learnt in 4 of 4 runs" in verdict.number
    assert "RNN, equal units learnt in 0 of 4 runs" in verdict.number
    assert "1 too hard for all" in verdict.number


def test_the_shortest_lag_is_told_and_decides_nothing():
    shown = " at lag 10: LSTM 4 of 4, RNN, equal units 4 of 4, RNN, equal parameters 0 of 4"
    for rest, confirmed in (((YES, NO, NO), True), ((NO, YES, NO), False), ((NO, NO, NO), False)):
        verdict = judge("memory", memory(**{"10": (YES, YES, NO), "50": rest}))
        assert verdict.confirmed == confirmed
        assert (shown in verdict.number) == (rest != (NO, NO, NO))
    alone = judge("memory", memory(**{"10": (YES, NO, NO)}))
    assert alone.confirmed
    assert "at lag" not in alone.number


def flow(before, after, of):
    empty = {"h": [1.0, 0.5, 0.1], "c": []}
    return {"runs": [{"before": empty | {of: before}, "after": empty | {of: after}}]}


GONE, THERE = [1, 0.9, 8.9e-3], [1, 0.9, 9.1e-3]


@pytest.mark.parametrize(
    ("rnn", "lstm", "confirmed"),
    [
        ((GONE, GONE), (THERE, THERE), True),
        ((THERE, GONE), (THERE, THERE), False),
        ((GONE, THERE), (THERE, THERE), False),
        ((GONE, GONE), (GONE, THERE), False),
        ((GONE, GONE), (THERE, GONE), False),
    ],
)
def test_gradients_have_vanished_below_a_hundredth_of_one_step_back(rnn, lstm, confirmed):
    measured = {
        ("LSTM, forget bias 1",): flow(GONE, GONE, "c"),
        ("LSTM, forget bias 3",): flow(*lstm, "c"),
        ("plain RNN",): flow(*rnn, "h"),
    }
    verdict = judge("gradients", measured)
    assert verdict.confirmed == confirmed
    assert verdict.number.startswith("2 steps back, at the start and trained: LSTM, forget bias 1 ")
    assert f"plain RNN {rnn[0][-1]:.1e} and {rnn[1][-1]:.1e}" in verdict.number


def test_gradients_of_a_training_that_broke_confirm_nothing():
    broken = flow(GONE, [], "h")
    del broken["runs"][0]["after"]
    lstm = flow(THERE, THERE, "c")
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
        (runs([0.1, 0.2]), runs([0.01, 0.03]), False),
        (runs([0.1, 0.2], exploded=1), runs([0.1, 0.3]), False),
        (runs([0.1, None]), runs([0.1, 0.3], exploded=1), False),
        (runs([0.1, 0.2], start=0.39), runs([0.1, 0.3]), False),
    ],
)
def test_stability_is_judged_by_spread_loss_and_explosions(lstm, rnn, confirmed):
    measured = {(net, "not clipped"): rnn for net in NETS[1:]} | {(WHOLE, "not clipped"): lstm}
    assert judge("stability", measured).confirmed == confirmed


def test_spread_is_the_largest_loss_over_the_smallest():
    assert spread([{"loss": 0.2}, {"loss": 0.5}, {"loss": 0.3}]) == pytest.approx(2.5)


def cost(parameters, stock):
    def layer(parameters, products, ms):
        return {"units": 8, "parameters": parameters, "multiply_adds": products, "ms": ms}

    ours, plain = layer(parameters, 360, 5.0), layer(100, 90, 2.0)
    return {(): {WHOLE: ours, STOCK: ours | {"ms": stock}, EQUAL_UNITS: plain}}


@pytest.mark.parametrize(
    ("parameters", "stock", "confirmed"),
    [(400, 8.0, True), (340, 8.0, False), (460, 8.0, False), (400, 3.9, False), (400, 12.1, False)],
)
def test_cost_is_judged_by_counts_and_by_the_time_of_stock_layers(parameters, stock, confirmed):
    verdict = judge("cost", cost(parameters, stock))
    assert verdict.confirmed == confirmed
    assert f"{parameters / 100:.2f} times the parameters, 4.00 times" in verdict.number
    assert f"Keras's LSTM {stock / 2:.2f} times as long, with this package's 2.50" in verdict.number


def reading(longest, whole=0.7, count=1000, shortest=0.6):
    quarters = [{"accuracy": share, "count": count} for share in (shortest, longest)]
    return {"accuracy": whole, "by_length": [*quarters, {"count": 0, "accuracy": None}]}


def accuracy(*values):
    """Return figures from lists of what each network read with each seed, at one rate."""
    return {
        (net, "0.001", str(seed)): reading(**{"longest": one} if isinstance(one, float) else one)
        for net, trainings in zip(NETS, values, strict=True)
        for seed, one in enumerate(trainings)
    }


SMALL = [{"longest": share, "count": 100} for share in (0.85, 0.80, 0.81)]


@pytest.mark.parametrize(
    ("measured", "confirmed"),
    [
        (accuracy([0.85], [0.80], [0.81]), True),
        (accuracy([0.85], [0.80], [0.84]), False),
        (accuracy(*[[one] for one in SMALL]), False),
        (accuracy([0.80], [0.85], [0.85]), False),
        (accuracy([0.85, 0.86], [0.80, 0.81], [0.80, 0.80]), True),
        (accuracy([0.85, 0.86], [0.70, 0.85], [0.70, 0.70]), False),
    ],
)
def test_accuracy_is_judged_on_the_longest_texts_and_beyond_chance(measured, confirmed):
    assert judge("accuracy", measured).confirmed == confirmed


def test_each_network_is_judged_at_its_better_rate():
    measured = accuracy([0.85], [0.80], [0.81])
    measured |= {(net, "0.003", "0"): reading(0.70, whole=0.6) for net in NETS}
    measured[EQUAL_UNITS, "0.003", "0"] = reading(0.86, whole=0.75)
    verdict = judge("accuracy", measured)
    assert not verdict.confirmed
    assert "LSTM 0.8500 (all 0.7000); RNN, equal units 0.8600 (all 0.7500)" in verdict.number
    assert "leads by -1.0 and 4.0 points, of the shortest quarter by 0.0 and 0.0" in verdict.number


def test_the_error_of_a_mean_holds_that_of_seeds_and_that_of_texts():
    found = [{"accuracy": share, "count": 400} for share in (0.8, 0.9, 0.7)]
    expected = (0.1**2 / 3 + 0.8 * 0.2 / 400) ** 0.5
    assert standard_error(found) == pytest.approx(expected)
    assert standard_error(found[:1]) == pytest.approx(0.02)


def gates(**values):
    named = {"LSTM": "LSTM", "i": "i = 1", "f": "f = 1", "o": "o = 1", "without": "1997"}
    return {
        (task, named[name]): value
        for name, value in (dict.fromkeys("ifo", NO) | values).items()
        for task in ("adding", "order")
    }


@pytest.mark.parametrize(
    ("measured", "confirmed", "number"),
    [
        (gates(LSTM=YES, f=HALF), True, "these tasks need i and f and o"),
        (gates(LSTM=YES, f=YES), False, "these tasks need i and o, they do without f"),
        (gates(LSTM=YES, f=trial(1, 1, 1, None)), False, "they do without f"),
        (gates(LSTM=YES, without=YES), True, "these tasks need i and f and o"),
        (gates(LSTM=NO), False, "the budget is too small"),
    ],
)
def test_gates_are_judged_one_by_one_by_what_is_lost_without_them(measured, confirmed, number):
    verdict = judge("gates", measured)
    assert verdict.confirmed == confirmed
    assert verdict.number.endswith(number) or number in verdict.number


def test_what_was_not_measured_is_not_judged():
    for section in SECTIONS:
        verdict = judge(section, {}, "there are no texts")
        assert (verdict.confirmed, verdict.word) == (None, "not measured")
        assert verdict.number == "there are no texts"
        assert verdict.claim
        assert verdict.rule


def test_a_verdict_is_a_word():
    assert judge("gates", gates(LSTM=YES)).word == "confirmed"
    assert judge("gates", gates(LSTM=YES, i=YES)).word == "not confirmed"
