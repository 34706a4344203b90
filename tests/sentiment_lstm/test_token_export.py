import json
from dataclasses import replace

import numpy as np
import pytest

from sentiment_lstm import token_export
from sentiment_lstm.bundle import payload_digest
from sentiment_lstm.errors import ExportError
from sentiment_lstm.manifest import MANIFEST, check_tree
from sentiment_lstm.token_export import FORMS, export_token_model

KINDS = {
    "two": {"temperature": 1.7, "threshold": 0.6},
    "five": {"labels": ("a", "b", "c", "d", "é"), "layers": 2, "pooling": ("last", "max")},
    "number": {"task": "regression", "labels": (), "target_scale": 3.0, "target_mean": -2.0},
}
FILES = {"tokeniser.json", "tokeniser.py", "vocabulary.txt", "config.json", "manifest.json"}


def needs(form):
    for name in FORMS[form].needs:
        pytest.importorskip(name, reason=f"pip install '.[{form}]'")


@pytest.mark.parametrize("kind", KINDS)
def test_an_onnx_export_is_verified_without_this_package(make_bundle, tmp_path, kind):
    needs("onnx")
    bundle = make_bundle(**KINDS[kind])
    record = export_token_model(bundle, tmp_path / "away", "onnx", version=3)
    assert record["texts"] > 300
    assert record["model"] == payload_digest(bundle)
    assert 0 < record["largest_difference"]["numpy"] <= record["tolerance"] == 1e-5
    assert record["bytes"] == (tmp_path / "away/3/model.onnx").stat().st_size
    assert json.loads((tmp_path / "away/export.json").read_bytes()) == record


@pytest.mark.parametrize("form", FORMS)
def test_an_export_is_sealed_with_its_tokeniser(make_bundle, tmp_path, form):
    needs(form)
    bundle = make_bundle(pooling=("last", "max", "mean"))
    record = export_token_model(bundle, tmp_path / "away", form)
    assert 0 < record["largest_difference"]["numpy"] <= 1e-5
    seal = check_tree(tmp_path / "away" / "1", MANIFEST)
    assert {*seal.entries, MANIFEST} == FILES | {FORMS[form].file}
    assert {path.name for path in (tmp_path / "away").iterdir()} == {"1", "export.json"}


def test_weights_in_8_bits_tell_what_they_cost(make_bundle, tmp_path):
    needs("onnx")
    record = export_token_model(make_bundle(units=40), tmp_path, "onnx", weights="int8")
    whole = export_token_model(make_bundle("again", units=40), tmp_path, "onnx", version=2)
    assert record["largest_difference"]["numpy"] <= 1e-5 < record["loss"]["largest_difference"]
    assert record["loss"]["other_labels"] < record["texts"]
    assert record["bytes"] < 0.5 * whole["bytes"]
    assert "loss" not in whole


@pytest.mark.parametrize("weights", ["float32", "int8"])
def test_an_export_that_answers_otherwise_leaves_nothing(
    make_bundle, tmp_path, monkeypatch, weights
):
    needs("onnx")
    write = token_export._write_onnx

    def altered(bundle, stored, path):
        head = bundle.weights["head.bias"] + np.float32(1e-4)
        write(replace(bundle, weights={**bundle.weights, "head.bias": head}), stored, path)

    monkeypatch.setitem(FORMS, "onnx", replace(FORMS["onnx"], write=altered))
    with pytest.raises(ExportError, match="more than 1e-05"):
        export_token_model(make_bundle(), tmp_path / "away" / "onnx", "onnx", weights=weights)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_tokeniser_that_reads_otherwise_is_found_out(make_bundle, tmp_path, monkeypatch):
    needs("onnx")
    write = token_export.write_tokeniser

    def altered(directory, config, vocabulary):
        write(directory, config, vocabulary)
        rules = json.loads((directory / "tokeniser.json").read_bytes())
        rules["rewrites"].pop()  # the contraction: "didn't" stays one word
        (directory / "tokeniser.json").write_text(json.dumps(rules))

    monkeypatch.setattr(token_export, "write_tokeniser", altered)
    with pytest.raises(ExportError, match="differs by"):
        export_token_model(make_bundle(), tmp_path / "away", "onnx")


def test_a_program_that_needs_this_package_is_refused(make_bundle, tmp_path, monkeypatch):
    needs("onnx")

    def altered(directory, config, vocabulary):
        (directory / "tokeniser.py").write_text("import sentiment_lstm.text")

    monkeypatch.setattr(token_export, "write_tokeniser", altered)
    with pytest.raises(ExportError, match="without this package"):
        export_token_model(make_bundle(), tmp_path / "away", "onnx")


def test_a_missing_extra_is_one_line_that_tells_how_to_install_it(
    make_bundle, tmp_path, monkeypatch
):
    monkeypatch.setitem(FORMS, "onnx", replace(FORMS["onnx"], needs=("onnx_that_is_not_there",)))
    with pytest.raises(ExportError) as caught:
        export_token_model(make_bundle(), tmp_path / "away", "onnx")
    assert str(caught.value) == (
        "onnx needs onnx_that_is_not_there, which is not installed: "
        'pip install "sentiment-lstm[onnx]"'
    )


def test_what_a_format_cannot_do_is_refused_with_the_value(make_bundle, tmp_path):
    with pytest.raises(ExportError, match="'onxx': did you mean 'onnx'"):
        export_token_model(make_bundle(), tmp_path / "away", "onxx")
    with pytest.raises(ExportError, match="weights is 'int8', and keras can store float32"):
        export_token_model(make_bundle("other"), tmp_path / "away", "keras", weights="int8")
    assert not (tmp_path / "away").exists()
