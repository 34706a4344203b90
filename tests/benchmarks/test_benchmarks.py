"""The benchmarks run, at sizes that say nothing about speed; how they count and show is exact."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from time import sleep

import pytest

from tests.benchmarks.__main__ import SECTIONS
from tests.benchmarks.table import HEADINGS, Row, render
from tests.benchmarks.timing import ahead_at_best, medians, quantile, round_robin


def test_less_time_and_more_texts_a_second_are_both_ahead():
    slower = {"peer": 6.0, "other": 9.0}
    assert Row("s", "c", "ms", 3.0, slower).ratios() == [2.0, 3.0]
    assert Row("s", "c", "texts/s", 12.0, slower).ratios() == [2.0, 12 / 9]
    assert Row("s", "c", "%", 12.0, slower).ratios() == [2.0, 12 / 9]


def test_a_row_is_ranked_by_its_best_peer_and_by_no_other_kind_of_model():
    row = Row("layer", "(1, 2)", "ms", 10.0, {"torch": 8.0, "keras": 20.0}, {"bag": 0.5}, "a note")
    header, _, line = render([row]).splitlines()
    assert [cell.strip() for cell in header.strip("|").split("|")] == list(HEADINGS)
    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        "layer", "(1, 2)", "10.0 ms", "×0.80",
        "torch 8.00 (×0.80) · keras 20.0 (×2.00); bag 0.500 (×0.05)", "a note",
    ]  # fmt: skip


def test_contenders_take_turns_after_one_untimed_call_each():
    calls = []
    runs = {name: lambda name=name: calls.append(name) for name in "ab"}
    taken = round_robin(runs, rounds=2, between=lambda: calls.append("|"))
    assert "".join(calls) == "ab" + "ab|" * 2
    assert [len(seconds) for seconds in taken.values()] == [2, 2]


def test_a_burst_is_one_untimed_call_a_turn_and_timed_ones_for_so_long():
    calls = []

    def lasting(name, seconds):
        calls.append(name)
        sleep(seconds)

    runs = {"a": lambda: lasting("a", 0.02), "b": lambda: lasting("b", 0.3)}
    taken = round_robin(runs, rounds=2, burst=0.1)
    turns = re.fullmatch("ab(a+)bb(a+)bb", "".join(calls))
    assert turns
    assert len(taken["a"]) == sum(len(turn) - 1 for turn in turns.groups())
    assert 2 <= len(taken["a"]) <= 10
    assert len(taken["b"]) == 2


def test_medians_and_quantiles_are_those_of_the_values():
    taken = {"ours": [4.0, 1.0, 2.0], "peer": [3.0, 9.0, 8.0], "late": [7.0, 6.0, 5.0]}
    assert medians(taken, 10) == {"ours": 20.0, "peer": 80.0, "late": 60.0}
    assert ahead_at_best(taken) == 3.0
    assert quantile([5.0, 1.0, 3.0], 0.75) == 4.0


def test_sections_print_one_table():
    """Two of them in one process, to import what they need once; the others are run by hand."""
    if importlib.util.find_spec("torch") is None:
        pytest.skip("torch is not installed: pip install '.[peers]'")
    sections = ["preprocess", "half", "profile", "layer"]
    command = [sys.executable, "-m", "tests.benchmarks", "--tiny", *sections]
    run = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-4000:]
    table = [line for line in run.stdout.splitlines() if line.startswith("|")][2:]
    assert [line.split(" |")[0].strip("| ") for line in table] == [
        "preprocess", "half", "profile",
        "layer step", "layer forward", "layer step", "layer forward",
    ]  # fmt: skip
    assert " CountVectorizer " in table[0]
    assert all("keras" in line and " torch " in line and "×" in line for line in table[3:])


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_the_step_is_timed_on_backends_that_use_a_gpu(backend):
    pytest.importorskip(backend, reason=f"{backend} is not installed: pip install '.[peers]'")
    command = [sys.executable, "-m", "tests.benchmarks.gpu", "--tiny", "--seconds", "0"]
    env = {**os.environ, "KERAS_BACKEND": backend}
    root = Path(__file__).parents[2]
    run = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-4000:]
    assert re.search(r"\| step +\| \(4, 9, 4, 3, ragged\).* ms .*keras \d", run.stdout)


def test_every_section_has_a_module():
    for section in SECTIONS:
        assert importlib.util.find_spec(f"tests.benchmarks.{section}") is not None
