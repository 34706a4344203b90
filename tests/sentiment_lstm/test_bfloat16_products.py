"""Products in bfloat16, against those of the same rounded numbers in float64."""

import numpy as np
import pytest
from bfloat16_cases import bits, numbers
from hypothesis import given
from hypothesis import strategies as st
from ml_dtypes import bfloat16

from sentiment_lstm import bfloat16_products, bfloat16_vectors, matrix_unit
from sentiment_lstm.bfloat16_panels import DEPTH, ROWS, padded
from sentiment_lstm.bfloat16_products import (
    STEP,
    add_product,
    available,
    means,
    panels_of,
    summed_outer,
)

needs_products = pytest.mark.skipif(
    not available(), reason="this processor has no products in bfloat16"
)


@needs_products
@given(st.integers(1, 70), st.integers(1, 140))
def test_panels_are_the_matrix(rows, columns):
    matrix = bits(rows, rows, columns)
    panels = panels_of(matrix)
    whole = panels.transpose(1, 3, 0, 2).reshape(2 * panels.shape[1], -1)
    np.testing.assert_array_equal(whole[:rows, :columns], matrix)
    assert not whole[rows:].any()
    assert not whole[:, columns:].any()
    assert (whole.shape[0] % DEPTH, whole.shape[1] % STEP) == (0, 0)


@needs_products
@given(
    st.integers(0, 5 * ROWS + 1),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(0, 2),
    st.integers(0, 2**32 - 1),
)
def test_the_product_is_added_to_the_rows_asked_for(n, depth, breadth, more, seed):
    rows = padded(n, ROWS) + more
    a, b = bits([seed, 1], rows, depth * DEPTH), bits([seed, 2], depth * DEPTH, breadth * STEP)
    a[n:] = np.float32("nan").astype(bfloat16).view(np.uint16)  # whatever stands there
    result = np.random.default_rng([seed, 3]).normal(size=(rows, b.shape[1])).astype(np.float32)
    expected = result + numbers(a) @ numbers(b)
    untouched = result[rows - more :].copy()
    add_product(n, a, panels_of(b), result)
    np.testing.assert_allclose(result[:n], expected[:n], atol=1e-4)
    np.testing.assert_array_equal(result[rows - more :], untouched)


@needs_products
@pytest.mark.parametrize("n", [0, 1, 31, 1024, 1500])
def test_outer_products_are_summed(n):
    a, b = bits(1, n, STEP), bits(2, n, 3 * STEP)
    np.testing.assert_allclose(summed_outer(a, b), numbers(a).T @ numbers(b), atol=1e-3)


@needs_products
@pytest.mark.parametrize(
    "shapes", [((32, STEP), (32, 48)), ((32, 48), (32, STEP)), ((32, STEP), (31, STEP))]
)
def test_outer_products_of_shapes_that_do_not_fit_are_refused(shapes):
    with pytest.raises(ValueError, match="do not fit"):
        summed_outer(*(bits(1, *shape) for shape in shapes))


@needs_products
def test_shapes_that_do_not_fit_are_refused():
    a, panels = bits(1, ROWS, DEPTH), panels_of(bits(2, DEPTH, STEP))
    result = np.zeros((ROWS, STEP), np.float32)
    for n, *arrays in (
        (ROWS + 1, a, panels, result),
        (3, a[:15], panels, result),
        (3, a, panels, result[:15]),
        (3, bits(1, ROWS, 2 * DEPTH), panels, result),
        (3, a, panels, np.zeros((ROWS, 2 * STEP), np.float32)),
        (3, a[:, :16].copy(), panels[:, :8].copy(), result),
        (3, a, panels[:2], result[:, :32].copy()),
    ):
        with pytest.raises(ValueError, match="do not fit"):
            add_product(n, *arrays)


@pytest.mark.parametrize(
    ("unit", "vectors", "named"),
    [(True, True, "by the matrix unit"), (False, True, "by vectors"), (False, False, "in float32")],
)
def test_it_says_what_multiplies(monkeypatch, unit, vectors, named):
    monkeypatch.setattr(matrix_unit, "available", lambda: unit)
    monkeypatch.setattr(bfloat16_vectors, "available", lambda: vectors)
    assert available() == (unit or vectors)
    assert means().startswith(named)


def test_without_any_a_matrix_is_not_laid_out(monkeypatch):
    monkeypatch.setattr(bfloat16_products, "available", lambda: False)
    with pytest.raises(RuntimeError, match="no products in bfloat16"):
        panels_of(bits(1, 4, 4))
