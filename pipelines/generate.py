"""The generate command: a prompt in, what a language model makes of it out."""

from collections.abc import Iterator

from sentiment_lstm.detokenise import pieces
from sentiment_lstm.generation import Choice, Writer
from sentiment_lstm.text import tokenise


def continued(writer: Writer, prompt: str, tokens: int, choice: Choice, seed: int) -> Iterator[str]:
    """Yield a prompt as it was typed, and what follows it, piece by piece."""
    given = tokenise(prompt)
    yield prompt.rstrip()
    following = writer.continuation(prompt, tokens, choice, seed)
    for number, piece in enumerate(pieces(_after(given, following))):
        if number >= len(given):
            yield piece


def _after(given: list[str], following: Iterator[str]) -> Iterator[str]:
    yield from given
    yield from following


def suggested(writer: Writer, prompt: str, count: int) -> Iterator[str]:
    """Yield a line for each of the likeliest next tokens: its chance and itself."""
    for token, chance in writer.suggestions(prompt, count):
        yield f"{chance:.4f}\t{token}"
