"""What is said of a corpus' subjects, by the forms of `sentiment_lstm.sayings`."""

from collections import Counter

import numpy as np
import pytest

from pipelines import claims
from pipelines.claims import SURE, Sure, said_by_all
from sentiment_lstm.sayings import KINDS, sayings
from sentiment_lstm.text import tokenise


def corpus(*texts):
    return [tuple(tokenise(text)) for text in texts]


@pytest.fixture
def few(monkeypatch):
    """Have each kind and side say a few hundred sentences."""
    monkeypatch.setattr(claims, "SAYINGS", 300)


def said_of(*texts, opinions=(), seed=0):
    filling = [("they", "met", str(i)) for i in range(2000)]  # for as many sentences as are wanted
    sentences = [*corpus(*texts), *filling]
    return said_by_all(sentences, opinions, np.random.default_rng(seed))


def subjects(of):
    return Counter(one.tokens[: one.at] for one in of if one.at)


def test_predicates_stand_behind_the_subjects_of_the_corpus(few):
    of = said_of("The old film is long.", "It was late.", "This is it.", "They are here.")
    assert set(subjects(of)) == {("the", "old", "film"), ("it",), ("this",)}
    assert min(subjects(of).values()) > 100


@pytest.mark.parametrize(
    "text",
    [
        "The great film is long.", "The film of the man I saw is long.", "The film's end is long.",
        "Is it long?", "The long film", "He is long.",
    ],
)  # fmt: skip
def test_what_is_no_subject_or_judges_is_passed_over(few, text):
    assert set(subjects(said_of(text, "It is long.", opinions={"great"}))) == {("it",)}


def test_without_a_subject_remarks_are_left(few):
    of = said_of("They are here.")
    assert of
    assert not any(one.at for one in of)


@pytest.fixture
def two_forms(monkeypatch):
    """Have but two remarks, one of a single form of words and one of many."""
    many = "{it|this|that} {works|shines|soars|sings|charms} {|well|again|at last}"
    monkeypatch.setattr(claims, "sayings", lambda: {("remark", True): ("i smiled", many)})


def test_each_form_is_said_as_often_as_another_of_its_side(few):
    of = said_of("It is long.", "The plot was long.")
    sides = Counter((bool(one.at), one.praises) for one in of)
    assert set(sides) == {(True, True), (True, False), (False, True), (False, False)}
    for (kind, praises), forms in sayings().items():
        assert sides[kind == "predicate", praises] == -(-300 // len(forms)) * len(forms)


def test_a_form_of_one_wording_is_said_as_often_as_one_of_many(few, two_forms):
    words = Counter(" ".join(one.tokens) for one in said_of("It is long."))
    assert words.pop("i smiled") == 150
    assert sum(words.values()) == 150
    assert len(words) > 30


def test_what_is_said_is_sure(few):
    of = said_of("It is long.")
    assert all(one.chance == (SURE if one.praises else 1 - SURE) for one in of)
    kept = [one for one in of if one.tokens[:2] == ("it", "works")]
    assert {one.praises for one in kept} <= {True}


def test_a_small_corpus_is_not_drowned():
    sentences = [("it", "is", str(i)) for i in range(400)]
    of = said_by_all(sentences, (), np.random.default_rng(0))
    assert 300 < len(of) <= 400 + sum(map(len, sayings().values()))
    assert said_by_all([], (), np.random.default_rng(0)) == []


def test_the_same_seed_says_the_same(few):
    one, other, third = (said_of("It is long.", seed=seed) for seed in (4, 4, 5))
    assert one == other != third


def test_a_teacher_is_sure_of_what_the_word_says():
    assert [Sure(("a",), 0, praises, chance).is_sure for praises, chance in (
        (True, 0.9), (True, 0.5), (False, 0.9), (False, 0.1),
    )] == [True, False, False, True]  # fmt: skip


def test_the_kinds_are_those_of_the_forms():
    assert {kind for kind, _ in sayings()} == set(KINDS)
