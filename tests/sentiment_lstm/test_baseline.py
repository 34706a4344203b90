import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline

from sentiment_lstm.baseline import fit_baseline
from sentiment_lstm.errors import DataError

TRAIN = ["a fine warm film", "dull cold film", "warm and fine", "cold cold plot", "plain film"]
TEST = ["warm film", "cold plot", "unseen words", ""]


def test_probabilities_are_those_of_the_scikit_learn_pipeline() -> None:
    labels = [1, 0, 1, 0, 2]
    peer = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1000)).fit(TRAIN, labels)
    found = fit_baseline(iter(TRAIN), labels, "classification")
    np.testing.assert_allclose(found.probabilities(iter(TEST)), peer.predict_proba(TEST))
    np.testing.assert_array_equal(found.predict(TEST), peer.predict(TEST))
    assert found.predict(TEST)[0] == 1


def test_a_label_absent_from_train_keeps_its_column() -> None:
    found = fit_baseline(TRAIN, np.array([3, 1, 3, 1, 1]), "classification", classes=5)
    p = found.probabilities(TEST)
    assert p.shape == (4, 5)
    np.testing.assert_array_equal(p[:, [0, 2, 4]], 0)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert p[0, 3] > p[1, 3]
    assert set(found.predict(TEST)) <= {1, 3}


def test_regression_is_ridge() -> None:
    stars = np.array([9.0, 2.0, 8.0, 1.0, 5.0], dtype=np.float32)
    peer = make_pipeline(TfidfVectorizer(), Ridge()).fit(TRAIN, stars)
    found = fit_baseline(TRAIN, stars, "regression")
    np.testing.assert_allclose(found.predict(TEST), peer.predict(TEST))
    with pytest.raises(ValueError, match="no probabilities"):
        found.probabilities(TEST)


def test_one_label_alone_is_refused() -> None:
    with pytest.raises(DataError, match="label number 1"):
        fit_baseline(TRAIN, [1] * 5, "classification")


def test_an_empty_train_split_is_refused() -> None:
    with pytest.raises(DataError, match="train split is empty"):
        fit_baseline([], [], "classification")


def test_texts_without_words_are_refused() -> None:
    with pytest.raises(DataError, match="holds a word"):
        fit_baseline(["!!", "? ?"], [0, 1], "classification")


def test_a_mistake_of_the_caller_is_not_hidden() -> None:
    with pytest.raises(ValueError, match="raw text"):
        fit_baseline("one string", [0, 1], "classification")
