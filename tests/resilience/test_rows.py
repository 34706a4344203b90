"""Files with bad rows, a few of each kind."""

import csv
import io

import numpy as np
import pytest

from tests.resilience import rows


@pytest.mark.parametrize("kind", sorted(rows.BAD))
def test_what_is_made_has_its_bad_rows_where_it_says(kind):
    file = rows.made(kind, np.random.default_rng(0), 30, b"\n", b"")
    lines = file.content.split(b"\n")
    header = kind in rows.DELIMITERS
    assert len(file.bad) == 30
    assert len(file.texts) == 31
    assert len(lines) == header + 30 + 31 + 1
    good = [line for n, line in enumerate(lines, 1) if n not in file.bad][header:-1]
    if header:
        read = csv.reader(io.StringIO(b"\n".join(good).decode()), delimiter=rows.DELIMITERS[kind])
        assert [row[1] for row in read] == file.texts


def test_every_row_comes_out_or_is_rejected_by_its_line(workshop):
    tallies = list(rows.run(workshop, bad=160))
    assert [lost for tally in tallies for lost in tally.lost] == []
    assert [tally.tried for tally in tallies] == [40, 40, 40, 40, 4, 160]
