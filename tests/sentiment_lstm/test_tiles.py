"""Products in tiles, against numpy's in float64."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.core.errors import TypingError

from sentiment_lstm import tiles
from sentiment_lstm.tiles import ABREAST, SHAPE, WIDTH, add_product, panels_of, put_affine

ROOT = Path(tiles.__file__).parents[1]


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


@given(st.integers(1, 90), st.integers(1, 90))
def test_panels_are_the_matrix(rows, columns):
    matrix = normal(rows, rows, columns)
    panels = panels_of(matrix)
    assert panels.shape[1:] == (rows, WIDTH)
    whole = panels.transpose(1, 0, 2).reshape(rows, -1)
    np.testing.assert_array_equal(whole[:, :columns], matrix)
    assert not whole[:, columns:].any()


@given(
    st.integers(0, 3 * SHAPE.rows + 1),
    st.integers(1, 70),
    st.integers(1, (2 * ABREAST + 1) * WIDTH),
    st.integers(0, 3),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=200)
def test_the_product_is_added_to_the_rows_asked_for_and_to_no_other(n, inner, columns, more, seed):
    a, b = normal([seed, 1], n + more, inner), normal([seed, 2], inner, columns)
    result = normal([seed, 3], n + more, columns)
    expected = result.astype("float64")
    expected[:n] += a[:n].astype("float64") @ b.astype("float64")
    untouched = result[n:].copy()
    add_product(n, a, panels_of(b), result)
    np.testing.assert_allclose(result[:n], expected[:n], atol=1e-5 * max(1, inner))
    np.testing.assert_array_equal(result[n:], untouched)


@given(
    st.integers(0, 3 * SHAPE.rows + 1),
    st.integers(1, 70),
    st.integers(1, (2 * ABREAST + 1) * WIDTH),
    st.integers(0, 3),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=200)
def test_what_the_memory_held_is_not_added_to_an_affine_map(n, inner, columns, more, seed):
    a, b = normal([seed, 1], n + more, inner), normal([seed, 2], inner, columns)
    bias, result = normal([seed, 3], columns), np.full((n + more, columns), np.nan, "float32")
    expected = a[:n].astype("float64") @ b.astype("float64") + bias
    put_affine(n, a, panels_of(b), bias, result)
    np.testing.assert_allclose(result[:n], expected, atol=1e-5 * max(1, inner))
    assert np.isnan(result[n:]).all()


@pytest.mark.parametrize("columns", [5, WIDTH, WIDTH + 2])
def test_of_more_panels_than_the_result_has_columns_the_first_count(columns):
    a, b = normal(1, 6, 3), normal(2, 3, 3 * WIDTH)
    result = np.zeros((6, columns), "float32")
    add_product(6, a, panels_of(b), result)
    np.testing.assert_allclose(result, a @ b[:, :columns], atol=1e-5)


def test_a_bias_of_another_width_is_refused():
    a, panels, result = normal(1, 4, 3), panels_of(normal(2, 3, 5)), np.zeros((4, 5), "float32")
    for width in (4, 6):
        with pytest.raises(ValueError, match="do not fit"):
            put_affine(4, a, panels, np.zeros(width, "float32"), result)


@pytest.mark.parametrize("columns", [WIDTH, 3 * WIDTH, 3 * WIDTH + 1])
def test_no_vector_of_a_panel_lies_across_two_lines_of_the_cache(columns):
    assert panels_of(normal(1, 5, columns)).ctypes.data % 64 == 0


@pytest.mark.parametrize("n", range(1, 2 * SHAPE.rows + 2))
def test_a_row_has_the_same_bits_whichever_rows_stand_beside_it(n):
    columns = (ABREAST + 1) * WIDTH + 3
    a, b = normal(1, 2 * SHAPE.rows + 1, 33), normal(2, 33, columns)
    whole, part = np.zeros((2, len(a), columns), "float32")
    add_product(len(a), a, panels_of(b), whole)
    add_product(n, a, panels_of(b), part)
    np.testing.assert_array_equal(part[:n], whole[:n])


def test_a_number_that_is_none_stays_in_its_row():
    a, b = normal(1, 7, 5), normal(2, 5, 9)
    a[3, 2] = np.nan
    result = np.zeros((7, 9), "float32")
    add_product(7, a, panels_of(b), result)
    assert np.isnan(result[3]).all()
    assert np.isfinite(np.delete(result, 3, axis=0)).all()


def test_arrays_of_another_kind_are_refused_not_misread():
    a, panels, result = normal(1, 4, 3), panels_of(normal(2, 3, 5)), np.zeros((4, 5), "float32")
    wide = np.zeros((4, 9), "float32")
    for arrays in (
        (normal(1, 4, 6)[:, :3], panels, result),
        (a, panels, wide[:, :5]),
        (a, panels[:, :, ::2], result),
        (a.astype("float64"), panels, result),
        (a, panels.astype("float64"), result),
        (a, panels, result.astype("float64")),
    ):
        with pytest.raises(TypingError, match="float32 arrays without gaps"):
            add_product(4, *arrays)


def test_shapes_that_do_not_fit_are_refused():
    a, panels, result = normal(1, 4, 3), panels_of(normal(2, 3, 5)), np.zeros((4, 5), "float32")
    for n, *arrays in (
        (5, a, panels, result),
        (4, normal(1, 4, 2), panels, result),
        (4, a, panels, np.zeros((4, WIDTH + 1), "float32")),
        (4, a, np.zeros((1, 3, WIDTH + 1), "float32"), result),
        (4, a[:, :0].copy(), panels[:, :0].copy(), result),
    ):
        with pytest.raises(ValueError, match="do not fit"):
            add_product(n, *arrays)


FOR_ANOTHER_PROCESSOR = """
import sys
from unittest.mock import patch
import numpy as np
from llvmlite.binding import get_host_cpu_features

class Features(type(get_host_cpu_features())):
    # Only what is asked by `get` is another's; the compiler takes the whole, and gets the truth.
    def get(self, name):
        return sys.argv[1] == "True" if name == "avx512f" else super().get(name)

said = Features(get_host_cpu_features())
with patch("llvmlite.binding.get_host_cpu_features", lambda: said):
    from sentiment_lstm.tiles import SHAPE, add_product, panels_of
a, b = np.random.default_rng(0).normal(size=(2, 45, 45)).astype("float32")
for n in range(46):
    result = np.ones((45, 45), "float32")
    add_product(n, a, panels_of(b), result)
    np.testing.assert_allclose(result[:n], 1 + a[:n] @ b, atol=1e-4)
print(*SHAPE)
"""


@pytest.mark.parametrize(("wide", "shape"), [(True, "8 2 16"), (False, "6 2 8")])
def test_tiles_of_another_processor_give_the_same_product(wide, shape, tmp_path):
    """The compiler makes such vectors of whatever there is, so they run here too."""
    command = [sys.executable, "-c", FOR_ANOTHER_PROCESSOR, str(wide)]
    environment = {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == (shape, "")
