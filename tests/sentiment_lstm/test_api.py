"""The library as a person imports it: public names, and training from lists."""

import math
import random
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import sentiment_lstm
from sentiment_lstm import SentimentClassifier, train
from sentiment_lstm.bundle import read_bundle
from sentiment_lstm.errors import BundleError, DataError, SettingsError

FAST = {
    "text": {"min_count": 1},
    "model": {"embedding": 8, "units": 8, "dropout": 0.0},
    "train": {"epochs": 12, "batch_size": 16, "learning_rate": 0.02, "patience": 12},
}
WORDS = {"1": "awful", "2": "weak", "3": "passable", "4": "good", "5": "superb"}


def stars(count, seed=0):
    """Return texts and star labels that one word of each text tells."""
    generator = random.Random(seed)
    labels = [generator.choice(list(WORDS)) for _ in range(count)]
    return [f"the film , for what it is , seemed {WORDS[s]} to me" for s in labels], labels


def test_public_names_are_those_of_all():
    assert set(sentiment_lstm.__all__) <= set(dir(sentiment_lstm))
    for name in sentiment_lstm.__all__:
        assert getattr(sentiment_lstm, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = sentiment_lstm.nonsense


def test_importing_the_package_and_its_classifier_loads_no_tensorflow():
    script = (
        "import sys, sentiment_lstm; from sentiment_lstm import SentimentClassifier\n"
        "print(sorted({'tensorflow', 'keras', 'sklearn'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_a_saved_model_with_the_layer_loads_in_a_fresh_process_after_its_import(tmp_path):
    make = (
        "import keras, sys; from sentiment_lstm import LSTM\n"
        "model = keras.Sequential([keras.Input((4, 3)), LSTM(2)]); model.save(sys.argv[1])\n"
        "import numpy as np; print(np.asarray(model(np.ones((1, 4, 3)))).tolist())"
    )
    load = (
        "import keras, sys\nfrom sentiment_lstm import LSTM\n"
        "model = keras.saving.load_model(sys.argv[1])\n"
        "import numpy as np; print(np.asarray(model(np.ones((1, 4, 3)))).tolist())"
    )
    path = str(tmp_path / "model.keras")
    answers = [
        subprocess.run(
            [sys.executable, "-c", script, path], capture_output=True, text=True, check=True
        ).stdout
        for script in (make, load)
    ]
    assert answers[0] == answers[1] != ""


def test_five_labels_are_learnt_from_lists(tmp_path):
    texts, labels = stars(300)
    directory = train(texts, labels, FAST, output=tmp_path / "model")
    answers = SentimentClassifier.load(directory).classify(stars(50, seed=1)[0])
    assert [a.label for a in answers] == stars(50, seed=1)[1]
    assert sum(answers[0].probabilities) == pytest.approx(1)


def test_numbers_are_learnt_by_regression(tmp_path):
    texts, labels = stars(400)
    recipe = {**FAST, "data": {"task": "regression"}}
    directory = train(texts, [float(s) for s in labels], recipe, output=tmp_path / "model")
    texts, labels = stars(50, seed=1)
    values = [a.value for a in SentimentClassifier.load(directory).classify(texts)]
    assert np.abs(np.array(values) - np.array(labels, float)).mean() < 0.4


def test_two_labels_keep_the_order_they_are_given(tmp_path):
    texts = ["good film", "bad film"] * 20
    recipe = {**FAST, "data": {"labels": ["up", "down"]}}
    directory = train(texts, ["up", "down"] * 20, recipe, output=tmp_path / "model")
    up, down = SentimentClassifier.load(directory).classify(["good film", "bad film"])
    assert (up.label, down.label) == ("up", "down")
    assert up.probability < 0.5 < down.probability


def test_weights_are_stored_in_half_the_size_on_request(tmp_path):
    texts, labels = ["good film", "bad film", "a plot"] * 10, ["up", "down", "up"] * 10
    whole, half = (
        train(
            texts, labels, FAST | {"train": {"epochs": 1, "stored": kind}}, output=tmp_path / kind
        )
        for kind in ("float32", "float16")
    )
    weights, halves = read_bundle(whole).weights, read_bundle(half).weights
    for name, weight in weights.items():
        np.testing.assert_array_equal(halves[name], weight.astype("float16"))
    sizes = [(d / "weights.safetensors").stat().st_size for d in (whole, half)]
    assert sizes[1] < 0.6 * sizes[0]


@pytest.mark.parametrize(
    ("texts", "labels", "recipe", "error", "message"),
    [
        (["a"], ["x", "y"], {}, DataError, "1 texts and 2 labels"),
        (["a"] * 4, ["x"] * 4, {}, DataError, "at least two labels"),
        (["a"] * 4, ["x", "x", "x", "y"], {}, DataError, "'y' has 1 texts"),
        (["a"] * 4, ["x", "y", None, "y"], {}, DataError, "text 2: no label"),
        (["a"] * 4, ["x", "x", "y", "y\0y"], {}, DataError, "text 3: .* control characters"),
        (["a"] * 2, [1.0, math.nan], {"data": {"task": "regression"}}, DataError, "text 1"),
        (["a"], ["x"], {"modle": {}}, SettingsError, "did you mean 'model'"),
        (["a"], ["x"], {"model": {"unit": 3}}, SettingsError, "did you mean 'units'"),
    ],
)
def test_what_cannot_be_trained_on_is_named(tmp_path, texts, labels, recipe, error, message):
    with pytest.raises(error, match=message):
        train(texts, labels, recipe, output=tmp_path / "model")
    assert not (tmp_path / "model").exists()


def no_epochs(_):
    raise AssertionError("it was trained before it was refused")


def test_a_directory_of_other_files_is_refused_before_the_training(tmp_path):
    (tmp_path / "thesis").touch()
    with pytest.raises(BundleError, match="holds other files"):
        train(["a", "b"] * 4, ["x", "y"] * 4, FAST, output=tmp_path, on_epoch=no_epochs)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis"]


def test_targets_that_no_bundle_can_hold_are_refused_before_the_training(tmp_path):
    recipe = {**FAST, "data": {"task": "regression"}}
    output = tmp_path / "model"
    with pytest.raises(BundleError, match=r"target_mean is .*e\+35"):
        train(["a", "b"] * 4, [1e35, 2e35] * 4, recipe, output=output, on_epoch=no_epochs)


def test_a_training_chooses_how_its_model_decides(tmp_path):
    texts, labels = stars(120)
    names = ["good" if label in "45" else "bad" for label in labels]
    quick = FAST | {"train": FAST["train"] | {"epochs": 2}}
    plain = train(texts, names, quick, output=tmp_path / "plain")
    decided = train(texts, names, quick, output=tmp_path / "own", aim="recall=1", abstain=0.02)
    one, other = read_bundle(plain).config, read_bundle(decided).config
    assert (one.threshold, one.abstain) == (0.5, 0.0)
    assert (other.threshold, other.abstain) != (0.5, 0.0)
    assert other.abstain == 0.02
    assert replace(other, threshold=0.5, abstain=0.0) == one
    card = (decided / "README.md").read_text("utf-8")
    assert "| decision aim | recall=1 |" in card
    assert "| decision recall | 1.0000 |" in card
    assert "| decision chosen on | validation, 12 texts |" in card


@pytest.mark.parametrize(
    ("choice", "labels", "part"),
    [
        ({"aim": "f-1"}, ["a", "b"], "did you mean 'f1'"),
        ({"aim": "f1"}, ["a", "b", "c"], "3 labels"),
        ({"abstain": 0.5}, ["a", "b"], "less than 0.5"),
        ({"abstain": 0.1}, ["sure", "unsure"], "a label 'unsure'"),
        ({"abstain": 0.1}, [0.5, 1.5], "nothing to decide"),
    ],
)
def test_what_cannot_be_decided_is_refused_before_any_training(tmp_path, choice, labels, part):
    task = "regression" if isinstance(labels[0], float) else "classification"
    with pytest.raises(SettingsError, match=part):
        train(
            ["x"] * 30,
            (labels * 15)[:30],
            {"data": {"task": task}},
            output=tmp_path / "m",
            **choice,
        )
    assert not (tmp_path / "m").exists()
