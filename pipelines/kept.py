"""Measurements that are kept in a file, so that an interrupted comparison goes on."""

import json
from pathlib import Path
from typing import Any

from sentiment_lstm.atomic import replaced_file
from sentiment_lstm.strict_json import canonical_json, strict_json


class Kept:
    """Figures by what was measured, in one JSON file that is whole at any moment.

    Args:
        path: the file; one that is no such file counts as empty.
        version: of the code that measures: what another one has measured is not taken.
    """

    def __init__(self, path: Path, version: str) -> None:
        self._path, self._version = path, version
        self._figures: dict[str, Any] = {}
        try:
            found = strict_json(path.read_bytes())
            if found["version"] == version:
                self._figures = dict(found["figures"])
        except (OSError, ValueError, LookupError, TypeError):
            pass

    def get(self, key: Any) -> Any:
        """Return what is kept of a measurement, or None."""
        return self._figures.get(canonical_json(key).decode())

    def put(self, key: Any, figures: Any) -> None:
        """Keep the figures of a measurement."""
        self._figures[canonical_json(key).decode()] = figures
        content = json.dumps({"version": self._version, "figures": self._figures})
        with replaced_file(self._path) as temporary:
            temporary.write_text(content + "\n", "utf-8")
