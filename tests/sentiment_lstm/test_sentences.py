"""Texts cut into sentences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_lstm.sentences import sentences, spans


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two!  Three?\nFour", ["One.", "Two!", "Three?", "Four"]),
        ('"So it goes." He left.', ['"So it goes.', "He left."]),
        (
            "A line<br /><br />another <BR>third<p>fourth</p>",
            ["A line", "another", "third", "fourth"],
        ),
        ("Wait... what?! 7.5 of 10", ["Wait...", "what?!", "7.5 of 10"]),
        ("no end", ["no end"]),
        (" \n<br/> ", []),
        ("", []),
    ],
)
def test_a_text_is_cut_where_sentences_end(text, expected):
    assert sentences(text) == expected


@given(st.text(st.sampled_from("ab.!? \n<br/>)\"'"), max_size=60))
def test_nothing_but_ends_is_lost(text):
    left = "".join(sentences(text))
    assert [c for c in left if c in "a.!?"] == [c for c in text if c in "a.!?"]
    assert all(part == part.strip() and part for part in sentences(text))


def test_parts_are_sentences_in_a_row():
    parts = [f"{word}." for word in "one two three four five".split()]  # noqa: SIM905
    rows = {" ".join(parts[a:b]) for a in range(5) for b in range(a + 1, min(a + 3, 5) + 1)}
    drawn = [spans(" ".join(parts), 3, np.random.default_rng(seed)) for seed in range(400)]
    assert {part for of in drawn for part in of} == rows
    assert {len(of) for of in drawn} == {3}
    starts = [[part.split()[0] for part in of] for of in drawn]
    assert all(len(set(of)) == 3 for of in starts)
    single = np.mean([part.count(".") == 1 for of in drawn for part in of if "five" not in part])
    assert 0.5 < single < 0.8


def test_a_text_has_no_more_parts_than_sentences():
    random = np.random.default_rng(0)
    assert sorted(part[0] for part in spans("One. Two.", 7, random)) == ["O", "T"]
    assert spans("", 7, random) == spans("One.", 0, random) == []
