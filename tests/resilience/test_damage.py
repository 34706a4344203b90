"""Damaged artifacts, a few of each."""

import pytest

from tests.resilience import damage


def test_harms_are_of_so_many_kinds_and_never_the_file_itself():
    data = bytes(range(200))
    harms = dict(damage.harms(data, 20, 50, seed=1))
    assert len(harms) == 70
    assert data not in harms.values()
    assert min(len(harmed) for harmed in harms.values()) == 0
    turned = [harmed for case, harmed in harms.items() if case.startswith("bit")]
    assert all(sum(map(int.__ne__, harmed, data)) == 1 for harmed in turned)


@pytest.mark.parametrize("name", ["bundle", "checkpoint", "language model", "run", "SavedModel"])
def test_every_file_of_every_artifact_is_refused_unread(workshop, name):
    tallies = list(damage.run(workshop, cuts=2, flips=4, only=name))
    assert sum(tally.tried for tally in tallies) >= 12
    assert [lost for tally in tallies for lost in tally.lost] == []
