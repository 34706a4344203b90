"""The optimizers' own part: which share of the learning rate a variable moves at."""

import keras
import numpy as np
import pytest

from sentiment_lstm.losses import loss_for
from sentiment_lstm.model import build_classifier, depths, named_variables, weights_of
from sentiment_lstm.optimizers import build_optimizer
from sentiment_lstm.settings import ModelSettings, TrainSettings
from sentiment_lstm.steps import train_step

TOKENS = np.array([[3, 9, 4], [5, 1, 0]], np.int32)


def test_depth_counts_the_layers_above():
    model = build_classifier(ModelSettings(embedding=3, units=2, layers=2), 10, 1)
    by_path = depths(model)
    found = {name: by_path[v.path] for name, v in named_variables(model).items()}
    assert found["head.kernel"] == found["head.bias"] == 0
    assert found["lstm.1.forward.kernel"] == found["lstm.1.backward.bias"] == 1
    assert found["lstm.0.backward.recurrent_kernel"] == 2
    assert found["embedding"] == 3
    assert sorted(by_path) == sorted(v.path for v in model.trainable_variables)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_each_layer_moves_at_its_share_of_the_rate_of_the_one_above(optimizer):
    moved = {}
    for discriminative in (1.0, 0.25):
        settings = TrainSettings(
            optimizer=optimizer, momentum=0.0,
            learning_rate=0.5 if optimizer == "sgd" else 0.01, schedule="constant",
            clip_norm=0.0, discriminative=discriminative,
        )  # fmt: skip
        model = build_classifier(ModelSettings(embedding=3, units=2, dropout=0), 10, 1)
        before = weights_of(model)
        rule = build_optimizer(settings, 10, depths(model))
        rule.build(model.trainable_variables)
        step = train_step(model, rule, loss_for("classification", 1, 0.0))
        step(TOKENS, np.array([0, 1]), np.ones(2))
        moved[discriminative] = {k: v - before[k] for k, v in weights_of(model).items()}
    for name, whole in moved[1.0].items():
        share = 0.25 ** {"head": 0, "lstm": 1, "embedding": 2}[name.split(".")[0]]
        np.testing.assert_allclose(moved[0.25][name], share * whole, rtol=2e-2, atol=1e-7)
        assert np.abs(whole).max() > 1e-5, name


def test_variables_of_no_known_depth_move_at_the_whole_rate():
    variable = keras.Variable(np.zeros(2, "float32"))
    settings = TrainSettings(
        optimizer="sgd", momentum=0.0, learning_rate=0.5, schedule="constant", clip_norm=0.0,
        discriminative=0.1,
    )  # fmt: skip
    rule = build_optimizer(settings, 10)
    rule.apply([keras.ops.convert_to_tensor(np.array([1, -2], "float32"))], [variable])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(variable), [-0.5, 1])
