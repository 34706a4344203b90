"""Every hostile thing once: the short form is the long one."""

from tests.resilience import hostile


def test_every_hostile_model_is_refused_and_does_nothing(workshop):
    tallies = list(hostile.run(workshop))
    assert [lost for tally in tallies for lost in tally.lost] == []
    assert sum(tally.tried for tally in tallies) > 80
    assert {"pickle", "links", "header and shape bombs"} <= {tally.name for tally in tallies}
