"""The compare command, as a person runs it: at the smallest settings, all six claims."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import pipelines
from pipelines.cli import SECTION_NAMES
from sentiment_lstm.lesson_plan import SECTIONS

ROOT = str(Path(pipelines.__file__).parents[1])
SMALLEST = ("--lags", "10", "--seeds", "1", "--steps", "2")


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Return an environment without IMDB."""
    nowhere = str(tmp_path_factory.mktemp("no_imdb"))
    return os.environ | {"PYTHONPATH": ROOT, "TFDS_DATA_DIR": nowhere}


@pytest.fixture(scope="module")
def run(environment):
    """Return a function that runs the command line in a process of its own."""

    def call(*arguments):
        code = "from pipelines.cli import main; main()"
        return subprocess.run(
            [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
            env=environment,
            capture_output=True,
            text=True,
        )

    return call


@pytest.fixture(scope="module")
def texts(run, tmp_path_factory):
    """Return a run directory with a few token arrays."""
    directory = tmp_path_factory.mktemp("texts")
    small = ("--set", "data.size=80", "--run-dir", directory)
    done = run("preprocess", "quickstart", *small)
    assert done.returncode == 0, done.stderr
    return directory


@pytest.fixture(scope="module")
def compared(run, texts, tmp_path_factory):
    """Return what the whole command printed, and the directory that it wrote."""
    output = tmp_path_factory.mktemp("compared") / "new"
    done = run("compare", *SMALLEST, "--run-dir", texts, "--output", output)
    assert done.returncode == 0, done.stderr
    return done, output


def test_six_verdicts_are_printed_with_their_numbers(compared):
    done, output = compared
    *lines, last = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(SECTION_NAMES)
    for line in lines:
        assert re.match(r"\w+ +(not )?confirmed +\S.*\d", line), line
    assert last == f"report      {output}/report.html"
    assert done.stderr == ""  # bars are for terminals


def test_two_steps_teach_nothing_and_no_verdict_says_they_do(compared):
    verdicts = {
        v["section"]: v for v in json.loads((compared[1] / "results.json").read_text())["verdicts"]
    }
    assert verdicts["memory"]["word"] == verdicts["gates"]["word"] == "not confirmed"
    assert "budget is too small" in verdicts["memory"]["number"]


def test_the_report_holds_a_figure_for_each_claim(compared):
    _, output = compared
    page = (output / "report.html").read_text("utf-8")
    assert page.count('<img src="data:image/png;base64,') == 6
    pictures = {path.stem for path in output.glob("*.png")}
    assert pictures == set(SECTION_NAMES) == set(SECTIONS)
    assert not list(output.rglob("*.tmp"))


def test_json_holds_all_numbers(compared):
    results = json.loads((compared[1] / "results.json").read_text())
    measured = results["measured"]
    assert list(measured) == list(SECTION_NAMES)
    names = [tuple(entry["name"]) for entry in measured["memory"]]
    assert ("adding", "10", "RNN, equal parameters") in names
    for section in ("memory", "gates", "stability", "gradients"):
        for entry in measured[section]:
            assert all(run["steps"] == 2 for run in entry["figures"]["runs"])
    assert [len(entry["figures"]["by_length"]) for entry in measured["accuracy"]] == [4] * 6
    assert list(results["facts"]) == list(SECTION_NAMES)
    assert "seed 0;" in results["facts"]["memory"]


def test_what_was_measured_is_not_measured_again(run, compared, texts):
    _, output = compared
    (output / "report.html").unlink()
    before = {name: (output / name).stat().st_mtime_ns for name in ("measurements.json", "log.txt")}
    done = run("compare", *SMALLEST, "--run-dir", texts, "--output", output)
    assert done.stdout == compared[0].stdout
    assert (output / "report.html").exists()
    assert before == {name: (output / name).stat().st_mtime_ns for name in before}


def test_other_texts_are_read_anew_and_may_all_be_equally_long(run, tmp_path):
    output, told = tmp_path / "out", []
    for head in ("2", "6"):
        cut = ("--set", "text.max_tokens=8", "--set", f"text.head_tokens={head}")
        texts = tmp_path / head
        done = run("preprocess", "quickstart", "--set", "data.size=80", *cut, "--run-dir", texts)
        assert done.returncode == 0, done.stderr
        arguments = ("--only", "accuracy", "--run-dir", texts, "--output", output)
        done = run("compare", *SMALLEST, *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        assert re.match(r"accuracy +(not )?confirmed +of the longest quarter", done.stdout)
        told.append(json.loads((output / "results.json").read_text())["measured"]["accuracy"])
    kept = json.loads((output / "measurements.json").read_text())
    assert len(str(kept)) > len(str(told[0]))
    assert told[0] != told[1]


def test_without_imdb_one_line_says_how_to_get_it_and_the_rest_goes_on(run, compared):
    _, output = compared
    arguments = ("--only", "accuracy", "--only", "gates", "--output", output)
    done = run("compare", *SMALLEST, *arguments)
    assert done.returncode == 0
    line, *_ = done.stdout.splitlines()
    assert re.match(r"accuracy +not measured +the IMDB reviews are not prepared", line)
    assert "sentiment-lstm preprocess imdb-scratch downloads them" in line
    assert "\ngates " in done.stdout
    assert done.stderr.count("\n") == 1
    assert (output / "report.html").read_text("utf-8").count("<img ") == 1


@pytest.mark.parametrize(
    ("arguments", "status", "part"),
    [
        (["--lags", "5"], 2, "5 is less than 10, the shortest lag"),
        (["--lags", "a,20"], 2, "'a,20' is not numbers with commas between them"),
        (["--seeds", "0"], 2, "0 is not in the range"),
        (["--only", "speed"], 2, "'speed' is not one of"),
        (["--only", "accuracy", "--run-dir", "nowhere"], 1, "nowhere holds no token arrays: run"),
        (["--only", "cost", "--output", "/dev/null/x"], 1, "/dev/null"),
    ],
)
def test_a_mistake_is_one_line(invoke, monkeypatch, tmp_path, arguments, status, part):
    monkeypatch.chdir(tmp_path)
    result = invoke("compare", *arguments)
    assert result.exit_code == status
    assert part in result.stderr
    assert status == 2 or result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_a_run_without_its_arrays_is_refused(invoke, tmp_path):
    (tmp_path / "preprocess").mkdir()
    (tmp_path / "preprocess" / "summary.json").write_text('{"labels": ["a", "b"]}')
    arguments = ("--only", "accuracy", "--run-dir", tmp_path, "--output", tmp_path / "out")
    assert f"{tmp_path} holds no token arrays: run" in invoke("compare", *arguments).stderr


def test_texts_of_three_labels_are_refused(invoke, tmp_path):
    (tmp_path / "preprocess").mkdir()
    (tmp_path / "preprocess" / "summary.json").write_text('{"labels": ["a", "b", "c"]}')
    arguments = ("--only", "accuracy", "--run-dir", tmp_path, "--output", tmp_path / "out")
    assert "has 3 labels: compare reads texts of two" in invoke("compare", *arguments).stderr


def test_ctrl_c_ends_it_with_one_line_and_no_process_left(environment, tmp_path):
    output = tmp_path / "out"
    code = "from pipelines.cli import main; main()"
    arguments = ("--only", "memory", "--lags", "50", "--steps", "1000000", "--output", str(output))
    with subprocess.Popen(
        [sys.executable, "-c", code, "compare", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        for _ in range(600):
            threads = Path(f"/proc/{process.pid}/task").glob("*/children")
            children = [int(child) for told in threads for child in told.read_text().split()]
            if children:
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout, stderr) == (130, "", "error: interrupted\n")
    for child in children:
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)
