"""The body of a request: read within its limits of size and time, and parsed."""

import asyncio
import json
from typing import Any

from starlette.requests import ClientDisconnect, Request

from pipelines.serve.limits import Limits
from pipelines.serve.refusals import (
    BAD_REQUEST,
    CLIENT_GONE,
    CLOSE,
    TIMEOUT,
    TOO_LARGE,
    Refusal,
)

# Who sends too much hears so when done: a connection that is closed on a client in the middle of
# its sending loses the answer. Of far too much no more than so many times the limit is read.
DRAINED = 8
SHOWN = 40  # characters of a client's own words in a reason


async def json_object(request: Request, limits: Limits) -> dict[str, Any]:
    """Return the JSON object that a request's body is.

    Raises:
        Refusal: if it is too large, comes too slowly, or is no JSON object.
    """
    body = await read_body(request, limits)
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise Refusal(BAD_REQUEST, f"the body is not UTF-8: byte {error.start} is wrong") from None
    except RecursionError:
        raise Refusal(BAD_REQUEST, "the body nests too deep: send one object") from None
    except ValueError as error:
        raise Refusal(BAD_REQUEST, f"the body is not JSON: {clipped(str(error))}") from None
    if not isinstance(value, dict):
        raise Refusal(BAD_REQUEST, f"the body is {kind(value)}: send a JSON object")
    return value


async def read_body(request: Request, limits: Limits) -> bytes:
    """Return the body.

    Raises:
        Refusal: if it is larger than the limit, or has not come in time.
    """
    if _stated(request) > limits.body_bytes and "expect" in request.headers:
        raise _too_large(limits)  # the client asks before it sends
    try:
        async with asyncio.timeout(limits.body_seconds):
            return await _gathered(request, limits)
    except TimeoutError:
        late = f"the body did not come within {limits.body_seconds:g} s: send it faster"
        raise Refusal(TIMEOUT, late, CLOSE) from None
    except ClientDisconnect:
        raise Refusal(CLIENT_GONE, "the client left before the body had come") from None


async def _gathered(request: Request, limits: Limits) -> bytes:
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > DRAINED * limits.body_bytes:
            break
        if size <= limits.body_bytes:
            pieces.append(piece)
    if size > limits.body_bytes:
        raise _too_large(limits)
    return b"".join(pieces)


def _stated(request: Request) -> int:
    """Return the length that the head promises, 0 where it promises none."""
    stated = request.headers.get("content-length", "")
    return int(stated) if stated.isdecimal() and len(stated) < 20 else 0


def _too_large(limits: Limits) -> Refusal:
    reason = f"the body is larger than {limits.body_bytes:,} bytes: send fewer or shorter texts"
    return Refusal(TOO_LARGE, reason, CLOSE)


def _refuse_constant(constant: str) -> Any:
    raise ValueError(f"{constant} is no value of JSON")


def clipped(text: str) -> str:
    """Return a client's words short enough, and plain enough, to be quoted."""
    short = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
    return "".join(c if c.isprintable() else " " for c in short)


def kind(value: Any) -> str:
    """Return what a JSON value is, in JSON's words."""
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string"}
    return names.get(type(value)) or ("a list" if isinstance(value, list) else "an object")
