r"""Text to token ids: one specification of normalisation and tokenisation, and its Python form.

`sentiment_lstm.text_graph` is the TensorFlow form. Both give equal tokens for every string and
every sequence of bytes, under every supported Python: nothing here depends on the Unicode version
of the interpreter or of TensorFlow, and both forms run the same table and the same expressions.

Normalisation (`normalise`)

1. Bytes are decoded as UTF-8; each invalid sequence, and each lone surrogate, is U+FFFD.
2. Each character of the basic plane becomes `CHARACTERS[code point]`; others stay. Where two rules
   name one character, the later rule holds.

   - A capital or title-case letter of Unicode 3.2 becomes its lower-case letter, alone and out of
     context: "İ" is "i", "Σ" is "σ" wherever it stands, and so is the final "ς". "ẞ" is "ß".
     Every other letter, capitals younger than Unicode 3.2 among them, stays as it is.
   - Controls (NUL, tab and line ends among them), U+FFFD and every white space of Unicode
     are a space.
   - Invisible characters (soft hyphen, joiners, direction marks, variation selectors, byte order
     mark) vanish; they become U+00AD, which step 3 deletes.
   - Apostrophes, backtick, acute accent and single quotes are "'"; double quotes, guillemets
     among them, are '"'; dashes and the minus sign are "-"; the Greek question mark is ";" and the
     Greek ano teleia is "·".
   - Full-width forms of ASCII (U+FF01 to U+FF5E) become what the ASCII character becomes.
   - U+0080 to U+009F are read as windows-1252, as browsers read them, because that is what wrote
     them: U+0096 becomes what an en dash becomes. The five without a meaning there are a space.

3. `REWRITES` apply in turn: U+00AD is deleted; "…" is "..."; a line-break tag (`<br>`, `<br/>`,
   `<br />`, `</br>`: at most one space after "br") is two spaces.

No Unicode normal form is applied: "é" of two code points differs from "é" of one.

Tokenisation (`tokenise`)

4. `CONTRACTION` puts a space before each "n't".
5. Tokens are the successive leftmost matches of `TOKEN`, whose first fitting alternative counts:

   - `n't` at a word's end: "didn't" is "did" "n't", "can't" is "ca" "n't", as in the Penn Treebank;
   - a word: a run of letters, digits and combining marks (`WORD`). So "80s" is one token, "7.5"
     is three, and "well-made" is "well" "-" "made";
   - `'s`, `'re`, `'ve`, `'ll`, `'d` or `'m` at a word's end, or else the apostrophe alone. A word
     ends before everything but a to z, 0 to 9 and "_";
   - up to three of the same among `. ! ? - *`; a longer run is cut in threes: "!!!!" is "!!!" "!";
   - any other character but the space, alone: punctuation, emoji, and each character of the
     scripts written without spaces (Han, Kana, Thai, Lao, Tibetan, Burmese, Khmer).

Spaces only separate. A text without tokens, such as "" or "<br />", gives an empty list.

Both steps may be repeated: `normalise(normalise(x)) == normalise(x)`, and tokens joined by single
spaces give themselves again.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any, TypeVar, overload
from unicodedata import ucd_3_2_0

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.atomic import replaced_file
from sentiment_lstm.errors import DataError, SettingsError

T = TypeVar("T")

PAD, UNKNOWN = 0, 1
SPECIAL_TOKENS = ("[PAD]", "[UNK]")

_BASIC_PLANE = range(0x10000)
_HIDDEN = "\u00ad"

# Pairs of first and last code point.
_SPACES = (
    (0x0000, 0x0020), (0x007F, 0x007F), (0x00A0, 0x00A0), (0x1680, 0x1680), (0x2000, 0x200B),
    (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xD800, 0xDFFF),
    (0xFFFD, 0xFFFD),
)  # fmt: skip
_INVISIBLE = (
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x180B, 0x180F), (0x200C, 0x200F),
    (0x202A, 0x202E), (0x2060, 0x206F), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB),
)  # fmt: skip
_ALIKE = {
    "'": "`\u00b4\u02bc\u2018\u2019\u201a\u201b\u2032",
    '"': "\u00ab\u00bb\u201c\u201d\u201e\u201f\u2033",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212",
    ";": "\u037e",
    "\u00b7": "\u0387",
    "\u03c3": "\u03c2",
    "\u00df": "\u1e9e",
}


def _characters() -> str:
    table = [_lower(chr(point)) for point in _BASIC_PLANE]
    for become, ranges in ((" ", _SPACES), (_HIDDEN, _INVISIBLE)):
        for first, last in ranges:
            table[first : last + 1] = [become] * (last + 1 - first)
    for become, characters in _ALIKE.items():
        for character in characters:
            table[ord(character)] = become
    table[0xFF01:0xFF5F] = table[0x21:0x7F]
    windows = bytes(range(0x80, 0xA0)).decode("cp1252", errors="replace")
    table[0x80:0xA0] = [table[ord(character)] for character in windows]
    return "".join(table)


def _lower(character: str) -> str:
    if ucd_3_2_0.category(character) not in ("Lu", "Lt"):
        return character
    return character.lower()[0]  # "İ" alone has two: "i" and a combining dot


CHARACTERS = _characters()
"""What each of the 65,536 code points of the basic plane becomes."""

REWRITES = ((_HIDDEN, ""), ("\u2026", "..."), ("</?br ?/?>", "  "))
"""Expressions and their replacements, one after the other, that end normalisation."""

CONTRACTION = ("n't", " n't")
"""The rewrite that parts a contracted "not" from its verb."""

WORD = (
    "a-z0-9"
    "\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6"  # Latin-1
    "\u00f8-\u02c1\u0300-\u0559\u0560-\u0588"  # Latin, phonetic, marks, Greek, Cyrillic, Armenian
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7-\u05ff"  # Hebrew
    "\u0610-\u061a\u0620-\u0669\u066e-\u06d3\u06d5-\u06ff"  # Arabic
    "\u0710-\u0963\u0966-\u096f\u0971-\u0df3"  # Syriac to Devanagari, Bengali to Sinhala
    "\u10a0-\u135f\u1369-\u177f\u1810-\u1fff"  # Georgian, Hangul letters, Ethiopic to Greek
    "\u2c00-\u2dff\ua4d0-\ud7ff"  # Glagolitic to Cyrillic, Lisu to Hangul
    "\ufb00-\ufd3d\ufd40-\ufdff\ufe70-\ufefe"  # ligatures, Arabic forms
    "\U00010000-\U00016fdf\U0001d400-\U0001d7ff\U0001e000-\U0001efff"  # smaller scripts, styled
)
"""What stands between the brackets of the character class of words."""

TOKEN = "|".join(
    (
        r"n't\b",
        f"[{WORD}]+",
        r"'(?:(?:s|re|ve|ll|d|m)\b)?",
        r"\.{1,3}|!{1,3}|\?{1,3}|-{1,3}|\*{1,3}",
        "[^ ]",
    )
)
r"""A token. Read alike by Python (`re.ASCII`) and by RE2; `\b` is that of ASCII in both."""

_REWRITES = tuple((re.compile(pattern), replacement) for pattern, replacement in REWRITES)
# Eating the space before a token spares a failed match at it; eating all of them (" *") would take
# quadratic time where no token follows.
_TOKEN = re.compile(f" ?({TOKEN})", re.ASCII)
_UNFIT = re.compile("[\0- \x7f\ud800-\udfff]")


def normalise(text: str | bytes) -> str:
    """Return the text by steps 1 to 3 of the specification; line ends become spaces."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", errors="replace")
    text = text.translate(CHARACTERS)
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    return text


def tokenise(text: str | bytes) -> list[str]:
    """Return the tokens of a text, by the specification at the head of this module."""
    return _TOKEN.findall(normalise(text).replace(*CONTRACTION))


@overload
def truncate(ids: NDArray[Any], max_tokens: int, head_tokens: int) -> NDArray[Any]: ...
@overload
def truncate(ids: Sequence[T], max_tokens: int, head_tokens: int) -> list[T]: ...
def truncate(ids: Any, max_tokens: int, head_tokens: int) -> Any:
    """Keep the first `head_tokens` and the last `max_tokens - head_tokens` of a longer sequence.

    Args:
        ids: ids or tokens, `(length,)`; an array stays an array, anything else gives a list.
        max_tokens: length of the result at most; a sequence no longer than this is kept whole.
        head_tokens: from 0 to `max_tokens`.
    """
    rest = max(len(ids) - max_tokens, 0) + head_tokens
    if isinstance(ids, np.ndarray):
        return np.concatenate((ids[:head_tokens], ids[rest:]))
    return [*ids[:head_tokens], *ids[rest:]]


class Vocabulary:
    """The tokens that a model knows; the place of each is its id.

    Args:
        tokens: `SPECIAL_TOKENS`, then others; no two equal, none empty or with white space.

    Raises:
        DataError: for tokens that break the rule.
    """

    def __init__(self, tokens: Iterable[str]) -> None:
        self.tokens = tuple(tokens)
        self._ids = {token: i for i, token in enumerate(self.tokens)}
        self._check()

    @classmethod
    def from_counts(cls, counts: Mapping[str, int], size: int, min_count: int) -> "Vocabulary":
        """Choose the most frequent tokens, of equal ones the first in code point order.

        Args:
            counts: occurrences of each token in the training split.
            size: tokens kept at most, the two special ones included.
            min_count: tokens that occur less often stay unknown.
        """
        frequent = (item for item in counts.items() if item[1] >= min_count)
        ranked = sorted(frequent, key=lambda item: (-item[1], item[0]))
        kept = ranked[: max(size - len(SPECIAL_TOKENS), 0)]
        return cls((*SPECIAL_TOKENS, *(token for token, _ in kept)))

    @classmethod
    def load(cls, path: Path) -> "Vocabulary":
        """Read what `save` wrote.

        Raises:
            DataError: where the file cannot be read or does not hold a vocabulary.
        """
        try:
            return cls.parse(path.read_bytes())
        except (OSError, DataError) as error:
            raise DataError(
                f"cannot read the vocabulary {path}: {error}; give a file of one token a line"
            ) from error

    @classmethod
    def parse(cls, data: bytes) -> "Vocabulary":
        """Read the bytes of a file that `save` wrote.

        Raises:
            DataError: where they do not hold a vocabulary.
        """
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError(f"a vocabulary is not UTF-8 ({error}): write it again") from error
        # Not splitlines(), which also parts at characters that may be tokens.
        return cls(text.removesuffix("\n").split("\n"))

    def save(self, path: Path) -> None:
        """Write one token a line in UTF-8: line 1 holds id 0."""
        with replaced_file(path) as temporary:
            temporary.write_bytes("".join(f"{token}\n" for token in self.tokens).encode("utf-8"))

    def __len__(self) -> int:
        return len(self.tokens)

    def ids(self, tokens: Iterable[str]) -> list[int]:
        """Return the id of each token, `UNKNOWN` for one that is not held."""
        return list(map(self._ids.get, tokens, repeat(UNKNOWN)))

    def _check(self) -> None:
        if self.tokens[: len(SPECIAL_TOKENS)] != SPECIAL_TOKENS:
            raise DataError(
                f"a vocabulary begins with {list(self.tokens[:2])}: "
                f"put {' and '.join(SPECIAL_TOKENS)} on lines 1 and 2"
            )
        for line, token in enumerate(self.tokens, 1):
            if not token or _UNFIT.search(token):
                raise DataError(
                    f"token {token!r} on line {line} is empty or has a space: remove it"
                )
            if self._ids[token] != line - 1:
                raise DataError(f"token {token!r} on line {line} stands twice: remove one")


class Encoder:
    """Turns a text into the ids that a model reads.

    Args:
        vocabulary: gives the ids.
        max_tokens: ids of a text at most, 1 or more.
        head_tokens: of those, how many come from the start of a longer text.

    Raises:
        SettingsError: for a length that is not possible.
    """

    def __init__(self, vocabulary: Vocabulary, max_tokens: int, head_tokens: int) -> None:
        if max_tokens < 1 or not 0 <= head_tokens <= max_tokens:
            raise SettingsError(
                f"max_tokens is {max_tokens} and head_tokens {head_tokens}: "
                "give max_tokens of 1 or more and head_tokens from 0 to max_tokens"
            )
        self.vocabulary = vocabulary
        self.max_tokens = max_tokens
        self.head_tokens = head_tokens

    def tokens(self, text: str | bytes) -> list[str]:
        """Return the tokens that the ids of `__call__` stand for."""
        return truncate(tokenise(text), self.max_tokens, self.head_tokens)

    def __call__(self, text: str | bytes) -> NDArray[np.int32]:
        """Return the ids of a text, `(n,)` with n from 0 to `max_tokens`."""
        return np.array(self.vocabulary.ids(self.tokens(text)), dtype=np.int32)

    def each(self, texts: Sequence[str | bytes]) -> list[NDArray[np.int32]]:
        """Return the ids of each text."""
        return [self(text) for text in texts]
