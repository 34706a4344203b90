"""The queue of work: what waits is taken together, and nobody gets another's answer."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from pipelines.serve.batcher import Batcher, Closed, Full


class Gate:
    """Work that stands still until it is let go, and remembers what it was given together."""

    def __init__(self):
        self.batches, self.began, self.go = [], Event(), Event()

    def __call__(self, items):
        self.began.set()
        self.go.wait()
        self.batches.append(list(items))
        return [f"<{item}>" for item in items]


@pytest.fixture
def gate():
    return Gate()


@pytest.fixture
def batcher(gate):
    made = Batcher(gate, batch=4, waiting=6, name="test")
    yield made
    gate.go.set()
    made.close()


def held(batcher, gate):
    """Submit one item and wait until it is being worked on."""
    future = batcher.submit(["first"])
    gate.began.wait()
    return future


def test_what_waits_is_taken_together_up_to_the_limit(batcher, gate):
    futures = [held(batcher, gate), *(batcher.submit([n]) for n in range(6))]
    gate.go.set()
    assert [future.result() for future in futures] == [["<first>"], *([f"<{n}>"] for n in range(6))]
    assert gate.batches == [["first"], [0, 1, 2, 3], [4, 5]]


def test_a_job_is_never_parted(batcher, gate):
    held(batcher, gate)
    futures = [batcher.submit([1, 2, 3]), batcher.submit([4, 5])]
    gate.go.set()
    assert [future.result() for future in futures] == [["<1>", "<2>", "<3>"], ["<4>", "<5>"]]
    assert gate.batches[1:] == [[1, 2, 3], [4, 5]]


def test_a_job_larger_than_a_batch_goes_alone(batcher, gate):
    held(batcher, gate)
    future = batcher.submit(range(6))
    gate.go.set()
    assert len(future.result()) == 6
    assert gate.batches[1] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(("waiting", "more", "fits"), [(5, 1, True), (6, 1, False), (4, 3, False)])
def test_no_more_waits_than_may(batcher, gate, waiting, more, fits):
    held(batcher, gate)
    for n in range(waiting):
        batcher.submit([n])
    if fits:
        batcher.submit(range(more))
        assert batcher.waiting == waiting + more
    else:
        with pytest.raises(Full):
            batcher.submit(range(more))
        assert batcher.waiting == waiting


def test_what_is_cancelled_while_it_waits_is_not_worked_on(batcher, gate):
    held(batcher, gate)
    gone, stays = batcher.submit(["gone"]), batcher.submit(["stays"])
    assert gone.cancel()
    gate.go.set()
    assert stays.result() == ["<stays>"]
    assert gate.batches[1:] == [["stays"]]
    assert batcher.waiting == 0


def test_closing_answers_what_waits_and_takes_no_more(batcher, gate):
    futures = [held(batcher, gate), batcher.submit(["last"])]
    with ThreadPoolExecutor(1) as pool:
        closing = pool.submit(batcher.close)
        while batcher.alive:
            pass
        gate.go.set()
        closing.result()
    assert [future.result() for future in futures] == [["<first>"], ["<last>"]]
    with pytest.raises(Closed):
        batcher.submit(["late"])


def test_one_that_fails_harms_no_other():
    began, go = Event(), Event()

    def work(items):
        began.set()
        go.wait()
        return [1 / item for item in items]

    batcher = Batcher(work, batch=4, waiting=8, name="test")
    first = batcher.submit([1])
    began.wait()
    futures = [batcher.submit([n]) for n in (2, 0, 4)]
    go.set()
    assert first.result() == [1]
    assert [futures[0].result(), futures[2].result()] == [[0.5], [0.25]]
    with pytest.raises(ZeroDivisionError):
        futures[1].result()
    assert batcher.alive
    batcher.close()


def test_many_threads_get_their_own_answers():
    batcher = Batcher(lambda items: [-n for n in items], batch=16, waiting=10_000, name="test")
    with ThreadPoolExecutor(16) as pool:
        jobs = [[n, n + 1] for n in range(0, 2000, 2)]
        answers = list(pool.map(lambda job: batcher.submit(job).result(), jobs))
    batcher.close()
    assert answers == [[-a, -b] for a, b in jobs]
