"""Determinism, and what a program may count on; the steps themselves are tested by training."""

import keras
import numpy as np
import pytest

from sentiment_lstm.steps import deterministic, program_step

BACKEND = keras.backend.backend()


def is_on():
    if BACKEND == "tensorflow":
        from tensorflow.python.framework import config

        return config.is_op_determinism_enabled()
    import torch

    return torch.are_deterministic_algorithms_enabled()


@pytest.mark.skipif(BACKEND == "jax", reason="JAX is deterministic on the processor as it is")
def test_determinism_ends_with_its_block_whatever_happens_in_it():
    assert not is_on()
    with pytest.raises(ZeroDivisionError), deterministic():
        assert is_on()
        with deterministic():
            pass
        assert is_on()
        raise ZeroDivisionError
    assert not is_on()


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow alone refuses")
def test_random_operations_of_others_run_after_it():
    import tensorflow as tf

    with deterministic(), pytest.raises(RuntimeError, match="seed"):
        tf.random.shuffle(tf.range(3))
    assert sorted(tf.random.shuffle(tf.range(3)).numpy()) == [0, 1, 2]


def dropping():
    inputs = keras.Input((40,))
    return keras.Model(inputs, keras.layers.Dropout(0.5, seed=3)(keras.layers.Dense(40)(inputs)))


def test_a_network_drops_the_same_throughout_a_step_and_other_things_in_the_next():
    model, seen = dropping(), []
    optimizer = keras.optimizers.SGD(0.0)
    optimizer.build(model.trainable_variables)

    def program(differentiate, x):
        def difference(network, _):
            return keras.ops.sum(keras.ops.abs(network(x) - network(x)))

        def dropped(network, _):
            zeros = keras.ops.cast(keras.ops.equal(network(x), 0), "float32")
            places = keras.ops.power(2.0, keras.ops.arange(20, dtype="float32"))
            return keras.ops.sum(zeros[0, :20] * places) + 0 * keras.ops.sum(network(x))

        nowhere = keras.ops.zeros(())
        first = differentiate(dropped, nowhere)
        apart, gradients, _ = differentiate(difference, nowhere)
        again = differentiate(dropped, nowhere)
        same = keras.ops.where(keras.ops.equal(first[0], again[0]), first[0], -1.0)
        return keras.ops.where(keras.ops.equal(apart, 0), same, -2.0), gradients

    step = program_step(model, optimizer, program)
    x = np.random.default_rng(0).normal(size=(1, 40)).astype("float32")
    seen = [step(x) for _ in range(3)]
    assert min(seen) >= 0  # alike within each step
    assert len(set(seen)) == 3
