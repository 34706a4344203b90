"""The teach stage on a real run directory: what teachers say is what a student is trained on."""

import json

import numpy as np
import pytest

from pipelines.config import load_recipe
from sentiment_lstm import demo
from sentiment_lstm.batching import TokenArrays
from sentiment_lstm.bundle import read_bundle
from sentiment_lstm.classifier import SentimentClassifier
from sentiment_lstm.errors import SettingsError
from sentiment_lstm.ngrams import fit_ngrams
from sentiment_lstm.sentences import sentences
from sentiment_lstm.text import Encoder, Vocabulary

UNLABELLED = [
    "A warm and funny film. I loved it!", "Dull. The plot was a mess.", "not bad at all",
    "I hated the slow, dull ending of it.", "",
]  # fmt: skip
SIZES = ["model.units=4", "model.embedding=4", "train.epochs=1", "text.max_tokens=30"]


@pytest.fixture
def recipe(tmp_path):
    """Return a recipe of a person's own texts, some of them without labels."""
    rows = [{"text": t, "label": y} for t, y in demo.generate("train", 200, 0)]
    for name, of in (("train", rows), ("more", [{"text": text} for text in UNLABELLED])):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in of))
    path = tmp_path / "own.toml"
    path.write_text(
        f'[data]\nsource = "files"\ntrain = "{tmp_path}/train.jsonl"\n'
        f'unlabelled = "{tmp_path}/more.jsonl"\n'
    )
    return path


@pytest.fixture
def teach(invoke, tmp_path, recipe):
    """Return a function that runs a stage of the recipe with the settings given."""

    def run(stage, *settings, fails=False):
        all_of_them = (*SIZES, "text.head_tokens=10", *settings)
        options = [part for setting in all_of_them for part in ("--set", setting)]
        result = invoke(stage, recipe, "--run-dir", tmp_path / "run", *options)
        assert bool(result.exit_code) == fails, result.output
        return result

    return run


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_student_is_taught_the_mean_of_its_teachers(teach, tmp_path, make_bundle):
    teach("preprocess")
    run, model = tmp_path / "run", make_bundle("teacher", temperature=1.7)
    told = teach("teach", f"teach.models=['{model}']", "teach.ngrams=true").stdout
    texts = lines(run / "preprocess" / "unlabelled.texts.jsonl")
    train = lines(run / "preprocess" / "train.texts.jsonl")
    targets = np.load(run / "preprocess" / "train.targets.npy")
    by_model = SentimentClassifier.load(model).classify(texts)
    by_model = [p.probabilities[1] for p in by_model]
    expected = (np.array(by_model) + fit_ngrams(train, targets).probabilities(texts)) / 2
    taught = TokenArrays.load(run / "teach", "taught")
    np.testing.assert_allclose(taught.targets, expected, atol=1e-5)
    encode = Encoder(Vocabulary.load(run / "preprocess" / "vocabulary.txt"), 30, 10)
    for i, text in enumerate(texts):
        np.testing.assert_array_equal(taught[i], encode(text))
    figures = json.loads((run / "teach" / "teach.json").read_text())
    assert list(figures) == [str(model), "n-grams", "mean"]
    assert f"n-grams: validation accuracy {figures['n-grams']['validation_accuracy']:.4f}" in told
    held_out = lines(run / "preprocess" / "validation.texts.jsonl")
    truth = np.load(run / "preprocess" / "validation.targets.npy")
    chances = fit_ngrams(train, targets).probabilities(held_out)
    of_truth = np.where(truth, chances, 1 - chances)
    assert figures["n-grams"]["validation_accuracy"] == np.mean(of_truth > 0.5)
    assert figures["n-grams"]["validation_loss"] == pytest.approx(-np.log(of_truth).mean())


def test_sentences_of_a_share_of_the_texts_are_taught_too(teach, tmp_path):
    teach("preprocess")
    teach("teach", "teach.ngrams=true", "teach.sentences=1")
    run = tmp_path / "run"
    taught = TokenArrays.load(run / "teach", "taught")
    texts = lines(run / "preprocess" / "unlabelled.texts.jsonl")
    encode = Encoder(Vocabulary.load(run / "preprocess" / "vocabulary.txt"), 30, 10)
    cut = [[encode(s).tolist() for s in sentences(text)] for text in texts if sentences(text)]
    added = [taught[i].tolist() for i in range(len(texts), len(taught))]
    assert len(added) == len(cut)
    assert all(one in parts for one, parts in zip(added, cut, strict=True))
    assert added != [parts[0] for parts in cut]


def test_what_was_taught_is_trained_on(teach, tmp_path):
    teach("preprocess")
    teach("train")
    alone = read_bundle(tmp_path / "run" / "bundle").weights
    teach("teach", "teach.ngrams=true")
    teach("train", "teach.ngrams=true")
    both = read_bundle(tmp_path / "run" / "bundle").weights
    assert any((alone[name] != both[name]).any() for name in alone)
    card = (tmp_path / "run" / "bundle" / "README.md").read_text()
    train = len(lines(tmp_path / "run" / "preprocess" / "train.texts.jsonl"))
    taught = len(lines(tmp_path / "run" / "preprocess" / "unlabelled.texts.jsonl"))
    assert f"{train + taught:,}" in card.replace(str(train + taught), f"{train + taught:,}")


def test_without_teachers_there_is_nothing_to_do(teach, tmp_path):
    teach("preprocess")
    assert "up to date" in teach("teach").stderr
    assert not (tmp_path / "run" / "teach").exists()


def test_training_waits_for_the_teachers(teach, recipe):
    teach("preprocess")
    result = teach("train", "teach.ngrams=true", fails=True)
    assert f"run `sentiment-lstm teach {recipe}` first" in result.stderr


def test_a_teacher_of_other_labels_is_refused(teach, make_bundle):
    teach("preprocess")
    model = make_bundle("stars", labels=("bad", "good"))
    result = teach("teach", f"teach.models=['{model}']", fails=True)
    assert f"the teacher {model} knows the labels bad, good" in result.stderr


def test_a_missing_teacher_is_named(teach, tmp_path):
    teach("preprocess")
    result = teach("teach", f"teach.models=['{tmp_path / 'nobody'}']", fails=True)
    assert "nobody" in result.stderr


def test_teachers_without_texts_to_label_are_refused():
    with pytest.raises(SettingsError, match=r"data\.unlabelled is empty"):
        load_recipe("quickstart", ["teach.ngrams=true"])
