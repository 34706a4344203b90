"""TensorFlow Serving's REST form, for clients that are to move to it, or from it, unchanged.

The names are those of the signature that `sentiment_lstm.export` writes: in goes `text`, out come
`label` (also "unsure", of a model that abstains) and `probability`, with more than two labels
`probabilities` too, of a regression `value`.
As there, rows (`instances`) with one output alone are plain values, and numbers are float32.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.serve.asked import Text
from pipelines.serve.bodies import clipped, kind
from pipelines.serve.refusals import UNFIT, Refusal
from sentiment_lstm.bundle_config import BundleConfig
from sentiment_lstm.classifier import Prediction

INPUT = "text"
SIGNATURE = "serving_default"
KEYS = ("instances", "inputs")


@dataclass(frozen=True)
class Asked:
    """Texts, and whether the answer is wanted by rows or by columns."""

    texts: list[Text]
    rows: bool


def asked_texts(value: dict[str, Any]) -> Asked:
    """Return the texts of ``{"instances": […]}`` or ``{"inputs": […]}``.

    A text is a string, ``{"b64": "…"}`` for its bytes, or either of them under the key `text`.

    Raises:
        Refusal: for what the signature does not take.
    """
    _check_keys(value)
    rows = "instances" in value
    key = KEYS[0] if rows else KEYS[1]
    given = value[key]
    if not rows and isinstance(given, dict) and set(given) == {INPUT}:
        given, key = given[INPUT], f"{key}.{INPUT}"
    if not isinstance(given, list):
        raise Refusal(UNFIT, f"{key} is {kind(given)}: give a list of texts")
    return Asked([_text(item, f"{key}[{i}]", rows) for i, item in enumerate(given)], rows)


def _check_keys(value: dict[str, Any]) -> None:
    for key in value.keys() - {*KEYS, "signature_name"}:
        raise Refusal(UNFIT, f"unknown key {clipped(key)!r}: give instances or inputs")
    if len(value.keys() & set(KEYS)) != 1:
        raise Refusal(UNFIT, "give instances, by rows, or inputs, by columns: one of them")
    name = value.get("signature_name", SIGNATURE)
    if name not in ("", SIGNATURE):
        told = repr(clipped(name)) if isinstance(name, str) else kind(name)
        raise Refusal(UNFIT, f"signature_name is {told}: give {SIGNATURE!r}, or leave it out")


def _text(item: Any, place: str, named: bool) -> Text:
    if named and isinstance(item, dict) and set(item) == {INPUT}:
        item, place = item[INPUT], f"{place}.{INPUT}"
    if isinstance(item, str):
        return item
    if isinstance(item, dict) and set(item) == {"b64"}:
        return _decoded(item["b64"], place)
    raise Refusal(UNFIT, f"{place} is {kind(item)}: give a string, or {{'b64': …}} for bytes")


def _decoded(coded: Any, place: str) -> bytes:
    if not isinstance(coded, str):
        raise Refusal(UNFIT, f"{place}.b64 is {kind(coded)}: give a string of base64")
    try:
        return base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError):  # a character beyond ASCII is a ValueError
        raise Refusal(UNFIT, f"{place}.b64 is not base64: write it anew") from None


def answer(found: Sequence[tuple[Prediction, BundleConfig]], *, rows: bool) -> dict[str, Any]:
    """Return ``{"predictions": […]}`` by rows, or ``{"outputs": …}`` by columns."""
    outputs = [named_outputs(prediction, config) for prediction, config in found]
    single = all(len(row) == 1 for row in outputs)
    if rows:
        return {"predictions": [_only(row) if single else row for row in outputs]}
    columns = {name: [row[name] for row in outputs] for name in outputs[0]}
    return {"outputs": _only(columns) if single else columns}


def _only(values: Mapping[str, Any]) -> Any:
    (value,) = values.values()
    return value


def named_outputs(prediction: Prediction, config: BundleConfig) -> dict[str, Any]:
    """Return what the signature gives for one text."""
    if prediction.value is not None:
        return {"value": _float32(prediction.value)}
    outputs: dict[str, Any] = {
        "label": prediction.label,
        "probability": _float32(prediction.probability),
    }
    if len(config.labels) > 2:
        outputs["probabilities"] = [_float32(p) for p in prediction.probabilities]
    return outputs


def _float32(value: float) -> float:
    """Return a number that is written with as many digits as tell it in float32."""
    return float(str(np.float32(value)))


def status(version: int) -> dict[str, Any]:
    """Return what TensorFlow Serving tells of a model that serves."""
    fine = {"error_code": "OK", "error_message": ""}
    state = {"version": str(version), "state": "AVAILABLE", "status": fine}
    return {"model_version_status": [state]}
