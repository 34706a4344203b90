"""Kills of each command, a few; of export, which takes long to verify itself, none."""

from tests.resilience import killed


def test_what_was_killed_goes_on_or_is_made_again_and_is_never_half(workshop):
    short = {"trained": 2, "writing": 1, "others": 1}
    names = ("preprocess", "evaluate", "classify")
    tallies = list(killed.run(workshop, **short, names=names))
    assert [lost for tally in tallies for lost in tally.lost] == []
    assert sum(tally.tried for tally in tallies[:4]) >= 2  # the others had ended before
    assert sum(tally.tried for tally in tallies[4:]) >= 1
