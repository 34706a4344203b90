"""The written-out LSTM as an operation that a Keras backend can differentiate.

TensorFlow and PyTorch hand the memory of their tensors to `sentiment_lstm.bptt` and take its
results without copying. On JAX there is no such operation: XLA compiles the scan of
`sentiment_lstm.lstm` with its gradient, and a call out of a compiled program may wait for ever
for a thread that waits for it.

In bfloat16 the processor's instructions for it take the products, where it has any; elsewhere they
are those of float32, between tensors of bfloat16.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

import keras
import numpy as np
from ml_dtypes import bfloat16

from sentiment_lstm import bptt, bptt_back, bptt_words, made_aside
from sentiment_lstm.precision import narrow_fits

Tensor = Any

KERAS_LOOPS = "keras.src.backend.tensorflow.trainer"
NO_SECOND_DERIVATIVE = (
    "the LSTM's backpropagation through time has no derivative of its own: for a second "
    "derivative build the layer with unroll=True"
)

KINDS = ("float32", "bfloat16")

_stays = ContextVar("graphs traced now stay in this process", default=False)


@contextmanager
def graphs_stay_here() -> Iterator[None]:
    """Let the TensorFlow graphs that are traced inside the block call the operation.

    For whoever runs them and does not save them: such a graph cannot leave this process.
    """
    before = _stays.set(True)
    try:
        yield
    finally:
        _stays.reset(before)


def available(*tensors: Tensor, training: bool) -> bool:
    """Tell whether the operation can run here: in `KINDS`, all alike, in the processor's memory.

    A TensorFlow graph that calls it cannot leave this process. Nobody saves the graph of a
    training step, nor those of `predict` and `evaluate`; any other may become a SavedModel, unless
    it is traced inside `graphs_stay_here`.
    """
    kinds = {keras.backend.standardize_dtype(t.dtype) for t in tensors}
    if len(kinds) > 1 or not kinds <= set(KINDS):
        return False
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        stays = training or _stays.get() or tf.executing_eagerly() or _traced_by_keras()
        return stays and not tf.config.list_logical_devices("GPU")
    if keras.backend.backend() == "torch":
        return all(t.device.type == "cpu" for t in tensors)
    return False


def _traced_by_keras() -> bool:
    """Tell whether `predict` or `evaluate` of a Keras model is what traces a graph just now."""
    frame = sys._getframe()
    while frame is not None:
        module = frame.f_globals.get("__name__")
        if module == KERAS_LOOPS and frame.f_code.co_name in ("predict_step", "test_step"):
            return True
        frame = frame.f_back  # type: ignore[assignment]  # None at the outermost
    return False


def lstm_bptt(
    sequences: Tensor,
    weights: tuple[Tensor, Tensor, Tensor],
    state: tuple[Tensor, Tensor],
    *,
    keep: Tensor | None,
    dropped: Tensor | None,
    words: Tensor | None = None,
    backwards: bool,
    with_states: bool,
    training: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Run the LSTM; differentiable with respect to sequences, weights and state.

    Args:
        sequences: `(batch, time, features)`; or vectors `(words, features)`, if `words` are given.
        weights: kernel, recurrent kernel and bias; see `bptt.Weights`.
        state: h and c before the first step, each `(batch, units)`.
        keep: true where a step counts, `(batch, time)`, or None where all do.
        dropped: dropout factors on h on its way into the gates, `(batch, units)`, or None.
        words: which of the vectors each step reads, `(batch, time)`, int32.
        backwards: read from the end; states come in the order read.
        with_states: return the state after every step; else states are of time 0.
        training: whether a gradient is likely to be asked for; where it is asked for all the same,
            the way forth is gone once more.

    Returns:
        States `(batch, time, units)`, last h and last c, each `(batch, units)`.
    """
    words = None if words is None else keras.ops.cast(words, "int32")
    form = {"tensorflow": _tensorflow, "torch": _torch}[keras.backend.backend()]
    options = {"backwards": backwards, "with_states": with_states, "training": training}
    result: tuple[Tensor, Tensor, Tensor] = form(
        (sequences, *weights, *state), keep, dropped, words, options
    )
    return result


def _is_narrow(kind: Any, units: int) -> bool:
    """Tell whether products of tensors of a kind are those of bfloat16."""
    return bool(kind == bfloat16) and narrow_fits(units)


def _given(options: dict[str, bool], arrays: Any) -> tuple[Any, ...]:
    """Return batch, weights, h and c of the nine arrays that the operation takes."""
    sequences, kernel, recurrent_kernel, bias, h, c, keep, dropped, words = map(_contiguous, arrays)
    multiplied = _bits if _is_narrow(sequences.dtype, len(recurrent_kernel)) else _single
    batch = bptt.Batch(multiplied(sequences), keep, _single(dropped), options["backwards"], words)
    weights = bptt.Weights(multiplied(kernel), multiplied(recurrent_kernel), _single(bias))
    return batch, weights, _single(h), _single(c)


def _forward(options: dict[str, bool], *arrays: Any) -> tuple[Any, ...]:
    """Return states, h and c, and in training the three parts of the tape."""
    made_aside.wait()
    batch, weights, h, c = _given(options, arrays)
    read, with_states = _read(batch, weights), options["with_states"]
    told = partial(_told, arrays[0].dtype)
    if not options["training"]:
        return tuple(map(told, bptt.infer(*read, h, c, with_states=with_states)))
    outputs, tape = bptt.forward(*read, h, c, with_states=with_states)
    return (*map(told, outputs), *tape)


def _backward(options: dict[str, bool], *arrays: Any) -> tuple[Any, ...]:
    """Return the gradients of sequences, kernel, recurrent kernel, bias, h and c."""
    batch, weights, h, c = _given(options, arrays[:9])
    d_states, d_h, d_c = map(_contiguous, arrays[9:12])
    multiplied = _single if batch.sequences.dtype == np.float32 else _bits
    d_outputs = bptt.Outputs(multiplied(d_states), _single(d_h), _single(d_c))
    if options["training"]:
        tape = bptt.Tape(*arrays[12:])
    else:
        tape = bptt.forward(*_read(batch, weights), h, c, with_states=False)[1]
    told = partial(_told, arrays[0].dtype)
    back = bptt_words.backward if _is_of_words(batch) else bptt_back.backward
    return tuple(map(told, back(batch, weights, tape, d_outputs)))


def _read(batch: bptt.Batch, weights: bptt.Weights) -> tuple[bptt.Batch, bptt.Weights]:
    """Return batch and weights as `bptt` takes them, words multiplied beforehand.

    Raises:
        ValueError: a step reads a word that there is not; compiled code would read on.
    """
    if not _is_of_words(batch):
        return batch, weights
    words, count = batch.words, len(batch.sequences)
    if words.shape != batch.keep.shape:
        raise ValueError(f"words {words.shape} and mask {batch.keep.shape} must be of one shape")
    if words.size and not 0 <= words.min() <= words.max() < count:
        raise ValueError(f"words {words.min()} to {words.max()} do not stand in {count} vectors")
    return bptt_words.started(batch, weights)


def _is_of_words(batch: bptt.Batch) -> bool:
    return batch.sequences.ndim == 2


def _single(array: Any) -> Any:
    return np.asarray(array, np.float32)


def _bits(array: Any) -> Any:
    return array.view(np.uint16)


def _told(kind: Any, array: Any) -> Any:
    """Return what `bptt` gives as an array of the kind that the operation was given."""
    return array.view(kind) if array.dtype == np.uint16 else np.asarray(array, kind)


def _contiguous(array: Any) -> Any:
    return np.require(array, requirements=["C", "W"])


def _tensorflow(
    inputs: tuple[Tensor, ...],
    keep: Tensor,
    dropped: Tensor,
    words: Tensor,
    options: dict[str, bool],
) -> Any:
    import tensorflow as tf

    inputs = tuple(tf.convert_to_tensor(t) for t in inputs)  # of variables too
    steps = inputs[0] if words is None else words
    batch, time = tf.shape(steps)[0], tf.shape(steps)[1]
    words = tf.zeros((0, 0), tf.int32) if words is None else words
    keep = tf.ones((batch, time), tf.bool) if keep is None else keep
    kind, units = inputs[0].dtype, inputs[2].shape[0]
    dropped = tf.zeros((batch, 0), kind) if dropped is None else dropped
    read = tf.uint16 if _is_narrow(kind.as_numpy_dtype, units) else tf.float32

    @tf.custom_gradient
    def back(*arrays: Tensor) -> Any:
        gradients = tf.numpy_function(partial(_backward, options), arrays, [kind] * 6)

        def refuse(*_: Tensor) -> None:
            raise NotImplementedError(NO_SECOND_DERIVATIVE)

        return _shaped(gradients, [t.shape for t in inputs]), refuse

    @tf.custom_gradient
    def run(*inputs: Tensor) -> Any:
        arrays = (*inputs, keep, dropped, words)
        tape = [tf.float32, read, tf.float32] if options["training"] else []
        results = tf.numpy_function(partial(_forward, options), arrays, [kind] * 3 + tape)
        outputs = _shaped(results[:3], _output_shapes(steps, inputs[2], **options))
        return tuple(outputs), lambda *d_outputs: back(*arrays, *d_outputs, *results[3:])

    return run(*inputs)


def _output_shapes(
    steps: Tensor, recurrent_kernel: Tensor, *, with_states: bool, **_: bool
) -> list[tuple[int | None, ...]]:
    batch, time = steps.shape[:2]
    state = (batch, recurrent_kernel.shape[0])
    return [(batch, time if with_states else 0, state[1]), state, state]


def _shaped(tensors: Any, shapes: Any) -> Any:
    for tensor, shape in zip(tensors, shapes, strict=True):
        tensor.set_shape(shape)
    return tensors


def _torch(
    inputs: tuple[Tensor, ...],
    keep: Tensor,
    dropped: Tensor,
    words: Tensor,
    options: dict[str, bool],
) -> Any:
    import torch

    batch, time = (inputs[0] if words is None else words).shape[:2]
    words = torch.zeros((0, 0), dtype=torch.int32) if words is None else words
    keep = torch.ones((batch, time), dtype=torch.bool) if keep is None else keep
    dropped = torch.zeros((batch, 0)) if dropped is None else dropped

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *tensors: Tensor) -> Any:
            arrays = [_torch_array(t) for t in (*tensors, keep, dropped, words)]
            results = _forward(options, *arrays)
            ctx.save_for_backward(*tensors)
            ctx.rest = [*arrays[6:], *results[3:]]
            return tuple(map(_torch_tensor, results[:3]))

        @staticmethod
        def backward(ctx: Any, *d_outputs: Tensor) -> Any:
            if torch.is_grad_enabled():  # by create_graph=True
                raise NotImplementedError(NO_SECOND_DERIVATIVE)
            arrays = [_torch_array(t) for t in (*ctx.saved_tensors, *d_outputs)]
            given = (*arrays[:6], *ctx.rest[:3], *arrays[6:], *ctx.rest[3:])
            return tuple(map(_torch_tensor, _backward(options, *given)))

    return Function.apply(*inputs)


def _torch_array(tensor: Tensor) -> Any:
    """Return a tensor's memory as an array; numpy has no bfloat16 of its own."""
    import torch

    if tensor.dtype == torch.bfloat16:
        return tensor.detach().view(torch.uint16).numpy().view(bfloat16)
    return tensor.detach().numpy()


def _torch_tensor(array: Any) -> Tensor:
    """Return an array's memory as a tensor."""
    import torch

    if array.dtype == bfloat16:
        return torch.from_numpy(array.view(np.uint16)).view(torch.bfloat16)
    return torch.from_numpy(array)
