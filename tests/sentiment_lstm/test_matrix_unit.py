"""Products by the matrix unit, against those of the same rounded numbers in float64."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ml_dtypes import bfloat16

from sentiment_lstm import matrix_unit
from sentiment_lstm.matrix_unit import COLUMNS, DEPTH, ROWS, add_product, panels_of, summed_outer

BREADTH = 4 * COLUMNS
needs_unit = pytest.mark.skipif(
    not matrix_unit.available(), reason="this processor has no matrix unit for bfloat16"
)


def bits(seed, *shape):
    drawn = np.random.default_rng(seed).normal(size=shape)
    return drawn.astype(bfloat16).view(np.uint16)


def numbers(array):
    return array.view(bfloat16).astype(np.float64)


@needs_unit
@given(st.integers(1, 70), st.integers(1, 140))
@settings(deadline=None)
def test_panels_are_the_matrix(rows, columns):
    matrix = bits(rows, rows, columns)
    panels = panels_of(matrix)
    whole = panels.transpose(1, 3, 0, 2).reshape(2 * panels.shape[1], -1)
    np.testing.assert_array_equal(whole[:rows, :columns], matrix)
    assert not whole[rows:].any()
    assert not whole[:, columns:].any()
    assert (whole.shape[0] % DEPTH, whole.shape[1] % BREADTH) == (0, 0)


@needs_unit
@given(
    st.integers(0, 5 * ROWS + 1),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(0, 2),
    st.integers(0, 2**32 - 1),
)
@settings(deadline=None)
def test_the_product_is_added_to_the_rows_asked_for(n, depth, breadth, more, seed):
    rows = matrix_unit.padded(n, ROWS) + more
    a, b = bits([seed, 1], rows, depth * DEPTH), bits([seed, 2], depth * DEPTH, breadth * BREADTH)
    a[n:] = np.float32("nan").astype(bfloat16).view(np.uint16)  # whatever stands there
    result = np.random.default_rng([seed, 3]).normal(size=(rows, b.shape[1])).astype(np.float32)
    expected = result + numbers(a) @ numbers(b)
    untouched = result[rows - more :].copy()
    add_product(n, a, panels_of(b), result)
    np.testing.assert_allclose(result[:n], expected[:n], atol=1e-4)
    np.testing.assert_array_equal(result[rows - more :], untouched)


@needs_unit
@pytest.mark.parametrize("n", [0, 1, 31, 1024, 1500])
def test_outer_products_are_summed(n):
    a, b = bits(1, n, BREADTH), bits(2, n, 3 * BREADTH)
    np.testing.assert_allclose(summed_outer(a, b), numbers(a).T @ numbers(b), atol=1e-3)


@needs_unit
def test_shapes_that_do_not_fit_are_refused():
    a, panels = bits(1, ROWS, DEPTH), panels_of(bits(2, DEPTH, BREADTH))
    result = np.zeros((ROWS, BREADTH), np.float32)
    for n, *arrays in (
        (ROWS + 1, a, panels, result),
        (3, a[:15], panels, result),
        (3, a, panels, result[:15]),
        (3, bits(1, ROWS, 2 * DEPTH), panels, result),
        (3, a, panels, np.zeros((ROWS, 2 * BREADTH), np.float32)),
        (3, a[:, :16].copy(), panels[:, :8].copy(), result),
        (3, a, panels[:2], result[:, :32].copy()),
    ):
        with pytest.raises(ValueError, match="do not fit"):
            add_product(n, *arrays)


@pytest.mark.parametrize("lacks", ["amx-tile", "amx-bf16", "linux", "permission"])
def test_it_is_not_there_where_anything_is_lacking(monkeypatch, lacks):
    has = {name: name != lacks for name in ("amx-tile", "amx-bf16")}
    answer = -1 if lacks == "permission" else 0
    process = type("Process", (), {"syscall": staticmethod(lambda *_: answer)})
    monkeypatch.setattr(matrix_unit.binding, "get_host_cpu_features", lambda: has)
    monkeypatch.setattr(matrix_unit.sys, "platform", "win32" if lacks == "linux" else "linux")
    monkeypatch.setattr(matrix_unit.ctypes, "CDLL", lambda _: process)
    monkeypatch.setattr(matrix_unit, "available", matrix_unit.available.__wrapped__)
    assert not matrix_unit.available()
    with pytest.raises(RuntimeError, match="no matrix unit"):
        panels_of(bits(1, 4, 4))
