"""The page of a comparison: whole, alone, escaped."""

from html.parser import HTMLParser

from sentiment_lstm.lesson_page import lesson_page
from sentiment_lstm.lesson_verdicts import judge
from sentiment_lstm.report import Picture

PICTURE = Picture("data:image/png;base64,AAAA", 4, 3, "Norms <b>")


class Reader(HTMLParser):
    """Collects the text of a page and the attributes of its pictures."""

    def __init__(self, page):
        super().__init__()
        self.text, self.pictures, self.ids = "", [], []
        self.feed(page)

    def handle_data(self, data):
        self.text += data

    def handle_starttag(self, tag, attributes):
        told = dict(attributes)
        self.ids += [told["id"]] if "id" in told else []
        if tag == "img":
            self.pictures.append(told)


def test_the_page_tells_each_verdict_its_rule_and_its_number():
    verdicts = [judge("memory", {}, "no <time>"), judge("gates", {}, "none")]
    page = lesson_page(verdicts, {"gates": PICTURE}, {"memory": "lags 10 & 20", "gates": "2"})
    read = Reader(page)
    for verdict in verdicts:
        for part in (verdict.claim, verdict.rule, verdict.number, "not measured"):
            assert part in read.text
        assert verdict.section in read.ids
    assert [picture["alt"] for picture in read.pictures] == ["Norms <b>"]
    assert "Measured: lags 10 & 20." in read.text
    assert "<time>" not in page
    assert "http" not in page.split("http-equiv")[1]
