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
    told = teach("teach", f"teach.models=['{model}']", "teach.ngrams=0.25").stdout
    texts = lines(run / "preprocess" / "unlabelled.texts.jsonl")
    train = lines(run / "preprocess" / "train.texts.jsonl")
    targets = np.load(run / "preprocess" / "train.targets.npy")
    by_model = SentimentClassifier.load(model).classify(texts)
    by_model = [p.probabilities[1] for p in by_model]
    expected = (np.array(by_model) + fit_ngrams(train, targets).probabilities(texts) / 4) / 1.25
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


def test_others_may_teach_whole_texts_and_leave_sentences_to_the_models(
    teach, tmp_path, make_bundle
):
    teach("preprocess")
    run = tmp_path / "run"
    of_sentences, of_whole = make_bundle("one"), make_bundle("other", seed=5)
    settings = (f"teach.models=['{of_sentences}']", f"teach.whole=['{of_whole}']")
    teach("teach", *settings, "teach.contrast=true")
    texts = lines(run / "preprocess" / "unlabelled.texts.jsonl")
    expected = [p.probabilities[1] for p in SentimentClassifier.load(of_whole).classify(texts)]
    taught = TokenArrays.load(run / "teach", "taught")
    np.testing.assert_allclose(taught.targets[: len(texts)], expected, atol=1e-5)
    figures = json.loads((run / "teach" / "teach.json").read_text())
    assert list(figures) == [str(of_whole), "mean"]


def test_a_missing_teacher_of_whole_texts_is_named(teach):
    teach("preprocess")
    result = teach("teach", "teach.whole=['nowhere/imdb-teacher-wide']", fails=True)
    assert "teach.whole: nowhere/imdb-teacher-wide is not there: run" in result.stderr


def taught_texts(run, recipe_sentences, *settings, teach):
    """Return the short texts taught, as tuples of ids, with their targets."""
    teach("teach", "teach.ngrams=1", f"teach.sentences={recipe_sentences}", *settings)
    taught = TokenArrays.load(run / "teach", "taught")
    whole = len(lines(run / "preprocess" / "unlabelled.texts.jsonl"))
    return [(tuple(taught[i].tolist()), taught.targets[i]) for i in range(whole, len(taught))]


def test_parts_of_all_texts_are_taught_with_the_label_of_the_whole(teach, tmp_path):
    teach("preprocess")
    run = tmp_path / "run"
    short = taught_texts(run, 1, teach=teach)
    taught = TokenArrays.load(run / "teach", "taught")
    whole = {
        split: lines(run / "preprocess" / f"{split}.texts.jsonl")
        for split in ("train", "unlabelled")
    }
    targets = [*np.load(run / "preprocess" / "train.targets.npy")]
    targets += [*taught.targets[: len(whole["unlabelled"])]]
    encode = Encoder(Vocabulary.load(run / "preprocess" / "vocabulary.txt"), 30, 10)
    texts = [*whole["train"], *whole["unlabelled"]]
    cut = [(t, target) for t, target in zip(texts, targets, strict=True) if sentences(t)]
    assert len(short) == len(cut)
    for (ids, told), (text, target) in zip(short, cut, strict=True):
        parts = sentences(text)
        rows = [" ".join(parts[a:b]) for a in range(len(parts)) for b in range(a + 1, a + 4)]
        assert ids in {tuple(encode(row).tolist()) for row in rows}
        assert told == pytest.approx(target)


def test_a_mean_number_of_parts_is_taught(teach, tmp_path):
    teach("preprocess")
    count = len(taught_texts(tmp_path / "run", 0.5, teach=teach))
    texts = len(lines(tmp_path / "run" / "preprocess" / "train.texts.jsonl"))
    assert 0.3 * texts < count < 0.7 * texts


def test_no_short_text_is_taught_that_is_to_be_left_out(teach, tmp_path):
    teach("preprocess")
    run = tmp_path / "run"
    before = taught_texts(run, 3, teach=teach)
    encode = Encoder(Vocabulary.load(run / "preprocess" / "vocabulary.txt"), 30, 10)
    sentence = "i LOVED it!"
    assert any(ids == tuple(encode(sentence).tolist()) for ids, _ in before)
    (tmp_path / "out.txt").write_text(f"{sentence}\nanother one\n")
    after = taught_texts(run, 3, f"teach.leave_out={tmp_path / 'out.txt'}", teach=teach)
    assert after == [one for one in before if one[0] != tuple(encode(sentence).tolist())]


def test_a_missing_file_of_texts_to_leave_out_is_named(teach):
    teach("preprocess")
    result = teach("teach", "teach.ngrams=1", "teach.leave_out=nowhere.txt", fails=True)
    assert "nowhere.txt: give a file of one text a line" in result.stderr


def test_what_was_taught_is_trained_on(teach, tmp_path):
    teach("preprocess")
    teach("train")
    alone = read_bundle(tmp_path / "run" / "bundle").weights
    teach("teach", "teach.ngrams=1")
    teach("train", "teach.ngrams=1")
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
    result = teach("train", "teach.ngrams=1", fails=True)
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


def test_a_teacher_that_a_recipe_makes_is_asked_for(teach):
    teach("preprocess")
    result = teach("teach", "teach.models=['nowhere/imdb-teacher']", fails=True)
    assert "nowhere/imdb-teacher is not there: run `sentiment-lstm run" in result.stderr


def test_teachers_without_texts_to_label_are_refused():
    with pytest.raises(SettingsError, match=r"data\.unlabelled is empty"):
        load_recipe("quickstart", ["teach.ngrams=1"])
