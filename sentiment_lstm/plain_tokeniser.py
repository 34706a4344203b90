"""Texts to token ids with Python's standard library alone, from the two files beside this one.

    from tokeniser import Tokeniser

    tokens, lengths = Tokeniser().batch(["A warm and funny film."])

`tokeniser.json` holds all the rules, for whoever writes them in another language:

1. Bytes are decoded as UTF-8; each invalid sequence is U+FFFD.
2. A character whose code point is in a range of `characters`, `[first, last, new]`, becomes `new`.
3. `rewrites`, `[expression, replacement]`, apply to the whole text, one after the other.
4. Tokens are the successive leftmost matches of the expression `token`, whose first fitting
   alternative counts and whose `\\b` knows ASCII alone.
5. The id of a token is its line in `vocabulary.txt`, counted from 0, or `unknown`.
6. Of more than `max_tokens` ids, the first `head_tokens` and the last of the others are kept.

A batch is padded with `padding` at the end of its texts, to one column at least.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path


class Tokeniser:
    """What turns texts into the ids that a model was trained on.

    Args:
        directory: holds `tokeniser.json` and `vocabulary.txt`.
    """

    def __init__(self, directory: str | Path = Path(__file__).parent) -> None:
        self.rules = json.loads(Path(directory, "tokeniser.json").read_bytes())
        tokens = Path(directory, "vocabulary.txt").read_bytes().decode("utf-8")
        self._ids = {t: line for line, t in enumerate(tokens.removesuffix("\n").split("\n"))}
        self._characters = {
            point: new
            for first, last, new in self.rules["characters"]
            for point in range(first, last + 1)
        }
        self._rewrites = [(re.compile(e, re.ASCII), new) for e, new in self.rules["rewrites"]]
        self._token = re.compile(self.rules["token"], re.ASCII)

    def __call__(self, text: str | bytes) -> list[int]:
        """Return the ids of a text; none for a text without tokens."""
        text = text.decode("utf-8", errors="replace") if isinstance(text, bytes) else text
        text = text.translate(self._characters)
        for expression, new in self._rewrites:
            text = expression.sub(new, text)
        unknown = self.rules["unknown"]
        return self._kept([self._ids.get(token, unknown) for token in self._token.findall(text)])

    def batch(self, texts: Iterable[str | bytes]) -> tuple[list[list[int]], list[int]]:
        """Return the ids of texts, padded to rows of one length, and the number of each's own."""
        rows = [self(text) for text in texts]
        time = max([1, *map(len, rows)])
        return [r + [self.rules["padding"]] * (time - len(r)) for r in rows], [*map(len, rows)]

    def _kept(self, ids: list[int]) -> list[int]:
        most, head = self.rules["max_tokens"], self.rules["head_tokens"]
        return ids if len(ids) <= most else ids[:head] + ids[len(ids) - most + head :]
