"""Token arrays survive the disk, and batches are a function of (seed, epoch)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_lstm.batching import (
    LENGTH_STEP,
    BatchSizes,
    TokenArrays,
    TokenWriter,
    evaluation_batches,
    steps_per_epoch,
    training_batches,
    training_order,
)
from sentiment_lstm.settings import SHORT


def sequences_of(lengths, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(2, 1000, n).astype(np.int32) for n in lengths]


@given(st.lists(st.lists(st.integers(0, 69_999), max_size=9), max_size=9), st.booleans())
@settings(max_examples=40)
def test_what_is_written_is_what_is_read(tmp_path_factory, texts, large):
    directory = tmp_path_factory.mktemp("arrays")
    size = 70_000 if large else 60_000
    texts = [[i % size for i in ids] for ids in texts]
    with TokenWriter(directory, "train", size) as writer:
        for number, ids in enumerate(texts):
            writer.append(np.array(ids, np.int32), number)
    arrays = TokenArrays.load(directory, "train")
    assert [arrays[i].tolist() for i in range(len(arrays))] == texts
    assert arrays.targets.tolist() == list(range(len(texts)))
    assert arrays.tokens.dtype == (np.uint32 if large else np.uint16)
    assert arrays.lengths.tolist() == [len(ids) for ids in texts]


def test_a_failed_write_leaves_no_complete_split(tmp_path):
    with pytest.raises(RuntimeError), TokenWriter(tmp_path, "train", 10) as writer:
        writer.append(np.arange(3), 0)
        raise RuntimeError
    with pytest.raises(FileNotFoundError):
        TokenArrays.load(tmp_path, "train")


def test_padding_fills_with_zeros_up_to_a_step():
    arrays = TokenArrays.of(sequences_of([3, 0, 33]), [0, 1, 0])
    padded = arrays.pad(np.array([2, 0, 1]))
    assert padded.shape == (3, 2 * LENGTH_STEP)
    np.testing.assert_array_equal(padded[0, :33], arrays[2])
    np.testing.assert_array_equal(padded[1, :3], arrays[0])
    assert not padded[0, 33:].any()
    assert not padded[1, 3:].any()
    assert not padded[2].any()


def test_a_batch_of_empty_texts_still_has_a_step():
    assert TokenArrays.of(sequences_of([0, 0]), [0, 1]).pad(np.array([0, 1])).shape[1] > 0


@given(st.integers(1, 700), st.integers(1, 40), st.integers(0, 9), st.integers(0, 9))
@settings(max_examples=60)
def test_every_text_comes_once_and_only_one_batch_is_short(texts, batch_size, seed, epoch):
    lengths = np.random.default_rng(seed).integers(0, 50, texts)
    sizes = BatchSizes(batch_size)
    order = training_order(lengths, sizes, seed, epoch)
    assert sorted(np.concatenate(order).tolist()) == list(range(texts))
    assert len(order) == steps_per_epoch(lengths, sizes)
    assert sum(len(batch) != batch_size for batch in order) == (texts % batch_size > 0)


@given(st.integers(1, 900), st.integers(1, 20), st.integers(1, 60), st.integers(0, 9))
@settings(max_examples=60)
def test_short_texts_come_in_batches_of_their_own_size(texts, size, short, seed):
    lengths = np.random.default_rng(seed).integers(0, 2 * SHORT, texts)
    sizes = BatchSizes(size, short)
    order = training_order(lengths, sizes, seed, 0)
    assert sorted(np.concatenate(order).tolist()) == list(range(texts))
    assert len(order) == steps_per_epoch(lengths, sizes)
    some = [batch for batch in order if (lengths[batch] <= SHORT).all()]
    others = [batch for batch in order if (lengths[batch] > SHORT).all()]
    assert len(some) + len(others) == len(order)
    for batches, expected in ((some, short), (others, size)):
        counts = sorted(len(batch) for batch in batches)
        assert all(count == expected for count in counts[1:])
        assert all(count <= expected for count in counts)


def test_where_short_texts_are_as_many_as_others_length_decides_nothing():
    lengths = np.random.default_rng(4).integers(0, 2 * SHORT, 700)
    order = training_order(lengths, BatchSizes(16), 5, 6)
    generator = np.random.default_rng([5, 6])
    shuffled = generator.permutation(700)
    pool = shuffled[:700]
    in_order = pool[np.argsort(lengths[pool], kind="stable")]
    expected = [in_order[i : i + 16] for i in range(0, 700, 16)]
    for batch, at in zip(order, generator.permutation(len(expected)), strict=True):
        np.testing.assert_array_equal(batch, expected[at])


def test_order_is_the_same_for_the_same_seed_and_epoch_only():
    lengths = np.random.default_rng(0).integers(0, 50, 500)
    orders = [
        np.concatenate(training_order(lengths, BatchSizes(16), seed, epoch)).tolist()
        for seed, epoch in [(0, 0), (0, 0), (0, 1), (1, 0)]
    ]
    assert orders[0] == orders[1]
    assert orders[0] != orders[2]
    assert orders[0] != orders[3]


def test_starting_in_the_middle_gives_the_rest_of_the_epoch():
    arrays = TokenArrays.of(sequences_of(range(100)), list(range(100)))
    whole = [b.indices.tolist() for b in training_batches(arrays, BatchSizes(8), 3, 2)]
    rest = [b.indices.tolist() for b in training_batches(arrays, BatchSizes(8), 3, 2, start=5)]
    assert rest == whole[5:]


def test_batches_hold_texts_of_like_length():
    lengths = np.random.default_rng(1).integers(1, 400, 3_200)
    spread = [np.ptp(lengths[batch]) for batch in training_order(lengths, BatchSizes(64), 0, 0)]
    assert np.mean(spread) < 20  # a random batch spans nearly 400


def test_evaluation_visits_every_text_once_with_its_target():
    arrays = TokenArrays.of(sequences_of([5, 1, 9, 0, 7]), [10, 11, 12, 13, 14])
    batches = list(evaluation_batches(arrays, 2))
    assert np.concatenate([b.indices for b in batches]).tolist() == [3, 1, 0, 4, 2]
    assert np.concatenate([b.targets for b in batches]).tolist() == [13, 11, 10, 14, 12]
