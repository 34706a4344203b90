"""Every command and program of the README runs, in its order, in one empty directory.

Long commands get a smaller setting; what they do stays the same.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# (\w+\.\w+)\n")
SERVE, PORT = "sentiment-lstm serve", "8501"  # a service, and where the README reaches it

# What a command needs that comes with an extra, by a part of the command.
NEEDS = {
    "--format onnx": ("onnx", "onnxruntime"),
    "run_onnx.py": ("onnx", "onnxruntime"),
    "--format litert": ("ai_edge_litert",),
    "--track tensorboard": ("tensorboard",),
    "--track mlflow": ("mlflow",),
    "figures.py": ("mlflow",),
    "--engine ray": ("ray",),
}

SMALL_IMDB = (
    " --set data.limit=60 --set text.max_tokens=40 --set text.head_tokens=20"
    " --set model.units=4 --set model.embedding=4 --set train.epochs=1"
)
SMALL = {
    "run quickstart": " --set data.size=240 --set train.epochs=1",
    **dict.fromkeys(
        ("run imdb-teacher", "run imdb-teacher-wide-first"),
        f"{SMALL_IMDB} --set train.backend=tensorflow --set pretrain.epochs=1 --until train",
    ),
    **dict.fromkeys(
        ("run imdb-student", "run imdb-teacher-long"),
        f"{SMALL_IMDB} --set model.start= --until train",
    ),
    **dict.fromkeys(
        (
            *("run imdb-student-long", "run imdb-teacher-wide", "run imdb-student-wide"),
            *("run imdb-student-further", "run imdb-student-own", "run imdb-student-said"),
            *("run imdb-student-told", "run imdb-student-retold", "run imdb-student-versed"),
            *("run imdb-student-fluent", "run imdb-student-apt"),
        ),
        f"{SMALL_IMDB} --set train.backend=tensorflow --until train",
    ),
    "run imdb": SMALL_IMDB,
    "run imdb-tiny": " --set data.limit=60 --set text.max_tokens=40 --set text.head_tokens=20"
    " --set train.epochs=1",
    "run imdb-scratch": " --set data.limit=120 --set text.max_tokens=40 --set text.head_tokens=20"
    " --set model.units=4 --set model.embedding=4 --set train.epochs=1",
    "tune quickstart": " --trials 2 --set data.size=240 --set train.epochs=1",
    "run stars.toml": " --set train.epochs=1",
    "run score.toml": " --set train.epochs=1",
    "--abstain-accuracy 0.998": " --abstain-accuracy 0.1",
    "sentiment-lstm compare": " --only gradients --lags 10 --seeds 1 --steps 2",
}


def blocks(kind):
    return [body for found, body in FENCE.findall(README) if found == kind]


def commands():
    """Return what stands after each prompt, its continuation lines joined."""
    text = "\n".join(blocks("console")).replace("\\\n", "")
    return [line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ ")]


def installs(command):
    return "pip install" in command


def shortened(command):
    for stage, extra in SMALL.items():
        command = re.sub(rf"{re.escape(stage)}(?!\S)", stage + extra, command)
    return command


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """Return a directory that holds the files the README tells a person to write."""
    directory = tmp_path_factory.mktemp("readme")
    for body in [*blocks("python"), *blocks("toml")]:
        if name := FILE_NAME.match(body):
            (directory / name.group(1)).write_text(body)
    return directory


@pytest.fixture(scope="module")
def environment():
    """Return an environment whose `python` and `sentiment-lstm` are those under test."""
    scripts = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"} | {"PATH": scripts}


def run(command, workplace, environment):
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=workplace,
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def service(workplace, environment):
    """Yield a port at which the service of the README runs, which it would do until stopped."""
    for name in ("fastapi", "uvicorn", "prometheus_client"):
        pytest.importorskip(name, reason="the service wants pip install '.[serve]'")
    (command,) = [c for c in commands() if c.startswith(SERVE)]
    arguments = [*command.split(), "--port", "0"]
    with subprocess.Popen(
        arguments, cwd=workplace, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        line = process.stdout.readline()
        port = line.rstrip("/\n").rpartition(":")[2]
        assert line.replace(port, PORT) in README
        yield port
        process.terminate()


def skip_without_extras(command):
    for part, modules in NEEDS.items():
        for module in modules if part in command else ():
            pytest.importorskip(module, reason=f"{part} wants an extra of the package")


def roughly(text):
    """Return a text whose numbers have three digits after the point: processors round otherwise."""
    return re.sub(r"\d+\.\d+", lambda number: f"{float(number.group()):.3f}", text)


def test_service_answers_as_shown(workplace, environment, service):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    for command in (c for c in commands() if c.startswith("curl")):
        asked = command.replace(PORT, service).replace("curl -s", "curl -sf")
        done = run(asked, workplace, environment)
        assert done.returncode == 0, done.stderr
        assert roughly(done.stdout.rstrip("\n")) in roughly(README)


@pytest.mark.parametrize(
    "command", [c for c in commands() if not (installs(c) or c.startswith((SERVE, "curl")))]
)
def test_command_runs(command, workplace, environment):
    if "run imdb" in command and "TFDS_DATA_DIR" not in environment:
        pytest.skip("IMDB is not prepared here: set TFDS_DATA_DIR")
    skip_without_extras(command)
    command = command.replace("TFDS_DATA_DIR=~/tensorflow_datasets ", "")
    done = run(shortened(command), workplace, environment)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Traceback" not in done.stderr


def test_library_examples_run(workplace, environment):
    program = "\n".join(body for body in blocks("python") if not FILE_NAME.match(body))
    done = run(f"python - <<'EOF'\n{program}\nEOF", workplace, environment)
    assert done.returncode == 0, done.stderr[-3000:]


def test_opens_with_the_two_commands_that_ci_runs():
    first, second = [c for c in commands() if installs(c)][:2]
    assert first.endswith("sentiment-lstm run quickstart")
    assert second.endswith("/pytest -n 2")
    ci = (ROOT / ".ci" / "run").read_text()
    assert '/bin/pytest" -n 2' in ci
    for command in (first, second):
        install = re.search(r"pip install (.*?) &&", command).group(1)
        assert "constraints.txt" in install
    assert re.search(r"pip install (.*?) &&", second).group(1) in ci.replace("--quiet ", "")


def test_links_lead_to_files():
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
