import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from sentiment_lstm import made_aside as module
from sentiment_lstm import making
from sentiment_lstm.lstm import LSTM
from sentiment_lstm.made_aside import made_aside, wait
from sentiment_lstm.module_path import module_path
from sentiment_lstm.precision import narrow_fits

# A step of training in each way that a network can be put together, with a batch of each kind.
STEPS = """
import sys
import keras
import numpy as np
from sentiment_lstm.losses import binary_cross_entropy
from sentiment_lstm.model import build_classifier
from sentiment_lstm.settings import ModelSettings
from sentiment_lstm.steps import forward, train_step
tokens = np.array([[3, 1, 2], [4, 0, 0], [1, 1, 0]] * 6, np.int32)
ones = np.ones(len(tokens), np.float32)
for options in ({"pooling": ("last",)}, {"directions": 2}, {"embedding_dropout": 0.5}):
    settings = ModelSettings(embedding=16, units=16, layers=2, recurrent_dropout=0.2, **options)
    model = build_classifier(settings, 5, outputs=1, precision=sys.argv[1], words_once=True)
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    train_step(model, optimizer, binary_cross_entropy())(tokens, ones, ones)
    forward(model)(tokens)
"""

PRECISIONS = ("float32", "mixed_bfloat16")


def codes(directory):
    return {path.relative_to(directory) for path in directory.rglob("*.nbc")}


def steps(precision):
    """Train with the package under test (numba tells code by its path), not one that lies here."""
    command = [sys.executable, "-P", "-c", STEPS, precision]
    paths = os.environ | {"PYTHONPATH": module_path()}
    subprocess.run(command, env=paths, check=True, capture_output=True)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    place = tmp_path / "kept"
    place.mkdir()
    monkeypatch.setattr(making, "kept_in", lambda: place)
    return tmp_path


@pytest.mark.parametrize("precision", PRECISIONS)
def test_training_finds_all_the_code_it_needs(cache, precision):
    with made_aside(precision, 16):
        assert not codes(cache)  # the block runs meanwhile
        wait()
        before = codes(cache)
        assert before
    steps(precision)
    assert codes(cache) == before


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="JAX makes its own code")
def test_the_layer_waits_for_code_that_is_being_made(cache, monkeypatch):
    waited = []
    process = SimpleNamespace(poll=lambda: None, wait=lambda _: waited.append(True))
    monkeypatch.setattr(module, "_making", [process])
    LSTM(4)(np.zeros((2, 3, 5), np.float32))
    assert waited


def test_who_leaves_before_the_code_is_made_leaves_no_process_behind(cache):
    with pytest.raises(KeyboardInterrupt), made_aside("float32", 16):
        (process,) = module._making
        raise KeyboardInterrupt
    assert process.returncode == -signal.SIGTERM
    assert not codes(cache)
    assert not module._making


def test_files_where_the_command_runs_do_not_pass_for_packages(cache, monkeypatch):
    (cache / "numba.py").write_text("raise SystemExit(3)", "utf-8")
    monkeypatch.chdir(cache)
    with made_aside("float32", 16):
        (process,) = module._making
        wait()
        assert process.returncode == 0


def test_a_process_that_hangs_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.1)
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    monkeypatch.setattr(module, "_making", [process])
    wait()
    assert process.wait() == -signal.SIGKILL


def test_nothing_is_begun_where_the_code_is_there_already(cache, monkeypatch):
    monkeypatch.setattr(module.subprocess, "Popen", None)
    made = making.sign(making.form_of("mixed_bfloat16", 16))
    made.touch()
    with made_aside("mixed_bfloat16", 16):
        pass
    made.unlink()
    with pytest.raises(TypeError), made_aside("mixed_bfloat16", 16):
        pass


@pytest.mark.skipif(not narrow_fits(16), reason="no products in bfloat16 on this processor")
def test_code_of_one_form_does_not_stand_for_the_other(cache, monkeypatch):
    monkeypatch.setattr(module.subprocess, "Popen", None)
    making.sign("bfloat16").touch()
    with pytest.raises(TypeError), made_aside("float32", 16):
        pass


@pytest.mark.skipif(not narrow_fits(16), reason="no products in bfloat16 on this processor")
@pytest.mark.parametrize(("units", "form"), [(16, "bfloat16"), (15, "float32")])
def test_code_is_made_of_the_form_that_the_layer_takes(units, form):
    assert making.form_of("mixed_bfloat16", units) == form
