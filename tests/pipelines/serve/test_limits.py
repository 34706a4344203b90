"""The limits: what cannot be asked for."""

import pytest

from pipelines.serve.limits import Limits
from sentiment_lstm.errors import SettingsError


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"texts": 9, "waiting": 8}, "--max-texts is 9, but no more than 8 may wait"),
        ({"explained": 3, "waiting_explained": 2}, "give --max-waiting-explained 3 or more"),
    ],
)
def test_a_request_that_could_never_be_taken_is_no_limit(changes, part):
    with pytest.raises(SettingsError, match=part):
        Limits(**changes)


def test_one_request_may_fill_the_queue():
    assert Limits(texts=8, waiting=8).texts == 8
