import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sentiment_lstm import fresh_answers
from sentiment_lstm.bundle import BundleConfig
from sentiment_lstm.errors import ExportError
from sentiment_lstm.text import Encoder, Vocabulary
from sentiment_lstm.verification import TOLERANCE, compare, loss, verification_texts

TWO = BundleConfig(labels=("no", "yes"), threshold=0.7, temperature=2.0)
MANY = BundleConfig(labels=("a", "b", "c"))
NUMBER = BundleConfig(task="regression", target_scale=100.0, target_mean=5.0)
TEXTS = [b"one", b"two"]
VOCABULARY = Vocabulary.from_counts({"good": 3, "bad": 2, "film": 1}, 100, 1)


def two_answers(logits, shift=0.0):
    p = 1 / (1 + np.exp(-np.asarray(logits) / 2)) + shift
    return {"label": ["yes" if v >= 0.7 else "no" for v in p], "probability": p.tolist()}


def test_equal_answers_differ_by_nothing():
    logits = np.array([[0.4], [3.0]], np.float32)
    assert compare(TWO, two_answers(logits[:, 0].astype(float)), logits, "numpy", TEXTS) < 1e-12


def test_a_probability_beyond_the_tolerance_names_the_text_and_the_source():
    logits = np.array([[0.4], [3.0]], np.float32)
    answers = two_answers(logits[:, 0])
    answers["probability"][1] -= 2 * TOLERANCE
    with pytest.raises(ExportError, match=r"b'two'.* the keras model"):
        compare(TWO, answers, logits, "keras", TEXTS)


def test_the_largest_difference_within_the_tolerance_is_told():
    logits = np.array([[0.4], [3.0]], np.float32)
    answers = two_answers(logits[:, 0].astype(float))
    answers["probability"][0] += 4e-6
    assert compare(TWO, answers, logits, "numpy", TEXTS) == pytest.approx(4e-6, rel=1e-3)


def test_another_label_passes_only_at_the_threshold():
    at = 2 * np.log(0.7 / 0.3)
    on_edge = {"label": ["no"], "probability": [0.7]}
    assert compare(TWO, on_edge, np.array([[at]]), "numpy", TEXTS) <= TOLERANCE
    clear = two_answers([at + 0.1])
    clear["label"] = ["no"]
    with pytest.raises(ExportError):
        compare(TWO, clear, np.array([[at + 0.1]]), "numpy", TEXTS)


TORN = replace(TWO, abstain=0.2)
SPLIT = replace(MANY, abstain=0.2)


def told(config, label, p):
    """Hold one answer against the probabilities that a model gives."""
    if config is TORN:
        logits = 2 * np.log(p / (1 - p))
        return compare(
            config, {"label": [label], "probability": [p]}, np.array([[logits]]), "numpy", TEXTS
        )
    answers = {"label": [label], "probability": [max(p)], "probabilities": [p]}
    return compare(config, answers, np.log([p]), "numpy", TEXTS)


@pytest.mark.parametrize(
    ("config", "sure", "edge", "unsure"),
    [
        (TORN, 0.91, 0.9, 0.89),
        (TORN, 0.49, 0.5, 0.51),
        (SPLIT, [0.56, 0.34, 0.1], [0.55, 0.35, 0.1], [0.54, 0.36, 0.1]),
    ],
)
def test_unsure_passes_where_the_margin_is_small_and_either_at_its_edge(config, sure, edge, unsure):
    label = {0.91: "yes", 0.49: "no"}.get(sure, "a") if config is TORN else "a"
    for answer, p in ((label, sure), (label, edge), ("unsure", edge), ("unsure", unsure)):
        assert told(config, answer, p) <= TOLERANCE
    for answer, p in (("unsure", sure), (label, unsure)):
        with pytest.raises(ExportError):
            told(config, answer, p)


@pytest.mark.parametrize("label", ["b", "unheard of"])
def test_another_label_among_many_is_refused(label):
    logits = np.array([[2.0, 1.0, 0.0]])
    p = (np.exp(logits) / np.exp(logits).sum()).tolist()
    right = {"label": ["a"], "probability": [max(p[0])], "probabilities": p}
    assert compare(MANY, right, logits, "numpy", TEXTS) < 1e-12
    with pytest.raises(ExportError):
        compare(MANY, right | {"label": [label]}, logits, "numpy", TEXTS)
    swapped = [[p[0][0], p[0][2], p[0][1]]]
    with pytest.raises(ExportError):
        compare(MANY, right | {"probabilities": swapped}, logits, "numpy", TEXTS)


def test_a_loss_is_the_largest_difference_and_the_labels_that_changed():
    answers = two_answers(np.array([0.4, 1.6, 3.0]))
    answers["probability"][2] -= 0.05
    before = np.array([[0.4], [1.8], [3.0]])
    lost = loss(TWO, answers, before)
    assert lost["largest_difference"] == pytest.approx(0.05)
    assert lost["other_labels"] == 1
    assert loss(NUMBER, {"value": [215.0]}, np.array([[2.0]])) == {
        "largest_difference": pytest.approx(10 / 205),
        "other_labels": 0,
    }


def test_a_value_may_differ_in_proportion_to_its_scale():
    logits = np.array([[2.0]])
    assert compare(NUMBER, {"value": [205.0005]}, logits, "numpy", TEXTS) <= TOLERANCE
    with pytest.raises(ExportError):
        compare(NUMBER, {"value": [205.005]}, logits, "numpy", TEXTS)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_no_number_is_no_answer(wrong):
    with pytest.raises(ExportError):
        compare(NUMBER, {"value": [wrong]}, np.array([[2.0]]), "numpy", TEXTS)
    with pytest.raises(ExportError):
        compare(TWO, {"label": ["no"], "probability": [wrong]}, np.array([[0.0]]), "numpy", TEXTS)


def test_texts_are_several_hundred_and_difficult():
    texts = verification_texts(VOCABULARY)
    encode = Encoder(VOCABULARY, 50, 20)
    ids = [encode(text) for text in texts]
    assert len(texts) > 300
    assert texts == verification_texts(VOCABULARY)
    assert any(len(text) >= 100_000 for text in texts)
    assert any(b"\0" in text for text in texts)
    assert sum(len(i) == 0 for i in ids) >= 3
    assert any(len(i) and set(i) == {1} for i in ids)
    assert sum(len(set(i) - {1}) == 3 for i in ids) > 50
    assert sum(len(i) == 50 for i in ids) > 20
    undecodable = [text for text in texts if "\ufffd" in text.decode(errors="replace")]
    assert len(undecodable) > 50


def test_a_fresh_process_cannot_import_the_package():
    folder, root = Path(fresh_answers.__file__).parent, Path(fresh_answers.__file__).parents[1]
    script = f"""
import sys
sys.path += [{str(folder)!r}, {str(root)!r}]
import fresh_answers
fresh_answers.forbid_imports()
try:
    import sentiment_lstm.text
except ImportError:
    print("forbidden")
"""
    command = [sys.executable, "-P", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "forbidden\n"
