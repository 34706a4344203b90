"""The table."""

from tests.resilience.tally import Tally, table


def test_what_was_lost_is_counted_and_told():
    tally = Tally("idea", "case")
    for number in range(1200):
        tally.count(str(number), "went wrong" if number == 7 else "")
    assert tally.lost == ["7: went wrong"]
    assert list(table([tally]))[-1] == "| idea | case | 1,200 | 1,199 | 1 |"
