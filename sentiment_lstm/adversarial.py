"""Adversarial training: a network must answer alike where its words are moved a little.

Not the words are moved but their vectors, in the direction in which the loss L grows fastest, by a
distance ε over the whole text:

    r = ε·g / ‖g‖₂,  g = ∂L/∂x        the loss becomes L(x) + L(x + r)

(Miyato, Dai & Goodfellow, "Adversarial Training Methods for Semi-Supervised Text Classification",
ICLR 2017, equations 2 and 5.) There every vector is brought to unit variance before; here ε is told
in standard deviations of the vectors as the training finds them, which is the same scale.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from sentiment_lstm.distinct_words import DistinctWords
from sentiment_lstm.groups import ALONE, Group
from sentiment_lstm.losses import Divergence, Loss, entropy
from sentiment_lstm.lstm import Tensor
from sentiment_lstm.settings import TrainSettings
from sentiment_lstm.steps import Differentiate, Network, Program, Step, of_texts, program_step
from sentiment_lstm.text import PAD

# (loss, gradients by the trained variables)
Found = tuple[Tensor, list[Tensor]]

NEARBY = 0.1  # ξ, as a share of ε

SMALLEST = 1e-12  # norm, below which there is no direction


def movable(model: keras.Model) -> keras.Model:
    """Return a classifier whose word vectors can be moved.

    It shares every layer with the classifier that it is made of.

    Args:
        model: from tokens `(batch, time)` to logits, as `build_classifier` makes it.

    Returns:
        A model from `[tokens, moves]`, the second `(batch, time, embedding)`, to logits.

    Raises:
        ValueError: the classifier reads each word once: a word cannot be moved at one place alone.
    """
    if any(isinstance(layer, DistinctWords) for layer in model.layers):
        raise ValueError("build the classifier without `words_once` to move its words")
    tokens, embedding = model.input, model.get_layer("embedding")
    above = keras.Model([tokens, embedding.output], model.output)
    moves = keras.Input((None, embedding.output_dim), name="moves")
    moved = keras.layers.Add(name="moved")([embedding(tokens), moves])
    return keras.Model([tokens, moves], above([tokens, moved]), name=model.name)


def scale_of(model: keras.Model) -> float:
    """Return the standard deviation of a classifier's word vectors, padding's left out."""
    vectors = ops.convert_to_numpy(model.get_layer("embedding").embeddings)
    return float(np.std(vectors[1:]))


def adversarial_step(
    model: keras.Model,
    optimizer: Any,
    loss: Loss,
    divergence: Divergence,
    how: TrainSettings,
    group: Group = ALONE,
) -> Step:
    """Return a function that moves a classifier's weights by one batch and returns its loss.

    With `how.virtual_adversarial` or `how.entropy`, it takes tokens `(batch, time)` of unlabelled
    texts and noise `(batch, time, embedding)` beside the tokens, targets and weights of labelled
    ones.

    Args:
        model: as `build_classifier` makes it.
        optimizer: built for its trained variables.
        loss: of targets, logits and weights.
        divergence: of logits from logits.
        how: the distances, in standard deviations of the word vectors as they are now, and the
            weight of the entropy.
        group: processes that train together, on labelled texts alone; see `steps.program_step`.
    """
    width, scale = model.get_layer("embedding").output_dim, scale_of(model)
    labelled = supervised_program(loss, width, how.adversarial * scale)
    if not reads_unlabelled(how):
        return of_texts(program_step(movable(model), optimizer, labelled, group))
    unlabelled = virtual_program(divergence, width, how.virtual_adversarial * scale, how.entropy)

    def program(
        differentiate: Differentiate,
        tokens: Tensor,
        targets: Tensor,
        weights: Tensor,
        others: Tensor,
        noise: Tensor,
    ) -> Found:
        found = labelled(differentiate, tokens, targets, weights)
        return summed(found, unlabelled(differentiate, others, noise))

    return of_texts(program_step(movable(model), optimizer, program))


def moves_words(how: TrainSettings) -> bool:
    """Tell whether a training moves the words that it reads."""
    return how.adversarial > 0 or reads_unlabelled(how)


def reads_unlabelled(how: TrainSettings) -> bool:
    """Tell whether a training reads texts beside those that it has labels of."""
    return how.virtual_adversarial > 0 or how.entropy > 0


def supervised_program(loss: Loss, width: int, distance: float) -> Program:
    """Return what finds the gradients of the loss where words stand and where they were moved to.

    Args:
        loss: of targets, logits and weights.
        width: of a word vector.
        distance: ε, the norm of a text's moves; with 0 they stay where they are.
    """

    def program(
        differentiate: Differentiate, tokens: Tensor, targets: Tensor, weights: Tensor
    ) -> Found:
        def of_moves(network: Network, moves: Tensor) -> Tensor:
            return loss(targets, network([tokens, moves]), weights)

        *found, by_moves = differentiate(of_moves, standing(tokens, width))
        if not distance:
            return found[0], found[1]
        return summed(found, differentiate(of_moves, distance * directions(by_moves)))

    return program


def virtual_program(
    divergence: Divergence, width: int, distance: float, weight_of_entropy: float
) -> Program:
    """Return what finds the gradients of a loss without labels.

    It is D(y(x), y(x + r)), how far the answers y are from those where the words were moved to; r
    is ε·g / ‖g‖₂ as above, with g the gradient of D by the moves at some small moves ξ·d, because
    at none D is least and g zero (Miyato et al. 2017, equations 6 and 7). To it is added the
    entropy of y, which is low where answers are sure (Grandvalet & Bengio 2005).

    Args:
        divergence: D, of logits from logits; the gradient by the first is not followed.
        width: of a word vector.
        distance: ε, the norm of a text's moves; 0 leaves the entropy alone.
        weight_of_entropy: what the entropy is multiplied by.
    """

    def program(differentiate: Differentiate, tokens: Tensor, noise: Tensor) -> Found:
        still = standing(tokens, width)
        real = ops.cast(ops.expand_dims(ops.not_equal(tokens, PAD), -1), noise.dtype)

        def apart(network: Network, moves: Tensor) -> Tensor:
            here = ops.stop_gradient(network([tokens, still]))
            return divergence(here, network([tokens, moves]))

        def whole(network: Network, moves: Tensor) -> Tensor:
            here = network([tokens, still])
            there = network([tokens, moves])
            moved = divergence(ops.stop_gradient(here), there)
            # Nothing is followed back through `here` for a weight of 0.
            return moved + weight_of_entropy * entropy(here) if weight_of_entropy else moved

        if not distance:
            return differentiate(lambda network, _: whole(network, still), still)[:2]
        _, _, by_moves = differentiate(apart, NEARBY * distance * directions(noise * real))
        return differentiate(whole, distance * directions(by_moves))[:2]

    return program


def standing(tokens: Tensor, width: int) -> Tensor:
    """Return moves of nowhere, `(batch, time, width)`."""
    return ops.zeros((*ops.shape(tokens), width))


def directions(gradient: Tensor) -> Tensor:
    """Return a gradient `(batch, time, width)`, each text's brought to norm 1; one of 0 stays."""
    # The largest first, or the squares of small gradients would be zero in float32.
    largest = ops.max(ops.abs(gradient), axis=(1, 2), keepdims=True)
    scaled = gradient / ops.maximum(largest, SMALLEST)
    norm = ops.sqrt(ops.sum(ops.square(scaled), axis=(1, 2), keepdims=True))
    return scaled / ops.maximum(norm, SMALLEST)


def summed(some: Sequence[Any], others: Sequence[Any]) -> Found:
    """Return the sum of two losses, and that of their gradients."""
    return some[0] + others[0], [a + b for a, b in zip(some[1], others[1], strict=True)]
