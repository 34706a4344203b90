"""The LSTM of PyTorch's libraries, as the layer uses it where there is a GPU; here on the CPU."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy_lstm import backward, forward

from sentiment_lstm import torch_lstm
from sentiment_lstm.lstm import LSTM

torch = pytest.importorskip("torch", reason="pip install '.[peers]'")

FEATURES, UNITS = 3, 5

batches = st.tuples(
    st.integers(1, 7).flatmap(
        lambda time: st.lists(st.integers(0, time), min_size=1, max_size=6).map(
            lambda lengths: (time, np.array(lengths, np.int64))
        )
    ),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)


def draw(seed, rows, time):
    """Return sequences, kernel, recurrent kernel, bias, h and c."""
    rng = np.random.default_rng(seed)
    shapes = [(rows, time, FEATURES), (FEATURES, 4 * UNITS), (UNITS, 4 * UNITS), (4 * UNITS,)]
    return [rng.normal(size=s) for s in [*shapes, (rows, UNITS), (rows, UNITS)]]


def expected(inputs, lengths, backwards, upstream):
    """Return states, last h and last c, then the gradients of all inputs, by numpy."""
    x, *weights, h0, c0 = inputs
    keep = np.arange(x.shape[1]) < lengths[:, None]
    if backwards:
        x, keep = x[:, ::-1], keep[:, ::-1]
    run = forward(x, *weights, h0=h0, c0=c0, mask=keep)
    d_x, *others = backward(run, x, *weights[:2], upstream[0], *upstream[1:])
    return (run.h, run.h[:, -1], run.c[:, -1]), [d_x[:, ::-1] if backwards else d_x, *others]


@given(batches)
@settings(max_examples=60, deadline=None)
def test_it_is_the_equations_and_their_gradient(batch):
    (time, lengths), backwards, seed = batch
    inputs = draw(seed, len(lengths), time)
    rng = np.random.default_rng(seed + 1)
    shapes = [(len(lengths), time, UNITS), *[(len(lengths), UNITS)] * 2]
    upstream = [rng.normal(size=shape) for shape in shapes]
    x, kernel, recurrent, bias, h0, c0 = given_ = [
        torch.tensor(a, requires_grad=True) for a in inputs
    ]
    outputs = torch_lstm.lstm(
        x, (kernel, recurrent, bias), (h0, c0), lengths=lengths, backwards=backwards
    )
    value = sum((o * torch.tensor(u)).sum() for o, u in zip(outputs, upstream, strict=True))
    gradients = torch.autograd.grad(value, given_, allow_unused=True)
    wanted_outputs, wanted_gradients = expected(inputs, lengths, backwards, upstream)
    for one, other in zip(outputs, wanted_outputs, strict=True):
        np.testing.assert_allclose(one.detach(), other, atol=1e-10)
    for one, other in zip(gradients, wanted_gradients, strict=True):
        zeros_if_unused = np.zeros_like(other) if one is None else one
        np.testing.assert_allclose(zeros_if_unused, other, atol=1e-10)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("lengths", [None, np.full(4, 6)])
def test_rows_of_one_length_need_no_packing(monkeypatch, lengths, backwards):
    inputs = draw(0, 4, 6)
    x, *weights, h0, c0 = given_ = [torch.tensor(a, requires_grad=True) for a in inputs]
    monkeypatch.setattr(torch_lstm.Packing, "of", lambda *_, **__: pytest.fail("packed"))
    told = torch_lstm.lstm(x, tuple(weights), (h0, c0), lengths=lengths, backwards=backwards)
    upstream = [np.random.default_rng(1).normal(size=o.shape) for o in told]
    value = sum((o * torch.tensor(u)).sum() for o, u in zip(told, upstream, strict=True))
    wanted, wanted_gradients = expected(inputs, np.full(4, 6), backwards, upstream)
    for one, other in zip(told, wanted, strict=True):
        np.testing.assert_allclose(one.detach(), other, atol=1e-10)
    gradients = torch.autograd.grad(value, given_)
    for one, other in zip(gradients, wanted_gradients, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-10)


@pytest.mark.parametrize("lengths", [np.array([6, 0, 3, 1]), np.full(4, 6)])
def test_without_states_only_the_last_are_told(lengths):
    x, *weights, h0, c0 = map(torch.tensor, draw(1, 4, 6))
    whole = torch_lstm.lstm(x, tuple(weights), (h0, c0), lengths=lengths)
    states, *last = torch_lstm.lstm(x, tuple(weights), (h0, c0), lengths=lengths, with_states=False)
    assert states.shape == (4, 0, UNITS)
    for one, other in zip(last, whole[1:], strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("keep", "lengths"),
    [
        ([[1, 1, 0], [1, 0, 0], [0, 0, 0], [1, 1, 1]], [2, 1, 0, 3]),
        ([[1, 1, 0], [0, 1, 0]], None),
        ([[1, 0, 1], [1, 1, 1]], None),
        ([[1], [0]], [1, 0]),
    ],
)
def test_lengths_are_told_of_texts_that_end_and_do_not_pause(keep, lengths):
    told = torch_lstm.lengths_of(torch.tensor(keep, dtype=torch.bool))
    assert (None if told is None else told.tolist()) == lengths


def test_weights_lie_in_one_piece_of_memory_in_the_order_of_pytorch():
    layer = torch.nn.LSTM(FEATURES, UNITS)
    parts = torch_lstm._parameters(
        layer.weight_ih_l0.T, layer.weight_hh_l0.T, layer.bias_ih_l0 + layer.bias_hh_l0
    )
    at = parts[0].data_ptr()
    for part, other in zip(parts, layer.all_weights[0], strict=True):
        assert part.is_contiguous()
        assert part.shape == other.shape
        assert part.data_ptr() == at
        at += part.numel() * part.element_size()


def test_it_is_for_a_gpu_alone():
    assert not torch_lstm.available(torch.zeros(2))


needs_torch = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="the layer calls it under PyTorch alone"
)


@needs_torch
@pytest.mark.parametrize(
    ("options", "mask", "called"),
    [
        ({}, None, True),
        ({"return_sequences": True, "go_backwards": True}, "ends", True),
        ({"return_sequences": True, "use_bias": False}, "ends", True),
        ({"return_sequences": True}, "pauses", False),
        ({"unroll": True}, None, False),
        ({"use_cudnn": False}, "ends", False),
        ({"activation": "relu"}, None, False),
        ({"recurrent_dropout": 0.5}, "ends", False),
    ],
)
def test_the_layer_calls_it_where_it_can_and_answers_as_without(monkeypatch, options, mask, called):
    layer = LSTM(UNITS, return_state=True, seed=4, **options)
    layer.build((None, 6, FEATURES))
    rng = np.random.default_rng(2)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.get_weights()])
    x = rng.normal(size=(4, 6, FEATURES)).astype("float32")
    keep = {
        None: None,
        "ends": np.arange(6) < np.array([6, 0, 3, 1])[:, None],
        "pauses": rng.random((4, 6)) < 0.5,
    }[mask]

    def answers(on_gpu):
        layer.seed_generator.state.assign([4, 0])
        monkeypatch.setattr("sentiment_lstm.bptt_ops.available", lambda *_, **__: False)
        monkeypatch.setattr(torch_lstm, "available", lambda *_: on_gpu)
        return [keras.ops.convert_to_numpy(t) for t in layer(x, mask=keep, training=True)]

    calls = []
    run = torch_lstm.lstm
    monkeypatch.setattr(torch_lstm, "lstm", lambda *a, **k: calls.append(1) or run(*a, **k))
    for one, other in zip(answers(on_gpu=True), answers(on_gpu=False), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert bool(calls) == called
