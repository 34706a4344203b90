import base64
import re
import struct
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_lstm.metrics import accuracy_by_length, classification_metrics, regression_metrics
from sentiment_lstm.metrics import probability_losses as losses
from sentiment_lstm.report import LONGEST_TEXT, Mistake, Picture, write_report

VOID = {"meta", "img", "br"}
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</blockquote></ol></main></body></html>",
    "{{ 7 * 7 }} {% raw %} ${1} &amp; &lt;",
    "<!-- --> ]]> <style>*{display:none}</style>",
    "javascript:alert(1) \u202e\u0000\x1b[31m",
    "\ud800 lone",
]


class Page(HTMLParser):
    """Every tag with its attributes, every text, and a check that tags are nested."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs)
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.texts[tag][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def classified(names: Sequence[str] = ("bad", "good"), baseline: bool = True) -> dict[str, Any]:
    generator = np.random.default_rng(len(names))
    y = generator.integers(len(names), size=90)
    weights = generator.gamma(1 + 2 * np.eye(len(names))[y])
    p = weights / weights.sum(axis=1, keepdims=True)
    return {
        "task": "classification",
        "labels": list(names),
        "threshold": 0.5,
        **classification_metrics(y, p, names=names),
        "calibration": {"temperature": 1.5, "before": losses(y, p**2), "after": losses(y, p)},
        "accuracy_by_length": accuracy_by_length(np.arange(90), p.argmax(axis=1) == y),
        "baseline": classification_metrics(y, p[::-1], names=names) if baseline else None,
    }


PLAIN = classified()


def page_of(tmp_path: Path, metrics: dict[str, Any], **more: Any) -> Page:
    path = tmp_path / "report.html"
    write_report(path, metrics=metrics, labels=metrics.get("labels", ()), **more)
    return Page(path.read_text("utf-8"))


def png(tmp_path: Path) -> Path:
    """The opening of a PNG, 640 pixels wide and 480 high, as far as a report looks into it."""
    path = tmp_path / "roc.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 640, 480) + b"rest")
    return path


def shown(text: str) -> str:
    """A text as a page can show it: what no page can hold is a replacement character."""
    return re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", "\ufffd", text)


def test_page_holds_both_models_figures_side_by_side(tmp_path: Path) -> None:
    metrics = PLAIN
    page = page_of(tmp_path, metrics, title="My run")
    table = page.texts["table"][0].split("\n")
    row = next(line for line in table if line.startswith("Log-loss"))
    assert row == f"Log-loss{metrics['log_loss']:.4f}{metrics['baseline']['log_loss']:.4f}lower"
    assert page.texts["h1"] == page.texts["title"] == ["My run"]
    assert "TF-IDF + logistic regression" in page.texts["thead"][0]
    before, after = (metrics["calibration"][when]["ece"] for when in ("before", "after"))
    assert f"(ECE) goes from {before:.4f} to {after:.4f}" in page.texts["main"][0]


def test_confusion_matrix_and_lengths_are_tables(tmp_path: Path) -> None:
    metrics = classified(("one", "two", "three"))
    page = page_of(tmp_path, metrics)
    matrix, lengths = page.texts["table"][1:3]
    for name, counts in zip(metrics["labels"], metrics["confusion_matrix"], strict=True):
        assert f"\n{name}{''.join(map(str, counts))}\n" in matrix
    first = metrics["accuracy_by_length"][0]
    assert f"\n0 to 2122{first['accuracy']:.4f}" in lengths  # lengths 0 to 21, 22 texts


def test_a_page_without_baseline_pictures_or_mistakes_says_nothing_of_them(tmp_path: Path) -> None:
    page = page_of(tmp_path, classified(baseline=False))
    assert "TF-IDF" not in page.texts["body"][0]
    assert page.all("img") == []
    assert page.texts["h2"] == ["Measures", "Confusion matrix", "Accuracy by length"]


def test_undefined_figures_come_with_their_reason(tmp_path: Path) -> None:
    undefined = {"roc_auc": "no text of the split is labelled 'bad'"}
    body = page_of(tmp_path, PLAIN | {"roc_auc": None, "undefined": undefined}).texts["body"][0]
    assert "ROC-AUCn/a" in body
    assert "ROC-AUC: no text of the split is labelled 'bad'." in body


def test_what_only_the_baseline_lacks_is_said_of_it(tmp_path: Path) -> None:
    figures = regression_metrics([1.0, 2.0, 4.0], [1.5, 2.5, 3.0])
    constant = regression_metrics([1.0, 2.0, 4.0], [2.0, 2.0, 2.0])
    page = page_of(tmp_path, {"task": "regression", **figures, "baseline": constant})
    expected = "Spearman of TF-IDF + ridge regression: every prediction is 2."
    assert expected in page.texts["section"][0]
    same = PLAIN | {"undefined": {"roc_auc": "why"}}
    same["baseline"] = PLAIN["baseline"] | {"undefined": {"roc_auc": "why"}}
    assert page_of(tmp_path, same).texts["section"][0].count("why") == 1


def test_page_of_a_regression(tmp_path: Path) -> None:
    figures = {**regression_metrics([1.0, 2.0, 4.0], [1.5, 2.5, 3.0]), "baseline": None}
    mistakes = [Mistake("too long", "4", "3", 1.0)]
    page = page_of(tmp_path, {"task": "regression", **figures}, mistakes=mistakes)
    assert page.texts["h2"] == ["Measures", "Largest errors"]
    assert "True value 4, predicted 3, absolute error 1.0000" in page.texts["li"][-1]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_words_are_shown_and_nothing_more(tmp_path: Path, hostile: str) -> None:
    tags = page_with(tmp_path, "harmless").tags
    page = page_with(tmp_path, hostile)
    assert [name for name, _ in page.tags] == [name for name, _ in tags]
    assert [set(attributes) for _, attributes in page.tags] == [set(a) for _, a in tags]
    assert page.texts["blockquote"] == [shown(hostile)]
    assert page.texts["bdi"] == [shown(hostile), "good"]
    assert page.texts["h1"] == [shown(hostile)]
    assert page.all("img")[0]["alt"] == shown(hostile)


def page_with(tmp_path: Path, words: str) -> Page:
    return page_of(
        tmp_path,
        PLAIN | {"labels": [words, "good"]},
        title=words,
        pictures=[Picture.load(png(tmp_path), words)],
        mistakes=[Mistake(words, words, "good", 0.9)],
    )


@settings(max_examples=50)
@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=60))
def test_any_text_comes_back_as_text(words: str) -> None:
    with TemporaryDirectory() as directory:
        page = page_of(Path(directory), PLAIN, mistakes=[Mistake(words, words, "good", 0.9)])
    assert page.texts["blockquote"] == [shown(words)]
    assert page.texts["bdi"][0] == shown(words)
    assert page.all("script") == []


def test_page_loads_nothing(tmp_path: Path) -> None:
    page = page_with(tmp_path, "http://example.com/x.png")
    names = {name for name, _ in page.tags}
    assert not names & {"script", "link", "iframe", "object", "embed", "base", "form", "svg"}
    for _, attributes in page.tags:
        assert not [key for key in attributes if key.startswith("on")]
        assert (attributes.get("src") or "data:image/png;base64,").startswith("data:image/png;")
        assert (attributes.get("href") or "#").startswith("#")
        assert not {"style", "srcset", "background", "action", "ping"} & set(attributes)
    assert not re.search(r"url\(|@import|//", page.texts["style"][0])
    policy = next(m for m in page.all("meta") if m.get("http-equiv"))
    assert (policy["content"] or "").startswith("default-src 'none'; img-src data:;")


def test_pictures_are_embedded_whole(tmp_path: Path) -> None:
    path = png(tmp_path)
    image = page_of(tmp_path, PLAIN, pictures=[Picture.load(path, "A curve.")]).all("img")[0]
    kind, encoded = (image["src"] or "").split(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(encoded) == path.read_bytes()
    assert (image["width"], image["height"], image["alt"]) == ("640", "480", "A curve.")


def test_page_can_be_read_by_ear_and_by_keyboard(tmp_path: Path) -> None:
    history = [{"epoch": 1, "loss": 0.5, "validation_loss": 0.25}]
    picture = Picture.load(png(tmp_path), "A curve.")
    page = page_of(
        tmp_path,
        PLAIN,
        pictures=[picture],
        history=history,
        mistakes=[Mistake("odd", "bad", "good", 0.9)],
    )
    identifiers = [a["id"] for _, a in page.tags if "id" in a]
    assert len(set(identifiers)) == len(identifiers)
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == len(page.all("main")) == 1
    assert {(a["href"] or "")[1:] for a in page.all("a")} == set(identifiers)
    assert all("scope" in attributes for attributes in page.all("th"))
    labelled = {a["aria-labelledby"] for _, a in page.tags if "aria-labelledby" in a}
    assert labelled <= set(identifiers)
    scrolling = [a for a in page.all("div") if a.get("class") == "scroll"]
    assert len(scrolling) == len(page.all("table")) == 4
    assert all(a["tabindex"] == "0" and a["role"] == "region" for a in scrolling)
    assert "10.50000.2500n/a" in page.texts["details"][0]


def test_a_long_text_is_cut(tmp_path: Path) -> None:
    texts = ["x" * LONGEST_TEXT, "y" * (LONGEST_TEXT + 1)]
    page = page_of(tmp_path, PLAIN, mistakes=[Mistake(t, "bad", "good", 0.9) for t in texts])
    assert page.texts["blockquote"] == [texts[0], "y" * LONGEST_TEXT + " …"]
