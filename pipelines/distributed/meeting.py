"""Where the processes of a group meet: sums and messages that all of them get, bit for bit alike.

The terms of a sum are added in the order of ranks, whoever comes first, and every process gets the
very bytes. A sum is cut into parts, one for each of several meetings, so that no process handles
more of it than one that trains does.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass
class _Turn:
    """What was given so far to one sum or message, and what it will come to."""

    answer: "asyncio.Future[Any]"
    given: dict[int, Any] = field(default_factory=dict)


class Meeting:
    """An actor that waits for every process of a group, and answers to all at once.

    Args:
        size: processes of the group.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._turns: dict[int, _Turn] = {}
        self._news: list[Any] = []

    async def summed(self, turn: int, rank: int, part: NDArray[np.float32]) -> Any:
        """Return the sum of what all processes give in a turn, added in the order of ranks."""
        return await self._met(turn, rank, part, added)

    async def gathered(self, turn: int, rank: int, value: Any) -> Any:
        """Return what all processes give in a turn, in the order of ranks."""
        return await self._met(turn, rank, value, list)

    async def _met(self, turn: int, rank: int, value: Any, ended: Any) -> Any:
        loop = asyncio.get_running_loop()
        one = self._turns.setdefault(turn, _Turn(loop.create_future()))
        one.given[rank] = value
        if len(one.given) == self._size:
            del self._turns[turn]
            one.answer.set_result(ended([one.given[r] for r in range(self._size)]))
        return await one.answer

    async def tell(self, news: Any) -> None:
        """Keep a message for whoever watches the training."""
        self._news.append(news)

    async def told(self) -> list[Any]:
        """Return the messages that nobody has seen yet."""
        news, self._news = self._news, []
        return news


def added(parts: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the sum of arrays, added in their order."""
    return reduce(np.add, parts)


@dataclass
class RayGroup:
    """A process's view of its group; see `sentiment_lstm.groups.Group`.

    Attributes:
        rank: number of this process.
        size: processes of the group.
        meetings: actors that are each a `Meeting` of this group.
        turn: sums and messages so far.
    """

    rank: int
    size: int
    meetings: Sequence[Any]
    turn: int = 0

    def summed(self, arrays: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Return the sums of arrays over all processes."""
        import ray

        flat = np.concatenate([array.ravel() for array in arrays])
        parts = np.array_split(flat, len(self.meetings))
        self.turn += 1
        sums = np.concatenate(ray.get([
            meeting.summed.remote(self.turn, self.rank, part)
            for meeting, part in zip(self.meetings, parts, strict=True)
        ]))  # fmt: skip
        ends = np.cumsum([array.size for array in arrays])[:-1]
        cut = np.split(sums, ends)
        return [part.reshape(array.shape) for part, array in zip(cut, arrays, strict=True)]

    def gathered(self, value: Any) -> list[Any]:
        """Return what every process gave."""
        import ray

        self.turn += 1
        found: list[Any] = ray.get(self.meetings[0].gathered.remote(self.turn, self.rank, value))
        return found
