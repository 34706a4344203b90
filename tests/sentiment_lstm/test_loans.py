"""Memory lent, given back and lent again."""

import gc

import numpy as np

from sentiment_lstm.loans import Loans


def address(array):
    return array.__array_interface__["data"][0]


def test_memory_comes_back_when_nothing_refers_to_it():
    loans = Loans()
    first = loans.array(30, 40)
    where = address(first)
    del first
    gc.collect()
    assert address(loans.array(20, 5, 2)) == where


def test_a_view_keeps_its_memory():
    loans = Loans()
    part = loans.array(30, 40)[3:5, ::2]
    part[...] = 7
    for _ in range(3):
        loans.array(30, 40)[...] = 1
    assert (part == 7).all()


def test_two_arrays_never_share_memory():
    loans = Loans()
    arrays = [loans.array(n, n) for n in (5, 3, 8, 5)]
    for value, array in enumerate(arrays):
        array[...] = value
    assert [set(array.ravel()) for array in arrays] == [{0.0}, {1.0}, {2.0}, {3.0}]


def test_what_is_too_small_is_given_up_for_what_is_large_enough():
    loans = Loans()
    for size in range(1, 50):
        loans.array(size, 100)
    assert len(loans._free) == 1


def test_an_array_of_nothing_can_be_had():
    array = Loans().array(3, 0, 2)
    assert array.shape == (3, 0, 2)
    assert array.dtype == np.float32


def test_memory_starts_where_tensorflow_takes_it_without_a_copy():
    loans = Loans()
    arrays = [loans.array(n) for n in range(1, 2000, 37)]
    assert {address(array) % 64 for array in arrays} == {0}
