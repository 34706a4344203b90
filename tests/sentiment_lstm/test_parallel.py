import os
import warnings
from threading import Barrier, Thread, get_ident
from time import sleep

import pytest
from threadpoolctl import ThreadpoolController

from sentiment_lstm.parallel import cores, one_blas_thread, parallel_map, use_cores


def numpy_threads():
    libraries = ThreadpoolController().select(user_api="blas").info()
    return [lib["num_threads"] for lib in libraries if "numpy.libs" in lib["filepath"]]


def test_results_keep_the_order_of_the_items():
    assert parallel_map(lambda x: x * x, range(50)) == [x * x for x in range(50)]
    assert parallel_map(str, []) == []


def test_an_error_in_a_thread_reaches_the_caller():
    with pytest.raises(ZeroDivisionError):
        parallel_map(lambda x: 1 // x, [1, 0, 2])


def test_the_caller_is_one_of_as_many_threads_as_there_are_cores(monkeypatch):
    monkeypatch.setattr("sentiment_lstm.parallel.cores", lambda: 3)
    together = Barrier(3)

    def work(_):
        together.wait(timeout=30)  # passes when three threads are at work at once
        return get_ident()

    threads = set(parallel_map(work, range(3)))
    assert len(threads) == 3
    assert get_ident() in threads


@pytest.mark.parametrize("failing", ["the caller", "another"])
def test_after_an_error_no_more_is_begun_and_what_was_begun_ends(monkeypatch, failing):
    monkeypatch.setattr("sentiment_lstm.parallel.cores", lambda: 2)
    together, ended = Barrier(2), []

    def work(item):
        if item > 1:
            return ended.append(item)
        together.wait(timeout=30)
        if (get_ident() == caller) == (failing == "the caller"):
            raise KeyError(item)
        sleep(0.2)
        return ended.append(item)

    caller = get_ident()
    with pytest.raises(KeyError):
        parallel_map(work, range(100))
    assert len(ended) == 1
    assert ended[0] in (0, 1)


def test_work_inside_work_and_beside_work_ends(monkeypatch):
    monkeypatch.setattr("sentiment_lstm.parallel.cores", lambda: 2)

    def outer(item):
        return sum(parallel_map(lambda x: x * item, range(5)))

    def many():
        found.append(parallel_map(outer, range(40)))

    found = []
    callers = [Thread(target=many, daemon=True) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(timeout=60)
    assert found == [[10 * item for item in range(40)]] * 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_has_threads_of_its_own(monkeypatch):
    monkeypatch.setattr("sentiment_lstm.parallel.cores", lambda: 2)
    together = Barrier(2)

    def work(_):
        together.wait(timeout=10)
        return get_ident()

    assert len(set(parallel_map(work, range(2)))) == 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads
        child = os.fork()
    if child == 0:
        os._exit(0 if len(set(parallel_map(work, range(2)))) == 2 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.skipif(not numpy_threads(), reason="numpy comes without a BLAS library of its own")
def test_work_runs_with_one_blas_thread_and_the_old_number_comes_back():
    with ThreadpoolController().limit(limits=3, user_api="blas"):
        assert set(numpy_threads()) == {3}
        inside = parallel_map(lambda _: numpy_threads(), [1, 2])
        assert set().union(*inside) == {1}
        with one_blas_thread(), one_blas_thread():
            assert set(numpy_threads()) == {1}
        assert set(numpy_threads()) == {3}


def test_there_is_a_core():
    assert cores() >= 1


@pytest.mark.skipif(not numpy_threads(), reason="numpy comes without a BLAS library of its own")
def test_blocks_that_overlap_in_time_hold_until_the_last_ends():
    with ThreadpoolController().limit(limits=3, user_api="blas"):
        first, second = one_blas_thread(), one_blas_thread()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert set(numpy_threads()) == {1}
        second.__exit__(None, None, None)
        assert set(numpy_threads()) == {3}


@pytest.mark.skipif(not numpy_threads(), reason="numpy comes without a BLAS library of its own")
def test_any_thread_can_hold_it_while_the_one_that_did_before_lives():
    seen = []

    def other():
        with one_blas_thread():
            seen.append(set(numpy_threads()))
        seen.append(set(numpy_threads()))

    with ThreadpoolController().limit(limits=3, user_api="blas"):
        with one_blas_thread():
            pass
        thread = Thread(target=other)
        thread.start()
        thread.join()
    assert seen == [{1}, {3}]


def test_a_process_uses_no_more_cores_than_it_is_told(monkeypatch):
    monkeypatch.setattr("sentiment_lstm.parallel._most", 10**6)  # to be put back
    before = cores()
    use_cores(1)
    assert cores() == 1
    use_cores(10**6)
    assert cores() == before
