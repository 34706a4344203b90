"""Labels of any type become names in order, or numbers, or a reason."""

import math
from array import array

import pytest

from sentiment_lstm.errors import DataError
from sentiment_lstm.labels import MOST_LABELS, LabelReader
from sentiment_lstm.sources import Example, Found, RejectedRow


def read(reader, label):
    return reader.example(Found("a.csv", 7, "text", label))


@pytest.mark.parametrize(
    ("value", "name"),
    [("good", "good"), (" good ", "good"), (5, "5"), (5.0, "5"), (4.5, "4.5"), (True, "true")],
)
def test_a_label_is_named_the_same_in_every_format(value, name):
    assert read(LabelReader("classification", ()), value) == Example("text", name)


@pytest.mark.parametrize("value", ["", "  ", None, [], {}, math.nan])
def test_a_row_without_a_label_is_rejected(value):
    rejected = read(LabelReader("classification", ()), value)
    assert rejected == RejectedRow("a.csv", 7, "no label")
    assert str(rejected) == "a.csv, line 7: no label"


@pytest.mark.parametrize("label", ["a\0b", "a\nb", "\x85a", "a\ud800"])
@pytest.mark.parametrize("names", [(), ("a", "b")])
def test_a_label_of_control_characters_is_rejected(label, names):
    rejected = read(LabelReader("classification", names), f"x{label}")
    assert rejected == RejectedRow(
        "a.csv", 7, f"the label {'x' + label!r} holds control characters"
    )


def test_an_unknown_label_is_rejected_with_the_nearest():
    rejected = read(LabelReader("classification", ("negative", "positive")), "postive")
    assert rejected.reason == "unknown label 'postive': did you mean 'positive'?"


@pytest.mark.parametrize(
    ("met", "order"),
    [
        (["b", "a", "C"], ("C", "a", "b")),
        (["10", "9", "-1", "2.5"], ("-1", "2.5", "9", "10")),
        (["10", "9", "nan"], ("10", "9", "nan")),
        (["10", "9", "1_1"], ("10", "1_1", "9")),
    ],
)
def test_learnt_labels_are_sorted_as_numbers_if_all_are(met, order):
    reader = LabelReader("classification", ())
    classes = array("i", [reader.class_of(label) for label in [*met, *met]])
    closed = reader.close(classes)
    assert reader.names == order
    assert [order[c] for c in closed] == [*met, *met]
    assert [order[reader.class_of(label)] for label in met] == met


def test_a_closed_reader_learns_no_more():
    reader = LabelReader("classification", ())
    reader.close(array("i", [reader.class_of("a"), reader.class_of("b")]))
    assert isinstance(read(reader, "c"), RejectedRow)
    assert isinstance(read(reader, "b"), Example)


@pytest.mark.parametrize(("value", "number"), [("3.5", 3.5), (" -2e1 ", -20.0), (4, 4.0)])
def test_numbers_are_read_from_text_and_json(value, number):
    assert read(LabelReader("regression", ()), value) == Example("text", number)


@pytest.mark.parametrize(
    "value", ["good", "", "nan", "inf", None, True, [1], 10**400, "1_000", "\u0661\u0662"]
)
def test_what_is_no_finite_number_is_rejected(value):
    assert "not a finite number" in read(LabelReader("regression", ()), value).reason


def test_a_column_of_too_many_labels_is_refused():
    reader = LabelReader("classification", ())
    for number in range(MOST_LABELS):
        reader.class_of(str(number))
    with pytest.raises(DataError, match="'regression'"):
        reader.class_of("one more")
