"""What is told of the processor, where its parts are there, lacking or refused."""

import pytest

from sentiment_lstm import compiled, processor


@pytest.fixture
def having(monkeypatch):
    """Have a processor with these features, on a platform that answers a request for registers."""

    def have(features, platform="linux", answer=0):
        process = type("Process", (), {"syscall": staticmethod(lambda *_: answer)})
        monkeypatch.setattr(processor.binding, "get_host_cpu_features", lambda: features)
        monkeypatch.setattr(processor.sys, "platform", platform)
        monkeypatch.setattr(processor.ctypes, "CDLL", lambda _: process)
        processor.has_matrix_unit.cache_clear()

    yield have
    monkeypatch.undo()
    processor.has_matrix_unit.cache_clear()


UNIT = {"amx-tile": True, "amx-bf16": True}


def test_the_matrix_unit_is_there_where_nothing_is_lacking(having):
    having(UNIT)
    assert processor.has_matrix_unit()


@pytest.mark.parametrize(
    "lacking",
    [
        {"features": UNIT | {"amx-tile": False}},
        {"features": UNIT | {"amx-bf16": False}},
        {"features": UNIT, "platform": "win32"},
        {"features": UNIT, "answer": -1},
    ],
)
def test_it_is_not_there_where_anything_is(having, lacking):
    having(**lacking)
    assert not processor.has_matrix_unit()


def test_code_is_kept_apart_where_the_unit_is_refused(having):
    stamps = []
    for answer in (0, -1, 0):
        having(UNIT, answer=answer)
        stamps.append(compiled.stamp.__wrapped__())
    assert stamps[0] == stamps[2] != stamps[1]
