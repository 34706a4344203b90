"""The generated corpus: fair, stable, disjoint over splits, and beyond a bag of n-grams."""

import hashlib
import itertools
import re
from collections import Counter

import pytest

from sentiment_lstm import demo
from sentiment_lstm.demo_grammar import NEGATIVE, POSITIVE
from sentiment_lstm.errors import DataError

SPLITS = ("train", "validation", "test")
WORD = re.compile(r"\w+|[^\w\s]")


def words_of(text):
    return WORD.findall(text.lower())


@pytest.fixture(scope="module")
def corpus():
    """Reviews of each split, made once."""
    return {s: list(demo.reviews(s, 4000 if s == "train" else 1000, seed=0)) for s in SPLITS}


def test_the_same_seed_gives_the_same_texts():
    assert list(demo.generate("train", 50, 3)) == list(demo.generate("train", 50, 3))


def test_texts_are_the_same_on_every_machine_and_version():
    digest = hashlib.sha256(repr(list(demo.generate("test", 40, 7))).encode()).hexdigest()
    assert digest == "109391a704dd10296a669c06aaca63cc277151ebfeaebaf6c8d59fc71105c427"


def test_a_shorter_corpus_is_the_start_of_a_longer_one():
    assert list(demo.generate("test", 30, 1)) == list(demo.generate("test", 60, 1))[:30]


def test_seeds_and_splits_give_different_texts():
    drawn = [set(demo.generate(split, 40, seed)) for split in SPLITS for seed in (0, 1)]
    assert all(a.isdisjoint(b) for a, b in itertools.combinations(drawn, 2))


def test_texts_are_made_only_when_asked_for():
    assert len(list(itertools.islice(demo.generate("train", 10**12, 0), 3))) == 3


def test_an_unknown_split_is_refused():
    with pytest.raises(DataError, match="did you mean 'train'"):
        next(demo.generate("trian", 1, 0))


def test_labels_come_in_equal_numbers_and_no_order(corpus):
    for reviews in corpus.values():
        labels = [review.label for review in reviews]
        assert Counter(labels) == {label: len(labels) // 2 for label in ("negative", "positive")}
        repeated = sum(a == b for a, b in itertools.pairwise(labels)) / len(labels)
        assert 0.2 < repeated < 0.3  # a pair is mixed: half of the borders between pairs repeat


def test_texts_have_20_to_120_tokens_of_both_ends(corpus):
    lengths = [len(words_of(r.text)) for reviews in corpus.values() for r in reviews]
    assert 20 <= min(lengths) < 30
    assert 110 < max(lengths) <= 120


def test_no_text_occurs_twice(corpus):
    texts = [r.text for reviews in corpus.values() for r in reviews]
    assert len(set(texts)) == len(texts)


def test_no_skeleton_of_test_occurs_in_train_or_validation(corpus):
    skeletons = {s: {k for r in corpus[s] for k in r.skeletons} for s in SPLITS}
    assert min(map(len, skeletons.values())) > 500
    assert all(a.isdisjoint(b) for a, b in itertools.combinations(skeletons.values(), 2))


def test_no_sentence_of_test_occurs_in_train_or_validation(corpus):
    def sentences(split):
        return {s for r in corpus[split] for s in re.split(r"(?<=\.) ", r.text)}

    assert sentences("test").isdisjoint(sentences("train") | sentences("validation"))


def test_skeletons_are_the_sentences_with_their_slots_emptied(corpus):
    for review in corpus["test"][:200]:
        pattern = " ".join(re.escape(s).replace("_", "[^.]+?") for s in review.skeletons)
        assert re.fullmatch(pattern, review.text, re.IGNORECASE)


def test_test_uses_no_word_that_train_lacks(corpus):
    known = {word for r in corpus["train"] for word in words_of(r.text)}
    assert {word for r in corpus["test"] for word in words_of(r.text)} <= known


def test_most_texts_hold_as_many_positive_as_negative_words(corpus):
    good = {word for words in POSITIVE.values() for word in words}
    bad = {word for words in NEGATIVE.values() for word in words}
    balances = Counter(
        sum((word in good) - (word in bad) for word in words_of(r.text)) for r in corpus["train"]
    )
    assert balances[0] / 4000 > 0.65


def test_polar_words_of_both_signs_are_common_under_both_labels(corpus):
    shares = {}
    for label in ("negative", "positive"):
        texts = [set(words_of(r.text)) for r in corpus["train"] if r.label == label]
        for words in (*POSITIVE.values(), *NEGATIVE.values()):
            share = sum(not text.isdisjoint(words) for text in texts) / len(texts)
            shares.setdefault(words, []).append(share)
    assert all(min(pair) / max(pair) > 0.6 for pair in shares.values())


def test_sentences_begin_with_a_capital_and_articles_fit(corpus):
    for review in itertools.chain.from_iterable(corpus.values()):
        assert all(
            s[0].isupper() and s.endswith(".") for s in re.findall(r"\w[^.]*\.", review.text)
        )
        assert not re.search(r"[{}<>_]|  | [,.]|,,|\ban? a |\ba [aeiou]", review.text)


def accuracy(corpus, last=0):
    """Fit a logistic regression on the 1- to 3-grams of the last tokens (0: of all of them)."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    def texts(split):
        return [" ".join(words_of(r.text)[-last:]) for r in corpus[split]]

    vectoriser = TfidfVectorizer(ngram_range=(1, 3), token_pattern=r"\S+", min_df=2)
    model = make_pipeline(vectoriser, LogisticRegression(C=10, max_iter=500))
    model.fit(texts("train"), [r.label for r in corpus["train"]])
    return model.score(texts("test"), [r.label for r in corpus["test"]])


def test_a_bag_of_n_grams_fails(corpus):
    assert accuracy(corpus) < 0.75


def test_the_last_ten_tokens_do_not_tell(corpus):
    assert accuracy(corpus, last=10) < 0.75
