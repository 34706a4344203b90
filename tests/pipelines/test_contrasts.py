"""A corpus' sentences turned round, by what a teacher says of plain ones."""

from collections import Counter

import numpy as np
import pytest
from scipy.special import expit

from pipelines import claims, contrasts
from pipelines.contrasts import Edited, found, lexicon_of, sure_sentences
from pipelines.contrasts import contrasts as contrasts_of
from sentiment_lstm.contrast import negated
from sentiment_lstm.english import IMPLYING, NAMING, QUANTIFYING
from sentiment_lstm.opinions import KINDS
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
    said = ["It is great.", "The film was dull.", "I loved it.", "He bored me."]
    asides = ["I did not go with them.", "Nobody was there."]
    natural = {"It was never dull.": 0.9, "It was never great.": 0.9}
    sentences = dict.fromkeys([*MANY, *corpus(*said, *asides)], 0.5)
    sentences |= dict(zip(corpus(*natural), natural.values(), strict=True))
    return list(contrasts_of(sentences, teacher, np.random.default_rng(3)))


def test_a_plain_sentence_is_taught_as_the_teacher_says(taught):
    assert ("it is great .", pytest.approx(expit(4.0))) in taught
    assert ("the film was dull .", pytest.approx(expit(-4.0))) in taught


def test_what_a_negation_turns_round_is_taught_turned_round(taught):
    negated = [target for text, target in taught if text in NEGATED]
    assert len(negated) >= contrasts.FORMS
    assert set(negated) == {1 - claims.SURE}


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
        assert target == (claims.SURE if praises else 1 - claims.SURE), text
    assert both >= 4


FRAMES = dict(zip(
    corpus(
        "It was great.", "It is a dull play.", "I loved him.", "It was great then.",
        "It was not great.", "It was great, I loved it.", "A delight.", "They were dull.",
        "It is great but it was.",
    ),
    [0.9, 0.2, 1.0, 0.1, 0.9, 0.9, 0.9, 0.8, 0.9],
    strict=True,
))  # fmt: skip


def test_each_word_is_put_where_another_of_its_kind_says_what_the_text_says():
    put = contrasts.substituted(FRAMES, LEXICON, np.random.default_rng(0))
    for kind, frames in {
        "adjective": {"it was {} .", "it is a {} play ."},
        "past attitude": {"i {} him ."},
        "noun": {"a {} ."},
    }.items():
        words = dict(KINDS[kind].all())
        found = [one for one in put if one.tokens[one.at] in words]
        assert {one.tokens[one.at] for one in found} == set(words)
        assert {as_frame(one) for one in found} == frames
        assert all(one.praises == words[one.tokens[one.at]] for one in found)
        assert all((one.chance > 0.5) == one.praises for one in found)
    assert len(put) == sum(
        n * len(KINDS[kind].all())
        for kind, n in {"adjective": 2, "past attitude": 1, "noun": 1}.items()
    )


def as_frame(one):
    tokens = [{"an": "a"}.get(token, token) for token in one.tokens]
    return " ".join([*tokens[: one.at], "{}", *tokens[one.at + 1 :]])


def test_a_word_is_put_into_so_many_sentences_and_no_more():
    many = dict.fromkeys(
        corpus(*[f"it was great at {i} ." for i in range(contrasts.USES + 9)]), 0.9
    )
    put = contrasts.substituted(many, LEXICON, np.random.default_rng(0))
    counts = Counter(one.tokens[one.at] for one in put)
    assert set(counts.values()) == {contrasts.USES}
    assert set(counts) == {word for word, _ in KINDS["adjective"].all()}


def test_what_came_to_be_and_what_did_not_are_told_apart(taught):
    done = {" ".join(words): done for done in IMPLYING for words in IMPLYING[done]}
    found = [
        (target > 0.5, "love it" in text, holds)
        for text, target in taught
        for words, holds in done.items()
        if text in (f"i {words} love it .", f"i {words} hate it .")
    ]
    assert {holds for *_, holds in found} == {True, False}
    assert all(praises == (loved is holds) for praises, loved, holds in found)


def test_what_is_said_of_all_and_of_nothing_are_told_apart(taught):
    whole = {" ".join(words): whole for whole in QUANTIFYING for words in QUANTIFYING[whole]}
    found = [
        (target < 0.5, whole[text.removesuffix(" the film was dull .")])
        for text, target in taught
        if text.removesuffix(" the film was dull .") in whole
    ]
    assert set(found) == {(True, True), (False, False)}


def test_what_the_film_is_called_and_what_not_are_told_apart(taught):
    forms = {is_so: {" ".join(words) for words in NAMING[is_so]} for is_so in (True, False)}
    called = [(text.removesuffix(" the film dull ."), target) for text, target in taught]
    for is_so, blamed in ((True, 1 - claims.SURE), (False, claims.SURE)):
        targets = [target for form, target in called if form in forms[is_so]]
        assert targets
        assert set(targets) == {blamed}


def test_words_between_subject_and_verb_change_nothing_and_hide_no_denial(taught):
    found = [(text, target) for text, target in taught if text.endswith(", was dull .")]
    denied = [target for text, target in found if not text.startswith("the film")]
    said = [target for text, target in found if text.startswith("the film")]
    assert denied
    assert said
    assert (set(denied), set(said)) == ({claims.SURE}, {1 - claims.SURE})


def test_a_negation_that_governs_something_else_changes_nothing(taught):
    beside = [(text, t) for text, t in taught if text.startswith(("i did not go", "nobody was"))]
    assert beside
    for text, target in beside:
        praises = "great" in text or "loved" in text
        assert target == (claims.SURE if praises else 1 - claims.SURE), text


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
