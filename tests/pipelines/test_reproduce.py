"""A run made once more: a real one, and what is said where it cannot come out the same."""

import json
import shutil
from pathlib import Path

import pytest

from pipelines import reproduce as module
from pipelines.reproduce import reproduce_run
from pipelines.rundir import RunDirectory, RunError
from pipelines.stamp import read_stamp, write_stamp
from pipelines.surroundings import surroundings

TINY = (
    "data.size=60",
    "text.max_tokens=40",
    "text.head_tokens=20",
    "model.embedding=4",
    "model.units=3",
    "train.epochs=1",
    "train.batch_size=32",
    "evaluate.baseline=false",
)
SET = [word for override in TINY for word in ("--set", override)]
STAGES = ("preprocess", "train", "evaluate", "export")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return what holds a finished run, once one has been made."""
    return tmp_path_factory.mktemp("reproduce"), {}


@pytest.fixture
def first(made, command, tmp_path):
    """Return a copy of a finished run, for a test to do as it likes with."""
    directory, kept = made
    if not kept:
        kept["done"] = command("run", "quickstart", "--run-dir", directory / "run", *SET)
        assert kept["done"].returncode == 0, kept["done"].stderr
    shutil.copytree(directory / "run", tmp_path / "run")
    return tmp_path / "run"


def altered(directory, stage, **changes):
    """Write other things into the record of a stage, as if they had been recorded."""
    path = RunDirectory(directory).stamp(stage)
    recorded = read_stamp(path)
    told = {name: getattr(recorded, name) | values for name, values in changes.items()}
    write_stamp(path, type(recorded)(**(recorded.__dict__ | told)))
    return recorded


def forget(directory, *stages):
    for stage in stages:
        RunDirectory(directory).stamp(stage).unlink()


def test_a_run_comes_out_the_same_in_another_process(command, first):
    done = command("reproduce", first)
    shown, told = done.stdout.decode().splitlines(), done.stderr.decode()
    assert done.returncode == 0, (shown, told)
    again = first.with_name("run-again")
    assert shown[0].startswith("identical: files of preprocess ")
    assert shown[0].endswith(f"made once more in {again}")
    for stage in STAGES:
        assert f"{stage}: running (not done yet)" in told
        assert f"{stage} " in shown[0]
    assert (first / "bundle" / "weights.safetensors").read_bytes() == (
        again / "bundle" / "weights.safetensors"
    ).read_bytes()
    assert not (again / ".reproduces").exists()
    once_more = command("reproduce", first)
    assert once_more.returncode == 1
    line = f"error: {again} holds other files: remove it, or give another --output\n"
    assert once_more.stderr.decode() == line


def test_another_hash_is_what_differs_and_no_reason_is_made_up(first, caplog):
    forget(first, "train", "evaluate", "export")
    name = "preprocess/vocabulary.txt"
    altered(first, "preprocess", outputs={name: "0" * 64})
    outcome = reproduce_run(first)
    assert not outcome.identical
    assert outcome.told.splitlines()[0] == f"differs: {name} of preprocess"
    assert "nothing that is recorded of versions, machine and backend" in outcome.told
    assert f"{first}/{name} is missing or altered: what was recorded of it" in caplog.text


def test_versions_and_machine_that_differ_are_the_likely_reason(first):
    forget(first, "train", "evaluate", "export")
    altered(
        first,
        "preprocess",
        outputs={"preprocess/summary.json": "0" * 64},
        made_with={"numpy": "1.2.3", "processor": "Abacus"},
    )
    reason = reproduce_run(first).told.splitlines()[1]
    assert "made with numpy 1.2.3, here 2." in reason
    assert "; made with processor Abacus, here " in reason
    assert "numba" not in reason


def test_a_record_of_an_earlier_version_tells_no_machine(first):
    forget(first, "train", "evaluate", "export")
    path = RunDirectory(first).stamp("preprocess")
    values = json.loads(path.read_text()) | {"version": "0.0.9"}
    values["outputs"]["preprocess/summary.json"] = "0" * 64
    del values["digest"], values["made_with"]
    path.write_text(json.dumps(values))
    reason = reproduce_run(first).told.splitlines()[1]
    assert "made with sentiment-lstm 0.0.9, here 0.1" in reason
    assert "are not recorded" in reason


def test_other_weights_are_found_and_later_stages_left_alone(command, first):
    """As if the run had been recorded with a seed that it was not made with."""
    seed = {"train": {"seed": 77}}
    recorded = read_stamp(RunDirectory(first).stamp("train"))
    settings = {"train": recorded.settings["train"] | seed["train"]}
    altered(first, "train", settings=settings)
    recipe = first / "recipe.toml"
    before, section, behind = recipe.read_text("utf-8").partition("[train]\n")
    changed = behind.replace("seed = 0", "seed = 77", 1)
    assert changed != behind
    recipe.write_text(before + section + changed, "utf-8")
    done = command("reproduce", first, "--output", first.with_name("second"))
    assert done.returncode == 1, done.stderr
    assert "bundle/weights.safetensors of train" in done.stdout.decode().splitlines()[0]
    assert b"evaluate: running" not in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_recipe_that_the_run_was_not_made_with_is_told_before_anything_runs(invoke, first):
    recipe = first / "recipe.toml"
    recipe.write_text(recipe.read_text("utf-8").replace("units = 3", "units = 4"), "utf-8")
    done = invoke("reproduce", first)
    assert done.exit_code == 1
    assert "is not what train was made with (model.units was 3): put that back" in done.stderr
    assert not first.with_name("run-again").exists()


def test_an_altered_record_is_told_before_anything_runs(first):
    path = RunDirectory(first).stamp("train")
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))
    with pytest.raises(RunError, match=r"stage\.json was altered"):
        reproduce_run(first)
    assert not first.with_name("run-again").exists()


def test_inputs_that_changed_since_are_told_before_anything_runs(invoke, tmp_path):
    rows = [f"{label},a {label} film {n}\n" for n in range(40) for label in ("good", "bad")]
    data = tmp_path / "own.csv"
    data.write_text("label,text\n" + "".join(rows))
    recipe = tmp_path / "own.toml"
    recipe.write_text(f'[data]\nsource = "files"\ntrain = "{data}"\n')
    directory = tmp_path / "run"
    assert invoke("preprocess", recipe, "--run-dir", directory).exit_code == 0
    assert reproduce_run(directory, tmp_path / "second").identical
    data.write_text("label,text\n" + "".join(reversed(rows)))
    done = invoke("reproduce", directory)
    assert done.exit_code == 1
    assert f"{data} changed since its preprocess: put back what it read then" in done.stderr
    assert not tmp_path.joinpath("run-again").exists()


def test_an_interrupted_reproduction_goes_on_and_no_other_run_in_its_place(first, monkeypatch):
    forget(first, "train", "evaluate", "export")
    second = first.with_name("second")

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, "run_stages", interrupted)
        with pytest.raises(KeyboardInterrupt):
            reproduce_run(first, second)
    assert (second / ".reproduces").exists()
    altered(first, "preprocess", made_with={"numpy": "1.2.3"})
    with pytest.raises(RunError, match="holds other files"):
        reproduce_run(first, second)
    altered(first, "preprocess", made_with={"numpy": surroundings(None)["numpy"]})
    assert reproduce_run(first, second).identical
    assert not (second / ".reproduces").exists()


def test_the_second_run_stands_beside_the_first_however_that_is_named(first, monkeypatch):
    forget(first, "train", "evaluate", "export")
    monkeypatch.chdir(first)
    assert reproduce_run(Path()).identical
    assert (first.with_name("run-again") / "preprocess" / "stage.json").exists()


def test_what_is_no_run_or_not_finished_is_refused(first, tmp_path):
    with pytest.raises(RunError, match=r"is no run directory \(no recipe\.toml\)"):
        reproduce_run(tmp_path / "nowhere")
    forget(first, "train")
    with pytest.raises(RunError, match="holds no finished train: run `sentiment-lstm run"):
        reproduce_run(first)
    forget(first, "preprocess", "evaluate", "export")
    with pytest.raises(RunError, match="holds no finished preprocess"):
        reproduce_run(first)
