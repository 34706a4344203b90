"""How often a recurrent layer judges texts rightly, by their length, under an equal budget.

Embedding, one direction of the layer, its last state, a linear head: whatever decides must be
carried to the end. Each network sees the same batches as often, and is measured on validation;
labels of test are not read.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from sentiment_lstm.batching import BatchSizes, TokenArrays, steps_per_epoch, training_batches
from sentiment_lstm.compared_nets import build_layer
from sentiment_lstm.endless_training import compiled_update
from sentiment_lstm.losses import binary_cross_entropy
from sentiment_lstm.metrics import accuracy_by_length
from sentiment_lstm.model import EMBEDDING_SCALE
from sentiment_lstm.steps import forward
from sentiment_lstm.text import PAD
from sentiment_lstm.training import predict
from sentiment_lstm.trials import Reading


def read_and_judge(
    reading: Reading, train: TokenArrays, validation: TokenArrays, vocabulary_size: int
) -> dict[str, Any]:
    """Train on texts of two labels and return the figures of validation, ready for JSON.

    Returns:
        `parameters` of the recurrent layer, `texts` of validation, their `accuracy`, and
        `by_length`; see `metrics.accuracy_by_length`.
    """
    model = _network(reading, vocabulary_size)
    sizes = BatchSizes(reading.batch)
    steps = reading.epochs * steps_per_epoch(train.lengths, sizes)
    schedule = keras.optimizers.schedules.CosineDecay(reading.learning_rate, steps)
    optimizer = keras.optimizers.Adam(schedule, global_clipnorm=1.0)
    optimizer.build(model.trainable_variables)
    step = _text_step(model, optimizer, whole=reading.net.kind == "rnn")
    for epoch in range(reading.epochs):
        for batch in training_batches(train, sizes, reading.seed, epoch):
            step(batch.tokens, batch.targets.astype(np.float32))
    logits = predict(forward(model), validation)[:, 0]
    correct = (logits > 0) == (np.asarray(validation.targets) == 1)
    return {
        "parameters": reading.net.parameters(reading.embedding),
        "texts": len(validation),
        "accuracy": float(correct.mean()),
        "by_length": accuracy_by_length(validation.lengths, correct),
    }


def _network(reading: Reading, vocabulary_size: int) -> Any:
    seeds = map(int, np.random.default_rng(reading.seed).integers(2**31, size=3))
    normal = keras.initializers.RandomNormal(stddev=EMBEDDING_SCALE, seed=next(seeds))
    tokens = keras.Input((None,), dtype="int32")
    vectors = keras.layers.Embedding(
        vocabulary_size, reading.embedding, embeddings_initializer=normal
    )(tokens)
    vectors = keras.layers.SpatialDropout1D(reading.dropout, seed=next(seeds))(vectors)
    last = build_layer(reading.net, reading.seed)(vectors, mask=keras.ops.not_equal(tokens, PAD))
    glorot = keras.initializers.GlorotUniform(next(seeds))
    return keras.Model(tokens, keras.layers.Dense(1, kernel_initializer=glorot)(last))


def _text_step(model: Any, optimizer: Any, *, whole: bool) -> Callable[[Any, Any], Any]:
    """Return a function that moves the weights by one batch; XLA compiles once for each length."""
    import tensorflow as tf

    loss, variables = binary_cross_entropy(), model.trainable_variables
    update = compiled_update(optimizer, variables, whole=whole)

    def step(tokens: Any, targets: Any) -> None:
        with tf.GradientTape() as tape:
            value = loss(targets, model(tokens, training=True), tf.ones_like(targets))
        update(tape.gradient(value, variables))

    shapes = [tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.float32)]
    graph: Callable[[Any, Any], Any]
    graph = tf.function(step, jit_compile=whole, input_signature=None if whole else shapes)
    return graph
