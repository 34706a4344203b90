"""What every page of ours has in common."""

import pytest
from jinja2 import UndefinedError

from sentiment_lstm import pages


@pytest.fixture
def template(monkeypatch):
    """Return a function that has a page made from a template of one's own."""

    def make(source, filters=None, **values):
        monkeypatch.setattr(pages, "_template", {"own": source}.__getitem__)
        return pages.page("own", filters or {}, **values)

    return make


def test_values_are_escaped_in_text_and_in_attributes(template):
    hostile = "<script>\"'&</script>"
    assert template('<p title="{{ x }}">{{ x }}</p>', x=hostile) == (
        '<p title="&lt;script&gt;&#34;&#39;&amp;&lt;/script&gt;">'
        "&lt;script&gt;&#34;&#39;&amp;&lt;/script&gt;</p>"
    )


def test_what_html_cannot_hold_is_replaced(template):
    shown = template("{{ x }}", x="a\x00b\x1b\x9f\ud800\ufffe\tc\n")
    assert shown == "a\ufffdb" + "\ufffd" * 4 + "\tc\n"


def test_what_a_macro_makes_is_html_and_its_values_are_escaped(template):
    shown = template("{% macro b(x) %}<b>{{ x }}</b>{% endmacro %}{{ b(x) }}", x="<\x00>")
    assert shown == "<b>&lt;\ufffd&gt;</b>"


def test_what_a_filter_gives_is_escaped_too(template):
    assert template("{{ x|loud }}", {"loud": "<{}>".format}, x=1) == "&lt;1&gt;"


def test_a_value_that_is_missing_is_an_error_and_no_gap(template):
    with pytest.raises(UndefinedError):
        template("{{ x }}")
