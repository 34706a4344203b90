"""Files of one JSON value a line, as stages leave them for each other."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def json_lines(path: Path) -> Iterator[Any]:
    """Yield the value of each line."""
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)
