"""The tables of projected tokens, against the projection written out."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Lock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_lstm.folding import KeptTable, folded_anew

RNG = np.random.default_rng(0)
EMBEDDING = RNG.normal(size=(30, 5)).astype(np.float32)
KERNEL = RNG.normal(size=(2, 5, 8)).astype(np.float32)


def project(x):
    return np.stack([np.stack([row @ kernel for row in x]) for kernel in KERNEL])


@given(st.lists(st.lists(st.integers(0, 29), min_size=1), max_size=6))
def test_a_token_takes_its_own_projection(texts):
    anew, kept = folded_anew(EMBEDDING, project), KeptTable(EMBEDDING, project)
    for ids in map(np.array, texts):
        for fold in (anew, kept):
            table, rows = fold(ids)
            np.testing.assert_array_equal(table[:, rows], project(EMBEDDING[ids]))


@pytest.mark.parametrize("make", [folded_anew, KeptTable])
def test_each_distinct_token_is_projected_once(make):
    projected = []

    def noted(x):
        projected.append(len(x))
        return project(x)

    fold = make(EMBEDDING, noted)
    projected.clear()
    fold(np.array([7, 2, 7, 7, 2]))
    assert projected == [2]


def test_a_kept_table_projects_only_what_is_new():
    projected = []

    def noted(x):
        projected.append(x)
        return project(x)

    kept = KeptTable(EMBEDDING, noted)
    projected.clear()
    for ids in ([4, 9], [9, 4, 4], [9, 11]):
        kept(np.array(ids))
    np.testing.assert_array_equal(np.concatenate(projected), EMBEDDING[[4, 9, 11]])


def test_what_another_thread_filled_meanwhile_is_not_projected_again():
    projected = []

    def noted(x):
        projected.append(len(x))
        return project(x)

    kept = KeptTable(EMBEDDING, noted)

    class Overtaken:
        """A lock that another thread fills row 4 before it is handed over."""

        def __enter__(self):
            kept._lock = Lock()
            kept(np.array([4]))

        def __exit__(self, *_):
            pass

    kept._lock = Overtaken()
    projected.clear()
    table, rows = kept(np.array([4, 4]))
    assert projected == [1]
    np.testing.assert_array_equal(table[:, rows], project(EMBEDDING[[4, 4]]))


def test_threads_find_every_row_that_they_ask_for_filled():
    kept, start = KeptTable(EMBEDDING, project), Barrier(8)
    whole = project(EMBEDDING)

    def work(seed):
        start.wait()
        for ids in np.random.default_rng(seed).integers(0, 30, (50, 4)):
            table, rows = kept(ids)
            np.testing.assert_array_equal(table[:, rows], whole[:, ids])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
