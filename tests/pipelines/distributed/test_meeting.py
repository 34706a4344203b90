"""Where processes meet: sums in the order of ranks, whoever comes first."""

import asyncio

import numpy as np

from pipelines.distributed.meeting import Meeting, added


def test_every_process_gets_the_sum_in_the_order_of_ranks():
    draw = np.random.default_rng(0)
    parts = [draw.normal(size=100).astype(np.float32) * 10**rank for rank in range(3)]
    wanted = parts[0] + parts[1] + parts[2]
    assert not np.array_equal(wanted, parts[2] + parts[1] + parts[0])

    async def meet():
        meeting = Meeting(3)
        return await asyncio.gather(*(meeting.summed(1, rank, parts[rank]) for rank in (2, 0, 1)))

    for found in asyncio.run(meet()):
        np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(added(parts), wanted)


def test_turns_do_not_mix():
    async def meet():
        meeting = Meeting(2)
        late = asyncio.gather(meeting.gathered(1, 0, "a"), meeting.gathered(2, 0, "c"))
        await asyncio.sleep(0)
        return await meeting.gathered(2, 1, "d"), await meeting.gathered(1, 1, "b"), await late

    assert asyncio.run(meet()) == (["c", "d"], ["a", "b"], [["a", "b"], ["c", "d"]])


def test_news_is_told_once():
    async def tell():
        meeting = Meeting(1)
        await meeting.tell("one")
        await meeting.tell("two")
        return await meeting.told(), await meeting.told()

    assert asyncio.run(tell()) == (["one", "two"], [])
