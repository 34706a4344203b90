"""Completion as a shell asks for it: real shells load the script and press Tab, so to say."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pipelines
from pipelines import completion

ROOT = str(Path(pipelines.__file__).parents[1])
HEAVY = ("tensorflow", "keras", "sklearn", "scipy", "matplotlib", "numba")
ASKED = [
    ("cl", "classify"),
    ("run qui", "quickstart"),
    ("run --set train.epo", "train.epochs="),
    ("run quickstart --until exp", "export"),
    ("classify --model imdb-t", "imdb-tiny"),
    ("generate --model im", "imdb"),
    ("classify --format js", "jsonl"),
    ("completion zs", "zsh"),
]
BASH = """
source {script}
COMP_WORDS=({words}) COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
compopt() {{ :; }}
_sentiment_lstm_completion sentiment-lstm
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
FISH = "source {script}; complete -C {line}"
# Completion wants a terminal and a line editor: zsh brings one of its own to press keys in.
ZSH = """
zmodload zsh/zpty
zpty -b shell zsh -f -i
zpty -w shell 'PROMPT=; autoload -Uz compinit && compinit -u; source {script}; print READY'
until zpty -r shell line '*READY*READY*' ; do :; done
zpty -w -n shell {line}$'\\t'
for n in {{1..100}}; do
  sleep 0.1
  zpty -r -t shell part && all+=$part
  [[ $all == *{expected}* ]] && print {expected} && break
done
zpty -d shell
"""


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """Return a function that has a shell run a program, `sentiment-lstm` on its path."""
    place = tmp_path_factory.mktemp("completion")
    program = place / "sentiment-lstm"
    code = "from pipelines.cli import main; main()"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -P -c "{code}" "$@"\n')
    program.chmod(0o755)
    environment = os.environ | {"PYTHONPATH": ROOT, "PATH": f"{place}:{os.environ['PATH']}"}

    def run(name, program):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
        script = place / f"completion.{name}"
        if not script.exists():
            command = ["sentiment-lstm", "completion", name]
            script.write_bytes(subprocess.check_output(command, env=environment))
        arguments = {"bash": ["--norc", "-c"], "zsh": ["-f", "-c"], "fish": ["--no-config", "-c"]}
        return subprocess.run(
            [name, *arguments[name], program(script)],
            env=environment,
            cwd=place,
            capture_output=True,
            text=True,
        )

    return run


@pytest.mark.parametrize(("begun", "expected"), ASKED)
def test_bash_completes(shell, begun, expected):
    words = f"sentiment-lstm {begun}"
    done = shell("bash", lambda script: BASH.format(script=script, words=words))
    assert expected in done.stdout.splitlines(), done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize(("begun", "expected"), ASKED[:2])
def test_zsh_completes(shell, begun, expected):
    line = shlex.quote(f"sentiment-lstm {begun}")
    done = shell("zsh", lambda s: ZSH.format(script=s, line=line, expected=expected))
    assert expected in done.stdout, done.stderr


@pytest.mark.parametrize(("begun", "expected"), ASKED[:2])
def test_fish_completes(shell, begun, expected):
    line = shlex.quote(f"sentiment-lstm {begun}")
    done = shell("fish", lambda script: FISH.format(script=script, line=line))
    assert expected in done.stdout.split(), done.stderr


@pytest.mark.parametrize("name", completion.SHELLS)
def test_the_script_is_clicks_own(invoke, name):
    result = invoke("completion", name)
    assert result.exit_code == 0
    assert f"{completion.VARIABLE}={name}_complete" in result.stdout
    assert "sentiment-lstm" in result.stdout


def answered(command, words, code="from pipelines.cli import main; main()"):
    line = f"sentiment-lstm {words}"
    environment = {
        completion.VARIABLE: "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
    }
    return command(code=code, env=environment)


@pytest.mark.parametrize("begun", ["cl", "run qui", "run --set train.epo", "classify --model im"])
def test_nothing_heavy_is_imported_to_answer(command, begun):
    loaded = f"print(*(n for n in {HEAVY} if n in sys.modules), file=sys.stderr)"
    code = f"import sys\nfrom pipelines.cli import main\ntry:\n  main()\nfinally:\n  {loaded}"
    result = answered(command, begun, code)
    assert result.stdout
    assert result.stderr.split() == []


@pytest.mark.parametrize(
    ("begun", "kind"), [("run mine/rec", "file"), ("classify --model runs/", "dir")]
)
def test_what_ships_with_no_such_name_is_left_to_the_shell(command, begun, kind):
    assert answered(command, begun).stdout.decode().startswith(f"{kind},")


def test_every_setting_of_a_recipe_is_completed():
    from pipelines.config import load_recipe

    offered = {item.value for item in completion.settings(None, None, "")}
    recipe = load_recipe("quickstart")
    for section in ("data", "text", "model", "pretrain", "teach", "train", "evaluate", "export"):
        for key in recipe.section(section):
            assert f"{section}.{key}=" in offered
