"""Answers in JSON, and refusals in the same form everywhere."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from pipelines.serve.refusals import NOT_FOUND, Refusal

JSON = "application/json"


def json_reply(value: Any) -> Response:
    """Return a value as JSON."""
    return written_reply(json.dumps(value, ensure_ascii=False, allow_nan=False))


def written_reply(text: str) -> Response:
    """Return JSON that is written already."""
    return Response(text.encode(), media_type=JSON)


def refusal_reply(status: int, reason: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return ``{"error": reason}``; in ASCII, for a reason may quote anything."""
    text = json.dumps({"error": reason})
    return Response(text.encode(), status, dict(headers or {}), media_type=JSON)


async def refused(_: Request, refusal: Exception) -> Response:
    """Answer a request that is refused by this service."""
    assert isinstance(refusal, Refusal)
    return refusal_reply(refusal.status, refusal.reason, refusal.headers)


async def refused_by_framework(_: Request, error: Exception) -> Response:
    """Answer a request for which there is no route, or not with this method."""
    assert isinstance(error, HTTPException)
    reason = error.detail
    if error.status_code == NOT_FOUND:
        reason = "there is nothing at this path: /openapi.json lists what there is"
    return refusal_reply(error.status_code, reason, error.headers)


async def failed(_: Request, __: Exception) -> Response:
    """Answer a request that met a fault of ours; the log has the traceback."""
    return refusal_reply(500, "the service met a fault of its own: its log tells which")
