"""Classifiers that start from a language model or from another classifier."""

import numpy as np
import pytest
from language_model_arrays import TOKENS, UNITS, WIDTH, random_arrays

from sentiment_lstm import train
from sentiment_lstm.bundle import read_bundle
from sentiment_lstm.errors import SettingsError
from sentiment_lstm.language_models import read_language_model, write_language_model
from sentiment_lstm.starting import from_classifier, from_language_model
from sentiment_lstm.text import SPECIAL_TOKENS, Vocabulary

STILL = {"epochs": 1, "learning_rate": 1e-8}


def written(directory, arrays):
    directory.mkdir(parents=True)
    directions = 2 if "projection.backward" in arrays else 1
    sizes = {"embedding": WIDTH, "units": UNITS, "directions": directions, "perplexities": {}}
    write_language_model(directory, Vocabulary(TOKENS), arrays, sizes)
    return directory


@pytest.fixture
def directory(tmp_path):
    return written(tmp_path / "run" / "pretrain", random_arrays(kind="float32"))


def test_tokens_take_the_embeddings_of_the_same_tokens(directory):
    found = read_language_model(directory)
    vocabulary = Vocabulary((*SPECIAL_TOKENS, "film", "unheard", "good"))
    draw = np.random.default_rng(1).normal
    fresh = {name: draw(size=a.shape) for name, a in random_arrays().items() if "lstm" in name}
    fresh["embedding"] = draw(scale=0.1, size=(5, WIDTH)).astype("float32")
    start = from_language_model(found, vocabulary, fresh | {"head.bias": draw(size=1)})
    theirs = found.weights["embedding"]
    np.testing.assert_array_equal(start["embedding"][[0, 1, 2, 4]], theirs[[0, 1, 4, 2]])
    unheard = fresh["embedding"][3] * theirs.std() / fresh["embedding"].std()
    np.testing.assert_allclose(start["embedding"][3], unheard, rtol=1e-5)
    assert set(start) == {"embedding", *(name for name in fresh if "lstm" in name)}
    np.testing.assert_array_equal(
        start["lstm.0.backward.bias"], found.weights["lstm.0.backward.bias"]
    )


SIZES = {"embedding": WIDTH, "units": UNITS}


def test_a_classifier_starts_from_it(directory, tmp_path):
    texts, labels = ["good film", "bad film"] * 20, ["up", "down"] * 20
    still = {"epochs": 1, "learning_rate": 1e-8}
    recipe = {"model": SIZES | {"start": str(directory.parent)}, "train": still}
    weights = read_bundle(train(texts, labels, recipe, output=tmp_path / "model")).weights
    expected = read_language_model(directory).weights
    for name in ("lstm.0.forward.kernel", "lstm.0.backward.recurrent_kernel"):
        np.testing.assert_allclose(weights[name], expected[name], atol=1e-6)


@pytest.mark.parametrize(
    "sizes",
    [SIZES | {"units": 4}, SIZES | {"embedding": 6}, SIZES | {"layers": 2}],
)
def test_other_sizes_are_refused(directory, tmp_path, sizes):
    recipe = {"model": sizes | {"start": str(directory)}}
    with pytest.raises(SettingsError, match="embedding 5 and 3 units"):
        train(["good", "bad"] * 20, ["up", "down"] * 20, recipe, output=tmp_path / "model")


def test_one_direction_is_no_start_for_two(tmp_path):
    directory = written(tmp_path / "forward", random_arrays(("forward",), "float32"))
    recipe = {"model": SIZES | {"start": str(directory)}}
    with pytest.raises(SettingsError, match=r"no fitting lstm\.0\.backward"):
        train(["good", "bad"] * 20, ["up", "down"] * 20, recipe, output=tmp_path / "model")


@pytest.fixture
def other(make_bundle):
    """Return a classifier of the labels up and down, with tokens of its own."""
    return make_bundle(labels=("down", "up"), embedding=WIDTH, units=UNITS, directions=2, layers=1)


def fresh_like(bundle, tokens):
    draw = np.random.default_rng(2).normal
    fresh = {name: draw(size=array.shape) for name, array in bundle.weights.items()}
    return fresh | {"embedding": draw(size=(tokens, WIDTH))}


def test_all_weights_start_from_a_classifier_of_the_same_labels(other):
    bundle = read_bundle(other)
    known = bundle.vocabulary.tokens[-1]
    vocabulary = Vocabulary((*SPECIAL_TOKENS, "unheard", known))
    fresh = fresh_like(bundle, 4)
    start = from_classifier(bundle, ("down", "up"), vocabulary, fresh)
    assert set(start) == set(bundle.weights)
    for name in set(start) - {"embedding"}:
        np.testing.assert_array_equal(start[name], bundle.weights[name])
    np.testing.assert_array_equal(start["embedding"][3], bundle.weights["embedding"][-1])
    assert not np.isin(start["embedding"][2], bundle.weights["embedding"]).any()


@pytest.mark.parametrize("labels", [("bad", "good"), ("up", "down"), ()])
def test_the_head_of_other_labels_is_not_taken(other, labels):
    bundle = read_bundle(other)
    start = from_classifier(bundle, labels, bundle.vocabulary, bundle.weights)
    assert set(bundle.weights) - set(start) == {"head.kernel", "head.bias"}


def test_a_head_of_another_size_is_not_taken(other):
    bundle = read_bundle(other)
    fresh = bundle.weights | {"head.kernel": np.zeros((UNITS, 1), np.float32)}
    assert "head.bias" not in from_classifier(bundle, ("down", "up"), bundle.vocabulary, fresh)


def test_a_training_goes_on_from_a_classifier(other, tmp_path):
    texts, labels = ["good film", "bad film"] * 20, ["up", "down"] * 20
    recipe = {"model": SIZES | {"from_model": str(other)}, "train": STILL}
    weights = read_bundle(train(texts, labels, recipe, output=tmp_path / "model")).weights
    expected = read_bundle(other).weights
    for name in set(weights) - {"embedding"}:
        np.testing.assert_allclose(weights[name], expected[name], atol=1e-6)


QUICK = {"epochs": 2, "learning_rate": 0.1}


def fitted(other, word, output, **settings):
    """Return the bundle of a training that goes on from a classifier, a word of it among others."""
    texts = [f"good film {word}", "bad film"] * 20
    recipe = {"model": SIZES | {"from_model": str(other)}, "train": QUICK | settings}
    return read_bundle(train(texts, ["up", "down"] * 20, recipe, output=output))


def test_a_share_of_what_it_went_on_from_is_in_what_it_ends_with(other, tmp_path):
    start = read_bundle(other)
    word = start.vocabulary.tokens[-1]
    alone = fitted(other, word, tmp_path / "alone").weights
    found = fitted(other, word, tmp_path / "shared", start_share=0.3)
    for name in set(alone) - {"embedding"}:
        expected = 0.3 * start.weights[name].astype("float64") + 0.7 * alone[name]
        np.testing.assert_allclose(found.weights[name], expected, rtol=1e-5, atol=1e-7)
        assert np.abs(found.weights[name] - alone[name]).max() > 0.01
    row = found.vocabulary.tokens.index(word)
    expected = 0.3 * start.weights["embedding"][-1] + 0.7 * alone["embedding"][row]
    np.testing.assert_allclose(found.weights["embedding"][row], expected, rtol=1e-5, atol=1e-7)


def test_what_cannot_be_shared_with_is_refused(other, tmp_path):
    texts, labels = ["good film", "bad film"] * 20, ["praise", "blame"] * 20
    recipe = {"model": SIZES | {"from_model": str(other)}, "train": {"start_share": 0.5}}
    with pytest.raises(SettingsError, match=r"start_share is 0\.5, .*, which tells down, up from"):
        train(texts, labels, recipe, output=tmp_path / "fine")
    recipe = {"model": SIZES, "train": {"start_share": 0.5}}
    with pytest.raises(SettingsError, match=r"start_share is 0\.5, and model.from_model names no"):
        train(texts, labels, recipe, output=tmp_path / "fine")
    assert not (tmp_path / "fine").exists()


@pytest.mark.parametrize("sizes", [{"units": 4}, {"embedding": 6}, {"layers": 2}])
def test_a_classifier_of_other_sizes_is_no_start(other, tmp_path, sizes):
    recipe = {"model": SIZES | {"from_model": str(other)} | sizes}
    with pytest.raises(SettingsError, match=r"embedding 5, 3 units, 2 directions and 1 layers"):
        train(["good", "bad"] * 20, ["up", "down"] * 20, recipe, output=tmp_path / "model")
