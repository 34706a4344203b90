"""The specification of `sentiment_lstm.text` as data, for whoever has not this package.

`sentiment_lstm.plain_tokeniser` reads it, and goes as `tokeniser.py` with every model that takes
token ids.
"""

import shutil
from itertools import groupby
from pathlib import Path
from typing import Any

from sentiment_lstm import plain_tokeniser
from sentiment_lstm.bundle_config import BundleConfig
from sentiment_lstm.strict_json import canonical_json
from sentiment_lstm.text import (
    CHARACTERS,
    CONTRACTION,
    PAD,
    REWRITES,
    TOKEN,
    UNKNOWN,
    Vocabulary,
)

RULES, VOCABULARY, PROGRAM = "tokeniser.json", "vocabulary.txt", "tokeniser.py"


def write_tokeniser(directory: Path, config: BundleConfig, vocabulary: Vocabulary) -> None:
    """Write the rules, the vocabulary and the program that reads them."""
    (directory / RULES).write_bytes(canonical_json(rules(config)))
    vocabulary.save(directory / VOCABULARY)
    shutil.copyfile(plain_tokeniser.__file__, directory / PROGRAM)


def rules(config: BundleConfig) -> dict[str, Any]:
    """Return the rules as `plain_tokeniser` describes them."""
    return {
        "characters": _changed_characters(),
        "rewrites": [list(rewrite) for rewrite in (*REWRITES, CONTRACTION)],
        "token": TOKEN,
        "padding": PAD,
        "unknown": UNKNOWN,
        "max_tokens": config.max_tokens,
        "head_tokens": config.head_tokens,
    }


def _changed_characters() -> list[list[Any]]:
    """Return ``[first, last, new]`` for each run of code points that become the same."""
    changed = [(point, new) for point, new in enumerate(CHARACTERS) if new != chr(point)]
    runs = groupby(enumerate(changed), key=lambda place: (place[1][0] - place[0], place[1][1]))
    ranges = []
    for (_, new), members in runs:
        points = [point for _, (point, _) in members]
        ranges.append([points[0], points[-1], new])
    return ranges
