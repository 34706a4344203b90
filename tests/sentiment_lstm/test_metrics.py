import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as oracle

from sentiment_lstm.errors import DataError
from sentiment_lstm.metrics import (
    MEASURES,
    accuracy_by_length,
    bootstrap_means,
    classification_metrics,
    decided_metrics,
    formatted,
    margins,
    regression_metrics,
    verdicts,
)


def binary(n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(11)
    y = generator.choice(2, n, p=[0.7, 0.3])
    p = generator.beta(1 + 2 * y, 3 - 1.5 * y)
    return y, np.stack([1 - p, p], axis=1)


def many(n: int = 300, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(12)
    y = generator.choice(classes, n, p=[0.4, 0.3, 0.2, 0.1])
    weights = generator.gamma(1 + 2 * np.eye(classes)[y])
    return y, weights / weights.sum(axis=1, keepdims=True)


def test_binary_figures_are_scikit_learns() -> None:
    y, p = binary()
    chosen = (p[:, 1] >= 0.35).astype(int)
    found = classification_metrics(y, p, threshold=0.35)
    assert found["count"] == 400
    assert found["accuracy"] == pytest.approx(oracle.accuracy_score(y, chosen))
    assert found["precision"] == pytest.approx(oracle.precision_score(y, chosen))
    assert found["recall"] == pytest.approx(oracle.recall_score(y, chosen))
    assert found["f1"] == pytest.approx(oracle.f1_score(y, chosen))
    assert found["pr_auc"] == pytest.approx(oracle.average_precision_score(y, p[:, 1]))
    assert found["brier"] == pytest.approx(oracle.brier_score_loss(y, p[:, 1]))
    assert found["confusion_matrix"] == oracle.confusion_matrix(y, chosen).tolist()
    assert found["average"] == "binary"


def test_roc_auc_is_the_share_of_pairs_in_order() -> None:
    y, p = binary()
    pairs = np.sign(p[y == 1, 1][:, None] - p[y == 0, 1])
    assert classification_metrics(y, p)["roc_auc"] == pytest.approx((pairs.mean() + 1) / 2)


def test_log_loss_is_the_mean_negative_log_of_the_labels_probability() -> None:
    for y, p in (binary(), many()):
        expected = -np.log(p[np.arange(len(y)), y]).mean()
        assert classification_metrics(y, p)["log_loss"] == pytest.approx(expected)


def test_figures_of_many_labels_are_macro_averages() -> None:
    y, p = many()
    chosen, found = p.argmax(axis=1), classification_metrics(y, p, threshold=0.9)
    assert found["f1"] == pytest.approx(oracle.f1_score(y, chosen, average="macro"))
    assert found["recall"] == pytest.approx(oracle.balanced_accuracy_score(y, chosen))
    assert found["roc_auc"] == pytest.approx(oracle.roc_auc_score(y, p, multi_class="ovr"))
    areas = [oracle.average_precision_score(y == c, p[:, c]) for c in range(4)]
    assert found["pr_auc"] == pytest.approx(np.mean(areas))
    assert found["brier"] == pytest.approx(((p - np.eye(4)[y]) ** 2).sum(axis=1).mean())
    assert found["average"] == "macro"


def test_areas_without_one_label_are_undefined_and_say_why() -> None:
    found = classification_metrics(
        [1, 1, 1], [[0.2, 0.8], [0.6, 0.4], [0.3, 0.7]], names=("bad", "good")
    )
    assert found["roc_auc"] is None
    assert found["pr_auc"] is None
    assert found["undefined"]["roc_auc"] == "no text of the split is labelled 'bad'"
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["confusion_matrix"] == [[0, 0], [1, 2]]


def test_a_label_never_predicted_has_precision_zero() -> None:
    found = classification_metrics([1, 0], [[0.9, 0.1], [0.8, 0.2]])
    assert (found["precision"], found["recall"], found["f1"]) == (0, 0, 0)


def test_certain_and_wrong_probabilities_give_a_finite_loss() -> None:
    found = classification_metrics([0, 1], [[0.0, 1.0], [1.0, 0.0]])
    assert 30 < found["log_loss"] < 1000
    assert found["brier"] == 1


def test_metrics_are_plain_json_and_repeat_for_a_seed() -> None:
    y, p = many()
    targets = np.random.default_rng(1).normal(size=50)
    for metrics in (
        lambda seed: classification_metrics(y, p.astype(np.float32).astype(float), seed=seed),
        lambda seed: regression_metrics(targets, targets**2, seed),
    ):
        first = metrics(3)
        assert json.loads(json.dumps(first, allow_nan=False)) == first
        assert metrics(3) == first
        assert any(metrics(seed) != first for seed in range(4, 8))


def test_accuracy_interval_is_that_of_the_binomial_distribution() -> None:
    # A sample of n verdicts with replacement has a binomial number of right ones, exactly.
    y, p = binary(997)
    found = classification_metrics(y, p, seed=5)
    ends = stats.binom(997, found["accuracy"]).ppf([0.025, 0.975]) / 997
    np.testing.assert_allclose(found["accuracy_interval"], ends, atol=0.004)


def test_bootstrap_means_have_the_spread_of_a_mean() -> None:
    values = np.random.default_rng(2).exponential(3.0, 3001)  # enough to be drawn in chunks
    means = bootstrap_means(values, seed=1)
    assert means.shape == (2000,)
    assert means.mean() == pytest.approx(values.mean(), rel=0.01)
    assert means.std() == pytest.approx(values.std() / np.sqrt(3001), rel=0.1)
    assert len(np.unique(means)) == 2000


def test_rmse_interval_is_the_one_of_resamples_written_out() -> None:
    generator = np.random.default_rng(8)
    y = generator.normal(size=60)
    given = y + generator.standard_t(3, 60)
    samples = []
    for _ in range(3000):
        rows = generator.integers(60, size=60)
        samples.append(np.sqrt(np.mean((y[rows] - given[rows]) ** 2)))
    expected = np.percentile(samples, [2.5, 97.5])
    found = regression_metrics(y, given, seed=1)
    np.testing.assert_allclose(found["rmse_interval"], expected, rtol=0.06)
    assert found["rmse_interval"][0] < found["rmse"] < found["rmse_interval"][1]


def test_regression_figures_match_numpy_and_scipy() -> None:
    generator = np.random.default_rng(9)
    y = generator.integers(1, 11, 200).astype(np.float32)
    given = 0.5 * y + generator.normal(0, 2, 200)
    found, error = regression_metrics(y, given), y - given
    assert found["mse"] == pytest.approx((error**2).mean())
    assert found["rmse"] == pytest.approx(np.sqrt((error**2).mean()))
    assert found["mae"] == pytest.approx(np.abs(error).mean())
    assert found["r2"] == pytest.approx(1 - (error**2).sum() / ((y - y.mean()) ** 2).sum())
    ranks = [stats.rankdata(y), stats.rankdata(given)]
    assert found["spearman"] == pytest.approx(np.corrcoef(*ranks)[0, 1])
    assert found["undefined"] == {}


def test_constant_values_leave_correlations_undefined() -> None:
    targets = regression_metrics([2.0, 2.0], [1.0, 3.0])
    assert (targets["r2"], targets["spearman"]) == (None, None)
    assert targets["undefined"]["r2"] == "every target of the split is 2"
    predictions = regression_metrics([1.0, 3.0], [2.5, 2.5])
    assert predictions["spearman"] is None
    assert predictions["r2"] == pytest.approx(-0.25)


def test_an_empty_split_is_refused() -> None:
    with pytest.raises(DataError, match="split is empty"):
        classification_metrics([], np.zeros((0, 2)))
    with pytest.raises(DataError, match="split is empty"):
        regression_metrics([], [])


def test_a_prediction_that_is_not_finite_is_named() -> None:
    with pytest.raises(DataError, match="text 2 is nan"):
        regression_metrics([1.0, 2.0], [1.0, np.nan])


def test_a_tie_at_the_threshold_is_positive() -> None:
    p = [[0.75, 0.25], [0.5, 0.5], [0.76, 0.24]]
    np.testing.assert_array_equal(verdicts(p, 0.25), [1, 1, 0])
    np.testing.assert_array_equal(verdicts([[0.3, 0.3, 0.4]], 0.25), [2])


def test_margins_are_distances_to_another_verdict() -> None:
    p = [[0.75, 0.25], [0.375, 0.625]]
    np.testing.assert_array_equal(margins(p, 0.5), [0.25, 0.125])
    np.testing.assert_array_equal(margins(p, 0.25), [0.0, 0.375])
    many = [[0.5, 0.125, 0.375], [0.25, 0.25, 0.5], [0.375, 0.25, 0.375]]
    np.testing.assert_array_equal(margins(many, 0.9), [0.125, 0.25, 0.0])


def test_what_is_decided_is_counted_apart() -> None:
    random = np.random.default_rng(8)
    each, correct = random.random(300), random.random(300) < 0.8
    found = decided_metrics(each, correct, 0.25, seed=3)
    kept = correct[each >= 0.25]
    assert found["count"] == len(kept) < 300
    assert found["coverage"] == pytest.approx(len(kept) / 300)
    assert found["accuracy"] == pytest.approx(oracle.accuracy_score(np.ones(len(kept)), kept))
    low, high = found["accuracy_interval"]
    spread = 2 * 1.96 * np.sqrt(kept.mean() * (1 - kept.mean()) / len(kept))
    assert high - low == pytest.approx(spread, rel=0.15)
    none = decided_metrics(each, correct, 2.0)
    assert (none["count"], none["coverage"], none["accuracy"]) == (0, 0.0, None)


def test_quartiles_of_distinct_lengths_are_quarters_in_order() -> None:
    lengths = np.random.default_rng(4).permutation(np.arange(10, 90))
    correct = np.random.default_rng(5).random(80) < 0.01 * lengths
    for q, entry in enumerate(accuracy_by_length(lengths, correct)):
        inside = (lengths >= 10 + 20 * q) & (lengths < 30 + 20 * q)
        assert (entry["quartile"], entry["count"]) == (q + 1, 20)
        assert (entry["shortest"], entry["longest"]) == (10 + 20 * q, 29 + 20 * q)
        assert entry["accuracy"] == pytest.approx(correct[inside].mean())


def test_quartile_interval_is_wilsons() -> None:
    entry = accuracy_by_length([5] * 10, [True] * 7 + [False] * 3)[2]
    z, n, share = 1.959963985, 10, 0.7
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * 0.3 / n + z**2 / (4 * n**2))
    assert entry["count"] == 10
    assert entry["accuracy_interval"] == pytest.approx([centre - half, centre + half])


def test_an_empty_quartile_holds_nothing() -> None:
    first = accuracy_by_length([5] * 10, [True] * 10)[0]
    assert first == {
        "quartile": 1,
        "count": 0,
        "shortest": None,
        "longest": None,
        "accuracy": None,
        "accuracy_interval": None,
    }


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans())), st.randoms(use_true_random=False))
def test_quartiles_hold_each_text_once_whatever_the_order(
    texts: list[tuple[int, bool]], random: object
) -> None:
    mixed = list(texts)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    one, other = (
        accuracy_by_length([n for n, _ in rows], [right for _, right in rows])
        for rows in (texts, mixed)
    )
    assert one == other
    assert sum(q["count"] for q in one) == len(texts)
    held = [q for q in one if q["count"]]
    for shorter, longer in itertools.pairwise(held):
        assert shorter["longest"] < longer["shortest"]


def test_every_measure_is_among_the_figures_and_shown() -> None:
    y, p = many()
    classified = classification_metrics(y, p)
    for measure in MEASURES["classification"]:
        assert formatted(classified, measure.key).startswith(f"{classified[measure.key]:.4f}")
    values = regression_metrics([1.0, 2.0, 4.0], [1.0, 3.0, 3.0])
    for measure in MEASURES["regression"]:
        assert formatted(values, measure.key).startswith(f"{values[measure.key]:.4f}")


def test_figures_are_written_with_their_interval() -> None:
    figures = {"a": 0.51239, "a_interval": [0.5, 0.6], "b": None, "c": 123456.789, "d": 0.00012}
    assert formatted(figures, "a") == "0.5124 [0.5000, 0.6000]"
    assert formatted(figures, "b") == "n/a"
    assert formatted(figures, "c") == "123456.79"
    assert formatted(figures, "d") == "1.20e-04"
