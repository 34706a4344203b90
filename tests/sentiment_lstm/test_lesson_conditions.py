"""What a report tells of each section is what is measured in it."""

import pytest

from sentiment_lstm.lesson_conditions import conditions
from sentiment_lstm.lesson_plan import SECTIONS, Scale, plan
from sentiment_lstm.trials import Reading, Trial

SCALE = Scale(lags=(20, 30), seeds=2, steps=700, epochs=4, repeats=9)


@pytest.mark.parametrize("section", ["memory", "gradients", "stability", "gates"])
def test_lags_seeds_steps_and_rates_are_those_of_the_trials(section):
    trials = [Trial.of(m.settings) for m in plan(section, SCALE).values()]
    told = conditions(section, SCALE)
    assert {str(t.lag) for t in trials} <= set(told.replace(",", "").replace(";", "").split())
    (seeds,), (steps,) = {t.seeds for t in trials}, {t.steps for t in trials}
    assert f"seeds 0 to {seeds - 1}" in told
    assert f"{steps} steps" in told
    if section != "gates":
        for trial in trials:
            assert f"at a rate of {trial.learning_rate:g}" in told or trial.net.kind == "rnn"
            assert f"{trial.net.units} " in told
        (rate,) = {t.learning_rate for t in trials if t.net.kind == "rnn"}
        assert f"units at {rate:g}" in told


def test_rates_seeds_and_epochs_are_those_of_the_readings():
    told = conditions("accuracy", SCALE)
    for measurement in plan("accuracy", SCALE).values():
        reading = Reading.of({k: v for k, v in measurement.settings.items() if k != "corpus"})
        assert f"{reading.learning_rate:g}" in told
        assert f"{reading.epochs} epochs in batches of {reading.batch}" in told
        assert f"embedding of {reading.embedding}" in told
    assert "seeds 0 to 1" in told


def test_one_seed_is_one():
    assert "seed 0;" in conditions("memory", Scale(seeds=1))


def test_every_section_is_told_of():
    assert all(conditions(section, SCALE) for section in SECTIONS)
    assert "medians of 9" in conditions("cost", SCALE)
