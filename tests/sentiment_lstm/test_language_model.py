"""The language model: its loss and its gradients are those of numpy and of PyTorch."""

import keras
import numpy as np
import numpy_language_model as oracle
import numpy_lstm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_lstm.batching import TokenArrays
from sentiment_lstm.language_model import (
    DIRECTIONS,
    POSITION_STEP,
    LanguageModel,
    log_shares,
    mean_loss,
    named_variables,
    readings,
    sampled,
    token_counts,
    weights_of,
)
from sentiment_lstm.model import build_classifier, load_weights
from sentiment_lstm.model import weights_of as classifier_weights_of
from sentiment_lstm.sampled_softmax import Sampler
from sentiment_lstm.settings import ModelSettings, PretrainSettings
from sentiment_lstm.steps import objective_step

VOCABULARY = 23
TEXTS = [[5, 9, 1, 22, 7], [3], [], [8, 8, 2, 14, 19, 4, 11, 6, 3], [21, 2]]
SIZES = ModelSettings(embedding=4, units=3)
COUNTS = np.arange(VOCABULARY, 0, -1)
EVERYTHING = Sampler.of(COUNTS, 0)


def random_model(directions=2, seed=0, **dropouts):
    """Return a model of random, asymmetric weights, and the weights."""
    sizes = ModelSettings(embedding=4, units=3, directions=directions)
    model = LanguageModel(sizes, PretrainSettings(**dropouts), log_shares(COUNTS))
    rng = np.random.default_rng(seed)
    for variable in named_variables(model).values():
        variable.assign(rng.normal(0.1, 0.8, variable.shape).astype("float32"))
    return model, weights_of(model)


def padded(texts, time=12):
    return np.array([[*text, *[0] * (time - len(text))] for text in texts], np.int32)


def losses_of(model, tokens, sampler, seed=(0,)):
    """Return the cross-entropies of real positions, `(directions, tokens)`, one by one."""
    inputs = sampled(readings(tokens, len(model.names)), sampler, seed)
    losses = []
    for position in np.flatnonzero(inputs["weights"]):
        alone = (np.arange(len(inputs["weights"])) == position).astype("float32")
        losses.append(keras.ops.convert_to_numpy(model({**inputs, "weights": alone})))
    return np.stack(losses, axis=1)


def sums_of(model, texts, time=12):
    """Return each direction's sum by the whole softmax, `(directions,)`."""
    inputs = sampled(readings(padded(texts, time), len(model.names)), EVERYTHING, (0,))
    return keras.ops.convert_to_numpy(model(inputs))


def expected(texts, weights, directions=2, **options):
    """Return what the oracle makes of texts, each direction in the order of the tokens."""
    losses = []
    for name in DIRECTIONS[:directions]:
        read = [oracle.cross_entropies(t, weights, name, **options) for t in texts if t]
        losses.append(np.concatenate(read if name == "forward" else [r[::-1] for r in read]))
    return np.stack(losses)


def test_the_whole_softmax_is_that_of_numpy():
    model, weights = random_model()
    found = losses_of(model, padded(TEXTS), EVERYTHING)
    np.testing.assert_allclose(found, expected(TEXTS, weights), rtol=2e-5, atol=1e-5)


def test_the_sampled_softmax_is_that_of_numpy():
    model, weights = random_model()
    sampler = Sampler.of(COUNTS, 7)
    found = losses_of(model, padded(TEXTS), sampler, (3, 1))
    options = {"lessened": np.log(sampler.chances), "candidates": sampler.draw((3, 1))}
    np.testing.assert_allclose(found, expected(TEXTS, weights, **options), rtol=2e-5, atol=1e-5)


def test_a_model_of_one_direction_reads_forward():
    model, weights = random_model(directions=1)
    found = losses_of(model, padded(TEXTS), EVERYTHING)
    np.testing.assert_allclose(found, expected(TEXTS, weights, 1), rtol=2e-5, atol=1e-5)


def torch_loss(texts, weights, sampler, candidates):
    """Return the loss of a batch in PyTorch, its LSTM and its softmax; `weights` are tensors."""
    import torch

    bias = weights["softmax.bias"] - torch.tensor(np.log(sampler.chances))
    E, total = weights["embedding"], []
    for direction in DIRECTIONS:
        W, U, b = (
            weights[f"lstm.0.{direction}.{p}"] for p in ("kernel", "recurrent_kernel", "bias")
        )
        for text in texts:
            read = list(text) if direction == "forward" else list(text)[::-1]
            flat = [W.T, U.T, b, torch.zeros_like(b)]
            state = torch.zeros(1, 1, len(U), dtype=b.dtype)
            if not read:
                continue
            sizes = (True, 1, 0.0, True, False, True)
            h = torch.lstm(E[read][None], (state, state), flat, *sizes)[0][0]
            logits = h @ weights[f"projection.{direction}"] @ E.T + bias
            for row, target in zip(logits, [*read[1:], 0], strict=True):
                told = sorted({*candidates.tolist(), target})
                label = torch.tensor([told.index(target)])
                total.append(torch.nn.functional.cross_entropy(row[told][None], label))
    return sum(total) / len(total)


@pytest.mark.parametrize("negatives", [0, 7])
def test_a_step_moves_every_weight_by_the_gradient_that_pytorch_finds(negatives):
    torch = pytest.importorskip("torch", reason="pip install '.[peers]'")
    model, before = random_model(seed=1)
    sampler, seed = Sampler.of(COUNTS, negatives), (2,)
    weights = {
        k: torch.tensor(v, dtype=torch.float64, requires_grad=True) for k, v in before.items()
    }
    loss = torch_loss(TEXTS, weights, sampler, sampler.draw(seed))
    loss.backward()
    inputs = readings(padded(TEXTS), 2)
    optimizer = keras.optimizers.SGD(1.0)
    optimizer.build(model.trainable_variables)
    step = objective_step(model, optimizer, lambda run, b: mean_loss(run(b), b["weights"]))
    assert step(sampled(inputs, sampler, seed)) == pytest.approx(float(loss.detach()), rel=1e-5)
    for name, after in weights_of(model).items():
        gradient = weights[name].grad.numpy()
        np.testing.assert_allclose(before[name] - after, gradient, atol=2e-6, err_msg=name)
        assert np.abs(gradient).max() > 1e-3


texts_of_any_kind = st.lists(
    st.lists(st.integers(1, VOCABULARY - 1), max_size=9), min_size=1, max_size=5
)


@given(texts_of_any_kind, st.integers(9, 20))
@settings(max_examples=15)
def test_padding_and_neighbours_never_change_a_loss(texts, time):
    alone = [sums_of(MODEL, [text], 9) for text in texts]
    np.testing.assert_allclose(sums_of(MODEL, texts, time), sum(alone), rtol=1e-4, atol=1e-5)


@given(texts_of_any_kind)
@settings(max_examples=15)
def test_backward_is_forward_over_the_reversed_text(texts):
    there = sums_of(MODEL, texts)
    back = sums_of(swapped(MODEL), [text[::-1] for text in texts])
    np.testing.assert_allclose(there, back[::-1], rtol=1e-4, atol=1e-5)


MODEL, _ = random_model(seed=4)
SWAPPED, _ = random_model(seed=5)


def swapped(model):
    """Return a model whose forward direction is the backward one of another, and so on."""
    names = {"forward": "backward", "backward": "forward"}
    variables, given = named_variables(SWAPPED), weights_of(model)
    for name, variable in variables.items():
        parts = [names.get(part, part) for part in name.split(".")]
        variable.assign(given[".".join(parts)])
    return SWAPPED


@given(texts_of_any_kind)
def test_readings_tell_each_token_from_the_one_before_and_the_one_after(texts):
    tokens = padded(texts)
    inputs = readings(tokens, 2)
    real = inputs["weights"] > 0
    ahead = np.concatenate([[*text[1:], 0] for text in texts if text] or [[]])
    behind = np.concatenate([[0, *text[:-1]] for text in texts if text] or [[]])
    np.testing.assert_array_equal(inputs["forward.targets"][real], ahead)
    np.testing.assert_array_equal(inputs["backward.targets"][real], behind)
    for direction, read in (("forward", tokens), ("backward", tokens[:, ::-1])):
        positions = inputs[f"{direction}.positions"][real]
        np.testing.assert_array_equal(read.ravel()[positions], tokens[tokens != 0])
    assert len(real) % POSITION_STEP == 0
    assert not inputs["forward.targets"][~real].any()


def test_counts_are_those_of_targets_and_the_bias_starts_from_their_shares():
    arrays = TokenArrays.of([np.array(t, np.int32) for t in TEXTS], [0] * len(TEXTS))
    counts = token_counts(arrays, VOCABULARY)
    assert counts[0] == 4  # the empty text has no end to tell
    assert counts[8] == 2
    assert counts.sum() == sum(map(len, TEXTS)) + 4
    assert np.exp(log_shares(counts)).sum() == pytest.approx(1)
    model = LanguageModel(SIZES, PretrainSettings(), log_shares(counts))
    np.testing.assert_allclose(weights_of(model)["softmax.bias"], log_shares(counts), rtol=1e-6)


def test_a_fresh_model_is_little_worse_than_the_shares_of_the_tokens():
    model = LanguageModel(SIZES, PretrainSettings(), log_shares(COUNTS))
    found = losses_of(model, padded(TEXTS), EVERYTHING)
    targets = [[*t[1:], 0] for t in TEXTS if t]
    by_shares = -np.mean(log_shares(COUNTS)[np.concatenate(targets)])
    assert found[0].mean() == pytest.approx(by_shares, abs=0.2)


def test_embedding_and_lstm_have_the_names_and_shapes_that_a_classifier_has():
    language = weights_of(LanguageModel(SIZES, PretrainSettings(), log_shares(COUNTS)))
    classifier = classifier_weights_of(build_classifier(SIZES, VOCABULARY, 1))
    shared = {k for k in classifier if not k.startswith("head.")}
    assert shared == {k for k in language if k.startswith(("embedding", "lstm."))}
    for name in shared:
        assert language[name].shape == classifier[name].shape


def test_a_classifier_reads_the_states_that_the_language_model_reads():
    _, weights = random_model(seed=6)
    classifier = build_classifier(
        ModelSettings(4, 3, pooling=("last",), dropout=0.0), VOCABULARY, 1
    )
    load_weights(classifier, {**classifier_weights_of(classifier), **weights})
    pooled = keras.Model(classifier.input, classifier.get_layer("pooling").output)
    found = keras.ops.convert_to_numpy(pooled(np.array([[7, 3, 0]], np.int32)))
    x = weights["embedding"][[7, 3]]
    for direction, read in (("forward", x), ("backward", x[::-1])):
        W, U, b = (
            weights[f"lstm.0.{direction}.{p}"] for p in ("kernel", "recurrent_kernel", "bias")
        )
        own = slice(0, 3) if direction == "forward" else slice(3, 6)
        h = numpy_lstm.forward(read[None], W, U, b).h[0, -1]
        np.testing.assert_allclose(found[0, own], h, rtol=1e-5)


def test_every_trained_variable_has_a_name():
    model, weights = random_model()
    assert len(weights) == len(model.trainable_variables)


def test_dropout_acts_in_training_alone():
    model, _ = random_model(dropout=0.5, embedding_dropout=0.5)
    inputs = sampled(readings(padded(TEXTS), 2), EVERYTHING, (0,))
    sums = [keras.ops.convert_to_numpy(model(inputs, training=t)) for t in (False, False, True)]
    np.testing.assert_array_equal(sums[0], sums[1])
    assert not np.allclose(sums[0], sums[2])


@pytest.mark.parametrize("training", [False, True])
def test_in_mixed_precision_the_sums_are_nearly_those_of_float32(training):
    single, _ = random_model()
    mixed, _ = random_model(precision="mixed_bfloat16")
    inputs = sampled(readings(padded(TEXTS), 2), EVERYTHING, (0,))
    one, other = (
        keras.ops.convert_to_numpy(model(inputs, training=training)) for model in (single, mixed)
    )
    assert (one != other).all()
    np.testing.assert_allclose(other, one, rtol=0.01)
