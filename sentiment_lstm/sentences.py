"""Texts cut into sentences, roughly: where a sentence's end is followed by space, and at breaks."""

import re

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
