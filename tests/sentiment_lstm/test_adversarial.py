"""Adversarial training against the same step written out in PyTorch."""

import dataclasses
from contextlib import nullcontext

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from sentiment_lstm.adversarial import adversarial_step, directions, movable, scale_of
from sentiment_lstm.distinct_words import available
from sentiment_lstm.losses import divergence_for, loss_for
from sentiment_lstm.model import build_classifier, weights_of
from sentiment_lstm.optimizers import build_optimizer
from sentiment_lstm.settings import ModelSettings, TrainSettings

SIZES = ModelSettings(embedding=6, units=5, dropout=0.0, pooling=("last", "max", "mean"))
TOKENS = np.array([[3, 9, 4, 2, 7], [5, 1, 8, 0, 0], [2, 2, 0, 0, 0]], np.int32)
TARGETS, WEIGHTS = np.array([1, 0, 1], "float32"), np.array([0.5, 2, 1], "float32")
OTHERS = np.array([[4, 4, 6, 10, 0, 0], [11, 3, 0, 0, 0, 0]], np.int32)
NOISE = np.random.default_rng(1).normal(size=(2, 6, 6)).astype("float32")
PLAIN = TrainSettings(
    optimizer="sgd", momentum=0.0, learning_rate=0.5, schedule="constant", clip_norm=0.0
)


def answers_of(model, *inputs):
    tensors = [ops.convert_to_tensor(array) for array in inputs]
    with no_gradients():
        return ops.convert_to_numpy(model(tensors if len(tensors) > 1 else tensors[0]))


def no_gradients():
    if keras.backend.backend() != "torch":
        return nullcontext()
    return pytest.importorskip("torch").no_grad()


def classifier(seed=0):
    return build_classifier(SIZES, 12, 1, seed)


def test_a_movable_network_is_the_classifier_where_nothing_moves():
    model = classifier()
    still = np.zeros((3, 5, 6), "float32")
    found = answers_of(movable(model), TOKENS, still)
    np.testing.assert_allclose(found, answers_of(model, TOKENS), rtol=1e-6)


def test_a_network_that_reads_each_word_once_cannot_move_one_of_its_places():
    model = build_classifier(SIZES, 12, 1, words_once=True)
    if not available():
        pytest.skip("JAX reads every place by itself")
    with pytest.raises(ValueError, match="words_once"):
        movable(model)


def test_moving_a_word_is_as_good_as_another_vector_for_it():
    model, moves = classifier(), np.zeros((1, 4, 6), "float32")
    tokens = np.array([[3, 9, 4, 2]], np.int32)
    moves[0, 1] = np.random.default_rng(0).normal(size=6)
    moved = answers_of(movable(model), tokens, moves)
    vectors = np.array(ops.convert_to_numpy(model.get_layer("embedding").embeddings))
    vectors[9] += moves[0, 1]
    model.get_layer("embedding").embeddings.assign(vectors)
    np.testing.assert_allclose(moved, answers_of(model, tokens), rtol=1e-5)


def test_the_trained_variables_are_those_of_the_classifier_in_their_order():
    model = classifier()
    paths = [v.path for v in model.trainable_variables]
    assert [v.path for v in movable(model).trainable_variables] == paths


@given(
    st.integers(1, 4), st.integers(1, 5), st.integers(1, 3), st.floats(1e-20, 1e10),
    st.integers(0, 99),
)  # fmt: skip
@settings(max_examples=50)
def test_directions_have_norm_one_whatever_the_size_of_the_gradient(n, time, width, size, seed):
    gradient = np.random.default_rng(seed).normal(size=(n, time, width)).astype("float32")
    found = ops.convert_to_numpy(directions(ops.convert_to_tensor(gradient * np.float32(size))))
    expected = gradient / np.sqrt((gradient**2).sum(axis=(1, 2), keepdims=True))
    if size > 1e-11:
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    assert np.isfinite(found).all()


def test_no_gradient_has_no_direction():
    assert not ops.convert_to_numpy(directions(ops.zeros((2, 3, 4)))).any()


def torch_logits(torch, weights, vectors, lengths):
    """The network in PyTorch, each direction over each text alone."""
    rows = []
    for x, length in zip(vectors, lengths, strict=True):
        pooled = {"last": [], "states": []}
        for name in ("forward", "backward"):
            read = x[:length] if name == "forward" else x[:length].flip(0)
            h = c = torch.zeros(SIZES.units)
            states = []
            for step in read:
                z = sum(
                    a @ weights[f"lstm.0.{name}.{part}"]
                    for a, part in ((step, "kernel"), (h, "recurrent_kernel"))
                )
                i, f, g, o = (z + weights[f"lstm.0.{name}.bias"]).chunk(4)
                c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
                h = torch.sigmoid(o) * torch.tanh(c)
                states.append(h)
            pooled["last"].append(h)
            pooled["states"].append(torch.stack(states if name == "forward" else states[::-1]))
        states = torch.cat(pooled["states"], dim=1)
        rows.append(torch.cat([*pooled["last"], states.max(0).values, states.mean(0)]))
    return (torch.stack(rows) @ weights["head.kernel"] + weights["head.bias"])[:, 0]


def torch_moves(distance, gradient):
    return distance * gradient / gradient.pow(2).sum(dim=(1, 2), keepdim=True).sqrt()


def torch_supervised(torch, weights, distance):
    """The loss of labelled texts where words stand and where they were moved to."""
    lengths = (TOKENS != 0).sum(axis=1)

    def loss(vectors):
        logits = torch_logits(torch, weights, vectors, lengths)
        each = torch.nn.functional.binary_cross_entropy_with_logits(
            logits, torch.tensor(TARGETS), reduction="none"
        )
        return (each * torch.tensor(WEIGHTS)).mean()

    vectors = weights["embedding"][torch.tensor(TOKENS, dtype=torch.long)]
    here = vectors.detach().requires_grad_()
    (g,) = torch.autograd.grad(loss(here), here)
    return loss(vectors) + loss(vectors + torch_moves(distance, g))


def torch_virtual(torch, weights, distance, weight_of_entropy):
    """The loss of unlabelled texts."""
    lengths = (OTHERS != 0).sum(axis=1)

    def answers(vectors):
        p = torch.sigmoid(torch_logits(torch, weights, vectors, lengths))
        return torch.stack([1 - p, p], dim=1)

    def apart(p, q):
        return (p * (p.log() - q.log())).sum(1).mean()

    vectors = weights["embedding"][torch.tensor(OTHERS, dtype=torch.long)]
    p = answers(vectors)
    weighed = -weight_of_entropy * (p * p.log()).sum(1).mean()
    if not distance:
        return weighed
    noise = torch.tensor(NOISE * (OTHERS != 0)[:, :, None])
    moves = torch_moves(0.1 * distance, noise).requires_grad_()
    here = answers(vectors.detach()).detach()
    (g,) = torch.autograd.grad(apart(here, answers(vectors.detach() + moves)), moves)
    return apart(p.detach(), answers(vectors + torch_moves(distance, g))) + weighed


def torch_step(torch, before, loss):
    """The weights after one step of SGD on a loss of the weights, and the loss."""
    weights = {k: torch.tensor(v, requires_grad=True) for k, v in before.items()}
    total = loss(weights)
    total.backward()
    moved = {k: (w - PLAIN.learning_rate * w.grad).detach() for k, w in weights.items()}
    return moved, total.detach()


def our_step(how, *arrays):
    """The weights before one step of SGD and after it, and the loss."""
    model = classifier(seed=3)
    before = weights_of(model)
    optimizer = build_optimizer(PLAIN, 10)
    optimizer.build(model.trainable_variables)
    loss, divergence = loss_for("classification", 1, 0.0), divergence_for("classification")
    value = adversarial_step(model, optimizer, loss, divergence, how)(*arrays)
    return before, weights_of(model), value


def check_alike(before, after, expected):
    for name, value in after.items():
        np.testing.assert_allclose(value, expected[name], atol=3e-6, err_msg=name)
        assert np.abs(value - before[name]).max() > 1e-4, name


def test_a_step_is_the_one_of_the_paper_written_out():
    torch = pytest.importorskip("torch")
    how = dataclasses.replace(PLAIN, adversarial=2.5)
    before, after, loss = our_step(how, TOKENS, TARGETS, WEIGHTS)
    distance = 2.5 * scale_of(classifier(seed=3))
    expected = torch_step(torch, before, lambda w: torch_supervised(torch, w, distance))
    assert loss == pytest.approx(float(expected[1]), rel=1e-5)
    check_alike(before, after, expected[0])


@pytest.mark.parametrize(("virtual", "entropy"), [(4.0, 0.0), (4.0, 0.7), (0.0, 0.7)])
def test_a_step_with_unlabelled_texts_is_the_one_written_out(virtual, entropy):
    torch = pytest.importorskip("torch")
    how = dataclasses.replace(PLAIN, adversarial=2.5, virtual_adversarial=virtual, entropy=entropy)
    before, after, loss = our_step(how, TOKENS, TARGETS, WEIGHTS, OTHERS, NOISE)
    scale = scale_of(classifier(seed=3))

    def total(w):
        supervised = torch_supervised(torch, w, 2.5 * scale)
        return supervised + torch_virtual(torch, w, virtual * scale, entropy)

    expected = torch_step(torch, before, total)
    assert loss == pytest.approx(float(expected[1]), rel=1e-4)
    check_alike(before, after, expected[0])


def test_the_distance_is_in_standard_deviations_of_the_words_vectors():
    model = classifier()
    vectors = np.random.default_rng(0).normal(scale=3, size=(12, 6)).astype("float32")
    vectors[0] = 100  # padding, which no text reads
    model.get_layer("embedding").embeddings.assign(vectors)
    assert scale_of(model) == pytest.approx(vectors[1:].std(), rel=1e-5)
