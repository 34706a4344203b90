"""Determinism lasts as long as it is asked for; the steps themselves are tested by training."""

import keras
import pytest

from sentiment_lstm.steps import deterministic

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
