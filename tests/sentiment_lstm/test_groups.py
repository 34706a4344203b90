"""Processes that train together, here as threads: the steps are those of one, whoever is asked."""

import threading
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

from sentiment_lstm.batching import BatchSizes, TokenArrays, training_order
from sentiment_lstm.errors import GroupError, SettingsError
from sentiment_lstm.groups import ALONE, fingerprint, part_of
from sentiment_lstm.losses import loss_for
from sentiment_lstm.model import build_classifier, weights_of
from sentiment_lstm.optimizers import build_optimizer
from sentiment_lstm.resumable import Keeping, Position, Resumable
from sentiment_lstm.settings import ModelSettings, TrainSettings
from sentiment_lstm.steps import forward, train_step
from sentiment_lstm.training import Task, predict, train_network

SMALL = ModelSettings(embedding=4, units=3, dropout=0.0)
LEARNING = TrainSettings(batch_size=4, learning_rate=0.01)


class Threads:
    """A group whose processes are threads."""

    def __init__(self, rank, size, barrier, given):
        self.rank, self.size = rank, size
        self._barrier, self._given = barrier, given

    @classmethod
    def of(cls, size):
        barrier, given = threading.Barrier(size), {}
        return [cls(rank, size, barrier, given) for rank in range(size)]

    def gathered(self, value):
        self._given[self.rank] = value
        self._barrier.wait(600)
        everything = [self._given[rank] for rank in range(self.size)]
        self._barrier.wait(600)
        return everything

    def summed(self, arrays):
        first, *others = self.gathered(arrays)
        sums = [array.copy() for array in first]
        for other in others:
            sums = [a + b for a, b in zip(sums, other, strict=True)]
        return sums


def together(function, size=2):
    """Call a function of a group in as many threads; return what each returns."""
    with ThreadPoolExecutor(size) as pool:
        return list(pool.map(function, Threads.of(size)))


def some_texts(count=11, seed=0):
    draw = np.random.default_rng(seed)
    texts = [draw.integers(2, 20, draw.integers(1, 9)) for _ in range(count)]
    return TokenArrays.of(texts, draw.integers(0, 2, count))


def trained(group, texts, settings=LEARNING):
    """Take an epoch's steps; return the losses and the weights."""
    model = build_classifier(SMALL, 20, 1, seed=3)
    optimizer = build_optimizer(settings, 3)
    optimizer.build(model.trainable_variables)
    step, losses = train_step(model, optimizer, loss_for("classification", 1, 0.0), group), []
    for indices in training_order(texts.lengths, BatchSizes(settings.batch_size), 0, 0):
        mine, share = part_of(group, len(indices))
        chosen, weights = indices[mine], np.full(len(mine), share, np.float32)
        losses.append(step(texts.pad(chosen), texts.targets[chosen], weights))
    return losses, weights_of(model)


@pytest.mark.parametrize("count", [1, 2, 5, 7])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_parts_are_the_whole(count, size):
    parts = [part_of(group, count) for group in Threads.of(size)]
    taken = [i for mine, share in parts if share for i in mine]
    assert sorted(taken) == list(range(count))
    assert sum(share for _, share in parts) == pytest.approx(1)
    assert all(len(mine) for mine, _ in parts)


@pytest.mark.parametrize("texts", [11, 9])  # the last batch has 3 texts, then 1, which two share
def test_steps_of_a_group_are_those_of_one_process(texts):
    arrays = some_texts(texts)
    losses, weights = trained(ALONE, arrays)
    (one, other) = together(lambda group: trained(group, arrays))
    np.testing.assert_allclose(one[0], losses, atol=1e-5)
    assert one[0] == other[0]
    for name, wanted in weights.items():
        np.testing.assert_allclose(one[1][name], wanted, atol=1e-5)
    assert fingerprint(one[1].values()) == fingerprint(other[1].values())


def test_predictions_of_a_group_are_those_of_one_process():
    model, arrays = build_classifier(SMALL, 20, 1, seed=3), some_texts(600)
    wanted = predict(forward(model), arrays)
    for found in together(lambda group: predict(forward(model), arrays, group), size=4):
        np.testing.assert_array_equal(found, wanted)


def test_a_fingerprint_tells_a_bit():
    array = np.ones(3, np.float32)
    assert fingerprint([array]) == fingerprint([array.copy()])
    assert fingerprint([array]) != fingerprint([np.nextafter(array, np.float32(2))])


class Standing(Resumable):
    """A training that has ended before it begins."""

    def remaining(self): ...
    def take(self, item): ...
    def figures(self): ...


def stand(group, seed, dropout=0.0):
    model = build_classifier(ModelSettings(embedding=4, units=3, dropout=dropout), 20, 1, seed)
    optimizer = build_optimizer(LEARNING, 1)
    optimizer.build(model.trainable_variables)
    options = {"steps": 1, "epochs": 0, "keeping": Keeping(), "group": group}
    Standing(model, optimizer, Position(), **options).run(None, None)
    return model


def test_a_group_that_does_not_stand_alike_does_not_train():
    with pytest.raises(GroupError, match="after step 0 the weights of process 1 are not those"):
        together(lambda group: stand(group, seed=group.rank))


def test_processes_of_a_group_drop_other_things():
    def dropped(group):
        return keras.ops.convert_to_numpy(stand(group, 0, 0.5)(np.full((1, 6), 3), training=True))

    alone, (first, second) = dropped(ALONE), together(dropped)
    np.testing.assert_array_equal(first, alone)
    assert not np.array_equal(first, second)


def test_texts_without_labels_are_not_shared_out():
    (group, _), arrays = Threads.of(2), some_texts()
    with pytest.raises(SettingsError, match=r"train\.entropy 0\.5: 2 processes do not share out"):
        train_network(
            arrays, arrays, vocabulary_size=20, task=Task("classification", ("a", "b")),
            model=SMALL, settings=TrainSettings(entropy=0.5), group=group,
        )  # fmt: skip
