"""Explanations of whole texts by models on disk, held against the classifier."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sentiment_lstm
from sentiment_lstm import Explainer, SentimentClassifier
from sentiment_lstm.bundle import read_bundle
from sentiment_lstm.errors import DataError

TEXTS = [
    "a good film.",
    "",
    "<br /> ",
    "it did n't",
    "bad!!! bad",
    "unheard words",
    "ça 😀",
    "\ud800",
]
POOLINGS = (("last",), ("max",), ("mean",), ("mean", "last", "max"))
LONG = "a good film, it 's bad, not the good film! did it " * 4


@pytest.fixture
def model(make_bundle):
    return make_bundle(pooling=("max", "mean"), temperature=1.6, threshold=0.4)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("layers", [1, 2])
def test_shares_and_bias_sum_to_the_logit_of_the_classifier(
    make_bundle, pooling, directions, layers
):
    model = make_bundle(pooling=pooling, directions=directions, layers=layers)
    explainer, classifier = Explainer.load(model), SentimentClassifier.load(model)
    texts = [*TEXTS, LONG]
    for text, logit in zip(texts, classifier.logits(texts), strict=True):
        found = explainer.explain(text)
        assert found.shares.shape == (len(found.tokens),)
        assert found.shares.sum() + found.bias == pytest.approx(logit, abs=1e-4)
        assert found.logit == pytest.approx(logit, abs=1e-4)


@given(st.text())
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_explained_as_it_is_classified(model, text):
    found = Explainer.load(model).explain(text)
    (answer,) = SentimentClassifier.load(model).classify([text])
    assert found.prediction.label == answer.label == found.running.labels[-1]
    assert found.probability == pytest.approx(answer.probability, abs=1e-5)
    assert found.running_values[-1] == pytest.approx(found.logit, abs=1e-4)
    assert found.running_probabilities[-1] == pytest.approx(answer.probability, abs=1e-5)
    assert len(found.tokens) == len(found.known) <= 12


def test_each_of_many_labels_can_be_explained(make_bundle):
    labels = ("bad", "fair", "good")
    model = make_bundle(labels=labels)
    explainer, classifier = Explainer.load(model), SentimentClassifier.load(model)
    (logits,) = classifier.logits(["not a good film"])
    (answer,) = classifier.classify(["not a good film"])
    for label, logit, probability in zip(labels, logits, answer.probabilities, strict=True):
        found = explainer.explain("not a good film", label=label)
        assert found.label == label
        assert found.shares.sum() + found.bias == pytest.approx(logit, abs=1e-4)
        assert found.probability == pytest.approx(probability, abs=1e-5)
    assert explainer.explain("not a good film").label == answer.label


def test_of_a_regression_shares_and_bias_sum_to_the_value(make_bundle):
    model = make_bundle(task="regression", labels=(), target_scale=4.0, target_mean=30.0)
    found = Explainer.load(model).explain("not a good film")
    (answer,) = SentimentClassifier.load(model).classify(["not a good film"])
    assert found.shares.sum() + found.bias == pytest.approx(answer.value, abs=1e-3)
    assert found.logit == pytest.approx(answer.value, abs=1e-3)
    assert np.isnan(found.probability)


def test_of_a_long_text_the_tokens_that_the_model_reads_are_explained(model):
    found = Explainer.load(model).explain("a " * 5 + "film " * 20 + "good " * 7)
    assert found.tokens == ("a",) * 5 + ("good",) * 7
    assert found.left_out == 20


def test_tokens_that_the_vocabulary_lacks_are_marked(model):
    found = Explainer.load(model).explain("a zebra 's film")
    assert found.tokens == ("a", "zebra", "'s", "film")
    assert found.known == (True, False, True, True)


def test_phrases_stand_where_they_stand_and_both_parts_sum_to_the_logit(model):
    found = Explainer.load(model).explain(
        "not good, NOT GOOD, a film", phrases=["not good", "film"]
    )
    assert [(p.phrase, p.start, p.end) for p in found.phrases] == [
        ("not good", 0, 2), ("not good", 3, 5), ("film", 7, 8),
    ]  # fmt: skip
    assert [found.place(p) for p in found.phrases] == ["words 1 to 2", "words 4 to 5", "word 8"]
    for phrase in found.phrases:
        assert phrase.relevant + phrase.irrelevant == pytest.approx(found.logit)
    assert len({phrase.relevant for phrase in found.phrases}) == 3


def test_places_behind_what_is_not_read_count_what_stands_there(model):
    text = "a " * 5 + "film " * 20 + "good " * 6 + "film"
    found = Explainer.load(model).explain(text, phrases=["a a", "good film"])
    words = text.split()
    assert [words[found.number(t) - 1] for t in range(len(found.tokens))] == [*found.tokens]
    assert found.place(found.phrases[0]) == "words 1 to 2"
    assert found.place(found.phrases[-1]) == "words 31 to 32"
    with pytest.raises(DataError, match="'a good' does not stand in what the model reads"):
        Explainer.load(model).explain(text, phrases=["a good"])


def test_a_phrase_in_the_part_that_is_not_read_is_an_error(model):
    text = "a " * 20 + "good" + " film" * 20
    with pytest.raises(DataError, match="'good' does not stand in what the model reads"):
        Explainer.load(model).explain(text, phrases=["good"])


def test_bytes_are_read_as_utf_8(model):
    explainer = Explainer.load(model)
    text = "ça, a film 😀"
    np.testing.assert_array_equal(
        explainer.explain(text.encode()).shares, explainer.explain(text).shares
    )


def test_threads_may_share_an_explainer(model):
    explainer = Explainer.load(model)
    expected = [explainer.explain(text).shares.tolist() for text in TEXTS]
    with ThreadPoolExecutor(4) as pool:
        found = [e.shares.tolist() for e in pool.map(explainer.explain, TEXTS * 4)]
    assert found == expected * 4


def test_a_bundle_that_was_read_can_be_explained(model):
    found = Explainer(read_bundle(model)).explain("good")
    assert found.shares.tolist() == Explainer.load(model).explain("good").shares.tolist()


def test_explaining_loads_nothing_heavy(model):
    code = (
        "import sys\nfrom sentiment_lstm import Explainer\n"
        f"Explainer.load({str(model)!r}).explain('good film', phrases=['good'])\n"
        "heavy = {'tensorflow', 'keras', 'sklearn', 'scipy', 'matplotlib', 'numba', 'jinja2'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    root = Path(sentiment_lstm.__file__).parents[1]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)
