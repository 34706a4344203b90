"""The section [tune] of a recipe, as people write it."""

import re
import tomllib
from pathlib import Path

import pytest

from pipelines.config import dump, load_recipe
from pipelines.search_space import Range, names
from sentiment_lstm.errors import SettingsError

WRITTEN = """
[tune]
trials = 7
objective = "validation_accuracy"
"train.learning_rate" = { low = 1e-4, high = 3e-2, log = true }
model.units = { low = 8, high = 64, step = 8 }
"model.pooling" = { choices = [["max"], ["max", "mean"]] }
train.optimizer = { choices = ["adam", "sgd"] }
"""


@pytest.fixture
def load(tmp_path):
    """Return a function that loads a recipe of some text."""

    def written(text, *overrides):
        path = tmp_path / "mine.toml"
        path.write_text(text, "utf-8")
        return load_recipe(str(path), overrides)

    return written


def refused(load, text, *overrides):
    with pytest.raises(SettingsError) as caught:
        load(text, *overrides)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_ranges_stand_beside_the_keys_of_the_section_quoted_or_not(load):
    tune = load(WRITTEN).tune
    assert (tune.trials, tune.objective, tune.seed) == (7, "validation_accuracy", 0)
    assert set(tune.space) == {
        Range("train.learning_rate", low=1e-4, high=3e-2, log=True),
        Range("model.units", low=8, high=64, step=8),
        Range("model.pooling", choices=(("max",), ("max", "mean"))),
        Range("train.optimizer", choices=("adam", "sgd")),
    }


def test_the_section_in_the_readme_is_one(load):
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    (section,) = re.findall(r"^```toml\n(\[tune\]\n.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    assert len(load(section).tune.space) == 4


def test_a_search_written_down_loads_to_the_same(load):
    recipe = load(WRITTEN)
    assert load(dump(recipe)) == recipe
    keys = tomllib.loads(dump(recipe))["tune"].keys()
    assert keys == {"trials", "objective", "seed", "epochs", "pruning", *names(recipe.tune.space)}


def test_a_range_and_a_key_can_be_set_from_outside(load):
    recipe = load("", "tune.trials=3", "tune.model.dropout={low=0.1, high=0.5}")
    assert recipe.tune.trials == 3
    assert recipe.space == (Range("model.dropout", low=0.1, high=0.5),)


def test_without_ranges_the_usual_ones_are_searched(load):
    recipe = load("[model]\nunits = 5\n")
    assert "train.learning_rate" in names(recipe.space)
    assert next(r for r in recipe.space if r.key == "model.units").holds(5)
    assert recipe.tune.space == ()


@pytest.mark.parametrize(
    ("start", "given"),
    [
        ("[pretrain]\nepochs = 1\n", {"model.units", "model.embedding"}),
        ('[model]\nstart = "imdb"\n', {"model.units", "model.embedding"}),
        ('[model]\nfrom_model = "imdb"\n', {"model.units", "model.embedding"}),
        ('[model]\nembeddings = "vectors.txt"\n', {"model.embedding"}),
    ],
)
def test_sizes_that_weights_decide_are_not_searched(load, start, given):
    usual = set(names(load("").space))
    assert usual - set(names(load(start).space)) == given
    text = f'{start}[tune]\n"model.embedding" = {{ choices = [8, 16] }}\n'
    message = refused(load, text)
    assert "model.embedding" in message
    assert "weights of one size" in message


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[tune]\ntrails = 5\n", ["tune.trails", "'trials'"]),
        ("[tune]\nlearning_rate = { low = 1, high = 2 }\n", ["'train.learning_rate'"]),
        ("[tune]\ntrials = 0\n", ["tune.trials is 0"]),
        ("[tune]\npruning = 1\n", ["tune.pruning is 1", "bool"]),
        ('[tune]\nobjective = "loss"\n', ["tune.objective", "'loss'", "validation_loss"]),
        ("[tune]\ntrain.epohcs = { low = 1, high = 2 }\n", ["'train.epochs'"]),
        ("[tune]\ntext.max_tokens = { low = 1, high = 2 }\n", ["text.max_tokens"]),
        ("[tune]\nepochs = 2\ntrain.epochs = { low = 1, high = 2 }\n", ["tune.epochs is 2"]),
        (
            '[data]\nsource = "files"\ntrain = "x.csv"\ntask = "regression"\n'
            '[tune]\nobjective = "validation_accuracy"\n',
            ["validation_accuracy", "validation_loss"],
        ),
        (
            "[pretrain]\nepochs = 1\n[tune]\nmodel.embeddings = { choices = ['', 'x.txt'] }\n",
            ["model.embeddings is 'x.txt'", "pretrain.epochs is 1"],
        ),
    ],
)
def test_an_impossible_section_is_refused_in_one_line_with_the_way_out(load, text, parts):
    message = refused(load, text)
    assert all(part in message for part in parts), message


def test_space_is_no_key_of_its_own(load):
    assert "tune.space" in refused(load, "[tune]\nspace = []\n")
