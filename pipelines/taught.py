"""The short texts that are taught: parts of the long ones, and sentences turned round."""

import logging
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from pipelines.claims import Taught
from pipelines.config import TeachSettings, left_out_file
from pipelines.contrasts import contrasts
from pipelines.teacher import Teacher
from sentiment_lstm.english import Tokens
from sentiment_lstm.errors import DataError
from sentiment_lstm.progress import Progress
from sentiment_lstm.sentences import sentences, spans
from sentiment_lstm.text import tokenise

log = logging.getLogger(__name__)

Random = np.random.Generator


def short_texts(
    settings: TeachSettings, whole: Sequence[Taught], teacher: Teacher, progress: Progress
) -> list[Taught]:
    """Return the short texts to teach, in an order that the settings' seed decides.

    Args:
        settings: how many parts of each text, and whether sentences are turned round.
        whole: the texts that they are taken from, with their targets.
        teacher: tells which sentences praise and which blame.
        progress: shows the texts gone through.

    Raises:
        DataError: the texts to leave out cannot be read.
    """
    random = np.random.default_rng(settings.seed)
    left_out = _left_out(settings.leave_out)
    found: list[Taught] = []
    if settings.sentences:
        shown = progress(whole, total=len(whole), label="cut")
        found += _parts(shown, settings.sentences, random)
    if settings.contrast:
        shown = progress(whole, total=len(whole), label="sentences")
        found += contrasts(_sentences(shown), teacher, random, with_sayings=settings.sayings)
    kept = [one for one in found if tuple(tokenise(one.text)) not in left_out]
    if left_out:
        log.info("left out: %d short texts of %s", len(found) - len(kept), settings.leave_out)
    return kept


def _parts(whole: Iterable[Taught], mean: float, random: Random) -> Iterator[Taught]:
    """Yield a mean number of parts of each text, with the text's own target."""
    for text, target in whole:
        count = int(mean) + (random.random() < mean % 1)
        yield from (Taught(part, target) for part in spans(text, count, random))


def _sentences(whole: Iterable[Taught]) -> dict[Tokens, float]:
    """Return the tokens of each sentence, with the target of the last text that holds it."""
    return {
        tuple(tokenise(sentence)): target for text, target in whole for sentence in sentences(text)
    }


def _left_out(name: str) -> frozenset[Tokens]:
    if not name:
        return frozenset()
    try:
        lines = left_out_file(name).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"the texts to leave out of teaching cannot be read from {name}: give a file of one "
            f"text a line ({error})"
        ) from error
    return frozenset(tuple(tokenise(line)) for line in lines)
