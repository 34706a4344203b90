"""The matrix unit, against products of the same rounded numbers in float64."""

import pytest
from bfloat16_cases import check_added_rows

from sentiment_lstm import matrix_unit


@pytest.mark.skipif(
    not matrix_unit.available(), reason="this processor has no matrix unit for bfloat16"
)
@pytest.mark.parametrize("blocks", [1, 2, 3])
@pytest.mark.parametrize("depth", [1, 5])
def test_rows_of_the_product_are_added(blocks, depth):
    check_added_rows(matrix_unit.add_rows, blocks, depth)
