"""The command line as a whole: help, exit statuses, one line for every error."""

import shlex
import signal
import sys

import click
import pytest

from pipelines.cli import STAGE_NAMES, cli
from pipelines.stages import STAGES

COMMANDS = sorted(cli.commands)
HEAVY = (
    "numpy", "tensorflow", "keras", "sklearn", "scipy", "matplotlib", "jinja2", "tqdm",
    "safetensors", "tensorflow_datasets", "optuna", "pipelines.config", "sentiment_lstm.text",
)  # fmt: skip
LOADED = f"""
import sys
from pipelines.cli import main
try:
    main()
finally:
    print(*(name for name in {HEAVY} if name in sys.modules), file=sys.stderr)
"""


def test_the_commands_are_these():
    others = {
        "run", "tune", "decide", "classify", "explain", "compare", "generate", "models", "serve",
        "doctor", "reproduce", "completion",
    }  # fmt: skip
    assert {*STAGE_NAMES, *others} == set(COMMANDS)


def test_the_command_line_knows_the_stages_by_their_names():
    assert tuple(stage.name for stage in STAGES) == STAGE_NAMES


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS)])
def test_help_imports_nothing_heavy(command, arguments):
    result = command(*arguments, code=LOADED)
    assert result.returncode == 0
    assert result.stdout.startswith(b"Usage: sentiment-lstm")
    assert result.stderr.split() == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_documented_and_shown_by_example(invoke, name):
    shown = invoke(name, "--help").stdout
    assert f"  sentiment-lstm {name}" in shown.partition("Examples:\n")[2]
    for parameter in cli.commands[name].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.opts}"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_examples_in_the_help_are_accepted(name):
    text = cli.commands[name].help.partition("Examples:\n")[2]
    examples = [line.strip() for line in text.splitlines() if line.strip()]
    assert examples
    for example in examples:
        words = shlex.split(example.rpartition("sentiment-lstm ")[2])
        assert words[0] in COMMANDS
        cli.commands[words[0]].make_context(words[0], words[1:])  # parses; raises if it cannot


def test_the_version_is_that_of_the_package(invoke):
    import sentiment_lstm

    assert invoke("--version").stdout == f"sentiment-lstm, version {sentiment_lstm.__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["clasify"],
        ["run"],
        ["run", "quickstart", "--until", "nowhere"],
        ["run", "quickstart", "--no-such-option"],
        ["evaluate"],
        ["evaluate", "quickstart", "--model", "imdb"],
        ["evaluate", "quickstart", "--input", "x.csv"],
        ["evaluate", "--model", "imdb", "--run-dir", "runs/x"],
        ["export"],
        ["export", "--model", "imdb"],
        ["export", "quickstart", "--output", "x"],
        ["classify", "--format", "xml", "good"],
        ["classify", "--threshold", "2", "good"],
        ["classify", "--abstain", "0.5", "good"],
        ["decide"],
        ["decide", "runs/x"],
        ["decide", "runs/x", "--abstain", "0.1", "--abstain-accuracy", "0.9"],
        ["decide", "runs/x", "--abstain", "0.5"],
        ["decide", "runs/x", "--abstain-accuracy", "0"],
        ["decide", "runs/x", "--aim", "f1", "--text-column", "review"],
        ["explain", "--format", "xml", "good"],
        ["explain", "--unit", "x", "good"],
        ["explain", "good", "film"],
    ],
)
def test_wrong_usage_leaves_with_status_2(invoke, arguments):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["run", "quikstart"], "did you mean 'quickstart'"),
        (["run", "quickstart", "--set", "train.epohcs=3"], "did you mean 'epochs'"),
        (["train", "quickstart", "--set", "train.epochs=0"], "train.epochs is 0"),
        (["evaluate", "--model", "nowhere"], "no model at 'nowhere'"),
        (["export", "--model", "nowhere", "--output", "x"], "no model at 'nowhere'"),
        (["export", "--model", "x", "--output", "y", "--set", "train.epochs=3"], "'train'"),
        (["train", "quickstart", "--run-dir", "x"], "sentiment-lstm preprocess quickstart"),
        (["classify", "good"], "sentiment-lstm run quickstart"),
        (["decide", "nowhere", "--aim", "f1"], "no model at 'nowhere'"),
        (["run", "quickstart", "--set", f"data.labels={'[' * 5000}"], "nested too deeply"),
    ],
)
def test_every_other_error_is_one_line_and_status_1(invoke, tmp_path, monkeypatch, arguments, part):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sentiment_lstm.bundle.SHIPPED", tmp_path)
    result = invoke(*arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert part in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_an_error_of_the_system_is_one_line(invoke, tmp_path):
    (tmp_path / "file").touch()
    result = invoke("train", "quickstart", "--run-dir", tmp_path / "file" / "below")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: {tmp_path / 'file'}")
    assert len(result.stderr.splitlines()) == 1


def test_ctrl_c_is_one_line(command, make_bundle):
    code = (
        "import os, signal\n"
        "import pipelines.classify as module\n"
        "module.open_classifier = lambda *_: os.kill(os.getpid(), signal.SIGINT)\n"
        "from pipelines.cli import main; main()"
    )
    result = command("classify", "good", code=code)
    assert result.returncode == 128 + signal.SIGINT
    assert result.stderr == b"error: interrupted\n"


def test_models_tells_how_to_get_one_when_none_ships(invoke, monkeypatch, tmp_path):
    monkeypatch.setattr("sentiment_lstm.bundle.SHIPPED", tmp_path)
    result = invoke("models")
    assert result.exit_code == 0
    assert "sentiment-lstm run quickstart" in result.stdout


def test_models_tells_what_ships_and_its_figures(invoke, monkeypatch, make_bundle):
    from sentiment_lstm.bundle import model_card, read_bundle, update_card

    bundle = make_bundle("shipped")
    figures = {"test": {"accuracy": 0.9123, "texts": 25000}}
    update_card(bundle, model_card(read_bundle(bundle).config, figures))
    monkeypatch.setattr("sentiment_lstm.bundle.SHIPPED", bundle.parent)
    lines = invoke("models").stdout.splitlines()
    assert lines[0] == "shipped: negative, positive"
    assert "3 LSTM units in two directions" in lines[1]
    assert lines[2:4] == ["  test accuracy 0.9123", "  test texts 25000"]
    assert lines[4].startswith("imdb, a language model")
    assert lines[6].startswith("  perplexity forward 7")
    assert invoke("classify", "--model", "shipped", "good").exit_code == 0


def test_the_module_runs_as_the_script_does(command):
    code = f"import runpy; runpy.run_module('pipelines', run_name='__main__')  # {sys.platform}"
    assert command("models", code=code).returncode == 0


def test_an_export_says_where_it_wrote_and_nothing_else(command, make_bundle, tmp_path):
    done = command("export", "--model", make_bundle(), "--output", tmp_path / "saved")
    assert done.returncode == 0
    assert done.stdout.decode() == f"SavedModel  {tmp_path / 'saved' / '1'}\n"
    assert done.stderr == b""
