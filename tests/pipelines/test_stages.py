"""What each stage reads: a change there reruns it, a change elsewhere does not."""

import importlib
import json
from dataclasses import replace

import pytest

from pipelines.config import SECTIONS, load_recipe
from pipelines.preprocess import execute
from pipelines.rundir import RunDirectory
from pipelines.stages import STAGES, TUNE, stage_named
from sentiment_lstm.progress import silent

RECIPE = load_recipe("quickstart", ["data.size=20"])


@pytest.fixture
def run(tmp_path, make_bundle):
    run = RunDirectory(tmp_path / "run")
    execute(RECIPE, run, silent)
    make_bundle("run/bundle")
    return run


def inputs(stage, run, recipe=RECIPE):
    return stage_named(stage).inputs(recipe, run)


def grow(path):
    path.write_bytes(path.read_bytes() + b" ")


def reads(stage, run, path, recipe=RECIPE):
    """Tell whether a change of a file changes what a stage has read."""
    before = inputs(stage, run, recipe)
    grow(path)
    return inputs(stage, run, recipe) != before


@pytest.mark.parametrize("name", ["train", "validation"])
def test_training_reads_train_and_validation(run, name):
    assert reads("train", run, run.preprocess / f"{name}.tokens.npy")
    assert reads("train", run, run.preprocess / f"{name}.targets.npy")


def test_training_reads_the_vocabulary(run):
    assert reads("train", run, run.vocabulary)


def test_training_reads_nothing_of_test(run):
    for path in run.preprocess.glob("test.*"):
        assert not reads("train", run, path)
    summary = json.loads(run.summary.read_text("utf-8"))
    before = inputs("train", run)
    summary["splits"]["test"]["texts"] = 1
    run.summary.write_text(json.dumps(summary), "utf-8")
    assert inputs("train", run) == before


def test_training_reads_the_order_of_labels(run):
    before = inputs("train", run)
    summary = json.loads(run.summary.read_text("utf-8"))
    summary["labels"].reverse()
    run.summary.write_text(json.dumps(summary), "utf-8")
    assert inputs("train", run) != before


def test_training_reads_the_word_vectors_where_there_are_some(run, tmp_path):
    vectors = tmp_path / "vectors.txt"
    recipe = replace(RECIPE, model=replace(RECIPE.model, embeddings=str(vectors)))
    missing = inputs("train", run, recipe)
    vectors.write_text("good 0.1 0.2")
    assert inputs("train", run, recipe) != missing
    assert reads("train", run, vectors, recipe)


PRETRAINED = replace(RECIPE, pretrain=replace(RECIPE.pretrain, epochs=1))


@pytest.mark.parametrize("name", ["train", "validation", "unlabelled"])
def test_pretraining_reads_train_validation_and_unlabelled(run, name):
    path = run.preprocess / f"{name}.tokens.npy"
    path.touch()
    assert reads("pretrain", run, path, PRETRAINED)
    assert not reads("pretrain", run, run.preprocess / "test.tokens.npy", PRETRAINED)


def test_pretraining_depends_on_the_sizes_of_the_model_and_on_nothing_else_of_it():
    told = stage_named("pretrain").settings(RECIPE)
    assert set(told["model"]) == {"embedding", "units", "directions"}
    assert set(told["train"]) == {"backend"}
    assert told["pretrain"] == RECIPE.section("pretrain")


def test_training_reads_the_pretrained_weights_where_there_are_some(run):
    run.pretrain.mkdir()
    run.pretrained_weights.write_bytes(b"weights")
    assert reads("train", run, run.pretrained_weights, PRETRAINED)
    assert not reads("train", run, run.pretrained_weights)


def test_evaluation_reads_test_and_the_model(run, make_bundle):
    assert reads("evaluate", run, run.preprocess / "test.targets.npy")
    assert reads("evaluate", run, run.texts("test"))
    before = inputs("evaluate", run)
    make_bundle("run/bundle", seed=1)
    assert inputs("evaluate", run) != before


def test_evaluation_reads_train_for_the_baseline_alone(run):
    without = replace(RECIPE, evaluate=replace(RECIPE.evaluate, baseline=False))
    assert reads("evaluate", run, run.texts("train"))
    assert not reads("evaluate", run, run.texts("train"), without)


def test_a_card_is_no_input_of_an_export(run):
    from sentiment_lstm.bundle import update_card

    before = inputs("export", run)
    update_card(run.bundle, "# Another card\n")
    assert inputs("export", run) == before


def test_a_card_is_an_output_of_the_evaluation_alone(run):
    card = run.bundle / "README.md"
    run.train.mkdir()
    made = {s.name: set(s.outputs(RECIPE, run)) for s in STAGES}
    assert card in made["evaluate"]
    assert card not in made["train"]
    assert run.bundle / "weights.safetensors" in made["train"]


def test_an_export_answers_for_its_own_version_and_formats_alone(run):
    for place in ("1", "2", "onnx/1", "onnx/2"):
        (run.export / place).mkdir(parents=True)
        (run.export / place / "model").touch()

    def made(recipe):
        outputs = stage_named("export").outputs(recipe, run)
        return {path.relative_to(run.export).as_posix() for path in outputs}

    both = replace(RECIPE, export=replace(RECIPE.export, formats=("savedmodel", "onnx")))
    assert made(RECIPE) == {"export.json", "1/model"}
    assert made(both) == {"export.json", "1/model", "onnx/export.json", "onnx/1/model"}


@pytest.mark.parametrize("stage", [*STAGES, TUNE], ids=lambda stage: stage.name)
def test_every_stage_names_sections_and_earlier_stages_that_there_are(stage):
    names = [s.name for s in [*STAGES, TUNE]]
    assert {section.partition(".")[0] for section in stage.sections} <= set(SECTIONS)
    assert set(stage.settings(RECIPE)) <= set(SECTIONS)
    assert all(names.index(earlier) < names.index(stage.name) for earlier in stage.after)
    assert callable(importlib.import_module(stage.module).execute)


def test_training_reads_the_classifier_that_it_starts_from(run, make_bundle):
    other = make_bundle("other")
    recipe = replace(RECIPE, model=replace(RECIPE.model, from_model=str(other)))
    before = inputs("train", run, recipe)
    make_bundle("other", seed=1)
    assert inputs("train", run, recipe) != before


def test_training_reads_the_language_model_that_it_starts_from(run, tmp_path):
    recipe = replace(RECIPE, model=replace(RECIPE.model, start=str(tmp_path / "language")))
    (tmp_path / "language").mkdir()
    for name in ("weights.safetensors", "config.json", "vocabulary.txt"):
        (tmp_path / "language" / name).write_bytes(b"before")
    assert reads("train", run, tmp_path / "language" / "weights.safetensors", recipe)
    assert reads("train", run, tmp_path / "language" / "vocabulary.txt", recipe)
