"""Language models on disk."""

import json

import numpy as np
import pytest
from language_model_arrays import TOKENS, UNITS, WIDTH, random_arrays
from safetensors.numpy import save_file

from sentiment_lstm import language_models
from sentiment_lstm.errors import BundleError
from sentiment_lstm.language_models import (
    read_language_model,
    resolve_language_model,
)
from sentiment_lstm.manifest import write_manifest
from sentiment_lstm.text import Vocabulary


def written(directory, arrays):
    directory.mkdir(parents=True)
    save_file(arrays, directory / "weights.safetensors")
    directions = 2 if "projection.backward" in arrays else 1
    sizes = {"embedding": WIDTH, "units": UNITS, "directions": directions, "perplexities": {}}
    (directory / "config.json").write_text(json.dumps(sizes))
    Vocabulary(TOKENS).save(directory / "vocabulary.txt")
    write_manifest(directory, language_models.FILES)
    return directory


@pytest.fixture
def directory(tmp_path):
    return written(tmp_path / "run" / "pretrain", random_arrays())


def test_a_name_is_looked_for_among_those_that_ship(tmp_path, directory, monkeypatch):
    assert resolve_language_model(directory) == directory
    assert resolve_language_model(directory.parent) == directory
    with pytest.raises(BundleError, match="nobody holds no language model"):
        resolve_language_model("nobody")
    monkeypatch.setattr(language_models, "SHIPPED", directory.parent)
    assert resolve_language_model("pretrain") == directory
    with pytest.raises(BundleError, match=r"one that ships \(pretrain\)"):
        resolve_language_model("nobody")


def test_weights_stored_in_half_are_read_as_float32(directory):
    found = read_language_model(directory)
    assert (found.embedding, found.units) == (WIDTH, UNITS)
    for name, array in random_arrays().items():
        assert found.weights[name].dtype == np.float32
        np.testing.assert_array_equal(found.weights[name], array.astype("float32"))


@pytest.mark.parametrize("broken", ["projection.forward", "lstm.0.backward.bias", "embedding"])
def test_an_array_that_is_missing_or_of_another_shape_is_refused(tmp_path, broken):
    arrays = random_arrays()
    without = {name: array for name, array in arrays.items() if name != broken}
    for number, some in enumerate((without, arrays | {broken: arrays[broken][1:]})):
        with pytest.raises(BundleError, match=f"is not whole .*{broken}"):
            read_language_model(written(tmp_path / str(number), some))


@pytest.mark.parametrize("name", [*language_models.FILES, "manifest.json"])
def test_a_file_of_which_one_bit_turned_is_refused_by_name(directory, name):
    data = bytearray((directory / name).read_bytes())
    data[len(data) // 2] ^= 1
    (directory / name).write_bytes(data)
    with pytest.raises(BundleError, match=f"{name}: .* not as it was written"):
        read_language_model(directory)


@pytest.mark.parametrize("sizes", [{"units": 1e400}, {"units": True}, {"embedding": 2**40}, []])
def test_sizes_that_no_model_has_are_refused(directory, sizes):
    stated = json.loads((directory / "config.json").read_bytes()) | sizes if sizes else sizes
    (directory / "config.json").write_text(json.dumps(stated).replace("Infinity", "1e400"))
    write_manifest(directory, language_models.FILES)
    with pytest.raises(BundleError, match=r"is not whole .* not a number from 1 to 65536"):
        read_language_model(directory)


def test_what_was_written_is_read_and_other_files_may_stand_beside_it(tmp_path):
    (tmp_path / "stage.json").touch()
    sizes = {"embedding": WIDTH, "units": UNITS, "directions": 1, "perplexities": {"forward": 2.5}}
    arrays = random_arrays(("forward",), "float32")
    language_models.write_language_model(tmp_path, Vocabulary(TOKENS), arrays, sizes)
    found = read_language_model(tmp_path)
    assert found.vocabulary.tokens == TOKENS
    assert found.figures == {"directions": 1, "perplexities": {"forward": 2.5}}
    assert set(found.weights) == set(arrays)
