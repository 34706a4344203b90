"""Tokenising in processes, against tokenising here; and that no process is left over."""

import json
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.rundir import RunError
from pipelines.token_workers import PACK_BYTES, TokenWorkers, packs, tokenised
from sentiment_lstm.text import tokenise
from sentiment_lstm.token_blocks import TokenBlock

PACKS = [f'"text {n} of pack {n % 7}"\n"isn\'t {n}"\n'.encode() for n in range(40)]
# Starts two processes and shows that they work; what comes after is written by the test.
SCRIPT = """
import os, signal
from pipelines.token_workers import TokenWorkers
def texts():
    for n in range(100):
        yield b'"a text"\\n' * 1000
        if n == 10:
            print("working", flush=True)
            os.kill(os.getpid(), signal.{signal})
with TokenWorkers(2, start_after=0) as workers:
    for _ in workers.blocks(texts()):
        pass
"""


@pytest.fixture(scope="module")
def processes():
    with TokenWorkers(2, start_after=0) as workers:
        yield workers


def packed(texts):
    return "".join(json.dumps(text, ensure_ascii=False) + "\n" for text in texts).encode()


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1)))
def test_processes_answer_as_this_one_would_and_in_order(processes, texts):
    blocks = processes.blocks(packed(pack) for pack in texts)
    for block, pack in zip(map(TokenBlock.from_bytes, blocks), texts, strict=True):
        ends = np.cumsum(block.lengths)[:-1]
        numbers = np.split(block.numbers, ends)
        assert [[block.tokens[n] for n in text] for text in numbers] == [tokenise(t) for t in pack]


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("start_after", [0, 300])
def test_answers_do_not_depend_on_who_gives_them(workers, start_after):
    with TokenWorkers(workers, start_after) as made:
        assert list(made.blocks(PACKS)) == [tokenised(pack) for pack in PACKS]


def test_a_short_input_starts_no_process(monkeypatch):
    monkeypatch.setattr(sys, "executable", shutil.which("false"))  # a process would end at once
    with TokenWorkers(2) as workers:
        assert list(workers.blocks(PACKS)) == [tokenised(pack) for pack in PACKS]


def test_a_process_that_ends_is_an_error_of_one_line(monkeypatch):
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with TokenWorkers(2, 0) as workers, pytest.raises(RunError, match=r"ended with status 1\b.*$"):
        list(workers.blocks(PACKS))


def test_where_no_process_can_be_started_the_work_is_done_here(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "absent"))
    with TokenWorkers(2, 0) as workers:
        assert list(workers.blocks(PACKS)) == [tokenised(pack) for pack in PACKS]


def test_an_error_of_the_texts_goes_through_and_ends_the_processes():
    def texts():
        yield from PACKS
        raise ValueError("unreadable")

    with pytest.raises(ValueError, match="unreadable"), TokenWorkers(2, 0) as workers:
        list(workers.blocks(texts()))
    assert workers.running() == 0


def test_only_a_few_packs_are_read_ahead(processes):
    read = []
    blocks = processes.blocks(read.append(n) or pack for n, pack in enumerate(PACKS))
    next(blocks)
    assert len(read) < 10
    list(blocks)


# The processes hold the script's standard error: that it ends shows that they are gone.
@pytest.mark.parametrize(("name", "shown"), [("SIGINT", b"KeyboardInterrupt"), ("SIGKILL", b"")])
def test_no_process_outlives_an_interrupted_or_a_killed_parent(command, name, shown):
    result = command(code=SCRIPT.format(signal=name), timeout=120)
    assert result.stdout == b"working\n"
    assert result.returncode == -getattr(signal, name)
    assert result.stderr.count(b"Traceback") == bool(shown)
    assert shown in result.stderr


def test_a_script_without_a_main_guard_runs_once(command, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "print('once', flush=True)\n"
        "from pipelines.token_workers import TokenWorkers\n"
        "with TokenWorkers(2, 0) as workers:\n"
        "    assert len(list(workers.blocks([b'\"a\"\\n'] * 9))) == 9\n",
        "utf-8",
    )
    code = f"import runpy; runpy.run_path({str(script)!r}, run_name='__main__')"
    assert command(code=code, timeout=120).stdout == b"once\n"


def test_the_processes_need_no_tensorflow():
    code = "import sys, pipelines.token_workers; print({'tensorflow', 'keras'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == b"set()\n"


@given(st.lists(st.integers(1, 3)))
def test_packs_hold_every_line_and_little_more_than_they_should(thirds):
    lines = [b"x" * (n * PACK_BYTES // 3) + b"\n" for n in thirds[:8]]
    made = list(packs(lines))
    assert b"".join(made) == b"".join(lines)
    assert all(len(pack) >= PACK_BYTES for pack in made[:-1])
    assert all(len(pack) < 2 * PACK_BYTES + 2 for pack in made)
