"""The explain command: a text in, why the model answers as it does out."""

from pathlib import Path

from pipelines.classify import model_or_default
from pipelines.explained_json import explanation_json
from pipelines.explained_text import explanation_lines
from pipelines.painting import coloured, signed
from sentiment_lstm.bundle import resolve_model
from sentiment_lstm.errors import BundleError
from sentiment_lstm.explain import Explainer, Explanation
from sentiment_lstm.saved_model import find_saved_model

FORMATS = ("text", "html", "json")


def open_explainer(model: str | None) -> Explainer:
    """Return the explainer of a model by name or directory; None is the model that ships.

    Raises:
        BundleError: if there is none, or it is not sound, or a SavedModel, whose gates are
            hidden in its graph.
    """
    name = model_or_default(model)
    try:
        bundle = resolve_model(name)
    except BundleError:
        if find_saved_model(Path(name)) is None:
            raise
        raise BundleError(
            f"{name} is a SavedModel, whose gates are hidden: give the model it was exported from"
        ) from None
    return Explainer.load(bundle)


def written(
    found: Explanation, form: str, *, gates: bool = False, units: bool = False, colours: bool
) -> str:
    """Return an explanation as text of one of `FORMATS`, its last line ended.

    Args:
        found: the explanation.
        form: one of `FORMATS`.
        gates: as text, also show the gates.
        units: as text, also show what single units did.
        colours: as text, colour words in place of signs.
    """
    if form == "json":
        return explanation_json(found) + "\n"
    if form == "html":
        from sentiment_lstm.explanation_page import explanation_page

        return f"{explanation_page(found)}\n"
    paint = coloured if colours else signed
    lines = explanation_lines(found, paint, gates=gates, units=units)
    return "".join(f"{line}\n" for line in lines)
