"""The preprocess stage, against the library's own pieces put together by hand."""

import csv
import json
import tracemalloc
from collections import Counter
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import preprocess, token_workers
from pipelines.config import Recipe, load_recipe, load_section
from pipelines.preprocess import execute
from pipelines.results import stage_results
from pipelines.rundir import RunDirectory
from pipelines.summary import describe_balance, percentile
from pipelines.token_workers import TokenWorkers
from sentiment_lstm.batching import TokenArrays
from sentiment_lstm.datasets import open_dataset
from sentiment_lstm.errors import DataError
from sentiment_lstm.progress import silent
from sentiment_lstm.text import Encoder, Vocabulary, tokenise

ROWS = [(f"{word} film {n}", word[0]) for word in ("pleasing", "nasty") for n in range(9)]
SPLITS = ("train", "validation", "test")
DEMO = ("data.size=40", "text.max_tokens=30", "text.head_tokens=7", "text.vocabulary_size=60")


def preprocessed(tmp_path, recipe):
    run = RunDirectory(tmp_path / "run")
    execute(recipe, run, silent)
    return run


def summary_of(run):
    return json.loads(run.summary.read_text("utf-8"))


@pytest.fixture(params=["here", "in processes"])
def demo(request, tmp_path, monkeypatch):
    if request.param == "in processes":
        monkeypatch.setattr(preprocess, "TokenWorkers", partial(TokenWorkers, 2, start_after=0))
        monkeypatch.setattr(token_workers, "PACK_BYTES", 1000)
    recipe = load_recipe("quickstart", DEMO)
    return recipe, preprocessed(tmp_path, recipe)


def table(tmp_path, name, rows, header=("text", "label")):
    path = tmp_path / name
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return str(path)


def files_recipe(tmp_path, rows, test=(), **data):
    """Return a recipe over a train and a test table; validation is carved from train."""
    paths = {"train": table(tmp_path, "train.csv", rows)}
    paths |= {"test": table(tmp_path, "test.csv", test)} if test else {}
    text = load_section("text", {"min_count": 1}, [])
    return Recipe("mine", data=load_section("data", {"source": "files", **paths, **data}, []),
                  text=text)  # fmt: skip


def test_the_texts_are_those_of_the_data_set_in_order(demo):
    recipe, run = demo
    dataset = open_dataset(recipe.data)
    for split in SPLITS:
        lines = run.texts(split).read_text("utf-8").splitlines()
        assert [json.loads(line) for line in lines] == [e.text for e in dataset.examples(split)]


def test_the_vocabulary_is_that_of_train_alone(demo):
    recipe, run = demo
    examples = open_dataset(recipe.data).examples("train")
    counts = Counter(token for e in examples for token in tokenise(e.text))
    expected = Vocabulary.from_counts(counts, 60, recipe.text.min_count)
    assert Vocabulary.load(run.vocabulary).tokens == expected.tokens


def test_the_arrays_are_what_a_classifier_would_read(demo):
    recipe, run = demo
    encode = Encoder(Vocabulary.load(run.vocabulary), 30, 7)
    dataset = open_dataset(recipe.data)
    for split in SPLITS:
        arrays = TokenArrays.load(run.preprocess, split)
        examples = list(dataset.examples(split))
        assert len(arrays) == len(examples)
        for ids, example in zip(map(arrays.__getitem__, range(len(arrays))), examples, strict=True):
            np.testing.assert_array_equal(ids, encode(example.text))
        wanted = [dataset.labels.index(e.label) for e in examples]
        np.testing.assert_array_equal(arrays.targets, wanted)
        assert np.issubdtype(arrays.targets.dtype, np.integer)


def test_the_summary_counts_what_is_there(demo):
    recipe, run = demo
    summary = summary_of(run)
    known = set(Vocabulary.load(run.vocabulary).tokens)
    for split in SPLITS:
        examples = list(open_dataset(recipe.data).examples(split))
        tokens = [tokenise(e.text) for e in examples]
        lengths = [len(t) for t in tokens]
        found = summary["splits"][split]
        assert found["texts"] == len(examples)
        assert found["labels"] == Counter(e.label for e in examples)
        assert found["tokens"] == sum(lengths)
        assert found["truncated"] == pytest.approx(np.mean([n > 30 for n in lengths]))
        unknown = [token not in known for text in tokens for token in text]
        assert found["unknown"] == pytest.approx(np.mean(unknown))
        assert found["length"]["mean"] == pytest.approx(np.mean(lengths))
        for percent in (5, 50, 99):
            oracle = np.percentile(lengths, percent, method="inverted_cdf")
            assert found["length"][f"p{percent}"] == oracle
    assert 0 < summary["splits"]["test"]["unknown"] < 1


def test_the_same_recipe_gives_the_same_bytes(demo, tmp_path, monkeypatch):
    recipe, run = demo
    monkeypatch.undo()  # the second time without processes
    again = preprocessed(tmp_path / "again", recipe)
    first = {p.name: p.read_bytes() for p in run.preprocess.iterdir()}
    assert first == {p.name: p.read_bytes() for p in again.preprocess.iterdir()}


@given(st.lists(st.integers(0, 40), min_size=1), st.floats(0.5, 100))
def test_percentiles_are_those_of_numpy(values, percent):
    expected = np.percentile(values, percent, method="inverted_cdf")
    assert percentile(Counter(values), percent) == expected


def test_a_token_of_test_alone_is_unknown(tmp_path):
    recipe = files_recipe(tmp_path, ROWS, [("zebra film", "p"), ("nasty film", "n")])
    run = preprocessed(tmp_path, recipe)
    assert "zebra" not in Vocabulary.load(run.vocabulary).tokens
    assert TokenArrays.load(run.preprocess, "test")[0][0] == 1


def test_labels_are_numbered_in_the_order_of_the_recipe(tmp_path):
    recipe = files_recipe(tmp_path, ROWS, [("y", "p"), ("x", "n")], labels=["p", "n"])
    run = preprocessed(tmp_path, recipe)
    assert summary_of(run)["labels"] == ["p", "n"]
    shown = list(stage_results("preprocess", recipe, run))
    assert "probability: that of 'n', the second label" in shown
    assert TokenArrays.load(run.preprocess, "test").targets.tolist() == [0, 1]


def test_rejected_rows_and_twins_are_counted_and_told(tmp_path, caplog):
    recipe = files_recipe(
        tmp_path,
        [*ROWS, ("no label", ""), ("also none", "")],
        [("Pleasing  FILM 3", "p"), ("x", "n")],
    )
    run = preprocessed(tmp_path, recipe)
    summary = summary_of(run)
    assert summary["rejections"]["total"] == 2
    assert [row["line"] for row in summary["rejections"]["first"]] == [20, 21]
    assert sum(summary["twins"].values()) == 1
    told = "\n".join(stage_results("preprocess", recipe, run))
    for shown in (told, caplog.text):
        assert "train.csv, line 20: no label" in shown
        assert "1 texts that stand in test too" in shown


def test_many_rejections_are_cut_short_and_all_are_counted(tmp_path):
    recipe = files_recipe(tmp_path, [*ROWS, *[("no label", "")] * 500], [("y", "p"), ("x", "n")])
    run = preprocessed(tmp_path, recipe)
    rejections = summary_of(run)["rejections"]
    assert rejections["total"] == 500
    assert len(rejections["first"]) == 20
    assert list(stage_results("preprocess", recipe, run))[-1].strip() == "…"


def test_numbers_stay_numbers(tmp_path):
    rows = [(f"film {n}", str(n / 8)) for n in range(40)]
    recipe = files_recipe(tmp_path, rows, [("y", "-2.5"), ("x", "7")], task="regression")
    run = preprocessed(tmp_path, recipe)
    np.testing.assert_array_equal(TokenArrays.load(run.preprocess, "test").targets, [-2.5, 7.0])
    summary = summary_of(run)
    assert (summary["task"], summary["labels"]) == ("regression", [])
    assert not any("probability" in line for line in stage_results("preprocess", recipe, run))
    assert list(stage_results("preprocess", recipe, run))


def test_empty_texts_go_through(tmp_path):
    recipe = files_recipe(tmp_path, ROWS, [("", "p"), ("<br />", "n")], drop_twins=False)
    run = preprocessed(tmp_path, recipe)
    assert TokenArrays.load(run.preprocess, "test").lengths.tolist() == [0, 0]
    assert summary_of(run)["splits"]["test"]["empty"] == 2


def test_data_that_cannot_be_used_leave_nothing_behind(tmp_path):
    recipe = files_recipe(tmp_path, [("good", "p")] * 9, [("good", "p")])
    with pytest.raises(DataError):
        preprocessed(tmp_path, recipe)
    assert not (tmp_path / "run" / "preprocess").exists()


def test_memory_does_not_grow_with_the_number_of_texts(tmp_path, monkeypatch):
    monkeypatch.setattr(token_workers, "PACK_BYTES", 2**16)  # what is held at a time
    words = " ".join(f"{'w' * 60}{n}" for n in range(60))

    def peak_and_size(texts):
        place = tmp_path / str(texts)
        place.mkdir()
        recipe = files_recipe(place, [(f"{n} {words}", "pn"[n % 2]) for n in range(texts)])
        tracemalloc.start()
        preprocessed(place, recipe)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak, (place / "train.csv").stat().st_size

    peak_and_size(40)  # what is loaded once stays loaded
    (small, few), (large, many) = peak_and_size(100), peak_and_size(1000)
    assert large - small < (many - few) / 2


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({"a": 50, "b": 50}, []),
        ({"a": 100, "b": 10}, []),
        ({"a": 101, "b": 10}, ["few of train are 'b', 10 texts (9.0%): accuracy"]),
        ({"positive": 90, "negative": 88, "postive": 2}, ["did you mean 'positive'?"]),
        ({}, []),
    ],
)
def test_rare_labels_and_probable_typos_get_a_word(counts, told):
    lines = list(describe_balance({"splits": {"train": {"labels": counts}}}))
    assert len(lines) == len(told)
    for line, part in zip(lines, told, strict=True):
        assert part in line
