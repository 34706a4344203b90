"""What a model's card tells."""

import pytest

from sentiment_lstm.bundle_config import BundleConfig
from sentiment_lstm.card import decision_of, model_card, with_decision, with_figures

LABELS = ("a", "b")


def test_the_card_tells_shape_labels_figures_and_use():
    config = BundleConfig(
        labels=("a|b", "c`d"), units=77, data={"source": "imdb", "dir": "/home/someone"}
    )
    card = model_card(config, {"test": {"accuracy": 0.91234, "texts": 25_000}, "note": "x|y\nz"})
    assert "77 units" in card
    assert "`a|b`" in card
    assert "`` c`d ``" in card
    assert "| test accuracy | 0.9123 |" in card
    assert "| test texts | 25000 |" in card
    assert "| note | x\\|y z |" in card
    assert "SentimentClassifier.load" in card
    assert "sentiment-lstm classify --model DIR" in card
    assert "/home/someone" not in card


def test_the_card_of_a_regression_names_no_labels():
    card = model_card(BundleConfig(task="regression", target_scale=2.5), {})
    assert "a number" in card
    assert "label" not in card.split("## Intended use")[0]
    assert "Not measured yet" in card


@pytest.mark.parametrize(
    ("source", "told"),
    [("imdb", {"source", "seed"}), ("files", {"source", "seed", "test fraction"}),
     ("demo", {"source", "seed", "test fraction", "size"})],
)  # fmt: skip
def test_only_what_means_something_of_a_source_is_told(source, told):
    data = {"source": source, "seed": 1, "test_fraction": 0.2, "size": 9}
    card = model_card(BundleConfig(labels=LABELS, data=data), {})
    assert {line[2:].split(":")[0] for line in card.splitlines() if line.endswith("`")} == told


def test_figures_are_added_and_replace_those_of_their_names():
    card = model_card(BundleConfig(labels=LABELS), {"a": 1, "test": {"accuracy": 0.5}, "b": "x"})
    more = with_figures(card, {"test": {"accuracy": 0.75, "loss": 2}, "a|c": 3})
    whole = model_card(
        BundleConfig(labels=LABELS),
        {"a": 1, "b": "x", "test": {"accuracy": 0.75, "loss": 2}, "a|c": 3},
    )
    assert more == whole
    assert with_figures(more, {"a|c": 3}) == whole


FOREIGN = "# A model\n\nOf somebody else."


@pytest.mark.parametrize("figures", [{}, {"test": {"accuracy": 0.5}}])
def test_figures_become_a_table_where_nothing_was_measured_yet(figures):
    config = BundleConfig(labels=LABELS)
    assert with_figures(model_card(config, figures), {"b": 2}) == model_card(
        config, figures | {"b": 2}
    )
    table = "| figure | value |\n| --- | --- |\n| b | 2 |\n"
    assert with_figures(FOREIGN, {"b": 2}) == f"{FOREIGN}\n\n## Measured\n\n{table}"


@pytest.mark.parametrize("card", [model_card(BundleConfig(labels=LABELS), {"a": 1}), FOREIGN])
def test_a_decision_is_stated_and_the_next_one_takes_its_place(card):
    first = with_decision(card, {"aim": "precision=0.9", "abstain": 0.125})
    assert "| decision aim | precision=0.9 |\n| decision abstain | 0.1250 |" in first
    assert decision_of(first) == {"aim": "precision=0.9", "abstain": "0.1250"}
    second = with_decision(first, {"aim": "f1"})
    assert decision_of(second) == {"aim": "f1"}
    assert second == with_decision(card, {"aim": "f1"})
    assert with_decision(first, decision_of(first)) == first
    assert decision_of(card) == {}


def test_a_card_without_a_decision_stays_as_it_is():
    card = model_card(BundleConfig(labels=LABELS), {"a": 1})
    assert with_decision(card, {}) == card
