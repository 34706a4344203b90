"""What training makes small, as a mean over the batch, in `keras.ops` alone.

Cross-entropy is taken from logits, where it cannot overflow, and the mean squared error serves
regression.
"""

from collections.abc import Callable

import keras
from keras import ops

from sentiment_lstm.lstm import Tensor

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
Divergence = Callable[[Tensor, Tensor], Tensor]


def binary_cross_entropy(smoothing: float = 0.0) -> Loss:
    """Return the loss of two labels: logits `(batch, 1)` against targets 0 or 1, `(batch,)`."""

    def loss(targets: Tensor, logits: Tensor, weights: Tensor) -> Tensor:
        soft = ops.cast(targets, logits.dtype) * (1 - smoothing) + smoothing / 2
        each = ops.binary_crossentropy(soft, logits[:, 0], from_logits=True)
        return ops.mean(each * weights)

    return loss


def categorical_cross_entropy(smoothing: float = 0.0) -> Loss:
    """Return the loss of many labels: logits `(batch, labels)` against indices `(batch,)`."""

    def loss(targets: Tensor, logits: Tensor, weights: Tensor) -> Tensor:
        count = logits.shape[-1]
        soft = ops.one_hot(ops.cast(targets, "int32"), count) * (1 - smoothing) + smoothing / count
        each = -ops.sum(soft * keras.activations.log_softmax(logits), axis=-1)
        return ops.mean(each * weights)

    return loss


def mean_squared_error(targets: Tensor, outputs: Tensor, weights: Tensor) -> Tensor:
    """Return the loss of regression: outputs `(batch, 1)` against numbers `(batch,)`."""
    return ops.mean(ops.square(outputs[:, 0] - ops.cast(targets, outputs.dtype)) * weights)


def loss_for(task: str, outputs: int, smoothing: float) -> Loss:
    """Return the loss that fits a task and a head of so many outputs."""
    if task == "regression":
        return mean_squared_error
    return binary_cross_entropy(smoothing) if outputs == 1 else categorical_cross_entropy(smoothing)


def divergence_for(task: str) -> Divergence:
    """Return how far answers are from answers, as a mean over the batch.

    It takes both before any softmax, `(batch, outputs)`: of classes it is the Kullback–Leibler
    divergence of the second's distribution from the first's, of regression the mean square.
    """
    if task == "regression":
        return lambda these, those: ops.mean(ops.square(these - those))

    def divergence(these: Tensor, those: Tensor) -> Tensor:
        log_p, log_q = (keras.activations.log_softmax(_of_classes(z)) for z in (these, those))
        return ops.mean(ops.sum(ops.exp(log_p) * (log_p - log_q), axis=-1))

    return divergence


def entropy(logits: Tensor) -> Tensor:
    """Return the mean entropy of answers, from logits `(batch, outputs)`, in nats."""
    log_p = keras.activations.log_softmax(_of_classes(logits))
    return -ops.mean(ops.sum(ops.exp(log_p) * log_p, axis=-1))


def _of_classes(logits: Tensor) -> Tensor:
    """Return a logit for each class where the one of two classes stands for both."""
    if logits.shape[-1] > 1:
        return logits
    return ops.concatenate([ops.zeros_like(logits), logits], axis=-1)
