"""The sum of cross-entropies and its gradient: those of PyTorch, whatever the shares and parts."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_lstm import bfloat16_products, softmax_gradient
from sentiment_lstm.softmax_gradient import Problem, solve

TOKENS = 40


def problem(n=23, width=5, k=12, seed=0):
    rng = np.random.default_rng(seed)
    floats = [rng.normal(size=shape).astype("float32") for shape in ((n, width), n, (k, width), k)]
    targets = rng.integers(0, TOKENS, n).astype("int32")
    candidates = np.sort(rng.permutation(TOKENS)[:k]).astype("int32")
    weights = rng.random(n).astype("float32") * (rng.random(n) < 0.8)
    return Problem(*floats, targets, candidates, weights.astype("float32"))


def by_torch(given):
    """Return the sum and its gradients from PyTorch's own cross-entropy, in float64."""
    torch = pytest.importorskip("torch", reason="pip install '.[peers]'")
    wanted = [torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in given[:4]]
    states, own, rows, added = wanted
    logits = states @ rows.T + added
    hits = torch.tensor(given.targets)[:, None] == torch.tensor(given.candidates)[None]
    logits = torch.cat([own[:, None], logits.masked_fill(hits, -torch.inf)], dim=1)
    first = torch.zeros(len(own), dtype=torch.long)
    losses = torch.nn.functional.cross_entropy(logits, first, reduction="none")
    total = (losses * torch.tensor(given.weights)).sum()
    total.backward()
    return total.item(), [t.grad.numpy() for t in wanted]


@pytest.mark.parametrize("rows", [1, 4, 256])
@pytest.mark.parametrize("cores", [1, 2, 5])
def test_sum_and_gradient_are_those_of_pytorch(monkeypatch, rows, cores):
    monkeypatch.setattr(softmax_gradient, "ROWS", rows)
    monkeypatch.setattr(softmax_gradient, "cores", lambda: cores)
    given = problem()
    assert np.isin(given.targets, given.candidates).any()
    total, gradients = by_torch(given)
    found = solve(given)
    assert found.total == pytest.approx(total, rel=1e-5)
    for name, gradient in zip(("states", "own", "rows", "added"), gradients, strict=True):
        np.testing.assert_allclose(getattr(found, name), gradient, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("rows", [4, 256])
def test_in_bfloat16_they_are_near_those_of_pytorch(monkeypatch, rows):
    monkeypatch.setattr(softmax_gradient, "ROWS", rows)
    monkeypatch.setattr(sys.modules[__name__], "TOKENS", 500)
    given = problem(n=75, width=64, k=128)
    given = given._replace(states=given.states / 8)
    assert np.isin(given.targets, given.candidates).any()
    total, gradients = by_torch(given)
    found = solve(given, narrow=True)
    assert found.total == pytest.approx(total, rel=1e-3)
    assert bfloat16_products.available() == (found.rows != solve(given).rows).any()
    for name, gradient in zip(("states", "own", "rows", "added"), gradients, strict=True):
        allowed = 0.01 * np.abs(gradient).max()
        np.testing.assert_allclose(getattr(found, name), gradient, rtol=0, atol=allowed)


def test_without_its_gradient_the_sum_is_the_same():
    found = solve(problem(), with_gradient=False)
    assert found.total == solve(problem()).total
    assert not found.rows.any()


@given(st.integers(1, 30), st.integers(0, 40), st.integers(0, 999))
def test_states_of_no_weight_change_nothing(n, more, seed):
    whole = problem(n + more, seed=seed)
    whole = whole._replace(weights=np.where(np.arange(n + more) < n, whole.weights, 0))
    few, all_of_them = solve(whole.share(slice(n))), solve(whole)
    assert few.total == pytest.approx(all_of_them.total, rel=1e-5, abs=1e-6)
    np.testing.assert_allclose(few.rows, all_of_them.rows, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(few.states, all_of_them.states[:n], rtol=1e-5, atol=1e-6)
    assert not all_of_them.states[n:].any()


def test_no_weight_at_all_is_a_sum_of_nothing():
    found = solve(problem()._replace(weights=np.zeros(23, np.float32)))
    assert found.total == 0
    assert not found.states.any()


def test_large_logits_do_not_overflow():
    given = problem()
    found = solve(given._replace(states=given.states * 1e4, own=given.own * 1e4))
    assert all(np.isfinite(part).all() for part in found)


def test_what_is_no_number_shows():
    given = problem()._replace(weights=np.ones(23, np.float32))
    given.states[3] = np.nan
    found = solve(given)
    assert np.isnan(found.total)
    assert np.isnan(found.rows).any()
