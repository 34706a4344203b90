"""Those who run a case of the layer benchmark: the same weights, each in its own best way."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from sentiment_lstm.bptt_ops import graphs_stay_here
from sentiment_lstm.parallel import cores
from tests.benchmarks.layer_case import Case
from tests.benchmarks.layer_model import keras_model, model_that_reads_words_once, torch_lstm

Arrays = list[NDArray[np.float32]]

tf.get_logger().setLevel("ERROR")  # it warns of many traces: there are many models here


class Contender(Protocol):
    """An implementation of embedding → LSTM → dense with given weights and one given batch."""

    def step(self) -> float:
        """Run forward and backward; return the loss."""
        ...

    def forward(self) -> NDArray[np.float32]:
        """Return the logits `(batch,)`."""
        ...


def contenders(case: Case) -> dict[str, Contender]:
    """Return ours and its peers, by name."""
    graph = KerasLayer(case, keras_model(case, keras.layers.LSTM), jit=False)
    weights = graph.model.get_weights()
    ours = KerasLayer(case, model_that_reads_words_once(case), jit=False, weights=weights)
    xla = KerasLayer(case, keras_model(case, keras.layers.LSTM), jit=True, weights=weights)
    return {"ours": ours, "keras graph": graph, "keras XLA": xla, **_torch(case, weights)}


class KerasLayer:
    """A Keras model on TensorFlow.

    Args:
        case: the batch.
        model: embedding → LSTM → dense.
        jit: compile with XLA.
        weights: as `get_weights` of the same model gives them; None draws them.
    """

    def __init__(
        self,
        case: Case,
        model: keras.Model,
        *,
        jit: bool,
        weights: Arrays | None = None,
    ) -> None:
        self.model = model
        if weights is not None:
            self.model.set_weights(weights)
        self._ids, self._targets = tf.constant(case.ids), tf.constant(case.targets)
        self._step = tf.function(self._loss_and_gradients, jit_compile=jit)
        self._forward = tf.function(self._logits, jit_compile=jit)

    def _logits(self, ids: Any, training: bool = False) -> Any:
        with graphs_stay_here():
            return self.model(ids, training=training)[:, 0]

    def _loss_and_gradients(self, ids: Any, targets: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = tf.cast(self._logits(ids, training=True), tf.float32)
            loss = tf.reduce_mean(
                tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits)
            )
        return loss, tape.gradient(loss, self.model.trainable_variables)

    def step(self) -> float:
        return float(self._step(self._ids, self._targets)[0])

    def forward(self) -> NDArray[np.float32]:
        return np.asarray(self._forward(self._ids))


def _torch(case: Case, weights: Arrays) -> dict[str, Contender]:
    try:
        import torch
    except ImportError:
        return {}
    torch.set_num_threads(cores())
    with denormals_flushed():  # torch's threads start at its first work and keep the flag
        if not case.ragged:
            return {"torch": TorchLayer(case, weights, packed=False)}
        return {  # which of the two is faster depends on how ragged the batch is
            "torch packed": TorchLayer(case, weights, packed=True),
            "torch padded": TorchLayer(case, weights, packed=False),
        }


class TorchLayer:
    """`torch.nn.LSTM`.

    Args:
        case: the batch.
        weights: as those of the Keras model.
        packed: run real tokens alone; else all of them, and look at the last real one.
    """

    def __init__(self, case: Case, weights: Arrays, *, packed: bool) -> None:
        import torch

        self._torch, self._packed, self._case = torch, packed, case
        embedding, *kernels, dense, bias = weights
        self._embedding = torch.nn.Embedding.from_pretrained(
            torch.from_numpy(embedding), freeze=False, sparse=True
        )
        self._lstm = torch_lstm(case, kernels)
        self._dense = torch.nn.Linear(*dense.shape)
        self._dense.load_state_dict(
            {"weight": torch.from_numpy(dense.T.copy()), "bias": torch.from_numpy(bias)}
        )
        self._modules = torch.nn.ModuleList([self._embedding, self._lstm, self._dense])
        self._ids, self._targets = torch.from_numpy(case.ids), torch.from_numpy(case.targets)
        self._lengths = torch.from_numpy(case.lengths)

    def _logits(self) -> Any:
        return self._dense(self._last_packed() if self._packed else self._last())[:, 0]

    def _last(self) -> Any:
        """Return h after each text's last token, `(batch, directions * units)`."""
        states, (h, _) = self._lstm(self._embedding(self._ids))
        if self._case.ragged:
            return states[self._torch.arange(len(states)), self._lengths - 1]
        return self._torch.cat(list(h), dim=-1)

    def _last_packed(self) -> Any:
        packed = self._torch.nn.utils.rnn.pack_padded_sequence(
            self._ids, self._lengths, batch_first=True, enforce_sorted=False
        )
        return self._lstm(packed._replace(data=self._embedding(packed.data)))[1][0][0]

    def step(self) -> float:
        self._modules.zero_grad()
        loss_of = self._torch.nn.functional.binary_cross_entropy_with_logits
        with denormals_flushed():
            loss = loss_of(self._logits(), self._targets)
            loss.backward()
        return float(loss.detach())

    def forward(self) -> NDArray[np.float32]:
        with denormals_flushed(), self._torch.no_grad():
            return np.asarray(self._logits().numpy())


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Have torch take denormal numbers for zeros inside the block.

    A gradient that vanishes over hundreds of steps passes through them, and torch's backward pass
    then takes 15 times as long; TensorFlow flushes them by itself. The flag is put back, because
    threads that others start would inherit it.
    """
    import torch

    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
