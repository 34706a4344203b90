import contextlib
import hashlib
import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from sentiment_lstm import bundle as bundle_module
from sentiment_lstm.bundle import (
    FILES,
    BundleConfig,
    is_bundle,
    is_shipped,
    payload_digest,
    read_bundle,
    read_card,
    resolve_model,
    rewrite_bundle,
    shipped,
    update_card,
    write_bundle,
)
from sentiment_lstm.bundle_config import ADDED
from sentiment_lstm.errors import BundleError
from sentiment_lstm.manifest import Seal, write_manifest
from sentiment_lstm.text import Vocabulary

ALL_FILES = (*FILES, "manifest.json")
ROOT = Path(bundle_module.__file__).parents[1]


def flip(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def seal(directory: Path) -> None:
    """Write a manifest that agrees with the files, as a forger would."""
    write_manifest(directory, FILES)


def rewrite_config(directory: Path, **changes: Any) -> None:
    path = directory / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    seal(directory)


def rewrite_weights(directory: Path, change: Any) -> None:
    weights = load_file(directory / "weights.safetensors")
    change(weights)
    save_file(weights, directory / "weights.safetensors")
    seal(directory)


def test_a_model_comes_back_as_it_was_written(make_bundle, tmp_path):
    config = BundleConfig(
        version="1.2.3",
        labels=("no", "oui ✓", "maybe"),
        max_tokens=30,
        head_tokens=0,
        embedding=4,
        units=3,
        directions=2,
        layers=2,
        pooling=("mean", "last"),
        temperature=1.7,
        threshold=0.25,
        abstain=0.125,
        data={"source": "files", "labels": ("no", "oui ✓", "maybe")},
    )
    vocabulary = Vocabulary.from_counts({"b": 2, "a": 2, "…": 9}, 100, 1)
    generator = np.random.default_rng(3)
    weights = {
        name: generator.normal(size=shape).astype(np.float32)
        for name, shape in config.weight_shapes(len(vocabulary)).items()
    }
    write_bundle(tmp_path / "m", config, weights, vocabulary, "# card é")
    back = read_bundle(tmp_path / "m")
    assert back.config == config
    assert back.vocabulary.tokens == vocabulary.tokens
    assert set(back.weights) == set(weights)
    for name, array in weights.items():
        np.testing.assert_array_equal(back.weights[name], array, strict=True)
    assert (tmp_path / "m" / "README.md").read_text(encoding="utf-8") == "# card é"


def test_weight_shapes_follow_layers_directions_pools_and_outputs():
    config = BundleConfig(
        labels=("a", "b", "c"), embedding=5, units=7, directions=2, layers=2, pooling=("max",)
    )
    assert config.weight_shapes(11) == {
        "embedding": (11, 5),
        "lstm.0.forward.kernel": (5, 28),
        "lstm.0.forward.recurrent_kernel": (7, 28),
        "lstm.0.forward.bias": (28,),
        "lstm.0.backward.kernel": (5, 28),
        "lstm.0.backward.recurrent_kernel": (7, 28),
        "lstm.0.backward.bias": (28,),
        "lstm.1.forward.kernel": (14, 28),
        "lstm.1.forward.recurrent_kernel": (7, 28),
        "lstm.1.forward.bias": (28,),
        "lstm.1.backward.kernel": (14, 28),
        "lstm.1.backward.recurrent_kernel": (7, 28),
        "lstm.1.backward.bias": (28,),
        "head.kernel": (14, 3),
        "head.bias": (3,),
    }


def test_half_precision_on_disk_is_single_in_memory(make_bundle):
    whole = read_bundle(make_bundle("whole"))
    halves = {name: array.astype(np.float16) for name, array in whole.weights.items()}
    directory = whole.directory.with_name("half")
    write_bundle(directory, whole.config, halves, whole.vocabulary, "")
    back = read_bundle(directory)
    for name, array in halves.items():
        np.testing.assert_array_equal(back.weights[name], array.astype(np.float32), strict=True)
    sizes = [(d / "weights.safetensors").stat().st_size for d in (directory, whole.directory)]
    assert sizes[0] < sizes[1]


def test_the_same_model_is_written_byte_for_byte(make_bundle):
    one, two = make_bundle("one"), make_bundle("two")
    assert all((one / name).read_bytes() == (two / name).read_bytes() for name in ALL_FILES)


def test_manifest_holds_sizes_and_digests_of_the_other_files(make_bundle):
    directory = make_bundle()
    manifest = json.loads((directory / "manifest.json").read_bytes())
    assert set(manifest["files"]) == set(FILES)
    for name, entry in manifest["files"].items():
        data = (directory / name).read_bytes()
        assert entry == {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    files = json.dumps(manifest["files"], sort_keys=True, separators=(",", ":"))
    assert manifest["digest"] == hashlib.sha256(files.encode()).hexdigest()


@pytest.mark.parametrize("name", ALL_FILES)
@pytest.mark.parametrize("change", [flip, lambda d: d[:-1], lambda d: d + b" ", lambda d: b""])
def test_an_altered_file_is_refused(make_bundle, name, change):
    path = make_bundle() / name
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(BundleError, match=r"copy or train it again"):
        read_bundle(path.parent)


@pytest.mark.parametrize("name", ALL_FILES)
def test_a_missing_file_is_refused(make_bundle, name):
    path = make_bundle() / name
    path.unlink()
    with pytest.raises(BundleError):
        read_bundle(path.parent)


@pytest.mark.parametrize("name", ALL_FILES)
def test_a_linked_file_is_refused(make_bundle, name):
    path = make_bundle() / name
    elsewhere = path.parent.with_name("elsewhere")
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    with pytest.raises(BundleError, match="links are refused"):
        read_bundle(path.parent)


def test_a_pipe_in_place_of_a_file_is_refused_without_waiting(make_bundle):
    path = make_bundle() / "vocabulary.txt"
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(BundleError, match="not a regular file"):
        read_bundle(path.parent)


@pytest.mark.parametrize("name", ALL_FILES)
def test_a_file_of_another_size_is_refused_unread(make_bundle, name):
    path = make_bundle() / name
    os.truncate(path, 2**42)  # a hole on disk, more than fits in memory
    with pytest.raises(BundleError, match="more than"):
        read_bundle(path.parent)


def test_an_extra_file_is_refused(make_bundle):
    directory = make_bundle()
    (directory / "sitecustomize.py").write_text("")
    with pytest.raises(BundleError, match=r"sitecustomize\.py: an extra file"):
        read_bundle(directory)


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.update(format=2),
        lambda m: m.update(format=True),
        lambda m: m.update(note="x"),
        lambda m: m["files"].update({"../outside": m["files"]["README.md"]}),
        lambda m: m["files"].pop("README.md"),
        lambda m: m["files"].update({"README.md": {"bytes": "1", "sha256": ""}}),
        lambda m: m["files"].update({"README.md": None}),
        lambda m: m.update(files=[]),
        lambda m: m.update(digest=None),
    ],
)
def test_a_forged_manifest_is_refused(make_bundle, change):
    path = make_bundle() / "manifest.json"
    manifest = json.loads(path.read_bytes())
    change(manifest)
    files = json.dumps(manifest["files"], sort_keys=True, separators=(",", ":"))
    if manifest["digest"]:
        manifest["digest"] = hashlib.sha256(files.encode()).hexdigest()
    path.write_text(json.dumps(manifest, sort_keys=True, separators=(",", ":")))
    with pytest.raises(BundleError):
        read_bundle(path.parent)


@pytest.mark.parametrize("text", ["[]", "null", "{", "[" * 30_000, '{"a": NaN}', '{"a":1,"a":1}'])
@pytest.mark.parametrize("name", ["manifest.json", "config.json"])
def test_json_that_is_no_configuration_is_refused(make_bundle, name, text):
    path = make_bundle() / name
    path.write_text(text)
    if name == "config.json":
        seal(path.parent)
    with pytest.raises(BundleError):
        read_bundle(path.parent)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("format", 2),
        ("format", 1.0),
        ("version", 1),
        ("task", "translation"),
        ("labels", ["one"]),
        ("labels", ["same", "same"]),
        ("labels", ["a", ""]),
        ("labels", ["a", "b\n"]),
        ("labels", ["a", 1]),
        ("labels", "ab"),
        ("max_tokens", 0),
        ("max_tokens", True),
        ("max_tokens", 12.0),
        ("max_tokens", 10**12),
        ("head_tokens", 13),
        ("head_tokens", -1),
        ("embedding", 0),
        ("units", "3"),
        ("units", None),
        ("directions", 3),
        ("layers", 0),
        ("layers", 10**9),
        ("pooling", []),
        ("pooling", ["max", "max"]),
        ("pooling", ["median"]),
        ("pooling", [["max"]]),
        ("temperature", 0),
        ("temperature", -1.0),
        ("temperature", float("nan")),
        ("temperature", float("inf")),
        ("temperature", "1"),
        ("threshold", 1.5),
        ("threshold", float("nan")),
        ("abstain", -0.1),
        ("abstain", 0.5),
        ("abstain", float("nan")),
        ("abstain", "0.1"),
        ("abstain", True),
        ("target_mean", float("inf")),
        ("target_scale", 0.0),
        ("data", []),
        ("embeding", 5),
    ],
)
def test_an_impossible_configuration_is_refused_by_name(make_bundle, key, value):
    directory = make_bundle()
    rewrite_config(directory, **{key: value})
    finite = value == value and value not in (float("inf"),)
    with pytest.raises(BundleError, match=key if finite else "not a JSON value"):
        read_bundle(directory)


@pytest.mark.parametrize("key", sorted({*BundleConfig(labels=("a", "b")).to_json()} - ADDED))
def test_a_configuration_without_a_key_is_refused_by_name(make_bundle, key):
    directory = make_bundle()
    path = directory / "config.json"
    path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != key}))
    seal(directory)
    with pytest.raises(BundleError, match=f"key '{key}' is missing"):
        read_bundle(directory)


def without(directory: Path, key: str) -> Path:
    """Leave a key out of a configuration, as a version before there was such a key did."""
    path = directory / "config.json"
    path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != key}))
    seal(directory)
    return directory


def test_a_model_from_before_there_was_a_margin_decides_every_text(make_bundle):
    for name, changes in (("two", {}), ("number", {"task": "regression", "labels": ()})):
        config = read_bundle(without(make_bundle(name, **changes), "abstain")).config
        assert config.abstain == 0.0
        assert config == read_bundle(make_bundle(f"{name} now", **changes)).config
    assert {"abstain"} == ADDED


def test_what_cannot_be_unsure_has_no_margin(make_bundle):
    directory = make_bundle(labels=("sure", "unsure"))
    rewrite_config(directory, abstain=0.1)
    with pytest.raises(BundleError, match=r"abstain is 0\.1: the model has a label 'unsure'"):
        read_bundle(directory)
    with pytest.raises(BundleError, match=r"abstain is 0\.1: a regression decides nothing"):
        BundleConfig(task="regression", abstain=0.1)
    assert BundleConfig(labels=("a", "b"), abstain=0).abstain == 0


def test_a_regression_with_labels_is_refused(make_bundle):
    directory = make_bundle()
    rewrite_config(directory, task="regression")
    with pytest.raises(BundleError, match="a regression has none"):
        read_bundle(directory)


def test_a_configuration_that_says_a_thing_twice_is_refused(make_bundle):
    path = make_bundle() / "config.json"
    path.write_text(path.read_text().replace("{", '{"units":4,', 1))
    seal(path.parent)
    with pytest.raises(BundleError, match="a key stands twice"):
        read_bundle(path.parent)


def test_an_unknown_key_is_answered_with_the_nearest(make_bundle):
    directory = make_bundle()
    rewrite_config(directory, temprature=1.0)
    with pytest.raises(BundleError, match=r"'temprature': did you mean 'temperature'\?"):
        read_bundle(directory)


def test_nan_is_refused_when_a_configuration_is_made():
    with pytest.raises(BundleError, match="temperature"):
        BundleConfig(labels=("a", "b"), temperature=float("nan"))
    with pytest.raises(BundleError, match="data"):
        BundleConfig(labels=("a", "b"), data={"x": float("nan")})


@pytest.mark.parametrize(
    "change",
    [
        lambda w: w.update({"head.kernel": w["head.kernel"].T.copy()}),
        lambda w: w.update({"head.bias": w["head.bias"].astype(np.float64)}),
        lambda w: w.update({"head.bias": w["head.bias"].view(np.int32)}),
        lambda w: w.update({"extra": w["head.bias"]}),
        lambda w: w.update({"head.weights": w.pop("head.kernel")}),
        lambda w: w.pop("lstm.0.backward.bias"),
        lambda w: w["embedding"].__setitem__((0, 0), np.nan),
        lambda w: w["embedding"].__setitem__((0, 0), np.inf),
        lambda w: w.update({"embedding": w["embedding"][:-1].copy()}),
    ],
)
def test_weights_at_odds_with_the_configuration_are_refused(make_bundle, change):
    directory = make_bundle()
    rewrite_weights(directory, change)
    with pytest.raises(BundleError, match=r"weights\.safetensors"):
        read_bundle(directory)


def test_a_header_that_overlaps_its_arrays_is_refused(make_bundle):
    path = make_bundle() / "weights.safetensors"
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    for entry in header.values():
        size = entry["data_offsets"][1] - entry["data_offsets"][0]
        entry["data_offsets"] = [0, size]
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])
    seal(path.parent)
    with pytest.raises(BundleError):
        read_bundle(path.parent)


class Trap:
    def __reduce__(self):
        return (Path.touch, (Path("sprung"),))


def test_a_pickle_in_place_of_weights_is_refused_unread(make_bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    directory = make_bundle()
    (directory / "weights.safetensors").write_bytes(pickle.dumps(Trap()))
    seal(directory)
    with pytest.raises(BundleError):
        read_bundle(directory)
    assert not (tmp_path / "sprung").exists()


def test_a_vocabulary_of_another_length_is_refused(make_bundle):
    directory = make_bundle()
    with (directory / "vocabulary.txt").open("a", encoding="utf-8") as file:
        file.write("another\n")
    seal(directory)
    with pytest.raises(BundleError, match="embedding"):
        read_bundle(directory)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


EXAMPLES = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def restored(make_bundle):
    """Return a function that puts a sound model back after each example has altered it."""
    directory = make_bundle()
    files = {name: (directory / name).read_bytes() for name in ALL_FILES}

    def restore():
        for name, data in files.items():
            (directory / name).write_bytes(data)
        return directory

    return restore


@given(st.data())
@EXAMPLES
def test_any_forged_value_is_read_or_refused_but_never_crashes(restored, data):
    directory = restored()
    key = data.draw(st.sampled_from(sorted(BundleConfig(labels=("a", "b")).to_json())))
    rewrite_config(directory, **{key: data.draw(json_values)})
    with contextlib.suppress(BundleError):
        read_bundle(directory)


@given(st.data())
@EXAMPLES
def test_any_single_byte_changed_is_refused(restored, data):
    directory = restored()
    path = directory / data.draw(st.sampled_from(ALL_FILES))
    content = bytearray(path.read_bytes())
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    with pytest.raises(BundleError):
        read_bundle(directory)


def test_nothing_is_written_when_weights_do_not_fit(make_bundle, tmp_path):
    sound = read_bundle(make_bundle())
    wrong = sound.weights | {"head.bias": np.zeros(2, np.float32)}
    with pytest.raises(BundleError, match=r"head\.bias"):
        write_bundle(tmp_path / "new", sound.config, wrong, sound.vocabulary, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]


def test_a_new_card_leaves_the_payload_and_its_digest(make_bundle):
    directory = make_bundle()
    before, digest = read_bundle(directory), payload_digest(directory)
    update_card(directory, "# Measured: 0.9")
    after = read_bundle(directory)
    assert (directory / "README.md").read_text() == "# Measured: 0.9"
    assert payload_digest(directory) == digest
    assert after.config == before.config
    np.testing.assert_array_equal(after.weights["embedding"], before.weights["embedding"])


def test_a_card_is_not_put_on_an_altered_model(make_bundle):
    directory = make_bundle()
    (directory / "vocabulary.txt").write_bytes(b"altered")
    with pytest.raises(BundleError):
        update_card(directory, "# new")
    assert (directory / "vocabulary.txt").read_bytes() == b"altered"


def test_a_model_is_written_anew_with_another_configuration_and_the_same_weights(
    make_bundle, tmp_path
):
    directory = make_bundle()
    config = replace(read_bundle(directory).config, threshold=0.3, abstain=0.2)
    whole = {name: (directory / name).read_bytes() for name in ALL_FILES}
    rewrite_bundle(directory, tmp_path / "other", config, "# Other")
    assert {name: (directory / name).read_bytes() for name in ALL_FILES} == whole
    rewrite_bundle(directory, directory, config, "# Other")
    for place in (directory, tmp_path / "other"):
        assert read_bundle(place).config == config
        assert read_card(place) == "# Other"
        for name in ("weights.safetensors", "vocabulary.txt"):
            assert (place / name).read_bytes() == whole[name]
    with pytest.raises(BundleError, match="holds other files"):
        rewrite_bundle(directory, tmp_path, config, "# Other")
    (directory / "vocabulary.txt").write_bytes(flip(whole["vocabulary.txt"]))
    with pytest.raises(BundleError, match=r"vocabulary\.txt"):
        rewrite_bundle(directory, tmp_path / "third", config, "# Other")
    assert not (tmp_path / "third").exists()


def test_what_ships_is_known_by_any_name(tmp_path):
    assert is_shipped(bundle_module.SHIPPED / "imdb")
    (tmp_path / "link").symlink_to(bundle_module.SHIPPED / "imdb")
    assert is_shipped(tmp_path / "link")
    assert not is_shipped(tmp_path)


def test_other_weights_have_another_payload_digest(make_bundle):
    assert payload_digest(make_bundle("a", seed=1)) != payload_digest(make_bundle("b", seed=2))


LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the step")
KILLED_AT_RENAME = """
import itertools, os, sys
from pathlib import Path
from sentiment_lstm import atomic
from sentiment_lstm.bundle import update_card
if sys.argv[3] == "in two steps":
    atomic.exchanged = lambda new, path: False
renames = itertools.count()
def hook(event, arguments):
    if event == "os.rename" and next(renames) == int(sys.argv[2]):
        os._exit(9)
sys.addaudithook(hook)
update_card(Path(sys.argv[1]), "# new")
"""


@pytest.mark.parametrize(
    ("how", "rename", "renames"),
    [
        pytest.param("in one step", 0, 1, marks=LINUX),
        pytest.param("in one step", 1, 1, marks=LINUX),
        ("in two steps", 0, 2),
        ("in two steps", 1, 2),
        ("in two steps", 2, 2),
    ],
)
def test_a_process_killed_at_any_rename_leaves_a_sound_model(make_bundle, how, rename, renames):
    directory = make_bundle()
    update_card(directory, "# old")
    command = [sys.executable, "-c", KILLED_AT_RENAME, str(directory), str(rename), how]
    status = subprocess.run(command, cwd=ROOT, check=False).returncode
    assert status == (9 if rename < renames else 0)
    read_bundle(directory)
    assert (directory / "README.md").read_text() == ("# old" if status else "# new")


def test_a_model_is_found_as_bundle_or_inside_a_run(make_bundle, tmp_path, monkeypatch):
    directory = make_bundle("run/bundle")
    assert resolve_model(directory) == directory
    assert resolve_model(str(tmp_path / "run")) == directory
    assert is_bundle(directory)
    assert not is_bundle(tmp_path)
    monkeypatch.chdir(directory)
    assert read_bundle(resolve_model(".")).config.units == 3


def test_every_shipped_model_is_sound():
    for name in shipped():
        assert read_bundle(resolve_model(name)).config.version


@pytest.mark.parametrize("name", ["nowhere", "", "/", "a\0b", "x" * 5000, "\udcff"])
def test_no_model_is_told_with_the_way_out(name):
    with pytest.raises(BundleError, match="bundle or run directory, or a shipped model"):
        resolve_model(name)
    with pytest.raises(BundleError):
        read_bundle(Path(name))


def test_nobodys_files_are_replaced(make_bundle, tmp_path, monkeypatch):
    sound = read_bundle(make_bundle())
    parts = (sound.config, sound.weights, sound.vocabulary, "another card")
    (tmp_path / "empty").mkdir()
    for target in (tmp_path / "empty", sound.directory):
        write_bundle(target, *parts)
        assert (target / "README.md").read_text() == "another card"
    (sound.directory / "notes.txt").touch()
    (tmp_path / "README.md").touch()
    for target in (sound.directory, tmp_path):
        with pytest.raises(BundleError, match="holds other files: name an empty or a new"):
            write_bundle(target, *parts)
    with pytest.raises(BundleError, match="is a file"):
        write_bundle(tmp_path / "README.md", *parts)
    monkeypatch.chdir(tmp_path / "empty")
    with pytest.raises(BundleError, match="is the working directory"):
        write_bundle(Path(), *parts)
    assert (sound.directory / "notes.txt").exists()


def test_the_vocabulary_is_read_from_the_bytes_that_were_compared(make_bundle, monkeypatch):
    directory = make_bundle()
    tokens = read_bundle(directory).vocabulary.tokens
    read = Seal.read

    def read_then_swap(seal, name, most):
        data = read(seal, name, most)
        (seal.directory / name).write_text("\n".join([*tokens[:-1], "swapped"]))
        return data

    monkeypatch.setattr(Seal, "read", read_then_swap)
    assert read_bundle(directory).vocabulary.tokens == tokens


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", b"[" + b"[]," * 2**20 + b"[]]"),
        ("README.md", b"x" * (2**20 + 1)),
        ("vocabulary.txt", b"x\n" * (2**25 + 1)),
    ],
)
def test_a_file_larger_than_any_model_needs_is_refused_unread(make_bundle, name, content):
    directory = make_bundle()
    (directory / name).write_bytes(content)
    seal(directory)
    with pytest.raises(BundleError, match=rf"{name}: .* more than .* that it can need"):
        read_bundle(directory)


def test_weights_larger_than_the_configuration_demands_are_refused_unread(make_bundle):
    directory = make_bundle()
    os.truncate(directory / "weights.safetensors", 2**21)
    seal(directory)
    with pytest.raises(BundleError, match=r"weights\.safetensors: 2,097,152 bytes, more than"):
        read_bundle(directory)


def test_a_header_longer_than_any_model_needs_is_refused_unparsed(make_bundle):
    directory = make_bundle(units=100, embedding=3000)
    path = directory / "weights.safetensors"
    data = path.read_bytes()
    path.write_bytes((2**20 + 1).to_bytes(8, "little") + data[8:])
    seal(directory)
    with pytest.raises(BundleError, match="header would have 1,048,577 bytes"):
        read_bundle(directory)


def test_a_model_replaced_while_it_is_read_is_read_again(make_bundle, monkeypatch):
    directory = make_bundle(seed=1)
    other = read_bundle(make_bundle("other", seed=2))
    read = Seal.read

    def replaced_meanwhile(seal, name, most):
        if name == "weights.safetensors" and seal.directory == directory:
            monkeypatch.setattr(Seal, "read", read)
            write_bundle(directory, other.config, other.weights, other.vocabulary, "# other")
        return read(seal, name, most)

    monkeypatch.setattr(Seal, "read", replaced_meanwhile)
    found = read_bundle(directory)
    np.testing.assert_array_equal(found.weights["embedding"], other.weights["embedding"])


def test_a_model_that_is_missing_while_it_changes_places_is_read_again(make_bundle, monkeypatch):
    directory = make_bundle(seed=1)
    looked = bundle_module.is_bundle

    def missing_meanwhile(path):
        monkeypatch.setattr(bundle_module, "is_bundle", looked)
        sound = read_bundle(path)
        write_bundle(path, sound.config, sound.weights, sound.vocabulary, "# anew")
        return False

    monkeypatch.setattr(bundle_module, "is_bundle", missing_meanwhile)
    assert read_bundle(directory).directory == directory
    assert read_card(directory) == "# anew"
