from threading import Thread

import pytest
from threadpoolctl import ThreadpoolController

from sentiment_lstm.parallel import cores, one_blas_thread, parallel_map


def numpy_threads():
    libraries = ThreadpoolController().select(user_api="blas").info()
    return [lib["num_threads"] for lib in libraries if "numpy.libs" in lib["filepath"]]


def test_results_keep_the_order_of_the_items():
    assert parallel_map(lambda x: x * x, range(50)) == [x * x for x in range(50)]
    assert parallel_map(str, []) == []


def test_an_error_in_a_thread_reaches_the_caller():
    with pytest.raises(ZeroDivisionError):
        parallel_map(lambda x: 1 // x, [1, 0, 2])


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
