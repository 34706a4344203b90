import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.special import expit, softmax

from sentiment_lstm.calibration import (
    expected_calibration_error,
    fit_temperature,
    log_probabilities,
    probabilities,
    reliability_bins,
)
from sentiment_lstm.errors import DataError

logit = st.floats(-1e4, 1e4, width=32)
matrices = arrays(np.float32, array_shapes(min_dims=2, max_dims=2, min_side=2), elements=logit)


def labelled(n: int, scale: float, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Logits `scale` times those that the labels were truly drawn from."""
    generator = np.random.default_rng(7)
    true = generator.normal(0, 1.5, (n, classes))
    labels = [generator.choice(classes, p=row) for row in softmax(true, axis=1)]
    return true * scale, np.array(labels)


def calibration_error_written_out(p: np.ndarray, labels: np.ndarray, bins: int) -> float:
    edges, total = np.linspace(0, 1, bins + 1), 0.0
    for low, high in itertools.pairwise(edges):
        inside = [n for n in range(len(p)) if low < p[n].max() <= high]
        if inside:
            confidence = sum(p[n].max() for n in inside) / len(inside)
            accuracy = sum(p[n].argmax() == labels[n] for n in inside) / len(inside)
            total += len(inside) / len(p) * abs(accuracy - confidence)
    return total


@given(matrices, st.floats(0.05, 20))
def test_probabilities_are_the_softmax_of_divided_logits(z: np.ndarray, t: float) -> None:
    expected = softmax(z.astype(np.float64) / t, axis=1)
    np.testing.assert_allclose(probabilities(z, t), expected, rtol=1e-9, atol=1e-300)


def test_binary_logits_give_two_columns_with_the_sigmoid_second() -> None:
    z = np.array([-3.0, 0.2, 5.0], dtype=np.float32)
    expected = np.stack([expit(-z.astype(float) / 2), expit(z.astype(float) / 2)], axis=1)
    np.testing.assert_allclose(probabilities(z, 2.0), expected, rtol=1e-12)
    np.testing.assert_array_equal(probabilities(z[:, None], 2.0), probabilities(z, 2.0))


def test_enormous_logits_stay_finite() -> None:
    z = np.array([[1e300, -1e300, 0.0], [-800.0, 800.0, 799.0]])
    p = probabilities(z)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_array_equal(p[0], [1, 0, 0])
    assert log_probabilities(z)[1, 0] == pytest.approx(-1600 - np.log1p(np.exp(-1)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_logit_that_is_not_finite_is_named(bad: float) -> None:
    with pytest.raises(DataError, match=r"text 2 .*learning_rate"):
        probabilities([0.5, bad])


def test_a_temperature_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        probabilities([0.5], 0.0)


@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_fitted_temperature_is_the_lowest_point_of_a_fine_grid(scale: float) -> None:
    z, y = labelled(900, scale)
    grid = np.exp(np.linspace(-2, 2, 1501))
    losses = [-np.log(softmax(z / t, axis=1)[np.arange(900), y]).mean() for t in grid]
    found = fit_temperature(z, y)
    assert found == pytest.approx(grid[np.argmin(losses)], rel=3e-3)
    assert found == pytest.approx(scale, rel=0.1)


def test_binary_temperature_leaves_no_gradient() -> None:
    z, y = labelled(700, 2.5, classes=2)
    margin = z[:, 1] - z[:, 0]
    t = fit_temperature(margin, y)
    # d/d(1/T) of the log-likelihood: mean of (label - probability) * logit.
    assert np.mean((y - expit(margin / t)) * margin) == pytest.approx(0, abs=1e-6)


def test_separated_texts_keep_their_logits() -> None:
    assert fit_temperature([-2.0, 0.1, 3.0], [0, 1, 1]) == 1.0
    assert fit_temperature([0.0, 0.0], [0, 1]) == 1.0


def test_logits_that_say_the_opposite_get_a_high_finite_temperature() -> None:
    assert 50 < fit_temperature([-2.0, 1.0, 3.0], [1, 0, 0]) <= 100


def test_temperature_without_texts_is_refused() -> None:
    with pytest.raises(DataError, match="validation split is empty"):
        fit_temperature(np.zeros((0, 3)), [])


def test_reliability_bins_hold_every_text_once() -> None:
    z, y = labelled(500, 2.0)
    bins = reliability_bins(probabilities(z), y, bins=10)
    assert bins.counts.sum() == 500
    assert (bins.counts * bins.accuracy).sum() == pytest.approx((z.argmax(1) == y).sum())
    assert bins.counts[:3].sum() == 0  # of three labels the likeliest has at least a third


def test_a_confidence_on_an_edge_belongs_to_the_bin_below() -> None:
    bins = reliability_bins([[0.5, 0.5], [0.25, 0.75]], [0, 1], bins=4)
    np.testing.assert_array_equal(bins.counts, [0, 1, 1, 0])


@given(matrices, st.integers(1, 20), st.randoms(use_true_random=False))
def test_calibration_error_matches_its_definition(z: np.ndarray, bins: int, random: object) -> None:
    p = probabilities(z)
    y = np.array([random.randrange(p.shape[1]) for _ in p])  # type: ignore[attr-defined]
    error = expected_calibration_error(p, y, bins)
    assert error == pytest.approx(calibration_error_written_out(p, y, bins), abs=1e-12)
    assert 0 <= error <= 1


def test_scaling_lowers_the_error_of_overconfident_logits() -> None:
    z, y = labelled(900, 4.0)
    before = expected_calibration_error(probabilities(z), y)
    after = expected_calibration_error(probabilities(z, fit_temperature(z, y)), y)
    assert after < before / 3
