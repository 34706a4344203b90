"""Settings: every wrong key, type and value is one line that names it and the way out."""

from dataclasses import fields

import pytest

from sentiment_lstm.errors import SettingsError
from sentiment_lstm.settings import ModelSettings, TextSettings, TrainSettings, parse_section


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (TrainSettings, {"epoch": 3}, r"unknown key x\.epoch: did you mean 'epochs'\?"),
        (TrainSettings, {"epochs": "3"}, r"x\.epochs is '3', a str: give a int"),
        (TrainSettings, {"epochs": True}, r"x\.epochs is True, a bool: give a int"),
        (TrainSettings, {"epochs": 0}, r"train\.epochs is 0: the least possible is 1"),
        (TrainSettings, {"learning_rate": float("nan")}, r"train\.learning_rate is nan"),
        (TrainSettings, {"optimizer": "adamm"}, r"'adamm': did you mean 'adam'\?"),
        (ModelSettings, {"directions": 3}, r"model\.directions is 3: the most possible is 2"),
        (ModelSettings, {"pooling": "max"}, r"x\.pooling is 'max', a str: give a list"),
        (ModelSettings, {"pooling": ["max", "max"]}, r"model\.pooling is \['max', 'max'\]"),
        (ModelSettings, {"pooling": []}, r"model\.pooling is \[\]"),
        (ModelSettings, {"pooling": ["maxx"]}, r"did you mean 'max'\?"),
        (TextSettings, {"max_tokens": 10, "head_tokens": 11}, r"text\.head_tokens is 11"),
    ],
)
def test_what_cannot_be_is_named_in_one_line(kind, values, message):
    with pytest.raises(SettingsError, match=message) as error:
        parse_section(kind, "x", values)
    assert "\n" not in str(error.value)


def test_an_integer_will_do_for_a_real_number_and_a_list_for_a_tuple():
    assert parse_section(TrainSettings, "train", {"learning_rate": 1}).learning_rate == 1.0
    assert parse_section(ModelSettings, "model", {"pooling": ["last"]}).pooling == ("last",)


@pytest.mark.parametrize("kind", [TextSettings, ModelSettings, TrainSettings])
def test_every_key_is_explained(kind):
    assert all(f.metadata["help"] for f in fields(kind))
