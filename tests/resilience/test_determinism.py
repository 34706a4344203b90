"""Everything made twice, under the backend that is always there."""

from tests.resilience import determinism


def test_what_is_made_twice_is_the_same_bit_for_bit_or_within_rounding(workshop):
    tallies = list(determinism.run(workshop, backends=["tensorflow"], stages=["train"], texts=50))
    assert [lost for tally in tallies for lost in tally.lost] == []
    assert [tally.tried for tally in tallies] == [1, 1, 1, 1, 50, 60]


def test_a_difference_is_told_by_the_name_of_the_file():
    tally = determinism.same("x", lambda: {"a": "1", "b": "2"}, lambda: {"a": "1", "b": "3"})
    assert tally.lost == ["time 2: other than expected: b"]
