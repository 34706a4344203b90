"""Losses against scikit-learn and numpy."""

import numpy as np
import pytest
from keras import ops
from scipy.special import rel_entr
from scipy.stats import entropy as scipy_entropy
from sklearn.metrics import log_loss

from sentiment_lstm.losses import divergence_for, entropy, loss_for

RNG = np.random.default_rng(0)
WEIGHTS = RNG.uniform(0.5, 2, 7).astype("float32")


def value(loss, targets, outputs, weights):
    arrays = (np.asarray(a, "float32") for a in (targets, outputs, weights))
    return float(ops.convert_to_numpy(loss(*map(ops.convert_to_tensor, arrays))))


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def test_two_labels_agree_with_scikit_learn():
    logits = RNG.normal(size=(7, 1)) * 3
    targets = RNG.integers(0, 2, 7)
    expected = log_loss(targets, 1 / (1 + np.exp(-logits[:, 0])), sample_weight=WEIGHTS)
    actual = value(loss_for("classification", 1, 0.0), targets, logits, WEIGHTS)
    assert actual == pytest.approx(expected * WEIGHTS.mean(), rel=1e-5)


def test_many_labels_agree_with_scikit_learn():
    logits = RNG.normal(size=(7, 4)) * 3
    targets = RNG.integers(0, 4, 7)
    expected = log_loss(targets, softmax(logits), sample_weight=WEIGHTS, labels=range(4))
    actual = value(loss_for("classification", 4, 0.0), targets, logits, WEIGHTS)
    assert actual == pytest.approx(expected * WEIGHTS.mean(), rel=1e-5)


@pytest.mark.parametrize("outputs", [1, 4])
def test_smoothing_moves_mass_evenly_to_all_labels(outputs):
    logits = RNG.normal(size=(7, outputs))
    columns = np.concatenate([np.zeros((7, 1)), logits], 1) if outputs == 1 else logits
    count = columns.shape[1]
    targets = RNG.integers(0, count, 7)
    soft = np.eye(count)[targets] * 0.8 + 0.2 / count
    expected = -(soft * np.log(softmax(columns))).sum(1).mean()
    actual = value(loss_for("classification", outputs, 0.2), targets, logits, np.ones(7))
    assert actual == pytest.approx(expected, rel=1e-5)


def test_extreme_logits_give_a_finite_loss():
    logits = np.array([[500.0], [-500.0]])
    assert value(loss_for("classification", 1, 0.0), [0, 1], logits, [1, 1]) == pytest.approx(500)


def test_regression_is_the_mean_squared_error():
    outputs, targets = RNG.normal(size=(7, 1)), RNG.normal(size=7)
    expected = (WEIGHTS * (outputs[:, 0] - targets) ** 2).mean()
    assert value(loss_for("regression", 1, 0.0), targets, outputs, WEIGHTS) == pytest.approx(
        expected, rel=1e-5
    )


def distributions(logits):
    columns = np.concatenate([np.zeros((7, 1)), logits], 1) if logits.shape[1] == 1 else logits
    return softmax(columns)


@pytest.mark.parametrize("outputs", [1, 4])
def test_divergence_of_classes_is_that_of_kullback_and_leibler(outputs):
    these, those = RNG.normal(size=(2, 7, outputs)) * 3
    expected = rel_entr(distributions(these), distributions(those)).sum(1).mean()
    tensors = (ops.convert_to_tensor(np.asarray(a, "float32")) for a in (these, those))
    found = divergence_for("classification")(*tensors)
    assert float(ops.convert_to_numpy(found)) == pytest.approx(expected, rel=1e-4)


def test_divergence_of_regression_is_the_mean_square():
    these, those = RNG.normal(size=(2, 7, 1)).astype("float32")
    found = divergence_for("regression")(*map(ops.convert_to_tensor, (these, those)))
    expected = ((these - those) ** 2).mean()
    assert float(ops.convert_to_numpy(found)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("outputs", [1, 4])
def test_entropy_agrees_with_scipy(outputs):
    logits = RNG.normal(size=(7, outputs)) * 2
    expected = scipy_entropy(distributions(logits), axis=1).mean()
    found = entropy(ops.convert_to_tensor(np.asarray(logits, "float32")))
    assert float(ops.convert_to_numpy(found)) == pytest.approx(expected, rel=1e-5)
