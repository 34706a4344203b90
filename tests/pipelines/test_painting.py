"""Words by their shares, with colours and without."""

import io
import re

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.painting import coloured, colours_wanted, levels, signed, wrapped


def test_levels_are_parts_of_the_largest_share():
    assert levels([2.0, -2.0, 1.0, -0.5, 0.21, 0.19, 0.0]) == [3, -3, 2, -1, 1, 0, 0]
    assert levels([0.0, 0.0]) == [0, 0]
    assert levels([]) == []


def test_without_colours_signs_tell_for_and_against():
    assert [signed("word", level)[0] for level in (2, 0, -3)] == ["word(++)", "word", "word(---)"]
    assert signed("word", -3)[1] == len("word(---)")


def test_in_colour_a_word_stays_as_it_is_and_against_is_underlined():
    shown = [coloured("word", level)[0] for level in (3, 1, 0, -1, -3)]
    assert [click.unstyle(text) for text in shown] == ["word"] * 5
    assert len(set(shown)) == 5
    assert ["\x1b[4m" in text for text in shown] == [False, False, False, True, True]
    assert coloured("word", 3)[1] == 4


class Stream(io.StringIO):
    def __init__(self, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colours_are_for_terminals_whose_user_wants_them(monkeypatch, environment, wanted):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert colours_wanted(Stream(True)) is wanted
    assert colours_wanted(Stream(False)) is False


@given(
    st.lists(st.tuples(st.sampled_from(["", " "]), st.text("ab.", min_size=1, max_size=9))),
    st.integers(10, 40), st.sampled_from([coloured, signed]), st.data(),
)  # fmt: skip
def test_lines_hold_every_word_once_within_their_width(parts, width, paint, data):
    pieces = [space + word for space, word in parts]
    size = len(pieces)
    strengths = data.draw(st.lists(st.integers(-3, 3), min_size=size, max_size=size))
    lines = [click.unstyle(line) for line in wrapped(pieces, strengths, paint, width)]
    flat = " ".join(re.sub(r"\([+-]+\)", "", line) for line in lines)
    assert flat.split() == "".join(pieces).split()
    for line in lines:
        assert len(line) <= width or " " not in line.strip()
