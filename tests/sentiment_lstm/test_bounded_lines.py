"""Lines of a stream, held to those that a binary file yields."""

import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_lstm import bounded_lines as module
from sentiment_lstm.bounded_lines import LONGEST, bounded_lines, measured_lines


class Endless(io.RawIOBase):
    """So many zeros, made when they are asked for."""

    def __init__(self, size):
        self._left = size

    def readable(self):
        return True

    def readinto(self, buffer):
        size = min(len(buffer), self._left)
        buffer[:size] = bytes(size)
        self._left -= size
        return size


@given(data=st.text("a\n\r", max_size=60).map(str.encode), longest=st.integers(1, 9))
def test_lines_are_those_of_a_file_and_a_longer_one_is_cut(data, longest):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "LONGEST", longest)
        patch.setattr(module, "_PIECE", 2)
        found = list(measured_lines(io.BytesIO(data)))
        assert [line for line, _ in found] == list(bounded_lines(io.BytesIO(data)))
    assert found == [(line[: longest + 4], len(line)) for line in io.BytesIO(data)]


def test_lines_that_are_there_already_are_left_as_they_are():
    lines = [b"a\n", b"x" * (LONGEST + 9), b"b"]
    assert list(bounded_lines(iter(lines))) == lines


def test_a_line_that_never_ends_takes_no_more_than_the_longest():
    tracemalloc.start()
    found = [
        (len(line), size) for line, size in measured_lines(io.BufferedReader(Endless(20 * LONGEST)))
    ]
    highest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == [(LONGEST + 4, 20 * LONGEST)]
    assert highest < 3 * LONGEST
