"""What is measured for each claim."""

import json

from sentiment_lstm.lesson_plan import (
    EQUAL_PARAMETERS,
    EQUAL_UNITS,
    FULL,
    LSTM,
    SECTIONS,
    WHOLE,
    Scale,
    plan,
)
from sentiment_lstm.trials import Net, Reading, Trial

SCALE = Scale(lags=(10, 20), seeds=2, steps=30)


def plans(scale=SCALE):
    return {section: plan(section, scale) for section in SECTIONS}


def test_settings_are_those_of_what_is_measured_and_go_through_json():
    for section in plans().values():
        for measurement in section.values():
            told = json.loads(json.dumps(measurement.settings))
            if measurement.kind == "trial":
                assert Trial.of(told).settings() == measurement.settings
            elif measurement.kind == "reading":
                assert told.pop("corpus") == "imdb"
                assert Reading.of(told).epochs == 2
            else:
                assert {Net(**net).kind for net in told["nets"].values()} == {"lstm", "rnn"}


def test_every_network_of_a_memory_task_has_the_same_budget():
    trials = [Trial.of(m.settings) for m in plan("memory", SCALE).values()]
    assert {(t.steps, t.seeds, t.batch, t.clip) for t in trials} == {(30, 2, 32, 1.0)}
    assert {(t.task, t.lag) for t in trials} == {
        (task, lag) for task in ("adding", "temporal order") for lag in (10, 20)
    }
    assert len(trials) == 12


def test_the_shortest_lag_is_always_among_those_of_memory():
    lags = {Trial.of(m.settings).lag for m in plan("memory", Scale(lags=(30, 40))).values()}
    assert lags == {10, 30, 40}


def test_a_kind_of_network_has_one_rate_in_every_trial():
    trials = [
        Trial.of(m.settings)
        for section in ("memory", "gradients", "stability", "gates")
        for m in plan(section, SCALE).values()
    ]
    assert len({(t.net.kind, t.learning_rate) for t in trials}) == 2


def test_every_network_reads_at_the_same_rates_with_the_same_seeds():
    readings = {name: m.settings for name, m in plan("accuracy", SCALE).items()}
    for name in (WHOLE, EQUAL_UNITS, EQUAL_PARAMETERS):
        of = [r for (net, *_), r in readings.items() if net == name]
        assert [(r["learning_rate"], r["seed"]) for r in of] == [
            (1e-3, 0), (1e-3, 1), (3e-3, 0), (3e-3, 1),
        ]  # fmt: skip


def test_the_whole_lstm_of_the_gates_is_that_of_memory():
    memory, gates = plan("memory", SCALE), plan("gates", SCALE)
    assert gates["adding", "LSTM"] == memory["adding", "10", "LSTM"]
    nets = {name: Trial.of(m.settings).net for (_, name), m in gates.items()}
    assert {name: net.opened for name, net in nets.items()} == {
        "LSTM": "", "i = 1": "i", "f = 1": "f", "o = 1": "o", "1997": "f",
    }  # fmt: skip
    assert [name for name, net in nets.items() if net.truncated] == ["1997"]


def test_gradients_are_followed_for_three_forget_biases_and_a_plain_rnn():
    trials = [Trial.of(m.settings) for m in plan("gradients", SCALE).values()]
    assert all(trial.flow for trial in trials)
    assert [t.net.forget_bias for t in trials[:3]] == [0, 1, 3]
    assert trials[3].net == Net("rnn", LSTM.units)


def test_stability_is_measured_with_and_without_clipping_to_the_end():
    trials = [Trial.of(m.settings) for m in plan("stability", SCALE).values()]
    assert [trial.clip for trial in trials] == [1.0, 0.0] * 3
    assert not any(trial.stops for trial in trials)


def test_no_texts_are_read_where_there_is_no_corpus():
    assert plan("accuracy", Scale(corpus="")) == {}


def test_full_measures_longer_lags_over_more_seeds():
    assert max(FULL.lags) == 400
    assert FULL.seeds > Scale().seeds
