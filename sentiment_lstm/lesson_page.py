"""A comparison as one HTML page that stands alone (see `pages`)."""

from collections.abc import Mapping, Sequence

from sentiment_lstm import __version__
from sentiment_lstm.lesson_verdicts import Verdict
from sentiment_lstm.pages import page
from sentiment_lstm.report import Picture


def lesson_page(
    verdicts: Sequence[Verdict], pictures: Mapping[str, Picture], facts: Mapping[str, str]
) -> str:
    """Return the page.

    Args:
        verdicts: shown in this order.
        pictures: by section; a section that was not measured has none.
        facts: how each section was measured.
    """
    return page(
        "comparison.html.j2",
        {},
        version=__version__,
        verdicts=verdicts,
        pictures=pictures,
        facts=facts,
    )
