"""Sentences turned round by rule."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_lstm import contrast
from sentiment_lstm.contrast import (
    beside,
    conceded,
    denied,
    implied,
    named,
    negated,
    parted,
    plain,
    quantified,
    told,
)
from sentiment_lstm.text import tokenise

LEXICON = {"dull": False, "great": True, "loved": True, "enjoyed": True, "bored": False}


def tokens_of(text):
    return tuple(tokenise(text))


def forms(rule, *sentences):
    """Return every form that a rule gives to some sentences, over many draws."""
    found = set()
    for seed in range(300):
        tokens = rule(*sentences, np.random.default_rng(seed))
        found.add(" ".join(tokens) if tokens else None)
    return found


def negations(text, word):
    tokens = tokens_of(text)
    at = tokens.index(word)
    return forms(lambda random: negated(tokens, at, random))


@pytest.mark.parametrize(
    ("text", "word", "some"),
    [
        (
            "The film is dull.",
            "dull",
            {
                "the film is not dull .", "the film is n't dull .", "the film is never dull .",
                "the film is not dull at all .", "the film is anything but dull .",
                "the film is far from dull .", "the film is by no means dull .",
            },
        ),
        ("It's a very great film", "great", {"it 's not a very great film"}),
        ("I really loved it!", "loved", {
            "i really did n't love it !", "i really did not love it !", "i really never loved it !",
        }),
        ("It bored me.", "bored", {"it did n't bore me .", "it never bored me ."}),
        ("We all love it", "love", {None}),
        ("You will love it.", "love", {"you will not love it .", "you wo n't love it ."}),
        ("You can love it.", "love", {"you ca n't love it .", "you can never love it ."}),
    ],
)  # fmt: skip
def test_a_negation_comes_where_english_wants_it(text, word, some):
    assert some <= negations(text, word)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("The film's dull parts.", "dull"),
        ("A dull film.", "dull"),
        ("Dull.", "dull"),
        ("Great acting", "great"),
        ("His loved ones", "loved"),
        ("Loved it.", "loved"),
    ],
)
def test_where_no_rule_fits_nothing_is_written(text, word):
    assert negations(text, word) == {None}


def test_a_form_that_is_no_english_is_never_written():
    for form in negations("It's so very dull, and long.", "dull"):
        assert form.startswith("it 's ")
        assert "'s n't" not in form
        assert all(" ".join(much) not in form for much in contrast.english.AT_LENGTH)
    assert all("but" not in f and "far" not in f for f in negations("It is dull work.", "dull"))


words = st.lists(
    st.sampled_from(tokenise("it the film is was that's will can a very really dull great loved.")),
    min_size=1,
    max_size=9,
    unique=True,
)


@given(words, st.data(), st.integers(0, 2**32))
def test_a_negation_adds_but_what_negates(words, data, seed):
    tokens = tuple(words)
    at = data.draw(st.integers(0, len(tokens) - 1))
    changed = negated(tokens, at, np.random.default_rng(seed))
    if changed is None:
        return
    added = set(changed) - set(tokens)
    assert not plain(changed) or added & {"by", "in", "far", "anything"}
    assert len(tokens) < len(changed) <= len(tokens) + 3
    kept = [t for t in changed if t not in added]
    lost = [t for t in tokens if t not in changed]
    assert set(lost) <= {"loved", "will", "can"}
    assert [t for t in tokens if t not in lost] == [t for t in kept if t in tokens]


def test_a_whole_sentence_is_denied():
    some = forms(denied, tokens_of("The film is dull."))
    assert {"i do n't believe the film is dull .", "i doubt that the film is dull ."} <= some
    assert len(some) == len(contrast.english.DENIALS)
    assert forms(denied, tokens_of("Dull film.")) == {None}
    assert forms(denied, ()) == {None}


def test_what_is_granted_is_told_from_what_is_claimed():
    some = forms(conceded, tokens_of("It is dull!!"), tokens_of("I loved it."))
    assert {
        "although it is dull , i loved it .",
        "i loved it , even though it is dull .",
        "it is dull . still , i loved it .",
        "it is dull , but i loved it .",
    } <= some
    before = [s for s in some if s.index("dull") < s.index("loved")]
    behind = set(some) - set(before)
    grants = tuple(" ".join(words) for words in contrast.english.CONCEDING)
    assert all(s.startswith(grants) or "loved" in s.split("dull")[1] for s in before)
    assert behind
    assert all(s.split(" , ", 1)[1].startswith(grants) for s in behind)


def test_a_negation_stands_beside_what_it_does_not_govern():
    some = forms(beside, tokens_of("I did not go."), tokens_of("It was great."))
    assert some == {f"i did not go {link} it was great ." for link in (".", ", and", ";")}


@pytest.mark.parametrize("done", [True, False])
def test_what_one_came_to_do_is_told_from_what_one_did_not(done):
    some = forms(lambda random: implied(tokens_of("I loved the end."), 1, done, random))
    assert some == {f"i {' '.join(w)} love the end ." for w in contrast.english.IMPLYING[done]}


@pytest.mark.parametrize(
    ("text", "word"),
    [("We loved it.", "loved"), ("I really loved it.", "loved"), ("I great", "great")],
)
def test_only_a_verb_right_behind_i_is_implied(text, word):
    tokens = tokens_of(text)
    assert forms(lambda random: implied(tokens, tokens.index(word), True, random)) == {None}


@pytest.mark.parametrize("whole", [True, False])
def test_all_about_a_subject_is_told_from_nothing(whole):
    some = forms(lambda random: quantified(tokens_of("The songs were dull."), whole, random))
    forms_of_it = contrast.english.QUANTIFYING[whole]
    assert some == {f"{' '.join(words)} the songs was dull ." for words in forms_of_it}


@pytest.mark.parametrize(
    "text", ["It is dull.", "The old film is dull.", "The film", "The film is"]
)
def test_without_an_article_and_a_noun_nothing_is_quantified(text):
    assert forms(lambda random: quantified(tokens_of(text), True, random)) == {None}


@pytest.mark.parametrize("is_so", [True, False])
def test_what_a_subject_is_called_is_told_from_what_it_is_not(is_so):
    tokens = tokens_of("The songs were so very dull.")
    some = forms(lambda random: named(tokens, tokens.index("dull"), is_so, random))
    forms_of_it = contrast.english.NAMING[is_so]
    assert some == {f"{' '.join(words)} the songs so very dull ." for words in forms_of_it}


@pytest.mark.parametrize(
    "text",
    [
        "It is dull.", "The old film is dull.", "The film is dull then.", "The film is his dull.",
        "The dull film is.", "The film is dull, I say.",
    ],
)  # fmt: skip
def test_only_a_subject_that_is_said_to_be_something_is_called_that(text):
    tokens = tokens_of(text)
    assert forms(lambda random: named(tokens, tokens.index("dull"), True, random)) == {None}


def test_words_that_change_nothing_stand_before_the_verb():
    some = forms(lambda random: parted(tokens_of("This play is really dull."), random))
    asides = contrast.english.PARTING
    assert some == {f"this play {' '.join(words)} is really dull ." for words in asides}
    assert forms(lambda random: parted(tokens_of("It is dull."), random)) == {None}


def test_a_plain_sentence_holds_nothing_that_turns_it_round():
    assert plain(tokens_of("The film is dull and I loved it."))
    for text in ("It isn't dull", "never dull", "dull but great", "I would love it", "cannot say"):
        assert not plain(tokens_of(text))


def test_words_that_praise_or_blame_are_found_where_they_stand():
    assert told(tokens_of("A dull film that I loved, dull or not."), LEXICON) == [1, 5, 7]
    assert told(tokens_of("A film."), LEXICON) == []


def test_what_is_written_is_read_as_it_was_written():
    for form in negations("The film is dull.", "dull") | negations("I loved it.", "loved"):
        assert " ".join(tokenise(form)) == form
