"""Texts cut into sentences, roughly: where a sentence's end is followed by space, and at breaks."""

import re

import numpy as np

# Chances of a part of one sentence, of two and of three.
_LENGTHS = (0.6, 0.25, 0.15)

# Behind ".", "!", "?" and quotes that close with them, at tags that end a line, and at line ends.
_END = re.compile(
    r"""(?<=[.!?])(?:["')\]]+)?\s+|\s*<\s*/?\s*(?:br|p)\s*/?\s*>\s*|\s*[\r\n]+\s*""",
    re.IGNORECASE,
)


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, none of them blank; closing quotes are left out.

    Abbreviations are taken for ends ("Mr. Smith" is two), which does no harm where sentences are
    only examples of short text.
    """
    return [part for part in map(str.strip, _END.split(text)) if part]


def spans(text: str, count: int, random: np.random.Generator) -> list[str]:
    """Return parts of a text drawn at random, each of one to three sentences in a row.

    Args:
        text: of any number of sentences.
        count: how many parts; fewer where the text has fewer sentences, and they may overlap.
        random: draws.
    """
    parts = sentences(text)
    starts = random.permutation(len(parts))[:count]
    lengths = 1 + random.choice(len(_LENGTHS), size=len(starts), p=_LENGTHS)
    return [" ".join(parts[at : at + length]) for at, length in zip(starts, lengths, strict=True)]
