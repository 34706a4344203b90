"""Exact, stratified, seeded division; twins by their keys."""

import dataclasses
from array import array

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_lstm.datasets import DataSettings, open_dataset
from sentiment_lstm.errors import DataError
from sentiment_lstm.splitting import Scan, carved, divide, limited, text_key

CLASSES = st.lists(st.integers(0, 4), min_size=20, max_size=200).map(
    lambda tail: np.array([*range(5), *range(5), *tail], np.int32)
)


def scan(classes, keys):
    return Scan.of(array("i", classes), array("Q", keys))


@given(classes=CLASSES, fraction=st.floats(0.05, 0.6), seed=st.integers(0, 3))
def test_carving_takes_each_class_by_its_share(classes, fraction, seed):
    chosen = carved(classes, fraction, seed)
    for value in range(5):
        count = int((classes == value).sum())
        taken = int((chosen & (classes == value)).sum())
        assert 1 <= taken < count
        assert abs(taken - count * fraction) <= 1


@given(counts=st.lists(st.integers(20, 60), min_size=1, max_size=6), seed=st.integers(0, 3))
def test_carving_takes_the_exact_total(counts, seed):
    classes = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    for fraction in (0.1, 0.25, 1 / 3):
        assert carved(classes, fraction, seed).sum() == round(sum(counts) * fraction)


def test_carving_leaves_of_each_class_what_it_is_told_to():
    classes = np.array([0, 0, 0, 1, 1, 1, 1], np.int32)
    chosen = carved(classes, 0.9, 0, leave=2)
    assert [int((~chosen & (classes == c)).sum()) for c in (0, 1)] == [2, 2]


def test_the_choice_depends_on_the_seed_alone():
    classes = np.arange(100, dtype=np.int32) % 2
    assert np.array_equal(carved(classes, 0.3, 5), carved(classes, 0.3, 5))
    assert not np.array_equal(carved(classes, 0.3, 5), carved(classes, 0.3, 6))


def test_the_choice_is_the_same_on_every_machine_and_version():
    assert np.flatnonzero(carved(np.arange(40, dtype=np.int32) % 2, 0.1, 0)).tolist() == [
        2,
        3,
        11,
        20,
    ]


@given(classes=CLASSES, limit=st.integers(5, 60), seed=st.integers(0, 3))
def test_a_limit_takes_classes_as_evenly_as_they_allow(classes, limit, seed):
    chosen = limited(classes, limit, seed)
    assert chosen.sum() == min(limit, len(classes))
    taken = [int((chosen & (classes == c)).sum()) for c in range(5)]
    left = [int((~chosen & (classes == c)).sum()) for c in range(5)]
    # A class may have fewer than another only if it has no more to give, or by the odd one.
    assert all(n >= max(taken) - 1 for n, rest in zip(taken, left, strict=True) if rest)


def test_no_limit_takes_all():
    assert limited(np.zeros(7, np.int32), 0, 0).all()


def test_carved_splits_share_nothing_and_leave_nothing_out():
    classes = [n % 3 for n in range(300)]
    division = divide(
        {"train": scan(classes, range(300))}, {"test": 0.2, "validation": 0.25}, 1, True, 0
    )
    sizes = {split: division.size(split) for split in ("train", "validation", "test")}
    assert sizes == {"test": 60, "validation": 60, "train": 180}
    assert division.twins == {}


def test_twins_of_test_are_dropped_everywhere_else_and_test_stays_whole():
    train = scan([0, 1] * 10, [*range(18), 100, 100])
    test = scan([0, 1, 0, 1], [3, 200, 200, 100])
    more = scan([0, 0, 0], [300, 100, 3])
    division = divide({"train": train, "test": test, "unsupervised": more}, {}, 0, True, 0)
    assert division.twins == {"train": 3, "unsupervised": 2}
    assert np.flatnonzero(~division.chosen("train", "train")).tolist() == [3, 18, 19]
    assert division.size("test") == 4
    assert division.chosen("unsupervised", "unsupervised").tolist() == [True, False, False]


def test_unlabelled_texts_are_no_twins_of_validation_either():
    train, test = scan([0, 1] * 10, range(20)), scan([0, 1], [100, 101])
    more = scan([0] * 22, [*range(20), 100, 300])
    carve = {"validation": 0.25}
    division = divide({"train": train, "test": test, "unlabelled": more}, carve, 0, True, 0)
    held_out = np.flatnonzero(division.chosen("train", "validation"))
    left = np.flatnonzero(division.chosen("unlabelled", "unlabelled"))
    assert len(held_out) == 5
    assert left.tolist() == sorted({*range(20), 21} - set(held_out.tolist()))
    assert division.twins == {"unlabelled": 6}


def test_twins_that_were_carved_into_validation_are_dropped_there():
    train = scan([0, 1] * 20, [7] * 40)
    test = scan([0, 1], [7, 8])
    division = divide({"train": train, "test": test}, {"validation": 0.25}, 0, True, 0)
    assert division.twins == {"train": 30, "validation": 10}


def test_twins_stay_if_they_may():
    part = scan([0, 1], [1, 2])
    assert divide({"train": part, "test": part}, {}, 0, False, 0).size("train") == 2


@pytest.mark.parametrize(
    "twin",
    ["A film,  by me", "a\tfilm,\nby me\n", "A FILM,<br /><br />by me", "a film,<BR/> by\u00a0me"],
)
def test_twins_differ_in_case_space_and_breaks_alone(twin):
    assert text_key(twin) == text_key("a film, by me")


@pytest.mark.parametrize("other", ["a film by me", "afilm, by me", "a film, by me.", ""])
def test_other_texts_have_other_keys(other):
    assert text_key(other) != text_key("a film, by me")


def test_a_label_whose_texts_all_stand_in_test_is_named(tmp_path):
    rows = [f"{label} {n},{label}\n" for label in ("up", "down") for n in range(10)]
    for name, held in (("train", rows), ("test", rows[10:])):
        (tmp_path / f"{name}.csv").write_text("text,label\n" + "".join(held))
    given = {name: str(tmp_path / f"{name}.csv") for name in ("train", "test")}
    settings = DataSettings(source="files", validation_fraction=0.2, **given)
    with pytest.raises(DataError, match="label 'down' has no examples left in train"):
        _ = open_dataset(settings).sizes
    kept = open_dataset(dataclasses.replace(settings, drop_twins=False))
    assert kept.sizes == {"train": 16, "validation": 4, "test": 10}
