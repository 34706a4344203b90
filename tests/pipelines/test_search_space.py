"""Ranges of a search: what is read, what is refused, and what lies in them."""

import random
from dataclasses import fields

import pytest

from pipelines import config
from pipelines.search_space import (
    DEFAULT,
    KINDS,
    SECTIONS,
    SHARED,
    Range,
    default_space,
    parse_range,
)
from sentiment_lstm.errors import SettingsError
from sentiment_lstm.settings import ModelSettings, TrainSettings


def refused(key, table):
    with pytest.raises(SettingsError) as caught:
        parse_range(key, table)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("key", "table", "expected"),
    [
        ("train.learning_rate", {"low": 1e-4, "high": 1, "log": True}, (1e-4, 1.0, None, True)),
        ("model.dropout", {"low": 0, "high": 0.6}, (0.0, 0.6, None, False)),
        ("model.dropout", {"low": 0.1, "high": 0.7, "step": 0.2}, (0.1, 0.7, 0.2, False)),
        ("model.units", {"low": 8, "high": 64, "step": 8}, (8, 64, 8, False)),
        ("train.epochs", {"low": 1, "high": 9, "log": True}, (1, 9, None, True)),
    ],
)
def test_a_range_between_two_ends_has_the_type_of_its_key(key, table, expected):
    found = parse_range(key, table)
    assert (found.low, found.high, found.step, found.log) == expected
    assert type(found.low) is type(found.high) is KINDS[key]
    assert found.choices == ()


@pytest.mark.parametrize(
    ("key", "choices", "expected"),
    [
        ("model.units", [16, 64], (16, 64)),
        ("model.dropout", [0, 0.5], (0.0, 0.5)),
        ("train.optimizer", ["adam", "sgd"], ("adam", "sgd")),
        ("train.tensorboard", [False, True], (False, True)),
        ("model.pooling", [["max"], ["mean", "last"]], (("max",), ("mean", "last"))),
    ],
)
def test_choices_are_those_of_the_key(key, choices, expected):
    assert parse_range(key, {"choices": choices}).choices == expected


@pytest.mark.parametrize(
    ("key", "table", "parts"),
    [
        ("train.lerning_rate", {"low": 1, "high": 2}, ["did you mean 'train.learning_rate'"]),
        ("trian.epochs", {"low": 1, "high": 2}, ["did you mean 'train.epochs'"]),
        ("text.max_tokens", {"low": 1, "high": 2}, ["text.max_tokens", "model and train"]),
        ("pretrain.epochs", {"low": 1, "high": 2}, ["pretrain.epochs", "model and train"]),
        ("train.backend", {"choices": ["jax", "torch"]}, ["train.backend", "one process"]),
        ("train.epochs", 3, ["train.epochs", "3", "low", "choices"]),
        ("train.epochs", {"low": 1, "hihg": 2}, ["'hihg'", "'high'"]),
        ("train.epochs", {"low": 1}, ["train.epochs", "no high"]),
        ("train.epochs", {"high": 1}, ["train.epochs", "no low"]),
        ("train.epochs", {}, ["no low"]),
        ("train.epochs", {"low": 5, "high": 5}, ["5 to 5", "less than"]),
        ("train.epochs", {"low": 5, "high": 3}, ["5 to 3", "less than"]),
        ("train.epochs", {"low": 0, "high": 3}, ["train.epochs is 0", "least possible is 1"]),
        ("train.epochs", {"low": 1.5, "high": 3}, ["train.epochs is 1.5", "int"]),
        ("train.epochs", {"low": True, "high": 3}, ["train.epochs is True", "int"]),
        ("train.epochs", {"low": 1, "high": "3"}, ["train.epochs is '3'", "int"]),
        ("model.dropout", {"low": 0, "high": 1}, ["model.dropout is 1.0", "0.99"]),
        ("train.clip_norm", {"low": 0, "high": float("inf")}, ["inf", "finite"]),
        ("train.clip_norm", {"low": 0, "high": float("nan")}, ["nan"]),
        ("train.optimizer", {"low": 0, "high": 1}, ["train.optimizer", "choices"]),
        ("train.tensorboard", {"low": 0, "high": 1}, ["train.tensorboard", "choices"]),
        ("train.epochs", {"low": 1, "high": 9, "step": 0}, ["step 0", "whole number"]),
        ("train.epochs", {"low": 1, "high": 9, "step": 1.0}, ["step 1.0", "whole number"]),
        ("train.epochs", {"low": 1, "high": 9, "step": 3}, ["high 9", "7 would do"]),
        ("train.epochs", {"low": 1, "high": 3, "step": 9}, ["high 3", "10 would do"]),
        ("model.dropout", {"low": 0, "high": 0.5, "step": 0.2}, ["high 0.5", "0.4 would do"]),
        ("model.dropout", {"low": 0, "high": 0.5, "step": -0.1}, ["step -0.1"]),
        ("model.dropout", {"low": 0, "high": 0.5, "log": True}, ["low 0.0", "above 0"]),
        ("model.dropout", {"low": 0.1, "high": 0.5, "log": 1}, ["log 1", "true or false"]),
        ("model.dropout", {"low": 0.1, "high": 0.5, "log": True, "step": 0.1}, ["log and step"]),
        ("model.units", {"choices": [4, 8], "low": 1}, ["choices and low"]),
        ("model.units", {"choices": 4}, ["choices 4", "list"]),
        ("model.units", {"choices": [4]}, ["[4]", "two values"]),
        ("model.units", {"choices": [4, 4]}, ["[4, 4]", "once"]),
        ("model.dropout", {"choices": [0, 0.0]}, ["[0, 0.0]", "once"]),
        ("model.units", {"choices": [4, 0]}, ["model.units is 0"]),
        ("train.optimizer", {"choices": ["adam", "sdg"]}, ["'sdg'", "'sgd'"]),
        ("model.pooling", {"choices": ["max", "mean"]}, ["model.pooling is 'max'", "list"]),
        ("model.pooling", {"choices": [["max"], ["max", "max"]]}, ["model.pooling", "most once"]),
    ],
)
def test_an_impossible_range_is_refused_in_one_line_with_the_way_out(key, table, parts):
    message = refused(key, table)
    assert all(part in message for part in parts), message


def test_every_section_is_searched_or_shared():
    assert {*SECTIONS, *SHARED, "tune"} == set(config.SECTIONS)
    keys = {f"{s}.{f.name}" for s, kind in SECTIONS.items() for f in fields(kind)}
    assert keys - KINDS.keys() == {"train.backend"}


def test_a_range_holds_its_ends_and_what_lies_between():
    units = Range("model.units", low=8, high=64, step=8)
    assert [n for n in range(80) if units.holds(n)] == [8, 16, 24, 32, 40, 48, 56, 64]
    dropout = Range("model.dropout", low=0.1, high=0.7, step=0.2)
    assert [x for x in (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9) if dropout.holds(x)] == [
        0.1,
        0.3,
        0.5,
        0.7,
    ]
    assert not Range("model.units", choices=(16, 64)).holds(32)
    assert Range("model.pooling", choices=(("max",), ("mean",))).holds(("mean",))


def test_a_range_is_widened_as_far_as_it_must_be():
    rate = Range("train.learning_rate", low=1e-4, high=1e-2, log=True)
    assert rate.holding(1e-5) == Range("train.learning_rate", low=1e-5, high=1e-2, log=True)
    assert rate.holding(1e-3) == rate
    assert rate.holding(0.5) == Range("train.learning_rate", low=1e-4, high=0.5, log=True)
    assert Range("model.units", choices=(16, 64)).holding(32).choices == (16, 32, 64)


def test_the_usual_space_holds_the_own_values_and_leaves_out_what_is_given():
    generator = random.Random(5)
    own = {f"model.{f.name}": getattr(ModelSettings(), f.name) for f in fields(ModelSettings)}
    own |= {f"train.{f.name}": getattr(TrainSettings(), f.name) for f in fields(TrainSettings)}
    own |= {"model.units": generator.randrange(1, 16), "train.learning_rate": 1e-7}
    space = default_space(own)
    assert [r.key for r in space] == [r.key for r in DEFAULT]
    assert all(r.holds(own[r.key]) for r in space)
    left = {r.key for r in default_space(own, ("model.units",))}
    assert left == {r.key for r in DEFAULT} - {"model.units"}


@pytest.mark.parametrize("tried", DEFAULT, ids=lambda tried: tried.key)
def test_the_usual_ranges_are_ones_that_a_recipe_could_write(tried):
    assert parse_range(tried.key, tried.written()) == tried
