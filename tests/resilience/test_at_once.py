"""Two commands on one run directory, once."""

from tests.resilience import at_once


def test_of_two_commands_one_works_and_what_a_killed_one_leaves_keeps_nobody_out(workshop):
    tallies = list(at_once.run(workshop, times=1))
    assert [tally.tried for tally in tallies] == [1, 1]
    assert [lost for tally in tallies for lost in tally.lost] == []
