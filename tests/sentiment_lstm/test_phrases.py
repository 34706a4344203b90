"""Where phrases stand, and what is said of those that stand nowhere."""

import pytest

from sentiment_lstm.errors import DataError
from sentiment_lstm.phrases import masks, occurrences
from sentiment_lstm.text import tokenise

TOKENS = tokenise("It is not good. Not good at all, and it didn't end well.")


@pytest.mark.parametrize(
    ("phrase", "places"),
    [
        ("not good", [(2, 4), (5, 7)]),
        (" NOT   good", [(2, 4), (5, 7)]),
        ("didn't end", [(12, 15)]),
        ("it", [(0, 1), (11, 12)]),
        (".", [(4, 5), (16, 17)]),
    ],
)
def test_a_phrase_is_found_wherever_its_tokens_follow_one_another(phrase, places):
    assert occurrences(phrase, TOKENS) == places


def test_occurrences_may_overlap():
    assert occurrences("very very", ["very"] * 3) == [(0, 2), (1, 3)]


@pytest.mark.parametrize(
    ("phrase", "part"),
    [
        ("", "phrase '' holds no word"),
        ("<br />", "holds no word"),
        ("not god", r"did you mean 'good' for 'god'\?"),
        ("zebra", "it has no 'zebra', give words that it has"),
        ("good not", "give words that follow one another there"),
    ],
)
def test_a_phrase_that_stands_nowhere_is_an_error_that_says_why(phrase, part):
    with pytest.raises(DataError, match=part) as error:
        occurrences(phrase, TOKENS)
    assert repr(phrase) in str(error.value)
    assert "\n" not in str(error.value)


def test_words_on_both_sides_of_what_is_not_read_are_no_phrase():
    assert occurrences("very very", ["very"] * 6, gap=3) == [(0, 2), (1, 3), (3, 5), (4, 6)]
    with pytest.raises(DataError, match="give words that follow one another there"):
        occurrences("a b", ["a", "b"], gap=1)


def test_a_text_without_words_holds_no_phrase():
    with pytest.raises(DataError, match="it has no 'good'"):
        occurrences("good", [])


def test_a_mask_covers_its_span():
    assert masks([(0, 1), (1, 3)], 3).tolist() == [[True, False, False], [False, True, True]]
