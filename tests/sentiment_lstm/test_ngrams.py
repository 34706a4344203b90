"""N-grams weighted by naive Bayes, against counts by hand and scikit-learn's regression."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from sentiment_lstm.errors import DataError
from sentiment_lstm.ngrams import STRENGTH, fit_ngrams
from sentiment_lstm.text import tokenise

TEXTS = [
    "Not good, not at all!", "good film; good plot", "not a good film", "a good plot, all good",
    "the plot isn't good at all", "a film of a good plot", "bad plot.", "bad film.", "It isn't bad",
]  # fmt: skip
TARGETS = [0, 1, 0, 1, 0, 1, 0, 0, 1]
UNSEEN = ["a good film", "not a bad plot", "", "elsewhere", "a film isn't at all bad"]


def ngrams_of(text):
    tokens = tokenise(text)
    triples = zip(tokens, tokens[1:], tokens[2:], strict=False)
    return {*tokens, *map(" ".join, pairwise(tokens)), *map(" ".join, triples)}


def by_hand():
    """Return the n-grams of two texts or more, and the logarithm of each one's ratio."""
    held = [ngrams_of(text) for text in TEXTS]
    known = sorted(g for g in set().union(*held) if sum(g in one for one in held) > 1)
    of_label = [[one for one, y in zip(held, TARGETS, strict=True) if y == k] for k in (0, 1)]
    counts = np.array([[1 + sum(g in one for one in ours) for g in known] for ours in of_label])
    shares = counts / counts.sum(axis=1, keepdims=True)
    return known, np.log(shares[1] / shares[0])


def test_each_ngram_counts_by_the_ratio_of_its_likelihoods():
    known, ratios = by_hand()
    found = fit_ngrams(iter(TEXTS), TARGETS)
    assert sorted(found.vectorizer.vocabulary_) == known
    places = [found.vectorizer.vocabulary_[g] for g in known]
    np.testing.assert_allclose(found.ratios[places], ratios, rtol=1e-6)
    assert "at all" in known
    assert "n't" in known


def test_probabilities_are_those_of_a_regression_on_the_weighted_ngrams():
    known, ratios = by_hand()

    def rows(texts):
        return np.array([[g in ngrams_of(text) for g in known] for text in texts]) * ratios

    peer = LogisticRegression(C=STRENGTH, solver="liblinear", dual=True, max_iter=1000, tol=1e-6)
    expected = peer.fit(rows(TEXTS), TARGETS).predict_proba(rows(UNSEEN))[:, 1]
    found = fit_ngrams(TEXTS, np.array(TARGETS)).probabilities(iter(UNSEEN))
    np.testing.assert_allclose(found, expected, atol=2e-3)
    assert found.shape == (5,)


@pytest.mark.parametrize(
    ("texts", "targets", "message"),
    [
        (TEXTS, [1] * len(TEXTS), "have one"),
        (["here", "there"], [0, 1], "no token stands in 2 train texts"),
    ],
)
def test_what_cannot_be_fitted_is_said(texts, targets, message):
    with pytest.raises(DataError, match=message):
        fit_ngrams(texts, targets)
