"""Training without end: its step, its figures, its seeds."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from sentiment_lstm.compared_nets import build_layer
from sentiment_lstm.endless_training import compiled_step, exploded, run_trial
from sentiment_lstm.losses import mean_squared_error
from sentiment_lstm.memory_tasks import TASKS
from sentiment_lstm.trials import Net, Trial

LSTM, RNN = Net("lstm", 3, forget_bias=2.0), Net("rnn", 5)


def small(net, **changes):
    options = {"steps": 3, "learning_rate": 0.01, "batch": 8} | changes
    return run_trial(Trial("adding", 10, net, **options))


@pytest.mark.parametrize("net", [LSTM, RNN])
def test_a_step_tells_the_loss_the_norm_and_the_outputs_before_it(net):
    drawn = TASKS["adding"].draw(np.random.default_rng(0), 6, 10)
    inputs, keep = keras.Input(drawn.inputs.shape[1:]), keras.Input((22,), dtype="bool")
    layer = build_layer(net, 1)
    model = keras.Model([inputs, keep], keras.layers.Dense(1)(layer(inputs, mask=keep)))
    with tf.GradientTape() as tape:
        outputs = model([drawn.inputs, drawn.keep], training=True)
        value = tf.reduce_mean((outputs[:, 0] - drawn.targets) ** 2)
    gradients = tape.gradient(value, model.trainable_variables)
    before = model.get_weights()
    optimizer = keras.optimizers.SGD(0.5, global_clipnorm=0.01)
    optimizer.build(model.trainable_variables)
    step = compiled_step(model, optimizer, mean_squared_error, whole=net.kind == "rnn")
    loss, norm, told = step(drawn)
    length = np.sqrt(sum(np.sum(np.square(g)) for g in gradients))
    assert loss == pytest.approx(float(value), rel=1e-5)
    assert norm == pytest.approx(length, rel=1e-4)
    np.testing.assert_allclose(told, outputs, atol=1e-6)
    for old, new, gradient in zip(before, model.get_weights(), gradients, strict=True):
        clipped = old - 0.5 * np.asarray(gradient) * min(1, 0.01 / length)
        np.testing.assert_allclose(new, clipped, atol=1e-6)


def test_a_run_is_a_function_of_its_seed():
    for net in (LSTM, RNN):
        both = small(net, seeds=2)["runs"]
        assert both[:1] == small(net, seeds=1)["runs"]
        assert both[0]["curve"] != both[1]["curve"]


def test_figures_tell_what_the_steps_have_shown():
    (run,) = small(LSTM, steps=120)["runs"]
    assert (run["steps"], run["learnt_at"], run["broke"]) == (120, None, False)
    assert len(run["curve"]) == 3
    assert run["loss"] == pytest.approx(
        (30 * run["curve"][0] + 50 * run["curve"][1] + 20 * run["curve"][2]) / 100, rel=0.5
    )
    assert 0 <= run["wrong"] <= 2560
    assert "before" not in run


def test_an_easy_task_is_learnt_and_then_training_stops(monkeypatch):
    monkeypatch.setattr("sentiment_lstm.memory_tasks.Criterion.met", lambda *_: True)
    (stopped,) = small(LSTM)["runs"]
    assert (stopped["learnt_at"], stopped["steps"]) == (1, 1)
    (going_on,) = small(LSTM, stops=False)["runs"]
    assert (going_on["learnt_at"], going_on["steps"]) == (1, 3)


def test_the_gradient_is_followed_where_it_is_asked_for():
    (run,) = small(LSTM, flow=True)["runs"]
    assert len(run["before"]["h"]) == len(run["after"]["c"]) == 11
    assert run["before"] != run["after"]


def test_a_run_that_breaks_ends_there():
    (run,) = small(LSTM, learning_rate=1e38, clip=0.0, steps=9, flow=True)["runs"]
    assert run["broke"]
    assert run["loss"] is None
    assert run["steps"] < 9
    assert run["exploded"] >= 1


@given(st.lists(st.floats(0.01, 100), max_size=80))
def test_exploded_steps_are_counted_against_the_steps_before(norms):
    expected = sum(norms[n] >= 10 * np.median(norms[n - 50 : n]) for n in range(50, len(norms)))
    assert exploded(norms) == expected
