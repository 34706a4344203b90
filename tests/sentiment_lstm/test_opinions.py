"""Words that praise or blame, and where each of them may stand."""

import pytest

from sentiment_lstm.english import VERBS, past_of
from sentiment_lstm.opinions import KINDS, OPINIONS, kind_at, put_at
from sentiment_lstm.text import tokenise


def test_a_word_of_a_kind_praises_or_blames_and_is_one_token():
    for kind in KINDS.values():
        assert kind.praising.isdisjoint(kind.blaming)
        assert kind.all() == sorted(kind.all())
        assert len(kind.all()) == len(kind.praising) + len(kind.blaming)
    assert all(tokenise(word) == [word] for word in OPINIONS)


def test_every_verb_of_attitude_can_be_negated():
    for kind, auxiliary in (("attitude", "do"), ("past attitude", "did")):
        assert {VERBS[word][0] for word, _ in KINDS[kind].all()} == {auxiliary}


@pytest.mark.parametrize(
    ("verb", "past"),
    [("loathe", "loathed"), ("detest", "detested"), ("pity", "pitied"), ("enjoy", "enjoyed")],
)
def test_the_past_of_a_verb_is_spelt_as_english_does(verb, past):
    assert past_of(verb) == past


@pytest.mark.parametrize(
    ("text", "word", "kind"),
    [
        ("It is a dull film.", "dull", "adjective"),
        ("It is duller than that.", "duller", "comparative"),
        ("This is much better than the book.", "better", "comparative"),
        ("The book is better than this.", "better", None),
        ("I feel better.", "better", None),
        ("I love it.", "love", "attitude"),
        ("The love of his life.", "love", None),
        ("They loathed it.", "loathed", "past attitude"),
        ("It moved me.", "moved", "effect"),
        ("I was bored.", "bored", "effect"),
        ("They moved away.", "moved", None),
        ("It is a complete mess.", "mess", "noun"),
        ("Do not mess with him.", "mess", None),
        ("It is pure drivel.", "drivel", "mass"),
        ("Some drivel.", "drivel", None),
        ("It is a pure delight.", "delight", "noun"),
        ("It was pure delight.", "delight", "mass"),
        ("A poorly acted play.", "poorly", "manner"),
        ("It was shot beautifully.", "beautifully", "manner"),
        ("He felt poorly.", "poorly", None),
        ("This is the worst.", "worst", "superlative"),
        ("It's one of the best.", "best", "superlative"),
        ("The best part is short.", "best", None),
        ("It was at best long.", "best", None),
        ("best", "best", None),
        ("It is long.", "long", None),
    ],
)
def test_a_word_is_of_a_kind_by_its_place(text, word, kind):
    tokens = tokenise(text)
    assert kind_at(tokens, tokens.index(word)) == kind


@pytest.mark.parametrize(
    ("text", "word", "other", "expected"),
    [
        ("It is a dull film.", "dull", "awful", "it is an awful film ."),
        ("It is an awful film.", "awful", "dull", "it is a dull film ."),
        ("Dull, an end.", "dull", "awful", "awful , an end ."),
        ("An old, dull film.", "dull", "awful", "an old , awful film ."),
    ],
)
def test_a_word_stands_in_for_another_with_its_article(text, word, other, expected):
    tokens = tuple(tokenise(text))
    assert " ".join(put_at(other, tokens, tokens.index(word))) == expected
