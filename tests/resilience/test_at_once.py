"""Two commands on one run directory, once."""

from tests.resilience import at_once


def test_of_two_commands_one_works_and_what_a_killed_one_leaves_keeps_nobody_out(workshop):
    contest, stale, read = at_once.run(workshop, times=1)
    assert (contest.tried, stale.tried) == (1, 1)
    assert read.tried > 1
    assert contest.lost + stale.lost + read.lost == []
