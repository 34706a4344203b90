"""What goes in and comes out, as OpenAPI describes it."""

from typing import Any

from pipelines.serve.limits import Limits
from sentiment_lstm.bundle_config import BundleConfig, why_not_abstain

Schema = dict[str, Any]

ERROR: Schema = {
    "type": "object",
    "properties": {"error": {"type": "string"}},
    "required": ["error"],
    "additionalProperties": False,
}
REFUSED = {
    400: "The body is no JSON object.",
    404: "Another model is served.",
    408: "The body came too slowly.",
    413: "The body, a text or their number is too large.",
    422: "The object is not of the form above.",
    429: "Too many texts wait.",
    503: "No answer in time, or the service is stopping.",
}
PROBABILITY: Schema = {"type": "number", "minimum": 0, "maximum": 1}
NUMBERS: Schema = {"type": "array", "items": {"type": "number"}}


def text(limits: Limits) -> Schema:
    """Return the schema of a text."""
    return {"type": "string", "maxLength": limits.characters}


def texts(limits: Limits, most: int) -> Schema:
    """Return the schema of ``{"text": …}`` or ``{"texts": […]}``."""
    several = _several(text(limits), most)
    return {"oneOf": [_object(text=text(limits)), _object(texts=several)]}


def classified_texts(limits: Limits, config: BundleConfig) -> Schema:
    """Return the schema of what `/v1/classify` takes: `texts`, with `abstain` where a model can."""
    schema = texts(limits, limits.texts)
    if why_not_abstain(config.task, config.labels, 0.25) is None:
        margin = {"type": "number", "minimum": 0, "exclusiveMaximum": 0.5}
        for form in schema["oneOf"]:
            form["properties"]["abstain"] = margin
    return schema


def explained_texts(limits: Limits) -> Schema:
    """Return the schema of what `/v1/explain` takes: `texts`, with `phrases` beside one text."""
    schema = texts(limits, limits.explained)
    phrase = {"type": "string", "minLength": 1, "maxLength": limits.phrase_characters}
    phrases = {"type": "array", "items": phrase, "maxItems": limits.phrases}
    schema["oneOf"][0]["properties"]["phrases"] = phrases
    return schema


def instances(limits: Limits) -> Schema:
    """Return the schema of ``{"instances": […]}`` or ``{"inputs": …}``."""
    coded = _object(b64={"type": "string", "contentEncoding": "base64"})
    plain = {"anyOf": [text(limits), coded]}
    row = {"anyOf": [*plain["anyOf"], _object(text=plain)]}
    name = {"signature_name": {"type": "string", "enum": ["serving_default"]}}
    by_rows = _object(instances=_several(row, limits.texts))
    column = _several(plain, limits.texts)
    by_columns = _object(inputs={"anyOf": [column, _object(text=column)]})
    for form in (by_rows, by_columns):
        form["properties"] |= name
    return {"oneOf": [by_rows, by_columns]}


def prediction(config: BundleConfig) -> Schema:
    """Return the schema of an answer of `/v1/classify`."""
    if config.task == "regression":
        return _object(value={"type": "number"})
    answer = {"label": {"type": "string"}, "probability": PROBABILITY}
    if len(config.labels) > 2:
        answer["probabilities"] = {"type": "object", "additionalProperties": PROBABILITY}
    return _object(**answer)


def one_or_many(answer: Schema, name: str) -> Schema:
    """Return the schema of an answer, or of an object that lists several."""
    return {"anyOf": [answer, _object(**{name: {"type": "array", "items": answer}})]}


def explanation() -> Schema:
    """Return the schema of an explanation; the README documents all of its keys."""
    words = {"type": "array", "items": {"type": "string"}}
    place, part = {"type": "integer", "minimum": 0}, {"type": ["number", "null"]}
    phrase = _object(
        phrase={"type": "string"}, start=place, end=place, relevant=part, irrelevant=part
    )
    properties = {
        "tokens": words,
        "shares": NUMBERS,
        "bias": {"type": "number"},
        "phrases": {"type": "array", "items": phrase},
    }
    return {
        "type": "object",
        "properties": properties,
        "required": [*properties, "known", "running", "gates"],
    }


def _object(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _several(item: Schema, most: int) -> Schema:
    return {"type": "array", "items": item, "minItems": 1, "maxItems": most}


def body(schema: Schema) -> dict[str, Any]:
    """Return what a route that takes JSON adds to its description."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def responses(answer: Schema, *statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the descriptions of a route's answers."""
    described: dict[int | str, dict[str, Any]] = {200: _response("The answer.", answer)}
    for status in statuses:
        described[status] = _response(REFUSED[status], ERROR)
    return described


def _response(told: str, schema: Schema) -> dict[str, Any]:
    return {"description": told, "content": {"application/json": {"schema": schema}}}
