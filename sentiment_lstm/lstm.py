"""The LSTM layer, written from its equations.

    i_t = σ(W_i·[x_t, h_{t-1}] + b_i)      input gate: how much of the candidate is written
    f_t = σ(W_f·[x_t, h_{t-1}] + b_f)      forget gate: how much of the cell is kept
    g_t = tanh(W_g·[x_t, h_{t-1}] + b_g)   candidate
    o_t = σ(W_o·[x_t, h_{t-1}] + b_o)      output gate: how much of the cell is shown
    c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t        cell
    h_t = o_t ⊙ tanh(c_t)                  state

Hochreiter & Schmidhuber, "Long Short-Term Memory", Neural Computation 9(8), 1997; the forget gate
is Gers, Schmidhuber & Cummins, "Learning to Forget", Neural Computation 12(10), 2000. Because c is
carried by a sum and not by a matrix product, ∂c_t/∂c_{t-1} = f_t: a gate near 1 lets the gradient
pass where a plain RNN's W·diag(tanh') shrinks or swells it at every step.

The four gates stand side by side in every array, in the order i, f, g, o, which is also the order
of `keras.layers.LSTM`: weights move between the two unchanged.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from sentiment_lstm import bptt_ops, torch_lstm

Tensor = Any  # a tensor of whichever backend Keras runs on
Activation = Callable[[Tensor], Tensor]


def lstm_gates(
    z: Tensor, c: Tensor, activation: Activation, recurrent_activation: Activation
) -> tuple[Tensor, Tensor]:
    """Take one step of the cell.

    Args:
        z: pre-activations of the four gates, `(batch, 4 * units)`, in the order i, f, g, o.
        c: cell before the step, `(batch, units)`.
        activation: of the candidate and of the cell's output; tanh in the paper.
        recurrent_activation: of the three gates; the logistic sigmoid in the paper.

    Returns:
        State h and cell c after the step, each `(batch, units)`.
    """
    i, f, g, o = ops.split(z, 4, axis=-1)
    i, f, o = recurrent_activation(i), recurrent_activation(f), recurrent_activation(o)
    g = activation(g)
    c = f * c + i * g
    h = o * activation(c)
    return h, c


def lstm_scan(
    z: Tensor,
    h: Tensor,
    c: Tensor,
    recurrent_kernel: Tensor,
    *,
    keep: Tensor | None,
    activation: Activation,
    recurrent_activation: Activation,
    recurrent_mask: Tensor | None = None,
    unroll: bool = False,
) -> tuple[Tensor, Tensor]:
    """Carry h and c through time; where a step is masked, both stay as they were.

    Args:
        z: what the inputs bring to the gates, W·x_t + b, `(time, batch, 4 * units)`.
        h: state before the first step, `(batch, units)`.
        c: cell before the first step, `(batch, units)`.
        recurrent_kernel: `(units, 4 * units)`.
        keep: true where a step counts, `(time, batch, 1)`, or None where all do.
        activation: see `lstm_gates`.
        recurrent_activation: see `lstm_gates`.
        recurrent_mask: dropout factors on h on its way into the gates, `(batch, units)`.
        unroll: lay the steps out one after the other; needs a known number of them.

    Returns:
        h and c after every step, each `(time, batch, units)`.
    """

    # Keras' scan on TensorFlow wants one tensor as its carry when the batch size is unknown, emits
    # tensors shaped like the carry, and reads one tensor when the time is unknown. So h and c
    # travel as one, and the mask rides beside z.
    def step(carry: Tensor, at_t: Tensor) -> tuple[Tensor, Tensor]:
        h, c = ops.split(carry, 2, axis=-1)
        seen = h if recurrent_mask is None else h * recurrent_mask
        recurrent = ops.matmul(seen, recurrent_kernel)
        new = lstm_gates(at_t[:, :width] + recurrent, c, activation, recurrent_activation)
        packed = ops.concatenate(new, axis=-1)
        if keep is not None:
            packed = ops.where(at_t[:, width:] > 0, packed, carry)
        return packed, packed

    width = z.shape[-1]
    run = _unrolled if unroll else ops.scan
    carry = ops.concatenate([h, c], axis=-1)
    xs = z if keep is None else ops.concatenate([z, ops.cast(keep, z.dtype)], axis=-1)
    _, states = run(step, carry, xs)
    return tuple(ops.split(states, 2, axis=-1))


def _unrolled(
    step: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]], carry: Tensor, xs: Tensor
) -> tuple[Tensor, Tensor]:
    outputs = []
    for at_t in ops.unstack(xs, axis=0):
        carry, output = step(carry, at_t)
        outputs.append(output)
    return carry, ops.stack(outputs, axis=0)


class _CarriedState:
    """The state that a stateful layer keeps between batches.

    A class of its own, so that Keras does not count its variables among the layer's weights.
    """

    def __init__(self, batch_size: int, units: int, dtype: str) -> None:
        shape = (batch_size, units)
        self.variables = [
            keras.Variable(ops.zeros(shape, dtype), trainable=False, dtype=dtype, name=name)
            for name in ("h", "c")
        ]

    def assign(self, values: tuple[Tensor, Tensor]) -> None:
        for variable, value in zip(self.variables, values, strict=True):
            variable.assign(value)


@keras.saving.register_keras_serializable(package="sentiment_lstm")
class LSTM(keras.layers.Layer):
    """Long Short-Term Memory, a drop-in for `keras.layers.LSTM`.

    Runs on the TensorFlow, JAX and PyTorch backends of Keras. Same constructor arguments and the
    same three weights as the stock layer: kernel `(features, 4 * units)`, recurrent kernel
    `(units, 4 * units)` and bias `(4 * units,)`.

    The equations stand here in `keras.ops`, for the backend to compile and differentiate. In
    float32 on a processor, with TensorFlow or PyTorch and the activations of the paper, training,
    `predict`, `evaluate` and eager calls run `sentiment_lstm.bptt` instead, the same equations
    compiled together with their gradient, which is faster. That form has no second
    derivative, and XLA cannot take it up: for either build the layer with `unroll=True`. A
    `tf.function` of your own calls it at inference if traced inside `bptt_ops.graphs_stay_here`.

    Two things differ on purpose. `recurrent_dropout` drops the same entries of h for all four
    gates (Gal & Ghahramani 2016 with tied masks; the stock layer draws one mask a gate), so that
    the recurrence stays one product a step. `implementation` is accepted and changes nothing.
    cuDNN runs the layer of the paper on a GPU with PyTorch, unless `use_cudnn` is False.

    Args:
        units: width of h and c.
        activation: of the candidate and of the cell's output.
        recurrent_activation: of the gates i, f, o.
        use_bias: whether the gates have a bias.
        kernel_initializer: of the kernel.
        recurrent_initializer: of the recurrent kernel.
        bias_initializer: of the bias; the forget gate's part is ones if `unit_forget_bias`.
        unit_forget_bias: start by keeping the cell (Jozefowicz, Zaremba & Sutskever 2015).
        kernel_regularizer: of the kernel.
        recurrent_regularizer: of the recurrent kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the layer's output.
        kernel_constraint: on the kernel.
        recurrent_constraint: on the recurrent kernel.
        bias_constraint: on the bias.
        dropout: share of input channels dropped, the same ones at every step.
        recurrent_dropout: share of h dropped on its way into the gates, likewise.
        seed: of both dropouts.
        return_sequences: return h of every step, not of the last one only.
        return_state: return the last h and c too.
        go_backwards: read the sequence from its end; outputs come in that order.
        stateful: start each batch from where the batch before ended.
        unroll: lay the steps out one after the other.
        zero_output_for_mask: output zeros at masked steps, not the output before them.

    Call arguments:
        sequences: `(batch, time, features)`.
        initial_state: h and c, each `(batch, units)`; zeros if None.
        mask: `(batch, time)`, false where a step is to be skipped; anywhere, not only at the end.
        training: whether dropout acts.
        vectors: `(words, features)`, if the sequences were looked up among them.
        words: which of them stands at each step, `(batch, time)`, int32: where the layer can, it
            reads these in place of the sequences, and each vector once (see `distinct_words`).
            A gradient goes to the vectors then, and none to the sequences.

    Example:
        >>> layer = LSTM(4, return_state=True)
        >>> output, h, c = layer(np.random.random((32, 10, 8)))
        >>> output.shape
        (32, 4)
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: Any = "auto",
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        if units <= 0:
            raise ValueError(f"units must be a positive integer, not {units}")
        if use_cudnn not in ("auto", True, False):
            raise ValueError(f"use_cudnn must be 'auto', True or False, not {use_cudnn!r}")
        kwargs.pop("implementation", None)
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = units
        self.activation = keras.activations.get(activation)
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.unit_forget_bias = unit_forget_bias
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = keras.regularizers.get(recurrent_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.recurrent_constraint = keras.constraints.get(recurrent_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.dropout = min(1.0, max(0.0, dropout))
        self.recurrent_dropout = min(1.0, max(0.0, recurrent_dropout))
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.use_cudnn = use_cudnn
        self.zero_output_for_mask = zero_output_for_mask
        self.supports_masking = True
        # On TensorFlow training calls out of the graph, which XLA cannot compile; JAX compiles.
        self.supports_jit = keras.backend.backend() != "tensorflow"
        self.input_spec = keras.layers.InputSpec(ndim=3)
        self.bias: Any = None
        self._carried: _CarriedState | None = None

    @property
    def states(self) -> list[Any] | None:
        """Variables h and c of a stateful layer once it is built, else None."""
        return self._carried.variables if self._carried else None

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:  # noqa: ARG002
        """Create the three weights, and the carried state of a stateful layer."""
        if self.unroll and sequences_shape[1] is None:
            raise ValueError("unroll=True needs a known number of time steps: state it in `shape`")
        self.kernel = self._weight("kernel", (sequences_shape[-1], 4 * self.units), "kernel")
        self.recurrent_kernel = self._weight(
            "recurrent_kernel", (self.units, 4 * self.units), "recurrent"
        )
        if self.use_bias:
            self.bias = self._weight("bias", (4 * self.units,), "bias", self._initial_bias)
        if self.stateful:
            self._create_state(sequences_shape)

    def _weight(
        self, name: str, shape: tuple[int, ...], options: str, initializer: Any = None
    ) -> Any:
        """Create a weight by the initializer, regularizer and constraint given for it."""
        return self.add_weight(
            shape=shape,
            name=name,
            initializer=initializer or getattr(self, f"{options}_initializer"),
            regularizer=getattr(self, f"{options}_regularizer"),
            constraint=getattr(self, f"{options}_constraint"),
        )

    def _initial_bias(self, shape: tuple[int, ...], dtype: Any = None) -> Tensor:
        if not self.unit_forget_bias:
            return self.bias_initializer(shape, dtype=dtype)
        i = self.bias_initializer((self.units,), dtype=dtype)
        g_and_o = self.bias_initializer((2 * self.units,), dtype=dtype)
        return ops.concatenate([i, ops.ones((self.units,), dtype=dtype), g_and_o])

    def _create_state(self, sequences_shape: Any) -> None:
        if sequences_shape[0] is None:
            raise ValueError(
                "a stateful LSTM needs a known batch size, and the input's shape is "
                f"{tuple(sequences_shape)}: state it with `batch_shape`"
            )
        self._carried = _CarriedState(sequences_shape[0], self.units, self.variable_dtype)

    def get_initial_state(self, batch_size: Any) -> list[Tensor]:
        """Return zeros for h and c, each `(batch_size, units)`."""
        return [ops.zeros((batch_size, self.units), dtype=self.compute_dtype) for _ in "hc"]

    def reset_state(self) -> None:
        """Set the carried state of a stateful layer to zeros."""
        if self._carried is not None:
            self._carried.assign(
                tuple(ops.zeros(v.shape, v.dtype) for v in self._carried.variables)
            )

    reset_states = reset_state

    def call(
        self,
        sequences: Tensor,
        initial_state: Any = None,
        mask: Any = None,
        training: bool | None = False,
        vectors: Any = None,
        words: Any = None,
    ) -> Any:
        """Run the layer; see the class for arguments and results."""
        if (words is None) != (vectors is None):
            raise ValueError("give the layer both vectors and words, or neither")
        if mask is None and words is not None:
            mask = getattr(sequences, "_keras_mask", None)  # Keras sees to it for one tensor only
        # Of sequences that are not read, not even the shape is asked: they need not be looked up.
        state = self._starting_state(sequences if words is None else words, initial_state)
        keep = _flags(mask)
        if words is not None and self._reads_words(vectors, *state, training=bool(training)):
            hs, h, c = self._run_written_out(vectors, state, keep, words, training=bool(training))
        else:
            hs, h, c = self._run(sequences, state, keep, training=bool(training))
        if self.stateful and self._carried is not None:
            self._carried.assign((h, c))
        started_from_zero = initial_state is None and not self.stateful
        seen = self._seen(keep, started_from_zero)
        output = _where_seen(seen, hs) if self.return_sequences else _where_seen(_last(seen), h)
        return (output, h, c) if self.return_state else output

    def _starting_state(self, sequences: Tensor, initial_state: Any) -> list[Tensor]:
        if initial_state is None and self._carried is not None:
            self._check_batch_size(sequences)
            initial_state = self._carried.variables
        if initial_state is None:
            return self.get_initial_state(ops.shape(sequences)[0])
        return [ops.convert_to_tensor(s, dtype=self.compute_dtype) for s in initial_state]

    def _check_batch_size(self, sequences: Tensor) -> None:
        assert self._carried is not None
        expected, received = self._carried.variables[0].shape[0], sequences.shape[0]
        if received is not None and received != expected:
            raise ValueError(
                f"this stateful LSTM carries the state of {expected} sequences and was given "
                f"{received}: keep the batch size, or make a new layer"
            )

    def _run(
        self, x: Tensor, state: list[Tensor], keep: Tensor | None, *, training: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return h at every step `(batch, time, units)`, in the order read, and the last h and c.

        The first may be of no steps where only the last h is needed. Where it can run, the LSTM is
        the one written out with its gradient; all else is left to the backend, which can compile,
        differentiate and save what it sees.
        """
        if training and self.dropout:
            x = x * ops.expand_dims(self._dropout_mask(x[:, 0], self.dropout), 1)
        if self._is_written_out(x, *state, training=training):
            return self._run_written_out(x, state, keep, training=training)
        dropped = self._dropped(state[0], training=training)
        if dropped is None and self._is_for_cudnn(x, *state):
            lengths = None if keep is None else torch_lstm.lengths_of(keep)
            if keep is None or lengths is not None:
                return self._run_torch(x, state, lengths)
        return self._run_scan(x, state, keep, dropped)

    def _dropped(self, h: Tensor, *, training: bool) -> Tensor | None:
        """Return dropout factors on h on its way into the gates, or None for none."""
        drops = training and self.recurrent_dropout
        return self._dropout_mask(h, self.recurrent_dropout) if drops else None

    def _reads_words(self, *tensors: Tensor, training: bool) -> bool:
        """Tell whether a step may read a word's vector that others read too."""
        drops = training and self.dropout  # other channels in each row
        return not drops and self._is_written_out(*tensors, training=training)

    def _is_of_the_paper(self) -> bool:
        return (
            self.activation is keras.activations.tanh
            and self.recurrent_activation is keras.activations.sigmoid
            and not self.unroll
        )

    def _is_written_out(self, *tensors: Tensor, training: bool) -> bool:
        return self._is_of_the_paper() and bptt_ops.available(*tensors, training=training)

    def _is_for_cudnn(self, *tensors: Tensor) -> bool:
        return (
            self.use_cudnn is not False
            and self._is_of_the_paper()
            and torch_lstm.available(*tensors)
        )

    def _plain_weights(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return both kernels and the bias, zeros if there is none, as tensors."""
        kernel, recurrent = map(ops.convert_to_tensor, (self.kernel, self.recurrent_kernel))
        bias = ops.zeros((4 * self.units,), kernel.dtype) if self.bias is None else self.bias
        return kernel, recurrent, ops.convert_to_tensor(bias)

    def _run_written_out(
        self,
        x: Tensor,
        state: list[Tensor],
        keep: Tensor | None,
        words: Tensor | None = None,
        *,
        training: bool,
    ) -> tuple[Tensor, Tensor, Tensor]:
        return bptt_ops.lstm_bptt(
            x,
            self._plain_weights(),
            tuple(state),
            keep=keep,
            dropped=self._dropped(state[0], training=training),
            words=words,
            backwards=self.go_backwards,
            with_states=self.return_sequences,
            training=training,
        )

    def _run_torch(
        self, x: Tensor, state: list[Tensor], lengths: Any
    ) -> tuple[Tensor, Tensor, Tensor]:
        return torch_lstm.lstm(
            x,
            self._plain_weights(),
            (state[0], state[1]),
            lengths=lengths,
            backwards=self.go_backwards,
            with_states=self.return_sequences,
        )

    def _run_scan(
        self, x: Tensor, state: list[Tensor], keep: Tensor | None, dropped: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Project all inputs at once, then scan: only the recurrence needs one step at a time."""
        z = ops.matmul(ops.transpose(x, (1, 0, 2)), ops.convert_to_tensor(self.kernel))
        if self.bias is not None:
            z = z + ops.convert_to_tensor(self.bias)
        if keep is not None:
            keep = ops.expand_dims(ops.transpose(keep, (1, 0)), -1)
        if self.go_backwards:
            z = ops.flip(z, axis=0)
            keep = None if keep is None else ops.flip(keep, axis=0)
        h, c = state
        hs, cs = lstm_scan(
            z,
            h,
            c,
            ops.convert_to_tensor(self.recurrent_kernel),
            keep=keep,
            activation=self.activation,
            recurrent_activation=self.recurrent_activation,
            recurrent_mask=dropped,
            unroll=self.unroll,
        )
        return ops.transpose(hs, (1, 0, 2)), hs[-1], cs[-1]

    def _dropout_mask(self, like: Tensor, rate: float) -> Tensor:
        return keras.random.dropout(ops.ones_like(like), rate, seed=self.seed_generator)

    def _seen(self, keep: Tensor | None, started_from_zero: bool) -> Tensor | None:
        """Return at which steps a caller sees h, `(batch, time)`, in the order read; None for all.

        A masked step repeats the output before it. Before the first real step there is none, so
        zeros stand there even if h started elsewhere.
        """
        if keep is None or (started_from_zero and not self.zero_output_for_mask):
            return None
        if self.go_backwards:
            keep = ops.flip(keep, axis=1)
        return keep if self.zero_output_for_mask else ops.cumsum(ops.cast(keep, "int32"), 1) > 0

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:  # noqa: ARG002
        """Return the shape of the output, and of h and c with `return_state`."""
        batch, time = sequences_shape[0], sequences_shape[1]
        state = (batch, self.units)
        output = (batch, time, self.units) if self.return_sequences else state
        return (output, state, state) if self.return_state else output

    def compute_mask(self, _: Any, mask: Any) -> Any:
        """Hand the mask on with the sequence; a state has none."""
        mask = keras.tree.flatten(mask)[0]
        output_mask = mask if self.return_sequences else None
        return [output_mask, None, None] if self.return_state else output_mask

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, serialised."""
        config = {name: getattr(self, name) for name in _PLAIN_ARGUMENTS}
        for kind, names in _OBJECT_ARGUMENTS.items():
            config |= {name: kind.serialize(getattr(self, name)) for name in names}
        return {**super().get_config(), **config}


def _flags(mask: Any) -> Tensor | None:
    """Return a mask `(batch, time)` as booleans."""
    if isinstance(mask, list | tuple):
        mask = mask[0]
    return None if mask is None else ops.cast(ops.convert_to_tensor(mask), "bool")


def _last(seen: Tensor | None) -> Tensor | None:
    return None if seen is None else seen[:, -1]


def _where_seen(seen: Tensor | None, h: Tensor) -> Tensor:
    """Return h where a caller sees it, and zeros elsewhere."""
    return h if seen is None else ops.where(ops.expand_dims(seen, -1), h, ops.zeros_like(h))


_PLAIN_ARGUMENTS = (
    "units",
    "use_bias",
    "unit_forget_bias",
    "dropout",
    "recurrent_dropout",
    "seed",
    "return_sequences",
    "return_state",
    "go_backwards",
    "stateful",
    "unroll",
    "zero_output_for_mask",
)
_OBJECT_ARGUMENTS: dict[Any, tuple[str, ...]] = {
    keras.activations: ("activation", "recurrent_activation"),
    keras.initializers: ("kernel_initializer", "recurrent_initializer", "bias_initializer"),
    keras.regularizers: (
        "kernel_regularizer",
        "recurrent_regularizer",
        "bias_regularizer",
        "activity_regularizer",
    ),
    keras.constraints: ("kernel_constraint", "recurrent_constraint", "bias_constraint"),
}
