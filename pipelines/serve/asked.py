"""The texts that a request to `/v1` asks about, and what else it may say of them."""

from dataclasses import dataclass
from typing import Any

from pipelines.serve.bodies import clipped, kind
from pipelines.serve.limits import Limits
from pipelines.serve.refusals import TOO_LARGE, UNFIT, Refusal

Text = str | bytes


@dataclass(frozen=True)
class Asked:
    """Texts, and whether they came as a list."""

    texts: list[Text]
    many: bool


def asked_texts(value: dict[str, Any], limits: Limits, most: int) -> Asked:
    """Return the texts of ``{"text": …}`` or ``{"texts": […]}``.

    Args:
        value: the body.
        limits: of the service.
        most: texts that a request of this kind may have.

    Raises:
        Refusal: for other keys, what is no string, and texts too many or too long.
    """
    for key in value.keys() - {"text", "texts"}:
        raise Refusal(UNFIT, f"unknown key {clipped(key)!r}: give text or texts")
    if len(value) != 1:
        raise Refusal(UNFIT, "give text, a string, or texts, a list of strings: one of them")
    many = "texts" in value
    texts = value["texts"] if many else [value["text"]]
    if not isinstance(texts, list):
        raise Refusal(UNFIT, f"texts is {kind(texts)}: give a list of strings")
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            place = f"texts[{index}]" if many else "text"
            raise Refusal(UNFIT, f"{place} is {kind(text)}: give a string")
    return Asked(checked(texts, limits, most), many)


def asked_abstain(value: dict[str, Any]) -> float | None:
    """Take ``"abstain": W`` out of a body: the margin below which a text is left undecided.

    Raises:
        Refusal: for what is no number from 0 to below 0.5.
    """
    abstain = value.pop("abstain", None)
    if abstain is None:
        return None
    if isinstance(abstain, bool) or not isinstance(abstain, int | float):
        raise Refusal(UNFIT, f"abstain is {kind(abstain)}: give a number")
    if not 0 <= abstain < 0.5:
        told = clipped(str(abstain))
        raise Refusal(UNFIT, f"abstain is {told}: give a margin of at least 0 and less than 0.5")
    return float(abstain)


def asked_phrases(value: dict[str, Any], limits: Limits) -> tuple[str, ...]:
    """Take ``"phrases": […]`` out of a body: words of its text that are to get one share together.

    Raises:
        Refusal: for what is no list of strings, for phrases too many or too long, and beside
            `texts`, where no phrase could stand in all of them.
    """
    if "phrases" not in value:
        return ()
    phrases = value.pop("phrases")
    if not isinstance(phrases, list):
        raise Refusal(UNFIT, f"phrases is {kind(phrases)}: give a list of strings")
    if "texts" in value:
        raise Refusal(UNFIT, "phrases go with text: ask about one text at a time")
    if len(phrases) > limits.phrases:
        told = f"{len(phrases):,} phrases in one request: give {limits.phrases:,} at most"
        raise Refusal(TOO_LARGE, told)
    for index, phrase in enumerate(phrases):
        _check_phrase(index, phrase, limits.phrase_characters)
    return tuple(phrases)


def _check_phrase(index: int, phrase: Any, most: int) -> None:
    if not isinstance(phrase, str):
        raise Refusal(UNFIT, f"phrases[{index}] is {kind(phrase)}: give a string")
    if len(phrase) > most:
        told = f"phrases[{index}] has {len(phrase):,} characters: give {most:,} at most"
        raise Refusal(TOO_LARGE, told)


def checked(texts: list[Text], limits: Limits, most: int) -> list[Text]:
    """Return the texts, which are neither none, nor too many, nor too long.

    Raises:
        Refusal: if they are.
    """
    if not texts:
        raise Refusal(UNFIT, "there is no text in the list: give one or more")
    if len(texts) > most:
        raise Refusal(TOO_LARGE, f"{len(texts):,} texts in one request: give {most:,} at most")
    for index, text in enumerate(texts):
        if len(text) > limits.characters:
            told = f"text {index} has {len(text):,} characters: give {limits.characters:,} at most"
            raise Refusal(TOO_LARGE, told)
    return texts
