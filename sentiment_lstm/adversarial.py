"""Adversarial training: a network must answer alike where its words are moved a little.

Not the words are moved but their vectors, in the direction in which the loss L grows fastest, by a
distance ε over the whole text:

    r = ε·g / ‖g‖₂,  g = ∂L/∂x        the loss becomes L(x) + L(x + r)

(Miyato, Dai & Goodfellow, "Adversarial Training Methods for Semi-Supervised Text Classification",
ICLR 2017, equations 2 and 5.) There every vector is brought to unit variance before; here ε is told
in standard deviations of the vectors as the training finds them, which is the same scale.
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from sentiment_lstm.losses import Loss
from sentiment_lstm.lstm import Tensor
from sentiment_lstm.steps import Differentiate, Network, Program, Step, of_texts, program_step

SMALLEST = 1e-12  # norm, below which there is no direction


def movable(model: keras.Model) -> keras.Model:
    """Return a classifier whose word vectors can be moved.

    It shares every layer with the classifier that it is made of.

    Args:
        model: from tokens `(batch, time)` to logits, as `build_classifier` makes it.

    Returns:
        A model from `[tokens, moves]`, the second `(batch, time, embedding)`, to logits.
    """
    tokens, embedding = model.input, model.get_layer("embedding")
    above = keras.Model([tokens, embedding.output], model.output)
    moves = keras.Input((None, embedding.output_dim), name="moves")
    moved = keras.layers.Add(name="moved")([embedding(tokens), moves])
    return keras.Model([tokens, moves], above([tokens, moved]), name=model.name)


def scale_of(model: keras.Model) -> float:
    """Return the standard deviation of a classifier's word vectors, padding's left out."""
    vectors = ops.convert_to_numpy(model.get_layer("embedding").embeddings)
    return float(np.std(vectors[1:]))


def adversarial_step(model: keras.Model, optimizer: Any, loss: Loss, distance: float) -> Step:
    """Return a function that moves a classifier's weights by one batch and returns its loss.

    Args:
        model: as `build_classifier` makes it.
        optimizer: built for its trained variables.
        loss: of targets, logits and weights.
        distance: ε, in standard deviations of the word vectors as they are now.
    """
    width = model.get_layer("embedding").output_dim
    program = adversarial_program(loss, width, distance * scale_of(model))
    return of_texts(program_step(movable(model), optimizer, program))


def adversarial_program(loss: Loss, width: int, distance: float) -> Program:
    """Return what finds the gradients of the loss where words stand and where they were moved to.

    Args:
        loss: of targets, logits and weights.
        width: of a word vector.
        distance: ε, the norm of a text's moves.
    """

    def program(
        differentiate: Differentiate, tokens: Tensor, targets: Tensor, weights: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        def of_moves(network: Network, moves: Tensor) -> Tensor:
            return loss(targets, network([tokens, moves]), weights)

        still = ops.zeros((*ops.shape(tokens), width))
        value, gradients, by_moves = differentiate(of_moves, still)
        moved = differentiate(of_moves, distance * directions(by_moves))
        return value + moved[0], _sums(gradients, moved[1])

    return program


def directions(gradient: Tensor) -> Tensor:
    """Return a gradient `(batch, time, width)`, each text's brought to norm 1; one of 0 stays."""
    # The largest first, or the squares of small gradients would be zero in float32.
    largest = ops.max(ops.abs(gradient), axis=(1, 2), keepdims=True)
    scaled = gradient / ops.maximum(largest, SMALLEST)
    norm = ops.sqrt(ops.sum(ops.square(scaled), axis=(1, 2), keepdims=True))
    return scaled / ops.maximum(norm, SMALLEST)


def _sums(some: list[Any], others: list[Any]) -> list[Any]:
    return [a + b for a, b in zip(some, others, strict=True)]
