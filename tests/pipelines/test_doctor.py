"""What the doctor says of a healthy installation, and of ones that are really broken."""

import json
import os
import re
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import pipelines
from pipelines.doctor import machine
from pipelines.doctor.examination import BACKENDS
from pipelines.doctor.imdb import reviews
from pipelines.doctor.models import given_model
from pipelines.doctor.packages import fault
from pipelines.doctor.probes import Probes

ROOT = Path(pipelines.__file__).parents[1]
UNHURRIED = ("--timeout", 3600)  # how long an import takes is the machine's affair
LINE = re.compile(r"(ok|problem) +(\S+) +(.+)")
QUICK = ["Python", "packages", "cores", "temporary", "HOME", "disk", "IMDB"]


@pytest.fixture
def doctor(command, tmp_path_factory):
    """Return a function that runs `doctor`, its modules looked for in other places first.

    It runs where there are none: `python -m` looks in the working directory before all others.
    """
    empty = tmp_path_factory.mktemp("empty")

    def run(*arguments, before=(), root=ROOT, env=()):
        path = os.pathsep.join(map(str, [*before, root]))
        env = {"PYTHONPATH": path, **dict(env)}
        return command("doctor", *UNHURRIED, *arguments, env=env, cwd=empty)

    return run


def told(result):
    """Return what was said of each subject, as (status, subject, rest); nothing else was said."""
    assert b"Traceback" not in result.stdout + result.stderr
    lines = result.stdout.decode().splitlines()
    found = [LINE.fullmatch(line).groups() for line in lines]
    problems = [line for line in found if line[0] == "problem"]
    if problems:
        assert result.returncode == 1
        count = f"{len(problems)} problem{'s' * (len(problems) > 1)}"
        assert result.stderr.decode() == f"error: {count}, each with a way out above\n"
    else:
        assert (result.returncode, result.stderr) == (0, b"")
    return found


def said_of(subject, found, status="problem"):
    """Return the one line of a status on a subject."""
    (line,) = [rest for given, name, rest in found if (given, name) == (status, subject)]
    return line


def module(place, name, source):
    place.mkdir(exist_ok=True)
    (place / f"{name}.py").write_text(source)
    return place / f"{name}.py"


def installed(place, name, version, *lines):
    """Write what a package leaves of itself when it is installed."""
    folder = place / f"{name}-{version}.dist-info"
    folder.mkdir(parents=True)
    told = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *lines]
    (folder / "METADATA").write_text("\n".join(told) + "\n")


def flip(path):
    """Turn a bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.unlink()  # it may be a link to another's
    path.write_bytes(data)


def test_a_healthy_installation_has_no_problem(doctor, make_bundle):
    found = told(doctor("--model", make_bundle()))
    subjects = [subject for _, subject, _ in found]
    assert subjects == [*QUICK, "models", "model", "compiler", *BACKENDS]
    assert "imdb" in said_of("models", found, "ok")
    assert "tensorflow 2." in said_of("packages", found, "ok")
    assert "runs Keras 3." in said_of("tensorflow", found, "ok")


def test_packages_and_places_that_are_broken(doctor, tmp_path, make_bundle):
    place = tmp_path / "before"
    hiding = module(place, "keras", "raise ImportError('cannot import \\x1b[2J', name='a')\n")
    installed(place, "click", "7.1.2")
    installed(place, "tqdm", "9.0")
    bundle = make_bundle()
    flip(bundle / "weights.safetensors")
    file = tmp_path / "file"
    file.touch()
    env = {
        "HOME": file,
        "TMPDIR": tmp_path / "nowhere",
        "TFDS_DATA_DIR": file,
        "NUMBA_CACHE_DIR": file / "below",
        "OMP_NUM_THREADS": "many",
    }
    environment = {name: str(value) for name, value in env.items()}
    found = told(doctor("--model", bundle, before=[place], env=environment))
    assert "7.1.2 is too old" in said_of("click", found)
    assert re.search(r"pip install 'click.*8\.1", said_of("click", found))
    assert "9.0 is too new" in said_of("tqdm", found)
    assert f"{hiding} is imported in its place" in said_of("keras", found)
    for backend in filter(find_spec, BACKENDS):
        line = said_of(backend, found)
        assert "ImportError: cannot import \\x1b[2J" in line
        assert f"{hiding} is imported in its place: move that away" in line
    assert f"{file} takes no files (Not a directory)" in said_of("HOME", found)
    assert "takes no files (No such file or directory)" in said_of("TMPDIR", found)
    assert "'many' is no number of threads: unset it" in said_of("OMP_NUM_THREADS", found)
    assert f"{file} is no directory: set TFDS_DATA_DIR" in said_of("IMDB", found)
    assert f"NUMBA_CACHE_DIR is {file / 'below'}, which takes no files" in said_of(
        "compiler", found
    )
    assert "weights.safetensors: size or SHA-256 is not what" in said_of("model", found)
    assert said_of("models", found, "ok")
    assert said_of("Python", found, "ok")


def test_backends_that_crash_and_requirements_that_are_not_met(doctor, tmp_path):
    place = tmp_path / "before"
    module(place, "tensorflow", "import os\nprint('noise')\nos.abort()\n")
    module(place, "jax", "raise SystemExit(3)\n")
    module(place, "torch", "import os\nos._exit(7)\n")
    wanted = [
        "Requires-Python: >=3.99",
        "Requires-Dist: no-such-package>=2",
        "Requires-Dist: torch",
    ]
    installed(place, "sentiment_lstm", "0.0.1", *wanted)
    half = tmp_path / "data" / "imdb_reviews" / "plain_text" / "1.0.0"
    half.mkdir(parents=True)
    found = told(doctor(before=[place], env={"TFDS_DATA_DIR": str(tmp_path / "data")}))
    assert "crashes when it is used (SIGABRT)" in said_of("tensorflow", found)
    line = said_of("jax", found)
    assert "SystemExit: 3" in line
    hidden = f"{place / 'jax.py'} is imported in its place"
    assert (hidden if find_spec("jax") else "pip install --force-reinstall jax") in line
    assert "crashes when it is used (status 7)" in [
        rest.partition(":")[0] for _, subject, rest in found if subject == "torch"
    ]
    assert ">=3.99 is required: make the environment" in said_of("Python", found)
    line = said_of("no-such-package", found)
    assert line == "not installed, and >=2 is required: pip install 'no-such-package>=2'"
    assert "version 0.0.1 is installed" in said_of("sentiment-lstm", found)
    assert f"{half} is half prepared (no dataset_info.json): remove it" in said_of("IMDB", found)


def test_an_installation_whose_own_files_are_damaged(doctor, tmp_path):
    for package in ("sentiment_lstm", "pipelines"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored, copy_function=linked)
        (tmp_path / package / "__pycache__").touch()  # nothing can be kept there
    flip(tmp_path / "sentiment_lstm" / "bundles" / "imdb-tiny" / "vocabulary.txt")
    (tmp_path / "sentiment_lstm" / "language_models" / "imdb" / "manifest.json").unlink()
    module(tmp_path, "keras", "raise ImportError\n")
    file = tmp_path / "file"
    file.touch()
    env = {"HOME": str(file), "XDG_CACHE_HOME": str(file), "PYTHONDONTWRITEBYTECODE": "1"}
    found = told(doctor(root=tmp_path, env=env))
    damaged = [
        rest for status, subject, rest in found if (status, subject) == ("problem", "models")
    ]
    assert len(damaged) == 2
    assert "imdb-tiny/vocabulary.txt: size or SHA-256 is not what" in damaged[0]
    assert "language_models/imdb/manifest.json" in damaged[1]
    assert all("pip install --force-reinstall sentiment-lstm" in line for line in damaged)
    assert said_of("models", found, "ok") == "whole: bundles/imdb"
    assert "machine code cannot be kept" in said_of("compiler", found)


def test_an_installation_too_broken_for_the_checks_is_lines_too(doctor, tmp_path):
    module(tmp_path, "packaging", "raise ImportError('half of it is gone')\n")
    found = told(doctor(before=[tmp_path]))
    for subject in ("Python", "packages", *BACKENDS):
        line = said_of(subject, found)
        assert "ImportError: half of it is gone: pip install --force-reinstall" in line
    assert said_of("models", found, "ok")


def linked(source, target):
    """Copy a file without its bytes where that can be done."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def test_an_import_that_hangs_is_ended_and_told(tmp_path, monkeypatch):
    module(tmp_path, "jax", "import time\ntime.sleep(3600)\n")
    monkeypatch.syspath_prepend(tmp_path)
    with Probes([["backend", "jax"]], seconds=0.5) as probes:
        (finding,) = probes.findings()
    assert not finding.ok
    assert finding.told.startswith("not done after 0.5 s: give a busy machine more by --timeout")


def test_a_package_as_required_has_no_fault():
    assert fault(Requirement("packaging>=24")) is None
    assert fault(Requirement("packaging<1")).told.endswith("pip install 'packaging<1'")


def test_a_quick_look_that_fails_is_a_line(monkeypatch):
    from pipelines.doctor import examination

    monkeypatch.setattr(machine, "threads", lambda: iter([{}["nothing"]]))
    found = list(examination._guarded("cores", machine.threads))
    assert len(found) == 1
    assert "cannot be looked at, KeyError" in found[0].told


def test_room_is_told_and_missed():
    (finding,) = machine.room(least=1)
    assert finding.ok
    assert "GiB free at " in finding.told
    scarce = list(machine.room(least=2**70))
    assert scarce
    assert all("less than" in finding.told and not finding.ok for finding in scarce)


def test_limits_on_threads_are_told(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "4,2")
    (finding,) = machine.threads()
    assert finding.ok
    assert "OMP_NUM_THREADS=4,2" in finding.told


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    """Return a folder of two splits as tensorflow_datasets leaves it; 16 bytes frame a record."""
    folder = tmp_path / "imdb_reviews" / "plain_text" / "1.0.0"
    folder.mkdir(parents=True)
    splits = []
    for name, records in (("train", [70, 30]), ("test", [50])):
        for number, size in enumerate(records):
            path = folder / f"imdb_reviews-{name}.tfrecord-{number:05}-of-{len(records):05}"
            path.write_bytes(bytes(size + 16))
        lengths = ["1"] * len(records)
        splits.append({"name": name, "numBytes": str(sum(records)), "shardLengths": lengths})
    (folder / "dataset_info.json").write_text(json.dumps({"splits": splits}))
    (folder / "features.json").write_text("{}")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    return folder


def test_reviews_that_are_prepared_are_told(prepared):
    (finding,) = reviews()
    assert finding.ok
    assert str(prepared) in finding.told


HARM = {
    "no features.json": lambda folder: (folder / "features.json").unlink(),
    "dataset_info.json cannot be read": lambda f: (f / "dataset_info.json").write_text("{"),
    "1 of 2 files of the split train": lambda f: next(f.glob("*-train.*-00001-*")).unlink(),
    "65 of 66 bytes of the split test": lambda f: next(f.glob("*-test.*")).write_bytes(bytes(65)),
}


@pytest.mark.parametrize("what", HARM)
def test_reviews_that_are_half_prepared_are_a_problem(prepared, what):
    HARM[what](prepared)
    (finding,) = reviews()
    assert not finding.ok
    assert f"half prepared ({what}): remove it" in finding.told


def test_reviews_that_are_not_prepared_are_no_problem(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    begun = tmp_path / "imdb_reviews" / "plain_text" / "1.0.0.incompleteABC"
    begun.mkdir(parents=True)  # a download that was killed: the next one starts anew
    (finding,) = reviews()
    assert finding.ok
    assert (
        f"not prepared in {tmp_path}: the first recipe that asks for it downloads" in finding.told
    )


def test_the_reviews_on_this_machine_are_whole():
    if "TFDS_DATA_DIR" not in os.environ:
        pytest.skip("IMDB is not prepared here: set TFDS_DATA_DIR")
    assert [finding.ok for finding in reviews()] == [True]


@pytest.fixture
def run(tmp_path, make_bundle, invoke):
    make_bundle("run/bundle")
    tiny = ("--set", "data.size=20")
    assert not invoke("preprocess", "quickstart", "--run-dir", tmp_path / "run", *tiny).exit_code
    return tmp_path / "run"


def test_a_run_directory_is_looked_at_stage_by_stage(run):
    model, stage = given_model(str(run))
    assert model.ok
    assert model.told == f"{run / 'bundle'} is whole"
    assert (stage.subject, stage.ok) == ("preprocess", True)
    with (run / "preprocess" / "vocabulary.txt").open("a") as file:
        file.write("\n")
    _, stage = given_model(str(run))
    assert not stage.ok
    assert f"{run}/preprocess/vocabulary.txt is missing or altered" in stage.told
    assert f"`sentiment-lstm run {run / 'recipe.toml'} --run-dir {run}`" in stage.told


def test_a_record_that_was_altered_is_a_problem(run):
    flip(run / "preprocess" / "stage.json")
    _, stage = given_model(str(run))
    assert not stage.ok
    assert "stage.json was altered" in stage.told


def test_no_model_is_a_problem(tmp_path):
    (finding,) = given_model(str(tmp_path))
    assert not finding.ok
    assert "no model at" in finding.told
