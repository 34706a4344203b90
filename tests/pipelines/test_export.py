"""The export command and stage in formats other than the SavedModel."""

import json
from dataclasses import replace

import pytest

from pipelines.cli import EXPORT_FORMATS
from pipelines.config import load_recipe
from pipelines.export import execute
from pipelines.results import TITLES, stage_results
from pipelines.rundir import FORMATS, RunDirectory
from sentiment_lstm.progress import silent
from sentiment_lstm.token_export import FORMS


@pytest.fixture
def with_onnx():
    for name in FORMS["onnx"].needs:
        pytest.importorskip(name, reason="pip install '.[onnx]'")


def test_the_formats_are_the_same_everywhere():
    assert FORMATS == EXPORT_FORMATS == tuple(TITLES)
    assert set(FORMATS) == {"savedmodel", *FORMS}


def test_formats_go_to_directories_of_their_own_and_are_told(
    command, make_bundle, tmp_path, with_onnx
):
    formats = ("--format", "keras", "--format", "onnx")
    done = command("export", "--model", make_bundle(), "--output", tmp_path / "away", *formats)
    assert done.stderr == b""
    lines = done.stdout.decode().splitlines()
    for line, form, file in zip(lines, ("keras", "onnx"), ("keras", "onnx"), strict=True):
        directory = tmp_path / "away" / form / "1"
        assert line.startswith(f"{TITLES[form]:<12}{directory}: 0.0 MB, 385 texts answered in a ")
        assert "largest difference" in line
        assert (directory / f"model.{file}").is_file()
    assert {path.name for path in (tmp_path / "away").iterdir()} == {"keras", "onnx"}


def test_matrices_in_8_bits_are_told_with_what_they_cost(invoke, make_bundle, tmp_path, with_onnx):
    options = ("--format", "onnx", "--weights", "int8", "--set", "export.version=4")
    done = invoke("export", "--model", make_bundle(), "--output", tmp_path / "away", *options)
    record = json.loads((tmp_path / "away" / "onnx" / "export.json").read_bytes())
    cost, labels = record["loss"]["largest_difference"], record["loss"]["other_labels"]
    told = f"its 8 bits change an answer by {cost:.4f} at most and {labels} of the labels"
    assert done.stdout.rstrip().endswith(told)
    assert (tmp_path / "away" / "onnx" / "4" / "model.onnx").is_file()


@pytest.mark.parametrize(
    "formats", [(), ("--format", "keras"), ("--format", "onnx", "--format", "savedmodel")]
)
def test_8_bits_are_refused_where_a_format_has_none(invoke, make_bundle, tmp_path, formats):
    options = (*formats, "--weights", "int8")
    done = invoke("export", "--model", make_bundle(), "--output", tmp_path / "away", *options)
    assert done.exit_code == 1
    assert "'int8', which onnx alone can store" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "away").exists()


def test_a_missing_extra_is_one_line(invoke, make_bundle, tmp_path, monkeypatch):
    monkeypatch.setitem(FORMS, "onnx", replace(FORMS["onnx"], needs=("onnx_not_there",)))
    options = ("--output", tmp_path / "away", "--format", "onnx")
    done = invoke("export", "--model", make_bundle(), *options)
    assert done.exit_code == 1
    assert done.stderr == (
        "error: onnx needs onnx_not_there, which is not installed: "
        'pip install "sentiment-lstm[onnx]"\n'
    )


def test_the_stage_writes_the_formats_of_its_recipe(make_bundle, tmp_path, with_onnx):
    recipe = load_recipe("quickstart", ["export.formats=['onnx']", "export.version=2"])
    run = RunDirectory(tmp_path / "run")
    make_bundle("run/bundle")
    execute(recipe, run, silent)
    assert (run.path / "export" / "onnx" / "2" / "model.onnx").is_file()
    (line,) = stage_results("export", recipe, run)
    assert line.startswith(f"ONNX        {run.path}/export/onnx/2: ")
