"""An explanation as one JSON object; the README documents its keys."""

import json
import math
from typing import Any

from sentiment_lstm.explain import Explanation, PhraseShare
from sentiment_lstm.gate_summary import DirectionTrace, UnitTrace
from sentiment_lstm.gate_trace import GATES

DIGITS = 8  # after the point: thousands of shares still sum to the logit within 1e-4


def explanation_json(found: Explanation) -> str:
    """Return an explanation as one line of JSON."""
    values = {
        **_answer(found),
        "tokens": found.tokens,
        "known": found.known,
        "left_out": _left_out(found),
        "shares_of": _shares_of(found),
        "shares": _numbers(found.shares),
        "bias": _number(found.bias),
        **_output(found.logit, found.probability, found),
        "running": _running(found),
        "flip": found.running.flip,
        "phrases": [_phrase(phrase) for phrase in found.phrases],
        "gates": {direction.name: _direction(direction) for direction in found.gates},
    }
    return json.dumps(values, ensure_ascii=False, allow_nan=False)


def _answer(found: Explanation) -> dict[str, Any]:
    if found.config.task == "regression":
        return {}
    keys = ("temperature", "threshold", *(["abstain"] if found.config.abstain else []))
    settings = {key: getattr(found.config, key) for key in keys}
    return {"verdict": found.prediction.label, "label": found.label, **settings}


def _output(logit: float, probability: float, found: Explanation) -> dict[str, Any]:
    if found.config.task == "regression":
        return {"value": _number(logit)}
    return {"logit": _number(logit), "probability": _number(probability)}


def _left_out(found: Explanation) -> dict[str, int] | None:
    if not found.left_out:
        return None
    return {"after": found.config.head_tokens, "tokens": found.left_out}


def _shares_of(found: Explanation) -> str:
    return "words" if found.config.layers == 1 else f"positions of layer {found.config.layers}"


def _running(found: Explanation) -> list[dict[str, Any]]:
    running = zip(
        found.running.lengths,
        found.running_values.tolist(),
        found.running_probabilities.tolist(),
        found.running.labels,
        strict=True,
    )
    return [
        {"tokens": length, **_output(value, probability, found)}
        | ({"verdict": label} if label else {})
        for length, value, probability, label in running
    ]


def _phrase(phrase: PhraseShare) -> dict[str, Any]:
    parts = {"relevant": _number(phrase.relevant), "irrelevant": _number(phrase.irrelevant)}
    return {"phrase": phrase.phrase, "start": phrase.start, "end": phrase.end, **parts}


def _direction(direction: DirectionTrace) -> dict[str, Any]:
    return {
        "half_life": _number(direction.half_life),
        "mean": {gate: _numbers(direction.mean[gate]) for gate in GATES},
        "units": [_unit(unit) for unit in direction.units],
    }


def _unit(unit: UnitTrace) -> dict[str, Any]:
    gates = {gate: _numbers(unit.gates[gate]) for gate in GATES}
    figures = {"share": _number(unit.share), "half_life": _number(unit.half_life)}
    return {"unit": unit.unit, **figures, **gates}


def _numbers(values: Any) -> list[float | None]:
    return [_number(value) for value in values.tolist()]


def _number(value: float) -> float | None:
    """Return a number as JSON can hold it: none for an infinite or undefined one."""
    return round(value, DIGITS) if math.isfinite(value) else None
