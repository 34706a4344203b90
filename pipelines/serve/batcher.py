"""Requests that arrive together are answered together.

One thread takes whatever waits, up to a limit, and answers it in one call. While it works, more
gathers: so batches grow with the load by themselves, and nobody waits for a batch to fill.
"""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Condition, Thread
from typing import Generic, NamedTuple, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Full(Exception):  # noqa: N818 - nothing is wrong
    """As much waits as may wait."""


class Closed(Exception):  # noqa: N818 - nothing is wrong
    """No more is taken."""


class _Job(NamedTuple, Generic[Item, Result]):
    items: Sequence[Item]
    answer: "Future[list[Result]]"


class Batcher(Generic[Item, Result]):
    """A queue of jobs and the one thread that answers them.

    Args:
        run: returns a result for each item, in order.
        batch: items that `run` is given together at most, unless one job has more.
        waiting: items that may wait.
        name: of the thread.
    """

    def __init__(
        self, run: Callable[[list[Item]], list[Result]], *, batch: int, waiting: int, name: str
    ) -> None:
        self._run, self._batch, self._room = run, batch, waiting
        self._jobs: deque[_Job[Item, Result]] = deque()
        self._waiting = 0
        self._closed = False
        self._changed = Condition()
        self._thread = Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many items wait."""
        return self._waiting

    @property
    def alive(self) -> bool:
        """Whether jobs are taken and answered."""
        return self._thread.is_alive() and not self._closed

    def submit(self, items: Sequence[Item]) -> "Future[list[Result]]":
        """Have items answered; the future may be cancelled while they wait.

        Raises:
            Full: if they are more than may still wait.
            Closed: after `close`.
        """
        with self._changed:
            if self._closed:
                raise Closed
            if self._waiting + len(items) > self._room:
                raise Full(self._waiting)
            job = _Job[Item, Result](items, Future())
            self._jobs.append(job)
            self._waiting += len(items)
            self._changed.notify()
        return job.answer

    def close(self) -> None:
        """Take no more, and return when all that waits is answered."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while jobs := self._taken():
            self._answer([job for job in jobs if job.answer.set_running_or_notify_cancel()])

    def _taken(self) -> list[_Job[Item, Result]]:
        """Wait for jobs and take those that fit in one batch; none if there will be no more."""
        taken: list[_Job[Item, Result]] = []
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._closed)
            size = 0
            while self._jobs and (not taken or size + len(self._jobs[0].items) <= self._batch):
                taken.append(self._jobs.popleft())
                size += len(taken[-1].items)
            self._waiting -= size
        return taken

    def _answer(self, jobs: Sequence[_Job[Item, Result]]) -> None:
        """Answer jobs by one call; where it fails, each alone, so that one harms no other."""
        if not jobs:
            return
        try:
            results = self._run([item for job in jobs for item in job.items])
        except Exception as error:
            if len(jobs) == 1:
                jobs[0].answer.set_exception(error)
                return
            for job in jobs:
                self._answer([job])
            return
        rest = iter(results)
        for job in jobs:
            job.answer.set_result([next(rest) for _ in job.items])
