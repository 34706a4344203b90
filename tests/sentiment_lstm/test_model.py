"""The network against numpy written out: padding, pooling, weights by name."""

import keras
import numpy as np
import pytest
from keras import ops
from numpy_lstm import forward as numpy_lstm

from sentiment_lstm.distinct_words import available
from sentiment_lstm.losses import loss_for
from sentiment_lstm.model import build_classifier, load_weights, weights_of
from sentiment_lstm.settings import ModelSettings
from sentiment_lstm.steps import train_step

VOCABULARY = 13

needs_distinct = pytest.mark.skipif(not available(), reason="JAX reads every place by itself")


def settings(**kwargs):
    return ModelSettings(
        **{"embedding": 5, "units": 3, "pooling": ("last", "max", "mean")} | kwargs
    )


def random_model(seed=0, outputs=1, once=False, **kwargs):
    model = build_classifier(settings(**kwargs), VOCABULARY, outputs, seed, words_once=once)
    rng = np.random.default_rng(seed)
    load_weights(model, {k: rng.normal(size=v.shape) for k, v in weights_of(model).items()})
    return model


def padded(texts, time):
    batch = np.zeros((len(texts), time), "int32")
    for row, ids in enumerate(texts):
        batch[row, : len(ids)] = ids
    return batch


def logits(model, batch):
    return ops.convert_to_numpy(model(batch, training=False))


def by_hand(weights, ids, kwargs):
    """Return the logits of one text, read token by token."""
    directions = ("forward", "backward")[: kwargs["directions"]]
    width = 3 * len(directions)
    if not ids:
        pooled = np.zeros(3 * width)
    else:
        x = weights["embedding"][ids][None].astype(float)
        for layer in range(kwargs["layers"]):
            states = {}
            for name in directions:
                cell = [
                    weights[f"lstm.{layer}.{name}.{part}"]
                    for part in ("kernel", "recurrent_kernel", "bias")
                ]
                step = 1 if name == "forward" else -1
                states[name] = numpy_lstm(x[:, ::step], *cell).h[:, ::step]
            x = np.concatenate(list(states.values()), axis=-1)
        last = np.concatenate([s[0, -1 if n == "forward" else 0] for n, s in states.items()])
        pooled = np.concatenate([last, x[0].max(0), x[0].mean(0)])
    return pooled @ weights["head.kernel"] + weights["head.bias"]


TEXTS = [[3, 7, 1, 12, 5, 5], [], [4], [2, 9, 11, 8]]


@pytest.mark.parametrize("outputs", [1, 4])
@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("layers", [1, 2])
def test_logits_agree_with_reading_token_by_token(layers, directions, outputs):
    kwargs = {"layers": layers, "directions": directions}
    model = random_model(outputs=outputs, **kwargs)
    expected = np.stack([by_hand(weights_of(model), ids, kwargs) for ids in TEXTS])
    np.testing.assert_allclose(logits(model, padded(TEXTS, 6)), expected, rtol=0, atol=1e-5)


def test_neither_padding_nor_neighbours_change_an_answer():
    model = random_model(1, layers=2)
    together = logits(model, padded(TEXTS, 19))
    alone = np.concatenate([logits(model, padded([ids], max(1, len(ids)))) for ids in TEXTS])
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-6)


def test_a_text_without_tokens_is_answered_by_the_bias():
    model = random_model(2)
    np.testing.assert_allclose(
        logits(model, np.zeros((1, 4), "int32"))[0], weights_of(model)["head.bias"], rtol=1e-6
    )


def test_same_seed_same_weights_and_other_seed_other_weights():
    first, again, other = (
        weights_of(build_classifier(settings(), VOCABULARY, 1, seed)) for seed in (5, 5, 6)
    )
    for name, weight in first.items():
        np.testing.assert_array_equal(weight, again[name])
        if not name.endswith("bias"):
            assert not np.array_equal(weight, other[name])


def test_the_two_directions_start_from_different_weights():
    weights = weights_of(build_classifier(settings(), VOCABULARY, 1))
    for part in ("kernel", "recurrent_kernel"):
        there, back = (weights[f"lstm.0.{d}.{part}"] for d in ("forward", "backward"))
        assert not np.array_equal(there, back)


def test_weights_come_back_by_name():
    source, target = random_model(3, layers=2), build_classifier(settings(layers=2), VOCABULARY, 1)
    load_weights(target, weights_of(source))
    batch = padded(TEXTS, 8)
    np.testing.assert_array_equal(logits(source, batch), logits(target, batch))


def test_dropouts_act_in_training_only():
    rates = {"embedding_dropout": 0.5, "dropout": 0.5, "recurrent_dropout": 0.5}
    model = random_model(4, **rates)
    plain = build_classifier(settings(dropout=0), VOCABULARY, 1)
    load_weights(plain, weights_of(model))
    batch = padded(TEXTS, 6)
    np.testing.assert_allclose(logits(model, batch), logits(plain, batch), rtol=0, atol=1e-6)
    trained = [ops.convert_to_numpy(model(batch, training=True)) for _ in range(2)]
    assert not np.allclose(trained[0], trained[1])


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("layers", [1, 2])
def test_words_read_once_teach_what_they_teach_at_every_place(layers, directions):
    kwargs = {"layers": layers, "directions": directions, "dropout": 0}
    every, once = (
        build_classifier(settings(**kwargs), VOCABULARY, 1, 3, words_once=once)
        for once in (False, True)
    )
    batch, targets = padded(TEXTS, 6), np.array([0, 1, 1, 0], "float32")
    for model in (every, once):
        optimizer = keras.optimizers.SGD(0.5, global_clipnorm=0.9)
        optimizer.build(model.trainable_variables)
        step = train_step(model, optimizer, loss_for("classification", 1, 0.0))
        for _ in range(3):
            step(batch, targets, np.ones(4, "float32"))
    expected = weights_of(every)
    for name, weight in weights_of(once).items():
        np.testing.assert_allclose(weight, expected[name], rtol=0, atol=2e-6, err_msg=name)
    np.testing.assert_allclose(logits(once, batch), logits(every, batch), rtol=0, atol=1e-5)


@pytest.mark.parametrize("pooling", [("last",), ("last", "max")])
@pytest.mark.parametrize("directions", [1, 2])
def test_keras_fits_a_network_too(directions, pooling):
    model = build_classifier(settings(directions=directions, pooling=pooling), VOCABULARY, 1)
    before = weights_of(model)
    model.compile("sgd", "mse")
    model.fit(padded(TEXTS, 6), np.ones((4, 1), "float32"), verbose=0)
    assert all((weight != before[name]).any() for name, weight in weights_of(model).items())


@needs_distinct
def test_dropout_on_the_vectors_reads_every_place():
    names = {
        rate: {layer.name for layer in random_model(1, embedding_dropout=rate, once=True).layers}
        for rate in (0.0, 0.3)
    }
    assert [rate for rate in names if "words" in names[rate]] == [0.0]


@pytest.mark.parametrize("once", [False, pytest.param(True, marks=needs_distinct)])
def test_a_saved_model_loads_with_its_layers(tmp_path, once):
    model = random_model(5, layers=2, once=once)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    batch = padded(TEXTS, 6)
    np.testing.assert_array_equal(logits(model, batch), logits(loaded, batch))


@pytest.mark.parametrize("directions", [1, 2])
def test_in_mixed_precision_it_starts_alike_and_answers_nearly_alike(directions):
    sizes = settings(directions=directions, dropout=0)
    single, mixed = (
        build_classifier(sizes, VOCABULARY, 2, 4, precision)
        for precision in ("float32", "mixed_bfloat16")
    )
    before = weights_of(single)
    for name, weight in weights_of(mixed).items():
        np.testing.assert_array_equal(weight, before[name])
    rng = np.random.default_rng(5)
    weights = {name: rng.normal(size=value.shape) for name, value in before.items()}
    for model in (single, mixed):
        load_weights(model, weights)
    batch = padded([[3, 4, 12, 7], [5]], 6)
    one, other = logits(single, batch), logits(mixed, batch)
    assert other.dtype == np.float32
    assert (one != other).any()
    np.testing.assert_allclose(other, one, atol=0.03 * np.abs(one).max())
