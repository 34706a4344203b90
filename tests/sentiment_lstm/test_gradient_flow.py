"""Gradients back in time against finite differences of networks written out in numpy."""

import numpy as np
import numpy_lstm
import pytest

from sentiment_lstm.gradient_flow import lstm_flow, rnn_flow

UNITS, FEATURES, TIME = 4, 3, 11


@pytest.fixture
def given():
    random = np.random.default_rng(8)
    lengths = np.array([11, 8, 9])
    keep = np.arange(TIME) < lengths[:, None]
    x = random.normal(size=(3, TIME, FEATURES)) * keep[..., None]

    def weights(width):
        shapes = (FEATURES, width), (UNITS, width), (width,)
        return [random.normal(scale=0.7, size=shape) for shape in shapes]

    return x, keep, weights


def rnn_states(x, W, U, b, h0=None):
    h = np.zeros(UNITS) if h0 is None else h0
    states = []
    for x_t in x:
        h = np.tanh(x_t @ W + h @ U + b)
        states.append(h)
    return np.array(states)


def differences(function, point, step=1e-6):
    """Return the Jacobian of a function at a point, a column a coordinate."""
    columns = []
    for direction in np.eye(len(point)):
        up, down = function(point + step * direction), function(point - step * direction)
        columns.append((up - down) / (2 * step))
    return np.array(columns).T


def mean_norm(jacobians):
    norms = [np.sqrt(np.sum(j**2) / UNITS) for j in jacobians]
    return np.exp(np.mean(np.log(norms)))


def test_lstm_norms_are_those_of_finite_differences(given):
    x, keep, weights = given
    W, U, b = weights(4 * UNITS)
    flow = lstm_flow((W, U, b), x, keep, back=6)
    for k in range(1, 7):
        by_h, by_c = [], []
        for row, length in zip(x, keep.sum(axis=1), strict=True):
            run = numpy_lstm.forward(row[None, :length], W, U, b)
            h, c = run.h[0, length - k - 1], run.c[0, length - k - 1]
            rest = row[None, length - k : length]

            def last(h, c, rest=rest):
                return numpy_lstm.forward(rest, W, U, b, h0=h[None], c0=c[None]).h[0, -1]

            by_h.append(differences(lambda v, c=c, last=last: last(v, c), h))
            by_c.append(differences(lambda v, h=h, last=last: last(h, v), c))
        assert flow.h[k] == pytest.approx(mean_norm(by_h), rel=1e-5)
        assert flow.c[k] == pytest.approx(mean_norm(by_c), rel=1e-5)
    assert len(flow.h) == len(flow.c) == 7


def test_rnn_norms_are_those_of_finite_differences(given):
    x, keep, weights = given
    W, U, b = weights(UNITS)
    flow = rnn_flow((W, U, b), x, keep, back=5)
    for k in range(1, 6):
        jacobians = []
        for row, length in zip(x, keep.sum(axis=1), strict=True):
            h = rnn_states(row[:length], W, U, b)[length - k - 1]
            rest = row[length - k : length]
            jacobians.append(
                differences(lambda v, rest=rest: rnn_states(rest, W, U, b, h0=v)[-1], h)
            )
        assert flow.h[k] == pytest.approx(mean_norm(jacobians), rel=1e-5)
    assert flow.c == []


def test_the_state_by_itself_is_the_identity(given):
    x, keep, weights = given
    assert lstm_flow(weights(4 * UNITS), x, keep, back=1).h[0] == 1
    assert rnn_flow(weights(UNITS), x, keep, back=1).h[0] == 1


def test_a_cell_that_nothing_is_forgotten_of_hands_its_gradient_on(given):
    x, keep, weights = given
    W, U, b = weights(4 * UNITS)
    b[UNITS : 2 * UNITS] = 100
    U[:] = 0  # and that h plays no part in
    flow = lstm_flow((W, U, b), x, keep, back=6)
    np.testing.assert_allclose(flow.c[2:], flow.c[1], rtol=1e-9)
