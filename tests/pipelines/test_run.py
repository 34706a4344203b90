"""The chain over tiny stages that really write files: what runs, what does not, and why."""

import json
import sys
from pathlib import Path

import pytest

from pipelines.config import load_recipe
from pipelines.lock import locked
from pipelines.run import run_stages
from pipelines.rundir import RunDirectory, RunError
from pipelines.stages import Stage
from pipelines.stamp import digests
from sentiment_lstm.errors import SentimentError, SettingsError

STAGE_MODULE = """
from sentiment_lstm.errors import DataError

def execute(recipe, run, progress):
    work = run.stage("{name}")
    work.mkdir(parents=True, exist_ok=True)
    text = "".join(p.read_text() for p in {reads})
    if "poison" in text:
        raise DataError("the text is poisoned")
    for item in progress([0], total=1, label="{name}"):
        (work / "made.txt").write_text({makes})
    with (run.path / "order").open("a") as order:
        order.write("{name} ")
"""
SOURCES = {
    "preprocess": ("[run.path / 'source.txt']", "text.upper() + str(recipe.text.max_tokens)"),
    "train": ("[run.stage('preprocess') / 'made.txt']", "text[::-1] + str(recipe.train.epochs)"),
    "export": ("[run.stage('train') / 'made.txt']", "text + str(recipe.export.version)"),
}
UPSTREAM = {"preprocess": (), "train": ("preprocess",), "export": ("train",)}
SECTIONS = {"preprocess": ("text",), "train": ("train",), "export": ("export",)}


def tiny_stage(name, module):
    def inputs(recipe, run):
        read = [run.stage(n) / "made.txt" for n in UPSTREAM[name]] or [run.path / "source.txt"]
        return digests(run.path, read)

    def resumes(run):
        return run.stage(name) / "resume" if name == "train" else None

    outputs = lambda recipe, run: [run.stage(name) / "made.txt"]  # noqa: E731
    return Stage(name, SECTIONS[name], UPSTREAM[name], module, inputs, outputs, resumes=resumes)


@pytest.fixture
def stages(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")  # which the chain sets, put back after
    monkeypatch.syspath_prepend(tmp_path)
    for name, (reads, makes) in SOURCES.items():
        code = STAGE_MODULE.format(name=name, reads=reads, makes=makes)
        (tmp_path / f"tiny_{name}.py").write_text(code)
    yield [tiny_stage(name, f"tiny_{name}") for name in SOURCES]
    for name in SOURCES:
        sys.modules.pop(f"tiny_{name}", None)


class Runner:
    """Runs the tiny chain, and tells which stages did something."""

    def __init__(self, path, stages):
        self.run = RunDirectory(path)
        self.stages = stages
        path.mkdir()
        (path / "source.txt").write_text("abc")
        self.said = []

    def __call__(self, *overrides, **options):
        self.order.unlink(missing_ok=True)
        self.said = []
        recipe = load_recipe("quickstart", overrides)
        run_stages(recipe, self.run, stages=self.stages, announce=self.said.append, **options)
        return self.order.read_text().split() if self.order.exists() else []

    @property
    def order(self):
        return self.run.path / "order"

    def made(self, stage):
        return self.run.stage(stage) / "made.txt"


@pytest.fixture
def runner(tmp_path, stages):
    return Runner(tmp_path / "run", stages)


ALL = ["preprocess", "train", "export"]


def test_stages_run_in_order_the_first_time_and_not_again(runner):
    assert runner() == ALL
    assert runner() == []
    assert runner.said == [f"{name}: up to date" for name in ALL]


def test_results_are_those_of_the_recipe(runner):
    runner("text.max_tokens=300", "train.epochs=7", "export.version=5")
    assert runner.made("export").read_text() == "003CBA75"


def test_a_changed_setting_reruns_its_stage_and_those_that_read_it(runner):
    runner()
    assert runner("text.max_tokens=300") == ALL
    assert "text.max_tokens was 128" in runner.said[0]


def test_a_changed_setting_leaves_earlier_stages_alone(runner):
    runner()
    assert runner("train.epochs=7") == ["train", "export"]
    assert runner("train.epochs=7", "export.version=2") == ["export"]


def test_a_setting_no_stage_reads_reruns_nothing(runner):
    runner()
    assert runner("model.units=99") == []


def test_a_changed_input_file_reruns(runner):
    runner()
    (runner.run.path / "source.txt").write_text("abd")
    assert runner() == ALL
    assert "source.txt changed" in runner.said[0]


def test_a_stage_that_makes_the_same_as_before_ends_the_rerun(runner):
    runner()
    (runner.run.path / "source.txt").write_text("ABC")  # upper case already: same output
    assert runner() == ["preprocess"]


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_text("altered")])
def test_a_lost_or_altered_output_is_made_again(runner, harm):
    runner()
    before = runner.made("train").read_text()
    harm(runner.made("train"))
    assert runner() == ["train"]
    assert runner.made("train").read_text() == before


def test_a_record_that_cannot_be_read_counts_as_none(runner):
    runner()
    runner.run.stamp("train").write_text('{"version": ')
    assert runner() == ["train"]


def test_a_record_of_which_a_bit_turned_counts_as_none(runner):
    runner()
    path = runner.run.stamp("preprocess")
    data = path.read_bytes()
    place = data.index(b'"version": "') + len(b'"version": "')
    path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    with pytest.raises(RunError, match="holds no finished preprocess"):
        runner(only="train")


def test_a_record_of_a_version_that_wrote_no_digest_is_read(runner):
    runner()
    path = runner.run.stamp("train")
    values = json.loads(path.read_text())
    del values["digest"]
    path.write_text(json.dumps(values))
    assert runner() == []


def test_another_version_of_the_package_reruns(runner, monkeypatch):
    runner()
    monkeypatch.setattr("sentiment_lstm.__version__", "99.0")
    assert runner() == ALL


def test_force_reruns_everything_from_its_start(runner):
    runner()
    leftover = runner.run.stage("train") / "resume"
    leftover.mkdir()
    assert runner() == []
    assert leftover.exists()
    assert runner("train.epochs=7") == ["train", "export"]
    assert leftover.exists()  # what an interrupted stage goes on from
    assert runner(force=True) == ALL
    assert not leftover.exists()


def test_until_stops_after_its_stage(runner):
    assert runner(until="train") == ["preprocess", "train"]
    assert not runner.made("export").exists()


def test_only_runs_one_stage(runner):
    runner(until="train")
    assert runner(only="export") == ["export"]
    assert runner(only="export") == []


def test_one_stage_without_its_inputs_names_the_command_to_run(runner):
    with pytest.raises(RunError) as caught:
        runner(only="train")
    assert "`sentiment-lstm preprocess quickstart`" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_stage_with_a_lost_input_names_it(runner):
    runner()
    runner.made("preprocess").unlink()
    with pytest.raises(RunError, match=r"made\.txt is missing.*preprocess quickstart"):
        runner("train.epochs=7", only="train")


@pytest.mark.parametrize("force", [False, True])
def test_one_stage_over_an_altered_input_is_refused_by_name(runner, force):
    runner()
    runner.made("preprocess").write_text("altered")
    with pytest.raises(RunError, match=r"preprocess/made\.txt is missing or altered"):
        runner(only="train", force=force)


@pytest.mark.parametrize("force", [False, True])
def test_one_stage_over_inputs_of_other_settings_is_refused(runner, force):
    runner()
    with pytest.raises(RunError, match=r"text\.max_tokens was 128.*preprocess quickstart"):
        runner("text.max_tokens=300", only="train", force=force)
    assert runner() == []  # and nothing was harmed


def test_one_stage_over_a_stage_that_is_out_of_date_is_refused(runner):
    runner()
    runner("text.max_tokens=300", only="preprocess")
    with pytest.raises(RunError, match=r"made\.txt changed.*`sentiment-lstm train quickstart`"):
        runner("text.max_tokens=300", only="export")
    with pytest.raises(RunError, match=r"text\.max_tokens was 300.*preprocess quickstart"):
        runner(only="export")
    assert runner("text.max_tokens=300") == ["train", "export"]


def test_an_input_that_is_edited_while_its_stage_works_has_changed(runner):
    source = runner.run.path / "source.txt"

    def edit(items, *, total, label):
        source.write_text("edited")
        yield from items

    runner(progress=edit)
    assert runner() == ALL
    assert "source.txt changed" in runner.said[0]


def test_an_unknown_stage_is_refused_with_the_nearest(runner):
    with pytest.raises(SettingsError, match="'train'"):
        runner(until="trian")


def test_a_stage_that_fails_is_not_up_to_date(runner):
    runner()
    source = runner.run.path / "source.txt"
    source.write_text("poison")
    with pytest.raises(SentimentError, match="poisoned"):
        runner()
    source.write_text("abc")
    assert runner() == ["preprocess"]


def test_what_a_killed_command_left_unfinished_goes(runner):
    unfinished = runner.run.path / ".preprocess.123.tmp"
    unfinished.mkdir(parents=True)
    (unfinished / "half").touch()
    deeper = runner.run.stage("train") / "checkpoint" / ".half.123.tmp"
    deeper.parent.mkdir(parents=True)
    deeper.touch()
    foreign = runner.run.stage("train") / ".notes.tmp"
    foreign.touch()
    runner()
    assert not unfinished.exists()
    assert not deeper.exists()
    assert foreign.exists()


def test_two_runs_do_not_work_on_one_directory(runner):
    with locked(runner.run.lock), pytest.raises(RunError, match="in use"):
        runner()
    assert runner() == ALL


def test_the_recipe_and_the_log_are_in_the_run_directory(runner, tmp_path):
    runner("train.epochs=7")
    recipe = load_recipe(str(runner.run.recipe))
    assert recipe == load_recipe("quickstart", ["train.epochs=7"])
    run_stages(recipe, runner.run, stages=runner.stages)  # announces to the log by default
    run_stages(recipe, runner.run, stages=runner.stages, force=True)
    log = runner.run.log.read_text("utf-8")
    assert "train: up to date" in log
    assert "train: running (as told)" in log


def test_progress_reaches_the_stages(runner):
    seen = []

    def progress(items, *, total, label):
        seen.append((label, total))
        yield from items

    runner(progress=progress)
    assert seen == [(name, 1) for name in ALL]
