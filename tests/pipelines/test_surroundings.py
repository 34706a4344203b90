"""What is told of versions and machine, against what the modules themselves say."""

import importlib
import os
import platform

import pytest

from pipelines import surroundings as module
from pipelines.surroundings import surroundings


@pytest.mark.parametrize("backend", [None, "tensorflow"])
def test_the_versions_are_those_that_are_imported(backend):
    told = surroundings(backend)
    for name in ("numpy", "numba", *(["keras"] if backend else [])):
        assert told[name] == importlib.import_module(name).__version__
    assert told["Python"] == platform.python_version()
    assert ("backend" in told, "tensorflow" in told) == (backend is not None,) * 2


def test_the_machine_is_told_and_not_named():
    told = surroundings(None)
    assert told["cores"] == str(len(os.sched_getaffinity(0)))
    assert platform.node() not in told.values()


def test_the_processor_is_what_the_system_calls_it(monkeypatch, tmp_path):
    information = tmp_path / "cpuinfo"
    first = "processor\t: 0\ncpu family\t: 6\nmodel\t\t: 207\nmodel name\t: Fast: 3 GHz\n"
    information.write_text(f"{first}\nprocessor\t: 1\nmodel name\t: other\n")
    monkeypatch.setattr(module, "CPU_INFO", information)
    assert surroundings(None)["processor"] == "Fast: 3 GHz, cpu family 6, model 207"
    information.unlink()
    assert surroundings(None)["processor"] == (platform.processor() or "unknown")


def test_what_is_not_installed_is_told_so(monkeypatch):
    monkeypatch.setattr(module, "PACKAGES", ("no-such-package",))
    assert surroundings(None)["no-such-package"] == "not installed"
