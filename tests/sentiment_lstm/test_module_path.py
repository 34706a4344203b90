import os
import subprocess
import sys
from pathlib import Path

import sentiment_lstm
from sentiment_lstm.module_path import module_path


def test_a_process_finds_the_modules_that_this_one_finds(tmp_path, monkeypatch):
    (tmp_path / "only_here.py").write_text("", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    code = "import only_here, sentiment_lstm; print(sentiment_lstm.__file__)"
    told = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env=os.environ | {"PYTHONPATH": module_path()},
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert Path(told.strip()) == Path(sentiment_lstm.__file__)
