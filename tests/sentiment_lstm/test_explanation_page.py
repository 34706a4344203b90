"""The page parses, escapes everything, loads nothing, and says what the explanation says."""

import dataclasses
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentiment_lstm import Explainer
from sentiment_lstm.explanation_page import DEEPEST, MOST_DOTS, explanation_page
from sentiment_lstm.gate_trace import GATES

VOID = {"meta", "br", "line", "polyline"}
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</p></section></main></body></html>",
    "{{ 7 * 7 }} {% raw %} ${1} &amp; &lt;",
    "<!-- --> ]]> <style>*{display:none}</style>",
    "javascript:alert(1) \u202e\u0000\x1b[31m \ud800",
]
TEXT = "It did n't end well, but it 's a good film."


class Page(HTMLParser):
    """Every tag with its attributes, every text, and a check that tags are nested."""

    def __init__(self, source):
        super().__init__(convert_charrefs=True)
        self.source, self.tags, self.texts, self.open = source, [], {}, []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs)
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        for tag in set(self.open):
            self.texts[tag][-1] += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    def words(self):
        return [a for a in self.all("span") if "title" in a]

    def rows(self):
        """Return the cells of the heat map's body as text, a list a row."""
        body = self.source.partition('<table class="heat">')[2].partition("<tbody>")[2]
        rows = re.findall(r"<tr>(.*?)</tr>", body.partition("</tbody>")[0])
        return [[re.sub("<.*?>", "", c) for c in re.split("</t[dh]>", row)[:-1]] for row in rows]


def parsed(found):
    return Page(explanation_page(found))


@pytest.fixture
def explainer(make_bundle):
    return Explainer.load(make_bundle(max_tokens=40, head_tokens=20))


def test_each_word_is_shaded_by_its_share_for_or_against(explainer):
    found = explainer.explain(TEXT)
    words = parsed(found).words()
    most = np.abs(found.shares).max()
    assert len(words) == len(found.tokens)
    for word, share in zip(words, found.shares, strict=True):
        assert word["class"] == ("plus" if share >= 0 else "minus")
        alpha = float(word["style"].removeprefix("--a:"))
        assert alpha == pytest.approx(DEEPEST * abs(share) / most, abs=6e-4)
        assert f"share {share:+.4f}" in word["title"]


def test_the_text_reads_as_it_was_written(explainer):
    shown = [text for text in parsed(explainer.explain(TEXT)).texts["p"] if "film" in text]
    assert shown[0].strip() == "It didn't end well, but it's a good film."


def test_a_hint_and_a_row_hold_the_gates_of_each_direction(explainer):
    found = explainer.explain(TEXT)
    page = parsed(found)
    rows = page.rows()
    assert len(rows) == len(found.tokens)
    for t, (row, word) in enumerate(zip(rows, page.words(), strict=True)):
        gates = [f"{d.mean[gate][t]:.3f}" for d in found.gates for gate in GATES]
        running = f"{found.running_probabilities[t + 1]:.4f}"
        assert row[2:] == [f"{found.shares[t]:+.4f}", running, *gates]
        hint = [f"i {found.gates[0].mean['i'][t]:.3f}", f"h {found.gates[1].mean['h'][t]:.3f}"]
        assert all(part in word["title"] for part in hint)


def test_the_running_verdict_is_a_line_with_a_point_for_each_prefix(explainer):
    found = explainer.explain(TEXT)
    page = parsed(found)
    points = page.all("polyline")[0]["points"].split()
    assert len(points) == len(found.tokens) + 1
    heights = [160 * (1 - p) for p in found.running_probabilities]
    for point, height in zip(points, heights, strict=True):
        assert float(point.split(",")[1]) == pytest.approx(height, abs=0.006)
    assert len(page.all("circle")) == len(points)
    marked = [a for a in page.all("line") if a.get("class") == "mark"]
    assert len(marked) == (found.running.flip is not None)


def test_a_flip_is_marked_and_named(explainer):
    texts = [f"{a} {b} {c}" for a in ("good", "bad") for b in ("not", "it") for c in ("film", "!")]
    found = next(e for e in map(explainer.explain, texts) if e.running.flip is not None)
    page = parsed(found)
    (mark,) = [a for a in page.all("line") if a.get("class") == "mark"]
    assert float(mark["x1"]) == pytest.approx(1000 * (found.running.flip + 1) / 3, abs=0.01)
    assert f"since word {found.running.flip + 1}" in " ".join(page.texts["p"])


def test_units_are_drawn(explainer):
    found = explainer.explain(TEXT, units=[2])
    page = parsed(found)
    assert page.texts["h3"] == ["forward, unit 2", "backward, unit 2"]
    assert [a["class"] for a in page.all("polyline")[1:]] == ["f", "c", "h"] * 2


def test_a_unit_s_lines_go_through_its_gate_at_each_word(explainer):
    found = explainer.explain(TEXT, units=[2])
    traces = [unit.gates for direction in found.gates for unit in direction.units]
    lines = parsed(found).all("polyline")[1:]
    for line, (gates, gate) in zip(
        lines, [(gates, gate) for gates in traces for gate in "fch"], strict=True
    ):
        most = max(1.0, *(abs(value) for value in gates["c"]))
        points = [tuple(map(float, point.split(","))) for point in line["points"].split()]
        across = [1000 * t / (len(points) - 1) for t in range(len(found.tokens))]
        down = [80 - 80 * value / most for value in gates[gate]]
        assert np.allclose(points, list(zip(across, down, strict=True)), atol=0.0051)


def test_phrases_have_a_table(explainer):
    found = explainer.explain(TEXT, phrases=["good film"])
    page = parsed(found)
    (phrase,) = found.phrases
    row = [found.place(phrase), f"{phrase.relevant:+.4f}", f"{phrase.irrelevant:+.4f}"]
    assert page.texts["td"][:3] == row
    assert "good film" in page.texts["bdi"]


def test_what_is_not_read_or_not_known_is_said(explainer):
    found = explainer.explain("zebra " + "film " * 60)
    page = parsed(found)
    assert "[… 21 words that the model does not read …]" in page.texts["em"]
    assert page.texts["i"] == ["Zebra", "unknown"]
    assert [row[0] for row in page.rows()] == [*map(str, range(1, 21)), *map(str, range(42, 62))]
    assert page.words()[0]["title"].endswith("unknown to the model")


def test_a_stack_says_what_its_shares_belong_to(make_bundle):
    found = Explainer.load(make_bundle(layers=2)).explain(TEXT)
    assert "shares belong to positions of the top one" in " ".join(parsed(found).texts["p"])


def test_an_empty_text_has_a_page(explainer):
    page = parsed(explainer.explain(""))
    assert page.words() == []
    assert "There is no word in it" in " ".join(page.texts["p"])


@pytest.mark.parametrize("labels", [(), ("bad", "fair", "good")])
def test_regressions_and_many_labels_have_pages(make_bundle, labels):
    task = "classification" if labels else "regression"
    found = Explainer.load(make_bundle(task=task, labels=labels)).explain(TEXT)
    page = parsed(found)
    assert page.texts["h1"] == [found.prediction.label if labels else "The value"]
    shown = found.probability if labels else found.logit
    assert f"{shown:.4f}" in page.texts["span"]


def test_a_line_of_many_words_has_fewer_dots_than_points(make_bundle):
    explainer = Explainer.load(make_bundle(max_tokens=900, head_tokens=450, directions=1))
    page = parsed(explainer.explain("good film " * 450))
    assert len(page.all("polyline")[0]["points"].split()) == 901
    assert 100 < len(page.all("circle")) <= MOST_DOTS
    assert page.all("circle")[-1]["cx"] == "1000.0"


def test_where_beginnings_were_not_read_the_page_says_so(make_bundle, monkeypatch):
    explainer = Explainer.load(make_bundle(max_tokens=40, head_tokens=20))
    assert "were read" not in explanation_page(explainer.explain(TEXT))
    monkeypatch.setattr("sentiment_lstm.running_verdict.MOST_WORK", 1500)
    found = explainer.explain(TEXT)
    page = parsed(found)
    read, of = len(found.running.lengths), len(found.tokens) + 1
    assert read < of
    assert f"Of {of} beginnings, {read} were read" in " ".join(page.texts["p"])
    assert [row[3] != "" for row in page.rows()] == [
        n in found.running.lengths for n in range(1, of)
    ]


def shape(page):
    """What a text cannot change: tags and attributes, but for shades, places and hints."""
    return [(tag, sorted(set(a) - {"class"})) for tag, a in page.tags if tag not in VOID | {"i"}]


def checked(page):
    policy = [a["content"] for a in page.all("meta") if a.get("http-equiv")]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]
    assert not {"script", "img", "link", "iframe", "object", "a"} & {tag for tag, _ in page.tags}
    for _, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes)
        assert not {"src", "href"} & set(attributes)
        assert re.fullmatch(r"(--a:[\d.]+|color: var\(--\w+\))?", attributes.get("style") or "")
    assert "http" not in page.source.replace("http-equiv", "")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_shown_and_never_run(explainer, text):
    found = explainer.explain(text, phrases=[text] if explainer.explain(text).tokens else [])
    page = parsed(found)
    checked(page)
    shown = "".join(page.texts["p"]).replace(" ", "").lower()
    for token in found.tokens:
        assert token in shown
    page.source.encode("utf-8")


@pytest.mark.parametrize("label", HOSTILE[:4])
def test_hostile_labels_are_shown_and_never_run(make_bundle, label):
    model = make_bundle(labels=("negative", label))
    page = parsed(Explainer.load(model).explain(TEXT))
    checked(page)
    assert label in page.texts["bdi"]


@given(st.text(max_size=30))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_changes_what_the_page_is_made_of(explainer, text):
    found = explainer.explain(text)
    page = parsed(found)
    checked(page)
    plain = dataclasses.replace(found, tokens=("a",) * len(found.tokens))
    if not page.texts.get("p", [""])[0].count("[…"):
        assert len(parsed(plain).words()) == len(page.words())
    assert len(shape(page)) == len(shape(parsed(plain)))
