"""A corpus' sentences turned round, by what a teacher says of plain ones."""

import numpy as np
import pytest
from scipy.special import expit

from pipelines import contrasts
from pipelines.contrasts import Edited, found, lexicon_of, sure_sentences
from pipelines.contrasts import contrasts as contrasts_of
from sentiment_lstm.contrast import negated
from sentiment_lstm.text import tokenise

WEIGHTS = {"great": 4.0, "loved": 3.5, "dull": -4.0, "bored": -3.5, "odd": -0.3}


def teacher(texts):
    """Say what a bag of words says, which has read no negation."""
    return expit([sum(WEIGHTS.get(word, 0.0) for word in text.split()) for text in texts])


def corpus(*texts):
    return [tuple(tokenise(text)) for text in texts]


FILLING = ["They walk along the road", "We saw it then", "Who was the man with them"]
MANY = corpus(*[f"{word} {filling} {i}" for i in range(contrasts.MIN_COUNT) for word in (
    "great", "loved", "dull", "bored", "odd") for filling in FILLING])  # fmt: skip
LEXICON = {"great": True, "loved": True, "dull": False, "bored": False}


def test_words_that_move_a_teacher_far_praise_or_blame():
    assert lexicon_of(MANY, teacher) == LEXICON


def test_a_rare_word_is_in_no_lexicon():
    few = [tokens for tokens in MANY if "dull" not in tokens]
    few += [tokens for tokens in MANY if "dull" in tokens][: contrasts.MIN_COUNT - 1]
    assert lexicon_of(few, teacher) == {w: p for w, p in LEXICON.items() if w != "dull"}
    assert lexicon_of([], teacher) == {}


def test_a_teacher_is_asked_of_plain_sentences_with_one_word():
    asked = corpus(
        "It is great.", "It is not great.", "It is great but long.", "Great, I loved it.", "It is.",
        "It was dull.",
    )  # fmt: skip
    told = sure_sentences(asked, LEXICON, teacher)
    assert [(" ".join(one.tokens), one.at, one.praises) for one in told] == [
        ("it is great .", 2, True), ("it was dull .", 2, False),
    ]  # fmt: skip
    assert [one.chance for one in told] == pytest.approx(list(expit([4.0, -4.0])))


def test_where_teacher_and_word_disagree_nothing_is_sure():
    assert not sure_sentences(corpus("It is great."), {"great": False}, teacher)
    assert not sure_sentences(corpus("It is odd."), {"odd": False}, teacher)


def test_negations_are_found_where_they_turn_one_word_round():
    texts = corpus(
        "It was never dull.", "We did not think it great.", "Great, and not long.",
        "It is not as long and as slow and as great.", "No great film.", "Not dull but not great.",
        "It is not dull, but long.", "It is not odd.",
    )  # fmt: skip
    assert list(found(texts, LEXICON | {"odd": False}, teacher)) == [
        Edited(tuple(tokenise("It was never dull.")), True),
        Edited(tuple(tokenise("We did not think it great.")), False),
    ]


NEGATED = [" ".join(tokens) for tokens in {
    negated(("it", "is", "great", "."), 2, np.random.default_rng(seed)) for seed in range(300)
}]  # fmt: skip


@pytest.fixture
def taught():
    """Return what is taught of a small corpus, target by text."""
    claims = ["It is great.", "The film was dull.", "I loved it.", "He bored me."]
    asides = ["I did not go with them.", "Nobody was there."]
    natural = {"It was never dull.": 0.9, "It was never great.": 0.9}
    sentences = dict.fromkeys([*MANY, *corpus(*claims, *asides)], 0.5)
    sentences |= dict(zip(corpus(*natural), natural.values(), strict=True))
    return list(contrasts_of(sentences, teacher, np.random.default_rng(3)))


def test_a_plain_sentence_is_taught_as_the_teacher_says(taught):
    targets = dict(taught)
    assert targets["it is great ."] == pytest.approx(expit(4.0))
    assert targets["the film was dull ."] == pytest.approx(expit(-4.0))


def test_what_a_negation_turns_round_is_taught_turned_round(taught):
    negated = [target for text, target in taught if text in NEGATED]
    assert len(negated) == contrasts.FORMS
    assert set(negated) == {1 - contrasts.SURE}


def test_what_is_claimed_counts_and_what_is_granted_does_not(taught):
    said = {**dict.fromkeys(("great", "loved"), True), **dict.fromkeys(("dull", "bore"), False)}
    both = 0
    for text, target in taught:
        words = sorted(
            (text.index(word), praises) for word, praises in said.items() if word in text
        )
        if len(words) != 2:
            continue
        both += 1
        granted_last = any(f", {word}" in text for word in ("although", "though", "while", "even"))
        praises = words[0 if granted_last else 1][1]
        assert target == (contrasts.SURE if praises else 1 - contrasts.SURE), text
    assert both == 4


def test_a_negation_that_governs_something_else_changes_nothing(taught):
    beside = [(text, t) for text, t in taught if text.startswith(("i did not go", "nobody was"))]
    assert beside
    for text, target in beside:
        praises = "great" in text or "loved" in text
        assert target == (contrasts.SURE if praises else 1 - contrasts.SURE), text


def test_the_text_around_a_found_negation_must_agree(taught):
    texts = [text for text, _ in taught]
    assert "it was never dull ." in texts
    assert "it was never great ." not in texts


def test_the_same_seed_teaches_the_same(taught):
    again = dict.fromkeys([*MANY, *corpus("It is great.", "The film was dull.")], 0.5)
    one, other, third = (
        list(contrasts_of(again, teacher, np.random.default_rng(seed))) for seed in (5, 5, 6)
    )
    assert one == other != third


def test_a_corpus_without_sentences_teaches_nothing():
    assert list(contrasts_of({}, teacher, np.random.default_rng(0))) == []
