"""A disk without a byte left, for each command, and every other hindrance once."""

from tests.resilience import disk


def test_what_cannot_be_written_or_read_is_told_in_a_line_and_harms_nothing(workshop):
    tallies = list(disk.run(workshop, sizes=[0]))
    assert [lost for tally in tallies for lost in tally.lost] == []
    absent, forbidden, *mounted = tallies
    assert absent.tried == 20
    assert forbidden.tried == 6
    assert [tally.tried for tally in mounted] in ([1, 1, 1, 1, 1, 1, 6], [0])  # or no mount allowed
