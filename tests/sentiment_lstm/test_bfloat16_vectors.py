"""Products by vectors, against those of the same rounded numbers in float64."""

import pytest
from bfloat16_cases import check_added_rows

from sentiment_lstm import bfloat16_vectors


@pytest.mark.skipif(
    not bfloat16_vectors.available(), reason="this processor has no vectors of bfloat16"
)
@pytest.mark.parametrize("blocks", [1, 2, 3])
@pytest.mark.parametrize("depth", [1, 5])
def test_rows_of_the_product_are_added(blocks, depth):
    check_added_rows(bfloat16_vectors.add_rows, blocks, depth)


@pytest.mark.parametrize("lacks", ["avx512f", "avx512bf16"])
def test_they_are_not_there_where_a_feature_is_lacking(monkeypatch, lacks):
    has = {name: name != lacks for name in ("avx512f", "avx512bf16")}
    monkeypatch.setattr(bfloat16_vectors.binding, "get_host_cpu_features", lambda: has)
    assert not bfloat16_vectors.available.__wrapped__()
