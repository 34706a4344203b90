"""The layer against numpy, the stock layer and PyTorch, on whichever backend Keras runs."""

import keras
import numpy as np
import pytest
from backend_gradients import gradients
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops
from numpy_lstm import backward, forward

from sentiment_lstm.lstm import LSTM
from sentiment_lstm.torch_weights import from_torch, to_torch

BATCH, TIME, FEATURES, UNITS = 5, 11, 4, 3


def random_arrays(seed=0, batch=BATCH, time=TIME, features=FEATURES, units=UNITS):
    """Return x, kernel, recurrent kernel, bias: no symmetry that a swapped gate could hide in."""
    rng = np.random.default_rng(seed)
    shapes = [(batch, time, features), (features, 4 * units), (units, 4 * units), (4 * units,)]
    return [rng.normal(size=s).astype("float32") for s in shapes]


def ragged_mask(time=TIME):
    lengths = np.array([time, 0, 1, 7, 4])
    return np.arange(time)[None] < lengths[:, None]


def layer_with(weights, **kwargs):
    layer = LSTM(weights[1].shape[0], **kwargs)
    layer.build((None, TIME, weights[0].shape[0]))
    layer.set_weights(weights)
    return layer


def to_numpy(outputs):
    return [ops.convert_to_numpy(o) for o in outputs]


def assert_close(actual, expected, tolerance=1e-5):
    """Hold each array to a tolerance relative to the expected array's largest entry."""
    for a, e in zip(actual, expected, strict=True):
        assert a.shape == e.shape
        np.testing.assert_allclose(a, e, rtol=0, atol=tolerance * max(np.abs(e).max(), 1e-30))


class TestForward:
    def test_every_state_agrees_with_numpy(self):
        x, *weights = random_arrays()
        layer = layer_with(weights, return_sequences=True, return_state=True)
        run = forward(x, *weights)
        assert_close(to_numpy(layer(x)), [run.h, run.h[:, -1], run.c[:, -1]])

    def test_initial_state_agrees_with_numpy(self):
        x, *weights = random_arrays(1)
        h0, c0 = np.random.default_rng(2).normal(size=(2, BATCH, UNITS)).astype("float32")
        layer = layer_with(weights, return_state=True)
        run = forward(x, *weights, h0=h0, c0=c0)
        outputs = to_numpy(layer(x, initial_state=[h0, c0]))
        assert_close(outputs, [run.h[:, -1], run.h[:, -1], run.c[:, -1]])

    def test_without_bias_agrees_with_numpy(self):
        x, kernel, recurrent_kernel, _ = random_arrays(3)
        layer = layer_with([kernel, recurrent_kernel], use_bias=False)
        run = forward(x, kernel, recurrent_kernel, np.zeros(4 * UNITS))
        assert_close(to_numpy([layer(x)]), [run.h[:, -1]])

    def test_going_backwards_reads_the_sequence_from_its_end(self):
        x, *weights = random_arrays(4)
        layer = layer_with(weights, return_sequences=True, go_backwards=True)
        mask = ragged_mask()
        run = forward(x[:, ::-1], *weights, mask=mask[:, ::-1])
        assert_close(to_numpy([layer(x, mask=mask)]), [run.h])

    def test_unrolled_agrees_with_numpy(self):
        x, *weights = random_arrays(5)
        mask = ragged_mask()
        layer = layer_with(weights, return_sequences=True, unroll=True)
        assert_close(to_numpy([layer(x, mask=mask)]), [forward(x, *weights, mask=mask).h])

    def test_other_activations_agree_with_numpy(self):
        x, *weights = random_arrays(6, time=1)
        layer = layer_with(weights, activation="linear", recurrent_activation="relu")
        z = x[:, 0] @ weights[0] + weights[2]
        i, _, g, o = np.split(z, 4, axis=1)
        expected = np.maximum(o, 0) * (np.maximum(i, 0) * g)
        assert_close(to_numpy([layer(x)]), [expected])

    def test_one_step_sequence_works(self):
        x, *weights = random_arrays(7, time=1)
        layer = layer_with(weights)
        assert_close(to_numpy([layer(x)]), [forward(x, *weights).h[:, -1]])


class TestMask:
    @given(st.integers(0, 2**32 - 1))
    @settings(max_examples=15)
    def test_masked_steps_change_nothing_wherever_they_are(self, seed):
        x, *weights = random_arrays(seed)
        mask = np.random.default_rng(seed).random((BATCH, TIME)) < 0.5
        layer = layer_with(weights, return_sequences=True, return_state=True)
        run = forward(x, *weights, mask=mask)
        assert_close(to_numpy(layer(x, mask=mask)), [run.h, run.h[:, -1], run.c[:, -1]])

    @given(st.integers(0, 2**32 - 1), *3 * [st.booleans()])
    @settings(max_examples=30)
    def test_outputs_at_masked_steps_are_those_of_the_stock_layer(
        self, seed, zeros, given_state, every
    ):
        x, *weights = random_arrays(seed)
        rng = np.random.default_rng(seed)
        mask = rng.random((BATCH, TIME)) < 0.6
        mask[seed % BATCH] = False
        if keras.backend.backend() == "jax":
            # There the stock layer shows a given state, elsewhere zeros, before the first real
            # step; ours shows zeros everywhere.
            mask[:, 0] = True
        state = rng.normal(size=(2, BATCH, UNITS)).astype("float32")
        kwargs = {"return_sequences": every, "zero_output_for_mask": zeros}
        ours = layer_with(weights, **kwargs)
        stock = keras.layers.LSTM(UNITS, use_cudnn=False, **kwargs)
        stock.build(x.shape)
        stock.set_weights(weights)
        call = {"mask": mask, "initial_state": list(state) if given_state else None}
        assert_close(to_numpy([ours(x, **call)]), to_numpy([stock(x, **call)]))

    def test_what_stands_under_the_mask_is_never_read(self):
        x, *weights = random_arrays(8)
        mask = ragged_mask()
        other = np.where(mask[..., None], x, 1e6).astype("float32")
        layer = layer_with(weights, return_sequences=True)
        np.testing.assert_array_equal(
            *[ops.convert_to_numpy(layer(a, mask=mask)) for a in (x, other)]
        )

    def test_more_padding_changes_no_bit(self):
        x, *weights = random_arrays(9)
        mask = ragged_mask()
        longer = np.pad(x, ((0, 0), (0, 6), (0, 0)), constant_values=3)
        layer = layer_with(weights)
        short = ops.convert_to_numpy(layer(x, mask=mask))
        padded = ops.convert_to_numpy(layer(longer, mask=np.pad(mask, ((0, 0), (0, 6)))))
        np.testing.assert_allclose(short, padded, rtol=0, atol=1e-7)


class TestGradients:
    def layer_gradients(self, x, weights, upstream, h0, c0, mask=None, training=False, **kwargs):
        layer = layer_with(weights, return_sequences=True, **kwargs)

        def objective(x, kernel, recurrent_kernel, bias, h0, c0):
            trained = [kernel, recurrent_kernel, bias]
            outputs, _ = layer.stateless_call(
                trained,
                [v.value for v in layer.non_trainable_variables],
                x,
                initial_state=[h0, c0],
                mask=mask,
                training=training,
            )
            return ops.sum(ops.multiply(outputs, upstream))

        return gradients(objective, x, *weights, h0, c0)

    @pytest.mark.parametrize("training", [False, True])
    @pytest.mark.parametrize("unroll", [False, True])
    @pytest.mark.parametrize("ragged", [False, True])
    def test_all_agree_with_backpropagation_step_by_step(self, ragged, unroll, training):
        x, *weights = random_arrays(10)
        rng = np.random.default_rng(11)
        h0, c0 = rng.normal(size=(2, BATCH, UNITS)).astype("float32")
        # Nothing leaves masked steps in this objective: there the two conventions differ.
        mask = ragged_mask() if ragged else np.ones((BATCH, TIME), bool)
        upstream = rng.normal(size=(BATCH, TIME, UNITS)).astype("float32") * mask[..., None]
        run = forward(x, *weights, h0=h0, c0=c0, mask=mask)
        expected = backward(run, x, weights[0], weights[1], upstream)
        actual = self.layer_gradients(x, weights, upstream, h0, c0, mask, training, unroll=unroll)
        assert_close(actual, expected)

    def test_the_oracle_itself_agrees_with_finite_differences(self):
        x, *weights = [a.astype(np.float64) for a in random_arrays(12, time=4)]
        upstream = np.random.default_rng(13).normal(size=(BATCH, 4, UNITS))
        run = forward(x, *weights)
        for array, analytic in zip(
            [x, *weights], backward(run, x, weights[0], weights[1], upstream), strict=False
        ):
            index = tuple(np.random.default_rng(14).integers(s) for s in array.shape)
            sides = []
            for step in (1e-6, -1e-6):
                array[index] += step
                sides.append((forward(x, *weights).h * upstream).sum())
                array[index] -= step
            assert analytic[index] == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-5)


class TestPeers:
    def test_agrees_with_the_stock_layer_and_shares_its_weights(self):
        x = random_arrays(15)[0]
        stock = keras.layers.LSTM(UNITS, return_sequences=True, use_cudnn=False)
        expected = ops.convert_to_numpy(stock(x))
        ours = LSTM(UNITS, return_sequences=True)
        ours.build(x.shape)
        ours.set_weights(stock.get_weights())
        assert_close(to_numpy([ours(x)]), [expected])
        stock.set_weights(ours.get_weights())
        assert_close(to_numpy([stock(x)]), [expected])

    def test_agrees_with_torch_on_ragged_batches_forward_and_backward(self):
        torch = pytest.importorskip("torch", reason="PyTorch is an optional peer")
        x, *weights = random_arrays(16)
        lengths = np.array([TIME, 2, 1, 7, 4])  # PyTorch packs no empty sequence
        peer = torch.nn.LSTM(FEATURES, UNITS, batch_first=True)
        peer.load_state_dict({k: torch.tensor(v) for k, v in to_torch(weights).items()})
        inputs = torch.tensor(x, requires_grad=True)
        packed = torch.nn.utils.rnn.pack_padded_sequence(
            inputs, torch.tensor(lengths), batch_first=True, enforce_sorted=False
        )
        states, _ = torch.nn.utils.rnn.pad_packed_sequence(peer(packed)[0], batch_first=True)
        upstream = np.random.default_rng(17).normal(size=states.shape).astype("float32")
        (states * torch.tensor(upstream)).sum().backward()
        mask = np.arange(TIME)[None] < lengths[:, None]
        layer = layer_with(weights, return_sequences=True, zero_output_for_mask=True)
        assert_close(to_numpy([layer(x, mask=mask)]), [states.detach().numpy()])
        zeros = np.zeros((BATCH, UNITS), "float32")
        dx, dkernel, drecurrent, dbias, *_ = TestGradients().layer_gradients(
            x, weights, upstream * mask[..., None], zeros, zeros, mask
        )
        expected = [
            inputs.grad.numpy(),
            peer.weight_ih_l0.grad.numpy().T,
            peer.weight_hh_l0.grad.numpy().T,
            peer.bias_ih_l0.grad.numpy(),
        ]
        assert_close([dx, dkernel, drecurrent, dbias], expected)

    def test_weights_come_back_from_torch(self):
        torch = pytest.importorskip("torch", reason="PyTorch is an optional peer")
        peer = torch.nn.LSTM(FEATURES, UNITS, num_layers=2, batch_first=True, bidirectional=True)
        x = random_arrays(18)[0]
        layer = layer_with(from_torch(peer.state_dict(), 0, reverse=True), go_backwards=True)
        states = peer(torch.tensor(x))[1][0]
        assert_close(to_numpy([layer(x)]), [self.first_layer_backward(peer, x)])
        assert states.shape == (4, BATCH, UNITS)

    @staticmethod
    def first_layer_backward(peer, x):
        import torch

        with torch.no_grad():
            return peer(torch.tensor(x))[1][0][1].numpy()


class TestDropout:
    def test_input_dropout_drops_the_same_channels_at_every_step(self):
        x, *weights = random_arrays(19)
        layer = layer_with(weights, return_sequences=True, dropout=0.5, seed=7)
        factors = keras.random.dropout(
            ops.ones((BATCH, FEATURES)), 0.5, seed=keras.random.SeedGenerator(7)
        )
        dropped = x * ops.convert_to_numpy(factors)[:, None]
        assert_close(to_numpy([layer(x, training=True)]), [forward(dropped, *weights).h])

    def test_recurrent_dropout_drops_the_same_units_at_every_step(self):
        x, *weights = random_arrays(20)
        layer = layer_with(weights, return_sequences=True, recurrent_dropout=0.4, seed=8)
        factors = keras.random.dropout(
            ops.ones((BATCH, UNITS)), 0.4, seed=keras.random.SeedGenerator(8)
        )
        run = forward(x, *weights, recurrent_mask=ops.convert_to_numpy(factors))
        assert_close(to_numpy([layer(x, training=True)]), [run.h])

    def test_neither_acts_in_inference(self):
        x, *weights = random_arrays(21)
        layer = layer_with(weights, dropout=0.5, recurrent_dropout=0.5)
        assert_close(to_numpy([layer(x)]), [forward(x, *weights).h[:, -1]])


class TestStateful:
    def test_two_halves_read_as_one_sequence(self):
        x, *weights = random_arrays(22)
        layer = LSTM(UNITS, stateful=True)
        layer.build(x.shape)
        layer.set_weights(weights)
        layer(x[:, :5])
        assert_close(to_numpy([layer(x[:, 5:])]), [forward(x, *weights).h[:, -1]])
        layer.reset_state()
        assert_close(to_numpy([layer(x)]), [forward(x, *weights).h[:, -1]])

    def test_carried_state_is_no_weight(self):
        layer = LSTM(UNITS, stateful=True)
        layer.build((BATCH, TIME, FEATURES))
        assert [w.path.rsplit("/")[-1] for w in layer.weights] == [
            "kernel",
            "recurrent_kernel",
            "bias",
        ]

    def test_another_batch_size_is_refused_with_both_numbers(self):
        layer = LSTM(UNITS, stateful=True)
        layer(np.zeros((BATCH, 2, FEATURES), "float32"))
        with pytest.raises(ValueError, match="state of 5 sequences and was given 2"):
            layer(np.zeros((2, 2, FEATURES), "float32"))

    def test_unknown_batch_size_is_refused(self):
        with pytest.raises(ValueError, match="known batch size"):
            LSTM(UNITS, stateful=True).build((None, TIME, FEATURES))


class TestArguments:
    @pytest.mark.parametrize("units", [0, -1])
    def test_units_must_be_positive(self, units):
        with pytest.raises(ValueError, match=f"positive integer, not {units}"):
            LSTM(units)

    def test_cudnn_choice_is_checked_and_kept(self):
        with pytest.raises(ValueError, match="use_cudnn"):
            LSTM(1, use_cudnn="maybe")
        assert LSTM(1, use_cudnn=False).use_cudnn is False

    def test_unrolling_an_unknown_length_is_refused(self):
        inputs = keras.Input((None, FEATURES))
        with pytest.raises(ValueError, match="known number of time steps"):
            LSTM(UNITS, unroll=True)(inputs)

    def test_takes_every_argument_of_the_stock_layer(self):
        import inspect

        stock = inspect.signature(keras.layers.LSTM.__init__).parameters
        ours = inspect.signature(LSTM.__init__).parameters
        assert set(stock) <= set(ours)
        assert {k: p.default for k, p in stock.items()} == {k: ours[k].default for k in stock}

    def test_forget_gate_starts_open(self):
        layer = LSTM(UNITS, bias_initializer=keras.initializers.Constant(0.25))
        layer.build((None, None, FEATURES))
        bias = ops.convert_to_numpy(layer.bias.value)
        np.testing.assert_array_equal(bias, [0.25] * 3 + [1] * 3 + [0.25] * 6)

    def test_config_makes_an_equal_layer(self):
        layer = LSTM(
            UNITS,
            activation="relu",
            kernel_regularizer="l2",
            bias_constraint="non_neg",
            dropout=0.1,
            recurrent_dropout=0.2,
            seed=3,
            return_sequences=True,
            go_backwards=True,
            zero_output_for_mask=True,
        )
        copy = LSTM.from_config(layer.get_config())
        assert copy.get_config() == layer.get_config()


class TestInModels:
    @pytest.mark.parametrize("mode", ["concat", "sum"])
    def test_bidirectional_agrees_with_two_numpy_runs(self, mode):
        x, *forward_weights = random_arrays(23)
        _, *backward_weights = random_arrays(24)
        mask = ragged_mask()
        layer = keras.layers.Bidirectional(LSTM(UNITS, return_sequences=True), merge_mode=mode)
        layer.build(x.shape)
        layer.set_weights([*forward_weights, *backward_weights])
        there = np.where(mask[..., None], forward(x, *forward_weights, mask=mask).h, 0)
        back = forward(x[:, ::-1], *backward_weights, mask=mask[:, ::-1]).h[:, ::-1]
        back = np.where(mask[..., None], back, 0)
        expected = np.concatenate([there, back], -1) if mode == "concat" else there + back
        assert_close(to_numpy([layer(x, mask=mask)]), [expected])

    def test_mixed_precision_stays_near_full_precision(self):
        x, *weights = random_arrays(25)
        layer = layer_with(weights, dtype="mixed_bfloat16", return_sequences=True)
        outputs = layer(x, mask=ragged_mask())
        assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
        expected = forward(x, *weights, mask=ragged_mask()).h
        actual = ops.convert_to_numpy(ops.cast(outputs, "float32"))
        np.testing.assert_allclose(actual, expected, atol=0.05)

    def test_uses_no_recurrence_of_the_backend(self, monkeypatch):
        from keras.src import backend

        def forbidden(*args, **kwargs):
            raise AssertionError("the backend's own recurrence was called")

        for name in ("rnn", "lstm"):
            monkeypatch.setattr(backend, name, forbidden)
        x, *_ = random_arrays(26)
        with pytest.raises(AssertionError, match="own recurrence"):
            keras.layers.LSTM(UNITS)(x)
        layer = keras.layers.Bidirectional(LSTM(UNITS, return_sequences=True))
        assert layer(x, mask=ragged_mask()).shape == (BATCH, TIME, 2 * UNITS)

    def test_inherits_from_no_recurrent_layer(self):
        stock = (keras.layers.LSTM, keras.layers.LSTMCell, keras.layers.RNN)
        assert not issubclass(LSTM, stock)
