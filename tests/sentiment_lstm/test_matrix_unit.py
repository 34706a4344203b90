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
