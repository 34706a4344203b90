"""A bundle in formats that take token ids, each with a tokeniser beside it, and the proof.

    model.onnx       the network, from ids to probabilities; or model.tflite, model.keras
    tokeniser.py     texts to ids, with Python's standard library alone
    tokeniser.json   the rules it reads, for other languages to read too
    vocabulary.txt   a token a line; the line's number, from 0, is its id
    config.json      labels, threshold and sizes, as the bundle has them
    manifest.json    sizes and SHA-256 digests of the others

What was written answers several hundred texts in a fresh process that has not this package, by the
tokeniser that stands beside it, and is kept only if its answers are the numpy classifier's.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sentiment_lstm.bundle import Bundle, payload_digest, read_bundle
from sentiment_lstm.errors import ExportError, suggestion
from sentiment_lstm.export_target import check_target, new_version, write_record
from sentiment_lstm.int8_rows import Int8Rows, int8_rows, restored_weights
from sentiment_lstm.manifest import files_below, write_manifest
from sentiment_lstm.progress import Progress, silent
from sentiment_lstm.strict_json import canonical_json
from sentiment_lstm.tokeniser_rules import write_tokeniser
from sentiment_lstm.verification import verify_token_model

CONFIG = "config.json"
FLOAT32, INT8 = "float32", "int8"

Stored = dict[str, Int8Rows]


@dataclass(frozen=True)
class Form:
    """A format.

    Attributes:
        file: name of the model's file.
        write: a bundle, what of it to store in 8 bits, and the path to write.
        needs: modules that an extra of this package brings, the extra named as the format.
        weights: how it can store them.
    """

    file: str
    write: Callable[[Bundle, Stored, Path], None]
    needs: tuple[str, ...] = ()
    weights: tuple[str, ...] = (FLOAT32,)


def _write_onnx(bundle: Bundle, stored: Stored, path: Path) -> None:
    from sentiment_lstm.onnx_graph import onnx_model

    path.write_bytes(onnx_model(bundle.config, bundle.weights, stored))


def _write_keras(bundle: Bundle, _: Stored, path: Path) -> None:
    from sentiment_lstm.stock_keras import write_keras

    write_keras(bundle, path)


def _write_litert(bundle: Bundle, _: Stored, path: Path) -> None:
    from sentiment_lstm.litert_graph import write_litert

    write_litert(bundle, path)


FORMS = {
    "onnx": Form("model.onnx", _write_onnx, ("onnx", "onnxruntime"), (FLOAT32, INT8)),
    "litert": Form("model.tflite", _write_litert, ("ai_edge_litert",)),
    "keras": Form("model.keras", _write_keras),
}


def export_token_model(
    bundle_directory: Path,
    target: Path,
    form: str,
    *,
    version: int = 1,
    weights: str = FLOAT32,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Write ``target/version``, a model that takes token ids, and the record beside it.

    Args:
        bundle_directory: the model.
        target: base directory; other versions in it stay as they are.
        form: one of `FORMS`.
        version: number of the directory to write; a model of this format there is replaced.
        weights: ``float32``, or ``int8``: the matrices of embedding and LSTM in 8 bits.
        progress: shows the texts that are verified.

    Returns:
        What was verified and how close it came; ``export.json`` holds the same.

    Raises:
        BundleError: if the model is not sound.
        ExportError: if the format is unknown, lacks what it needs or cannot store such weights;
            if what was written answers otherwise, and nothing of it stays then; if
            ``target/version`` holds other files, and they stay.
        SettingsError: for a version that is no number from 0.
    """
    chosen = _chosen(form, weights)
    check_target(target, version, chosen.file)
    bundle = read_bundle(bundle_directory)
    stored = int8_rows(bundle.weights) if weights == INT8 else {}
    exported = (
        replace(bundle, weights=restored_weights(bundle.weights, stored)) if stored else bundle
    )
    with new_version(target, version) as temporary:
        _write_files(chosen, bundle, stored, temporary)
        record = {
            "format": form,
            "version": version,
            "weights": weights,
            "model": payload_digest(bundle_directory),
            "bytes": (temporary / chosen.file).stat().st_size,
            **verify_token_model(form, temporary, bundle, exported, progress),
        }
    write_record(target, record)
    return record


def _chosen(form: str, weights: str) -> Form:
    if form not in FORMS:
        raise ExportError(f"unknown format {form!r}: {suggestion(form, FORMS)}")
    if missing := [name for name in FORMS[form].needs if find_spec(name) is None]:
        raise ExportError(
            f"{form} needs {' and '.join(missing)}, which is not installed: "
            f'pip install "sentiment-lstm[{form}]"'
        )
    if weights not in FORMS[form].weights:
        raise ExportError(
            f"weights is {weights!r}, and {form} can store {', '.join(FORMS[form].weights)}"
        )
    return FORMS[form]


def _write_files(form: Form, bundle: Bundle, stored: Stored, directory: Path) -> None:
    form.write(bundle, stored, directory / form.file)
    write_tokeniser(directory, bundle.config, bundle.vocabulary)
    (directory / CONFIG).write_bytes(canonical_json(bundle.config.to_json()))
    write_manifest(directory, files_below(directory))
