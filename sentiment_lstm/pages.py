"""HTML pages that stand alone: no script, no file beside them, no network.

Texts are somebody else's words: every value is escaped by the template, and a content security
policy in each page forbids it to load anything even so.
"""

import re
from collections.abc import Callable
from importlib import resources
from typing import Any

# What HTML cannot hold: controls but for tab and line ends, and halves of surrogate pairs.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def page(name: str, filters: dict[str, Callable[..., Any]], **values: Any) -> str:
    """Return a template of this package, filled.

    Args:
        name: of the file in `templates`.
        filters: what the template may call, by name.
        values: what it shows; strings are escaped.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True,
        finalize=_printable,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters)
    return environment.from_string(_template(name)).render(**values)


def _template(name: str) -> str:
    return (resources.files("sentiment_lstm") / "templates" / name).read_text("utf-8")


def _printable(value: Any) -> Any:
    """Replace what an HTML page cannot hold; the template escapes the rest.

    What a macro of the template has made is HTML, its values replaced and escaped already.
    """
    plain = isinstance(value, str) and not hasattr(value, "__html__")
    return _UNPRINTABLE.sub("\ufffd", value) if plain else value
