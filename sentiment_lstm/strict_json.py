"""JSON that holds what it says once: no repeated key, no NaN, no broken text."""

import json
from typing import Any


def canonical_json(value: Any) -> bytes:
    """Return the one spelling of `value` that a digest is taken over: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def strict_json(data: bytes) -> Any:
    """Parse `data`.

    Raises:
        ValueError: if it is not UTF-8 JSON, repeats a key, spells NaN or an infinity, nests
            deeper than the parser goes, or holds text that UTF-8 cannot write.
    """
    try:
        value = json.loads(data.decode(), object_pairs_hook=_unique, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deep") from None
    json.dumps(value, ensure_ascii=False).encode()
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a key stands twice")
    return values


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON value")
