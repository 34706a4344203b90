"""JSON that holds what it says once: no repeated key, no NaN, no broken text."""

import json
from typing import Any

DEEPEST = 64  # levels; far below those at which Python's recursion ends


def canonical_json(value: Any) -> bytes:
    """Return the one spelling of `value` that a digest is taken over: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def strict_json(data: bytes) -> Any:
    """Parse `data`.

    Raises:
        ValueError: if it is not UTF-8 JSON, repeats a key, spells NaN or an infinity, nests
            deeper than `DEEPEST`, or holds text that UTF-8 cannot write.
    """
    try:
        value = json.loads(data.decode(), object_pairs_hook=_unique, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if nests_deeper(value, DEEPEST):
        raise ValueError("nested too deep")
    json.dumps(value, ensure_ascii=False).encode()
    return value


def nests_deeper(value: Any, levels: int) -> bool:
    """Tell whether a JSON value holds more than so many levels of lists and objects."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(nests_deeper(item, levels - 1) for item in inner)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a key stands twice")
    return values


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON value")
