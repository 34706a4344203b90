import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sentiment_lstm import bfloat16_products, bptt_kernels, compiled

PACKAGE = Path(compiled.__file__).parent


def test_runs_where_machine_code_cannot_be_kept(monkeypatch):
    from numba.core import caching

    assert compiled.kept_in() is not None
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    assert compiled.kept_in() is None


def test_machine_code_is_kept_where_it_is_said_to_be(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent), "NUMBA_CACHE_DIR": str(tmp_path)}
    code = f"{SCAN}\nfrom sentiment_lstm.compiled import kept_in\nprint(kept_in())"
    command = [sys.executable, "-P", "-c", code]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    kept = Path(run.stdout.splitlines()[-1])
    assert kept.is_relative_to(tmp_path)
    assert list(kept.glob("*.nbc"))


SCAN = """
import numpy as np
from sentiment_lstm import bptt, bptt_kernels
arrays = [np.full(shape, 0.5, "float32") for shape in ((3, 8), (2, 8), (8,), (1, 2), (1, 2))]
batch = bptt.Batch(np.ones((1, 2, 3), "float32"), np.ones((1, 2), bool), np.ones((1, 0), "float32"))
print(bptt.infer(batch, bptt.Weights(*arrays[:3]), *arrays[3:]).h.tolist())
print(sum(bptt_kernels.scan_forward.stats.cache_hits.values()))
"""


def test_kept_code_is_renewed_when_another_module_that_is_part_of_it_changes(tmp_path):
    """numba alone looks at the file of a function, and runs what was linked into it of others."""
    shutil.copytree(PACKAGE, tmp_path / "sentiment_lstm", ignore=shutil.ignore_patterns("*.nb?"))
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "NUMBA_CACHE_DIR": str(tmp_path / "c")}

    def scanned():
        command = [sys.executable, "-P", "-c", SCAN]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        h, hits = run.stdout.splitlines()
        return h, int(hits)

    first, again = scanned(), scanned()
    assert (first[1], again) == (0, (first[0], 1))
    tiles = tmp_path / "sentiment_lstm" / "tiles.py"
    text = tiles.read_text("utf-8")
    changed = text.replace("_multiply_add(build, *p, s)", "s")
    assert changed != text
    tiles.write_text(changed, "utf-8")
    other, hits = scanned()
    assert hits == 0
    assert other != first[0]


def test_kept_code_that_is_damaged_is_compiled_again(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent), "NUMBA_CACHE_DIR": str(tmp_path)}

    def scanned():
        command = [sys.executable, "-P", "-c", SCAN]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        h, hits = run.stdout.splitlines()
        return h, int(hits)

    h, _ = scanned()
    (index,) = tmp_path.glob("**/bptt_kernels.scan_forward-*.nbi")
    index.write_bytes(index.read_bytes()[:-40])
    assert scanned() == (h, 0)
    (code,) = tmp_path.glob("**/bptt_kernels.scan_forward-*.nbc")
    data = bytearray(code.read_bytes())
    data[len(data) // 2] ^= 4
    code.write_bytes(data)
    assert scanned() == (h, 0)
    assert scanned() == (h, 1)


STEPS = """
import hashlib
import ml_dtypes
import numpy as np
from sentiment_lstm import bfloat16_products, bptt, bptt_back
random = np.random.default_rng(5)

def drawn(*shape):
    return random.standard_normal(shape).astype(np.float32)

def bits_of(array):
    return array.astype(ml_dtypes.bfloat16).view(np.uint16)

forms = [(np.asarray, (8, 6), (17, 33))]
if bfloat16_products.available():
    forms.append((bits_of, (16, 16), (32, 48)))
for form, a, b in forms:
    for rows, time, features, units in ((32, 12, *a), (5, 7, *b)):
        keep = random.random((rows, time)) < 0.8
        batch = bptt.Batch(form(drawn(rows, time, features)), keep, drawn(rows, 0))
        kernels = form(drawn(features, 4 * units)), form(drawn(units, 4 * units))
        weights = bptt.Weights(*kernels, drawn(4 * units))
        outputs, tape = bptt.forward(batch, weights, drawn(rows, units), drawn(rows, units))
        result = outputs + bptt_back.backward(batch, weights, tape, outputs)
        print([hashlib.sha256(array.tobytes()).hexdigest()[:16] for array in result])
"""


def test_the_process_that_compiles_and_those_that_find_its_code_compute_the_same_bits(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent), "NUMBA_CACHE_DIR": str(tmp_path)}

    def computed():
        command = [sys.executable, "-P", "-c", STEPS]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return run.stdout.splitlines()

    first = computed()
    assert list(tmp_path.glob("**/bptt_kernels.scan_backward-*.nbc"))
    assert not list(tmp_path.glob("**/bptt_kernels.gates_backward-*"))  # a part of that one
    assert len(set(first)) == (4 if bfloat16_products.available() else 2)
    assert computed() == first


def test_a_part_of_compiled_code_called_from_without_says_so():
    with pytest.raises(TypeError, match="tanh is part of compiled code: call what calls it"):
        bptt_kernels.tanh(0.5)
