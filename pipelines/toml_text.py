"""A writer for the part of TOML that recipes use, which `tomllib` (read-only) lacks.

Tables of strings, integers, floats, booleans, lists and tables in a line; https://toml.io/en/v1.0.0.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool
Value: TypeAlias = Scalar | Sequence["Value"] | Mapping[str, "Value"]

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def to_toml(top: Mapping[str, Value], tables: Mapping[str, Mapping[str, Value]]) -> str:
    """Return TOML text: the keys of `top` first, then one `[table]` after the other."""
    blocks = [_lines(top)] if top else []
    blocks += [f"[{_key(name)}]\n{_lines(values)}" for name, values in tables.items()]
    return "\n".join(blocks)


def _lines(values: Mapping[str, Value]) -> str:
    return "".join(f"{_key(key)} = {_value(value)}\n" for key, value in values.items())


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if bare else _string(key)


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        pairs = (f"{_key(key)} = {_value(inner)}" for key, inner in value.items())
        return f"{{ {', '.join(pairs)} }}"
    return f"[{', '.join(map(_value, value))}]"


def _string(text: str) -> str:
    return f'"{"".join(_ESCAPES.get(c) or _visible(c) for c in text)}"'


def _visible(character: str) -> str:
    """Escape the control characters that TOML forbids inside a string."""
    forbidden = character < " " or character == "\x7f"
    return f"\\u{ord(character):04x}" if forbidden else character
