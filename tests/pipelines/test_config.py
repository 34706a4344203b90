"""Recipes: loading, overriding, refusing, writing down."""

import tomllib
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.config import SECTIONS, Recipe, dump, load_recipe, load_section, recipe_names
from sentiment_lstm.errors import SettingsError


def write(tmp_path, text, name="mine.toml"):
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return str(path)


def refused(*arguments):
    with pytest.raises(SettingsError) as caught:
        load_recipe(*arguments)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_every_shipped_recipe_loads_under_its_own_name():
    assert {"quickstart", "imdb-scratch"} <= set(recipe_names())
    assert [load_recipe(name).name for name in recipe_names()] == recipe_names()


def test_a_start_is_shared_only_where_there_is_one():
    given = ["train.start_share=0.5"]
    assert "model.from_model names no classifier" in refused("quickstart", given)
    both = ["model.from_model=imdb-tiny", *given]
    assert load_recipe("quickstart", both).train.start_share == 0.5


def test_quickstart_needs_no_network():
    assert load_recipe("quickstart").data.source == "demo"


def test_keys_that_a_file_leaves_out_have_their_defaults(tmp_path):
    recipe = load_recipe(write(tmp_path, "[train]\nepochs = 9\n"))
    assert recipe.train.epochs == 9
    assert recipe.train.batch_size == Recipe("x").train.batch_size
    assert recipe.model == Recipe("x").model


def test_a_recipe_is_named_by_its_file_or_by_itself(tmp_path):
    assert load_recipe(write(tmp_path, "")).name == "mine"
    assert load_recipe(write(tmp_path, 'name = "other"\n')).name == "other"


@pytest.mark.parametrize("name", ['""', '"a/b"', '".."', "3"])
def test_a_name_that_no_directory_can_have_is_refused(tmp_path, name):
    assert "name is" in refused(write(tmp_path, f"name = {name}\n"))


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("train.epochs=3", 3),
        ("train.epochs = 3 ", 3),
        ("train.learning_rate=1", 1.0),
        ("train.learning_rate=5e-4", 5e-4),
        ("train.tensorboard=true", True),
        ("data.dir=/some/where", "/some/where"),
        ('data.dir="in quotes"', "in quotes"),
        ("data.text=2020", "2020"),
        ("data.text=true", "true"),
        ("data.text=2020-01-01", "2020-01-01"),
        ("data.dir=a = b", "a = b"),
        ("data.dir=", ""),
        ('model.pooling=["last", "max"]', ("last", "max")),
    ],
)
def test_an_override_is_read_as_its_key_wants_it(override, expected):
    recipe = load_recipe("quickstart", [override])
    section, key = override.partition("=")[0].strip().split(".")
    assert getattr(getattr(recipe, section), key) == expected


def test_the_last_override_of_a_key_counts():
    overrides = ["train.epochs=3", "train.epochs=4"]
    assert load_recipe("quickstart", overrides).train.epochs == 4


def test_an_override_cannot_smuggle_in_a_second_key():
    assert load_recipe("quickstart", ["data.dir=1\n[train]\nepochs=99"]).train.epochs != 99
    assert "train.epochs" in refused("quickstart", ["train.epochs=2\n[model]\nunits=3"])


@pytest.mark.parametrize(
    ("override", "parts"),
    [
        ("train.epohcs=3", ["train.epohcs", "'epochs'"]),
        ("trian.epochs=3", ["'trian'", "'train'"]),
        ("train.epochs=many", ["train.epochs", "'many'", "int"]),
        ("train.epochs=0", ["train.epochs", "0", "1"]),
        ("train.epochs=1.5", ["train.epochs", "1.5", "int"]),
        ("train.backend=jaxx", ["train.backend", "'jaxx'", "'jax'"]),
        ("model.pooling=max", ["model.pooling", "'max'", "list"]),
        ("text.head_tokens=999", ["text.head_tokens", "999"]),
        ("export.version=0", ["export.version", "0"]),
        ("export.formats=['onxx']", ["'onxx'", "did you mean 'onnx'"]),
        ("export.formats=[]", ["export.formats", "at least one"]),
        ("export.formats=['onnx', 'onnx']", ["export.formats", "at most once"]),
        ("export.weights=int8", ["'int8'", "onnx alone", "--format onnx", "without savedmodel"]),
        ("evaluate.baseline=1", ["evaluate.baseline", "1", "bool"]),
        ("epochs=3", ["'epochs=3'", "section.key=value"]),
        ("train.epochs", ["'train.epochs'", "section.key=value"]),
        ("data.dir=\udcff", ["UTF-8"]),
    ],
)
def test_an_impossible_override_is_refused_with_its_value_and_the_way_out(override, parts):
    message = refused("quickstart", [override])
    assert all(part in message for part in parts), message


def test_an_unknown_recipe_is_answered_with_the_nearest_and_all():
    message = refused("quikstart")
    assert "did you mean 'quickstart'" in message
    assert "imdb-scratch" in message


def test_a_missing_recipe_file_is_named(tmp_path):
    assert "nowhere.toml" in refused(str(tmp_path / "nowhere.toml"))


def test_a_syntax_error_names_file_and_line(tmp_path):
    path = write(tmp_path, "[train]\nepochs = 3\nbatch_size 4\n")
    message = refused(path)
    assert path in message
    assert "line 3" in message


def test_a_file_nested_too_deeply_is_named(tmp_path):
    path = write(tmp_path, f"[data]\nlabels = {'[' * 5000}")
    assert path in refused(path)


def test_a_file_that_is_not_utf8_is_named(tmp_path):
    path = tmp_path / "latin.toml"
    path.write_bytes("name = 'é'\n".encode("latin-1"))
    assert str(path) in refused(str(path))


def test_an_unknown_section_and_a_key_outside_of_sections_are_refused(tmp_path):
    assert "'train'" in refused(write(tmp_path, "[trian]\nepochs = 3\n"))
    assert "'epochs'" in refused(write(tmp_path, "epochs = 3\n"))
    assert "[train]" in refused(write(tmp_path, "train = 3\n"))


finite = {"allow_nan": False, "allow_infinity": False}


@st.composite
def some_recipes(draw):
    """Recipes that differ from the defaults in values of every type."""
    words = st.text(st.characters(exclude_categories=["Cs"]))
    overrides = {
        "data": {"dir": draw(words), "labels": draw(st.just([]) | st.just(["a", 'b"\\\n']))},
        "train": {
            "epochs": draw(st.integers(1, 2**40)),
            "learning_rate": draw(st.floats(1e-8, 100, **finite)),
            "tensorboard": draw(st.booleans()),
        },
        "model": {"pooling": draw(st.sampled_from([["max"], ["mean", "last", "max"]]))},
        "export": {"version": draw(st.integers(1, 2**40))},
        "track": {"to": draw(st.sampled_from([[], ["mlflow", "tensorboard"]]))},
    }
    sections = {n: load_section(n, overrides.get(n, {}), []) for n in SECTIONS}
    return Recipe(draw(st.sampled_from(["a", "ü b"])), **sections)


@given(recipe=some_recipes())
def test_a_recipe_written_down_loads_to_the_same(recipe, tmp_path_factory):
    path = tmp_path_factory.mktemp("recipe") / "recipe.toml"
    path.write_bytes(dump(recipe).encode())
    assert load_recipe(str(path)) == recipe


def test_a_dump_spells_out_every_key():
    document = tomllib.loads(dump(load_recipe("quickstart")))
    for name, kind in SECTIONS.items():
        assert set(document[name]) == {f.name for f in fields(kind)} - {"space"}


def test_a_section_takes_only_overrides_of_its_own():
    settings = load_section("data", {"source": "demo"}, ["data.size=30"])
    assert (settings.source, settings.size) == ("demo", 30)
    with pytest.raises(SettingsError, match="train"):
        load_section("data", {}, ["train.epochs=3"])
