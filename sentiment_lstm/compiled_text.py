r"""The tokeniser of `sentiment_lstm.text` and its vocabulary, compiled: from a text to its ids.

Some ten times as fast as the expressions in Python, and without the interpreter's lock, so that
threads encode beside each other. The specification is that of `sentiment_lstm.text`, whose tables
are read here; what its expressions say is written out:

- Step 2 and the first two rewrites make the normal text. A line-break tag is passed over where it
  stands, as the spaces would be that it becomes.
- The space before "n't" is not put down. It ends a word, and is a word's end for `\b`; nothing else
  can tell it.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.compiled import kernel, part
from sentiment_lstm.text import CHARACTERS, UNKNOWN, WORD, Encoder, Vocabulary

Points = NDArray[np.uint32]
Ids = NDArray[np.int32]
Ends = NDArray[np.int64]
Spans = NDArray[np.uint32]  # half of what intp takes, and enough for a text of 16 GB

# What a character that is no space is to the tokeniser.
OTHER, WORDLIKE, REPEATED = range(3)
RUN = 3  # most characters of a token of the same ones
LAST_POINT = 0x10FFFF

_HIDDEN, _ELLIPSIS, _APOSTROPHE = (np.uint32(ord(c)) for c in "\u00ad\u2026'")
_B, _N, _R, _T = (np.uint32(ord(c)) for c in "bnrt")
_SPACE, _POINT, _SLASH, _LESS, _MORE = (np.uint32(ord(c)) for c in " ./<>")
_ENDINGS = np.array([[ord(c) for c in f"{e:2}"] for e in ("s", "re", "ve", "ll", "d", "m")])
_PRIME, _OFFSET = np.uint32(16777619), np.uint32(2166136261)  # FNV-1a (Fowler, Noll & Vo)
_EMPTY = -1


class Tables(NamedTuple):
    """What the compiled functions look up.

    Attributes:
        characters: what each code point of the basic plane becomes, `(65536,)`.
        kinds: of each code point, `OTHER`, `WORDLIKE` or `REPEATED`, `(1114112,)`.
        slots: a hash table of the vocabulary by open addressing: ids, or -1, `(2**k,)`.
        keys: code points of all tokens, one after another.
        starts: where each token starts in them, `(vocabulary + 1,)`.
    """

    characters: Points
    kinds: NDArray[np.uint8]
    slots: Ids
    keys: Points
    starts: Ends

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> "Tables":
        """Return the tables of a vocabulary."""
        keys = [points_of(token) for token in vocabulary.tokens]
        starts = np.concatenate([[0], np.cumsum([len(key) for key in keys])])
        slots = np.full(1 << (2 * len(keys)).bit_length(), _EMPTY, np.int32)
        everything = np.concatenate(keys)
        _fill_slots(slots, everything, starts)
        return cls(points_of(CHARACTERS), _kinds(), slots, everything, starts)


def points_of(text: str) -> Points:
    """Return the code points of a text, lone surrogates among them."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


@cache
def _kinds() -> NDArray[np.uint8]:
    kinds = np.full(LAST_POINT + 1, OTHER, np.uint8)
    for first, last in _ranges(WORD):
        kinds[first : last + 1] = WORDLIKE
    kinds[points_of(".!?-*")] = REPEATED
    return kinds


def _ranges(members: str) -> Iterator[tuple[int, int]]:
    """Yield first and last code point of what stands in a character class."""
    for first, last in re.findall("(.)(?:-(.))?", members):
        yield ord(first), ord(last or first)


class CompiledEncoder(Encoder):
    """An `Encoder` of the same ids; the tables are made, and the code loaded, at once.

    Args:
        encoder: what it takes the place of.
    """

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder.vocabulary, encoder.max_tokens, encoder.head_tokens)
        self._tables = Tables.of(encoder.vocabulary)
        self("")

    def __call__(self, text: str | bytes) -> Ids:
        """Return the ids of a text, `(n,)` with n from 0 to `max_tokens`."""
        return self.each([text])[0]

    def each(self, texts: Sequence[str | bytes]) -> list[Ids]:
        """Return the ids of each text, all by one call of machine code.

        Threads that enter and leave such code wait for the interpreter's lock at every call, which
        for a text alone takes longer than the text.
        """
        read = [t.decode("utf-8", "replace") if isinstance(t, bytes) else t for t in texts]
        ends = np.cumsum([len(text) for text in read], dtype=np.int64)
        points = points_of("".join(read))
        ids, kept = encode(points, ends, self._tables, self.max_tokens, self.head_tokens)
        return [ids[start:end] for start, end in pairwise([0, *kept.tolist()])]


# Bounds are handed on in place of slices, and what looks tokens up is called once a text: whoever
# is given an array is counted as one of its holders, in a way that threads share, and that takes
# longer than to look a token up.
@kernel
def encode(points: Points, ends: Ends, tables: Tables, most: int, head: int) -> tuple[Ids, Ends]:
    """Return the ids of texts, one text's after another's, and where those of each one end.

    Args:
        points: the texts' code points, one text's after another's.
        ends: where each text ends in them, `(texts,)`.
        tables: of the vocabulary.
        most: ids of a text at most.
        head: of those, how many come from the start of a longer text.
    """
    ids, kept, count, start = np.empty(len(points), np.int32), np.empty_like(ends), 0, 0
    for t in range(len(ends)):
        text = normal(points[start : ends[t]], tables.characters)
        spans = _spans(text, tables.kinds)
        cut = max(len(spans) - most, 0)
        for n in range(head, len(spans) - cut if cut else 0):
            spans[n] = spans[n + cut]
        found = ids[count : count + len(spans) - cut]
        _find(text, spans, tables.slots, tables.keys, tables.starts, found)
        count, start, kept[t] = count + len(found), ends[t], count + len(found)
    return ids[:count], kept


@part
def normal(points: Points, characters: Points) -> Points:
    """Return the normal text, but for its line-break tags, which stay."""
    text, n = np.empty(len(points) * RUN, np.uint32), 0
    for k in range(len(points)):
        point = points[k]
        if point < len(characters):
            point = characters[point]
        if point == _ELLIPSIS:
            text[n : n + 3] = _POINT
            n += 3
        elif point != _HIDDEN:
            text[n] = point
            n += 1
    return text[:n]


@part
def _spans(text: Points, kinds: NDArray[np.uint8]) -> Spans:
    """Return where each token of a normal text starts and ends, `(n, 2)`."""
    spans, count, at = np.empty((len(text), 2), np.uint32), 0, 0
    while at < len(text):
        if text[at] == _SPACE:
            at += 1
            continue
        end = at + (_break_tag(text, at) if text[at] == _LESS else 0)
        if end == at:
            end = _token_end(text, at, kinds)
            spans[count] = at, end
            count += 1
        at = end
    return spans[:count]


@part
def _break_tag(text: Points, at: int) -> int:
    """Return the length of the line-break tag that starts at this "<", or 0."""
    end = at + 1
    end += _is(text, end, _SLASH)
    if not (_is(text, end, _B) and _is(text, end + 1, _R)):
        return 0
    end += 2
    end += _is(text, end, _SPACE)
    end += _is(text, end, _SLASH)
    return end + 1 - at if _is(text, end, _MORE) else 0


@part
def _is(text: Points, at: int, point: Any) -> Any:
    return at < len(text) and text[at] == point


@part
def _token_end(text: Points, at: int, kinds: NDArray[np.uint8]) -> int:
    """Return where the token that starts here ends."""
    first, end = text[at], at + 1
    if first == _N and _negates(text, at) and _ends_word(text, at + 3):
        return at + 3
    if kinds[first] == WORDLIKE:
        while end < len(text) and kinds[text[end]] == WORDLIKE:
            if text[end] == _N and _negates(text, end):
                break
            end += 1
    elif kinds[first] == REPEATED:
        while end < min(at + RUN, len(text)) and text[end] == first:
            end += 1
    elif first == _APOSTROPHE:
        end += _ending(text, end)
    return end


@part
def _negates(text: Points, at: int) -> Any:
    """Tell whether "n't" stands here."""
    return _is(text, at, _N) and _is(text, at + 1, _APOSTROPHE) and _is(text, at + 2, _T)


@part
def _ends_word(text: Points, at: int) -> Any:
    r"""Tell whether `\b` holds here, behind a letter of ASCII."""
    if at >= len(text) or _negates(text, at):
        return True
    p = text[at]
    return not (97 <= p <= 122 or 48 <= p <= 57 or 65 <= p <= 90 or p == 95)


@part
def _ending(text: Points, at: int) -> int:
    """Return the length of the "s", "re", … that stands here and ends a word, or 0."""
    for k in range(len(_ENDINGS)):
        first, second = _ENDINGS[k]
        length = 1 if second == _SPACE else 2
        fits = _is(text, at, first) and (length == 1 or _is(text, at + 1, second))
        if fits and _ends_word(text, at + length):
            return length
    return 0


@part
def _find(
    text: Points,
    spans: Spans,
    slots: Ids,
    keys: Points,
    starts: Ends,
    ids: Ids,
) -> None:
    """Put down the ids of a text's first tokens, `UNKNOWN` for one that is not held."""
    for n in range(len(ids)):
        at, end = np.int64(spans[n, 0]), np.int64(spans[n, 1])
        ids[n], slot = UNKNOWN, _slot(text, at, end, len(slots))
        while slots[slot] != _EMPTY:
            start, length = starts[slots[slot]], end - at
            if length == starts[slots[slot] + 1] - start and _equal(text, at, keys, start, length):
                ids[n] = slots[slot]
                break
            slot = (slot + 1) & (len(slots) - 1)


@kernel
def _fill_slots(slots: Ids, keys: Points, starts: Ends) -> None:
    for id_ in range(len(starts) - 1):
        slot = _slot(keys, starts[id_], starts[id_ + 1], len(slots))
        while slots[slot] != _EMPTY:
            slot = (slot + 1) & (len(slots) - 1)
        slots[slot] = id_


@part
def _slot(text: Points, at: int, end: int, slots: int) -> Any:
    """Return where a token is looked for first, among 2**k slots."""
    code = _OFFSET
    for k in range(at, end):
        code = np.uint32((code ^ text[k]) * _PRIME)
    code ^= code >> np.uint32(15)  # the low bits alone hang on few bits of each character
    return np.int64(code) & (slots - 1)


@part
def _equal(one: Points, at: int, other: Points, start: int, length: int) -> bool:
    same = True
    for k in range(length):
        same = same and one[at + k] == other[start + k]
    return same
