"""Texts cut into sentences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_lstm.sentences import sentences


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
