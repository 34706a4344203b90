"""Training: learns, resumes bit for bit, keeps the best, and steps as numpy says."""

import os
import signal

import keras
import numpy as np
import pytest
from keras import ops

from sentiment_lstm import training
from sentiment_lstm.batching import TokenArrays
from sentiment_lstm.losses import loss_for
from sentiment_lstm.model import build_classifier, load_weights, named_variables, weights_of
from sentiment_lstm.settings import ModelSettings, TrainSettings
from sentiment_lstm.steps import forward, train_step
from sentiment_lstm.training import (
    Task,
    build_optimizer,
    drop_tokens,
    predict,
    train_network,
    validation_figures,
)

BINARY = Task("classification", ("no", "yes"))
SMALL = ModelSettings(embedding=6, units=5, embedding_dropout=0.1, dropout=0.2)


def order_matters(count, seed, numbers=False):
    """Return texts whose label is whether token 7 comes before token 8: no bag of words knows."""
    rng = np.random.default_rng(seed)
    sequences, targets = [], []
    for _ in range(count):
        ids = rng.integers(9, 20, rng.integers(4, 12)).astype(np.int32)
        first, second = sorted(rng.choice(len(ids), 2, replace=False))
        label = int(rng.integers(2))
        ids[first], ids[second] = (7, 8) if label else (8, 7)
        sequences.append(ids)
        targets.append(100.0 + 20 * label if numbers else label)
    return TokenArrays.of(sequences, targets)


def run(settings, checkpoints=None, train=None, **kwargs):
    return train_network(
        train or order_matters(96, 0),
        order_matters(40, 1),
        vocabulary_size=20,
        task=BINARY,
        model=SMALL,
        settings=settings,
        checkpoints=checkpoints,
        **kwargs,
    )


def everything_on(**kwargs):
    return TrainSettings(
        **{
            "epochs": 3,
            "batch_size": 16,
            "learning_rate": 0.02,
            "average": 0.9,
            "token_dropout": 0.1,
            "label_smoothing": 0.05,
            "warmup": 0.1,
            "weight_decay": 0.01,
            "checkpoint_minutes": 0.0,
        }
        | kwargs
    )


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name, weight in first.items():
        np.testing.assert_array_equal(weight, second[name], err_msg=name)


@pytest.mark.parametrize(
    "more", [{}, {"adversarial": 0.5, "virtual_adversarial": 0.5}], ids=["plain", "moved words"]
)
def test_learns_what_only_word_order_tells(more):
    result = train_network(
        order_matters(600, 0),
        order_matters(200, 1),
        vocabulary_size=20,
        task=BINARY,
        model=ModelSettings(embedding=8, units=8, dropout=0),
        settings=TrainSettings(epochs=12, batch_size=32, learning_rate=0.02, patience=12, **more),
    )
    assert max(row["validation_accuracy"] for row in result.history) > 0.95


def test_unlabelled_texts_teach_where_they_are_asked_for():
    settings, others = everything_on(epochs=1, virtual_adversarial=2.0), order_matters(50, 3)
    own = run(settings)
    assert_same(own.weights, run(settings, unlabelled=order_matters(96, 0)).weights)  # train's
    other = run(settings, unlabelled=others)
    assert not np.array_equal(own.weights["head.kernel"], other.weights["head.kernel"])
    unread = run(everything_on(epochs=1)), run(everything_on(epochs=1), unlabelled=others)
    assert_same(unread[0].weights, unread[1].weights)


def test_same_seed_gives_the_same_weights_bit_for_bit():
    first, again = run(everything_on()), run(everything_on())
    assert_same(first.weights, again.weights)
    strip = [[{**row, "seconds": 0} for row in r.history] for r in (first, again)]
    assert strip[0] == strip[1]


def test_another_seed_gives_other_weights():
    first, other = run(everything_on(epochs=1)), run(everything_on(epochs=1, seed=1))
    assert not np.array_equal(first.weights["head.kernel"], other.weights["head.kernel"])


class KilledError(Exception):
    pass


def killer(steps):
    """Return a progress that ends the training in the middle of an epoch."""
    seen = [0]

    def progress(items, *, total, label):
        for item in items:
            if seen[0] == steps:
                raise KilledError
            seen[0] += 1
            yield item

    return progress


MOVED_WORDS = {
    "adversarial": 1.0, "virtual_adversarial": 2.0, "entropy": 0.5, "unlabelled_batch": 12,
    "discriminative": 0.5,
}  # fmt: skip


@pytest.mark.parametrize(
    "more", [{}, {"optimizer": "sgd"}, MOVED_WORDS], ids=["adam", "sgd", "moved words"]
)
def test_killed_and_resumed_ends_with_the_same_weights(tmp_path, more):
    settings, unlabelled = everything_on(**more), order_matters(50, 2)
    whole = run(settings, unlabelled=unlabelled)
    for steps in (4,) if more is MOVED_WORDS else (4, 7):  # JAX compiles it slowly
        with pytest.raises(KilledError):
            run(settings, tmp_path, progress=killer(steps), unlabelled=unlabelled)
    resumed = run(settings, tmp_path, unlabelled=unlabelled)
    assert_same(resumed.weights, whole.weights)
    np.testing.assert_array_equal(resumed.validation_outputs, whole.validation_outputs)
    keys = ("epoch", "loss", "validation_loss", "validation_accuracy")
    assert [[row[k] for k in keys] for row in resumed.history] == [
        [row[k] for k in keys] for row in whole.history
    ]


def interrupted(steps):
    """Return a progress in which Ctrl-C comes once so many steps were taken."""

    def progress(items, *, total, label):
        for seen, item in enumerate(items):
            if seen == steps:
                raise KeyboardInterrupt
            yield item

    return progress


def test_an_interrupt_between_two_steps_saves_the_last_one(tmp_path):
    settings = everything_on(epochs=2, checkpoint_minutes=1000.0)
    with pytest.raises(KeyboardInterrupt):
        run(settings, tmp_path, progress=interrupted(4))
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000004"]
    assert_same(run(settings, tmp_path).weights, run(settings).weights)


def test_an_interrupt_while_an_epoch_is_told_of_says_how_to_go_on(tmp_path):
    def pressed(_):
        raise KeyboardInterrupt

    settings = everything_on(epochs=2, checkpoint_minutes=1000.0)
    with pytest.raises(KeyboardInterrupt, match=r"epoch 2, step 0 .*run the same command"):
        run(settings, tmp_path, on_epoch=pressed)
    assert_same(run(settings, tmp_path).weights, run(settings).weights)


def test_an_interrupt_within_a_step_saves_nothing(tmp_path, monkeypatch):
    def interrupting(*_):
        def step(*_):
            raise KeyboardInterrupt

        return step

    monkeypatch.setattr(training, "train_step", interrupting)
    with pytest.raises(KeyboardInterrupt):
        run(everything_on(), tmp_path)
    assert not list(tmp_path.iterdir())


def pressing(function, at):
    """Return a function that has Ctrl-C pressed before its call of that number, from 1."""
    calls = []

    def pressed(*arguments):
        calls.append(1)
        if len(calls) == at:
            os.kill(os.getpid(), signal.SIGINT)
        return function(*arguments)

    return pressed


@pytest.mark.parametrize("moment", ["step", "validation"])
def test_ctrl_c_saves_says_so_and_the_rest_is_as_if_it_had_not_been(tmp_path, monkeypatch, moment):
    settings = everything_on(epochs=2, checkpoint_minutes=1000.0)
    whole = run(settings)
    with monkeypatch.context() as patch:
        if moment == "step":
            make = training.train_step
            patch.setattr(training, "train_step", lambda *a: pressing(make(*a), 3))
        else:
            patch.setattr(training, "predict", pressing(training.predict, 1))
        with pytest.raises(KeyboardInterrupt, match="saved: run the same command to go on"):
            run(settings, tmp_path)
    assert [path.name[:5] for path in tmp_path.iterdir()] == ["step-"]
    resumed = run(settings, tmp_path)
    assert_same(resumed.weights, whole.weights)
    assert [row["validation_loss"] for row in resumed.history] == [
        row["validation_loss"] for row in whole.history
    ]


def test_the_best_epoch_is_kept_and_patience_ends_the_training():
    # Labels of the training split are noise: validation gets worse sooner or later.
    noise = order_matters(96, 0)
    noise = TokenArrays(
        noise.tokens, noise.offsets, np.random.default_rng(2).permutation(noise.targets)
    )
    result = run(everything_on(epochs=40, patience=2, average=0.0), train=noise)
    losses = [row["validation_loss"] for row in result.history]
    assert len(losses) == int(np.argmin(losses)) + 3 < 40
    figures = validation_figures(result.validation_outputs, order_matters(40, 1).targets, BINARY)
    assert figures["validation_loss"] == pytest.approx(min(losses), abs=1e-6)


def test_regression_learns_numbers_in_their_own_unit():
    train, validation = order_matters(600, 0, numbers=True), order_matters(100, 1, numbers=True)
    task = Task.of("regression", (), train.targets)
    result = train_network(
        train,
        validation,
        vocabulary_size=20,
        task=task,
        model=ModelSettings(embedding=8, units=8, dropout=0),
        settings=TrainSettings(epochs=12, batch_size=32, learning_rate=0.02, patience=12),
    )
    values = result.validation_outputs[:, 0] * task.target_scale + task.target_mean
    assert np.abs(values - validation.targets).mean() < 4  # guessing the mean is off by 10
    best = min(result.history, key=lambda row: row["validation_loss"])
    assert best["validation_mae"] == pytest.approx(
        np.abs(values - validation.targets).mean(), rel=1e-3
    )


def test_a_step_of_plain_sgd_moves_the_head_by_the_gradient_written_out():
    model = build_classifier(ModelSettings(embedding=6, units=5, dropout=0), 20, 1)
    before = weights_of(model)
    features = keras.Model(model.input, model.get_layer("pooling").output)
    arrays = order_matters(8, 3)
    tokens, weights = arrays.pad(np.arange(8)), np.linspace(0.5, 2, 8, dtype="float32")
    pooled = ops.convert_to_numpy(features(tokens)).astype(float)
    z = pooled @ before["head.kernel"] + before["head.bias"]
    error = (1 / (1 + np.exp(-z[:, 0])) - arrays.targets) * weights / 8
    settings = TrainSettings(
        optimizer="sgd", momentum=0.0, learning_rate=0.5, schedule="constant", clip_norm=0.0
    )
    optimizer = build_optimizer(settings, 10)
    optimizer.build(model.trainable_variables)
    step = train_step(model, optimizer, loss_for("classification", 1, 0.0))
    loss = step(tokens, arrays.targets.astype("float32"), weights)
    after = weights_of(model)
    moved = before["head.kernel"][:, 0] - 0.5 * pooled.T @ error
    np.testing.assert_allclose(after["head.kernel"][:, 0], moved, rtol=1e-4, atol=1e-6)
    assert after["head.bias"][0] == pytest.approx(
        before["head.bias"][0] - 0.5 * error.sum(), rel=1e-4
    )
    sign = np.where(arrays.targets == 1, 1, -1)
    assert loss == pytest.approx(np.mean(weights * np.log1p(np.exp(-sign * z[:, 0]))), rel=1e-5)


def test_clipping_bounds_the_length_of_a_step():
    model = build_classifier(ModelSettings(embedding=6, units=5, dropout=0), 20, 1)
    before = weights_of(model)
    settings = TrainSettings(
        optimizer="sgd", momentum=0.0, learning_rate=1.0, schedule="constant", clip_norm=0.1
    )
    optimizer = build_optimizer(settings, 10)
    optimizer.build(model.trainable_variables)
    arrays = order_matters(8, 3)
    train_step(model, optimizer, loss_for("classification", 1, 0.0))(
        arrays.pad(np.arange(8)), arrays.targets.astype("float32"), np.full(8, 1000, "float32")
    )
    moved = sum(((weights_of(model)[k] - v) ** 2).sum() for k, v in before.items())
    assert np.sqrt(moved) == pytest.approx(0.1, rel=1e-3)


@pytest.mark.parametrize(
    ("options", "expected"),
    [({}, True), ({"adversarial": 1.0}, False), ({"entropy": 0.5}, False)],
)
def test_words_are_read_once_unless_something_moves_them(monkeypatch, options, expected):
    seen = []

    def noted(*args, words_once, **kwargs):
        seen.append(words_once)
        return build_classifier(*args, words_once=words_once, **kwargs)

    monkeypatch.setattr("sentiment_lstm.training.build_classifier", noted)
    run(TrainSettings(epochs=1, **options))
    assert seen == [expected]


def test_starting_embeddings_are_those_given():
    given = np.random.default_rng(0).normal(size=(20, 6)).astype("float32")
    settings = everything_on(learning_rate=1e-8, epochs=1, weight_decay=0.0)
    result = run(settings, initial={"embedding": given})
    np.testing.assert_allclose(result.weights["embedding"], given, atol=1e-5)


def initial_weights(seed):
    """Return random weights for all that a network of `SMALL` holds."""
    draw, network = np.random.default_rng(seed).normal, build_classifier(SMALL, 20, 1, 0)
    return {k: draw(0, 0.3, w.shape).astype("float32") for k, w in weights_of(network).items()}


def test_what_it_started_from_is_averaged_in_at_the_end_killed_or_not(tmp_path):
    start = initial_weights(3)
    alone = run(everything_on(), initial=start)
    settings = everything_on(start_share=0.25)
    with pytest.raises(KilledError):
        run(settings, tmp_path, progress=killer(7), initial=start)
    shared = run(settings, tmp_path, initial=start)
    for name, weights in alone.weights.items():
        expected = (start[name] + 3.0 * weights) / 4
        np.testing.assert_allclose(shared.weights[name], expected, rtol=1e-5, atol=1e-6)
        assert np.abs(weights - start[name]).max() > 1e-3, name
    network = build_classifier(SMALL, 20, 1, 0)
    load_weights(network, shared.weights)
    outputs = predict(forward(network), order_matters(40, 1))
    np.testing.assert_allclose(shared.validation_outputs, outputs, atol=1e-6)
    assert np.abs(shared.validation_outputs - alone.validation_outputs).max() > 0.01
    seen = ("loss", "validation_loss")
    assert [[row[k] for k in seen] for row in shared.history] == [
        [row[k] for k in seen] for row in alone.history
    ]


def test_token_dropout_replaces_real_tokens_only_and_by_seed():
    tokens = np.where(np.arange(400) < 300, 9, 0).astype(np.int32)[None].repeat(50, 0)
    dropped = drop_tokens(tokens, 0.2, (0, 1, 2))
    np.testing.assert_array_equal(dropped, drop_tokens(tokens, 0.2, (0, 1, 2)))
    assert not np.array_equal(dropped, drop_tokens(tokens, 0.2, (0, 1, 3)))
    assert not dropped[:, 300:].any()
    assert set(np.unique(dropped)) == {0, 1, 9}
    assert (dropped == 1).sum() / (50 * 300) == pytest.approx(0.2, abs=0.02)


def test_balanced_class_weights_make_a_rare_label_count_as_much():
    from sentiment_lstm.training import _sample_weights

    targets = np.array([0] * 90 + [1] * 10)
    weights = _sample_weights(targets, BINARY, "balanced")
    assert weights[targets == 0].sum() == pytest.approx(weights[targets == 1].sum())
    assert weights.mean() == pytest.approx(1)


def test_every_trained_variable_has_a_name():
    model = build_classifier(ModelSettings(embedding=6, units=5, layers=2), 20, 3)
    assert len(named_variables(model)) == len(model.trainable_variables)
