"""Splits of every source: exact, repeatable, without twins, and refused with a reason."""

import csv
import hashlib
import itertools
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import sentiment_lstm
from sentiment_lstm import demo
from sentiment_lstm.datasets import DataSettings, Example, open_dataset
from sentiment_lstm.errors import DataError, SettingsError
from sentiment_lstm.settings import parse_section

PREPARED = os.environ.get("TFDS_DATA_DIR", "")
needs_imdb = pytest.mark.skipif(
    not (Path(PREPARED) / "imdb_reviews").is_dir() or not PREPARED,
    reason="TFDS_DATA_DIR names no folder that holds imdb_reviews",
)


def table(path, rows, header=("text", "label")):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return str(path)


def stars(count):
    """Return rows of which one star has the most and five the fewest."""
    return [(f"text {n}", min(5, 1 + n % 11 // 2)) for n in range(count)]


def files(train, **settings):
    return open_dataset(DataSettings(source="files", train=train, **settings))


def contents(dataset):
    return {split: list(dataset.examples(split)) for split in dataset.splits}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"source": "imbd"}, "did you mean 'imdb'"),
        ({"source": "files"}, "data.train is empty"),
        ({"task": "regression"}, "use the source 'files'"),
        ({"source": "files", "train": "a", "task": "regression", "labels": ["a", "b"]}, "empty"),
        ({"labels": ["a"]}, "at least two"),
        ({"labels": ["a", "b", "a"]}, "each once"),
        ({"text": "label"}, "two different columns"),
        ({"source": "demo", "unlabelled": "more.txt"}, "no unlabelled texts: leave it empty"),
        ({"unlabelled": "more.txt"}, "give 'unsupervised'"),
        ({"validation_fraction": 0.0}, "the least possible"),
        ({"size": 1}, "the least possible"),
        ({"sede": 1}, r"data\.sede: did you mean 'seed'"),
    ],
)
def test_impossible_settings_are_refused(values, reason):
    with pytest.raises(SettingsError, match=reason):
        parse_section(DataSettings, "data", values)


def test_one_file_is_divided_exactly_by_label(tmp_path):
    rows = stars(1100)
    dataset = files(table(tmp_path / "a.csv", rows), test_fraction=0.2, validation_fraction=0.125)
    found = contents(dataset)
    assert dataset.labels == ("1", "2", "3", "4", "5")
    assert {s: len(e) for s, e in found.items()} == dataset.sizes
    assert dataset.sizes == {"train": 770, "validation": 110, "test": 220}
    assert Counter(e.label for e in found["test"]) == dict(
        zip("12345", (40, 40, 40, 40, 60), strict=True)
    )
    assert Counter(e.label for e in found["validation"]) == dict(
        zip("12345", (20, 20, 20, 20, 30), strict=True)
    )
    everything = [(e.text, int(e.label)) for e in itertools.chain(*found.values())]
    assert sorted(everything) == sorted(rows)


def test_splits_keep_the_order_of_the_file_and_can_be_read_again(tmp_path):
    dataset = files(table(tmp_path / "a.csv", stars(110)))
    for examples in contents(dataset).values():
        numbers = [int(e.text.split()[1]) for e in examples]
        assert numbers == sorted(numbers)
    assert contents(dataset) == contents(dataset)


def test_the_seed_decides_the_division(tmp_path):
    train = table(tmp_path / "a.csv", stars(110))
    assert contents(files(train, seed=1)) == contents(files(train, seed=1))
    assert contents(files(train, seed=1)) != contents(files(train, seed=2))


def test_given_files_are_splits_of_their_own(tmp_path):
    parts = {s: [(f"{s} {n}", n % 2) for n in range(20)] for s in ("train", "validation", "test")}
    paths = {s: table(tmp_path / f"{s}.csv", rows) for s, rows in parts.items()}
    found = contents(files(**paths))
    assert {s: [(e.text, int(e.label)) for e in e_s] for s, e_s in found.items()} == parts


def test_a_given_test_file_leaves_only_validation_to_be_carved(tmp_path):
    train = table(tmp_path / "a.csv", stars(110))
    dataset = files(train, test=table(tmp_path / "b.csv", [("other", 1), ("texts", 2)]))
    assert dataset.sizes == {"train": 99, "validation": 11, "test": 2}


def test_twins_of_test_leave_the_training_side_and_are_counted(tmp_path):
    rows = [(f"Text {n}", n % 2) for n in range(100)]
    twins = [("text  7<br />", 0), ("TEXT 8", 1), ("text 8", 0), ("new", 1)]
    train, test = table(tmp_path / "a.csv", rows), table(tmp_path / "b.csv", twins)
    dataset = files(train, test=test)
    kept = {e.text for split in ("train", "validation") for e in dataset.examples(split)}
    assert kept == {text for text, _ in rows} - {"Text 7", "Text 8"}
    assert sum(dataset.twins.values()) == 2
    assert dataset.sizes["test"] == 4
    assert sum(files(train, test=test, drop_twins=False).sizes.values()) == 104


def test_twins_inside_one_file_do_not_stand_on_both_sides(tmp_path):
    rows = [(f"text {n // 2}", n // 2 % 2) for n in range(200)]
    found = contents(files(table(tmp_path / "a.csv", rows)))
    held_out = {e.text for e in found["test"]}
    assert held_out.isdisjoint(e.text for e in [*found["train"], *found["validation"]])


def test_bad_rows_are_counted_by_file_and_line_and_the_rest_goes_through(tmp_path):
    rows = [(f"text {n}", "neg" if n % 2 else "pos") for n in range(40)]
    rows[5], rows[9], rows[30] = ("lone",), ("no label", ""), ("odd", "positiv")
    path = table(tmp_path / "a.csv", rows)
    dataset = files(path, labels=("neg", "pos"))
    assert [(r.file, r.line) for r in dataset.rejections] == [(path, 7), (path, 11), (path, 32)]
    assert "did you mean 'pos'" in dataset.rejections[2].reason
    contents(dataset)
    assert len(dataset.rejections) == 3
    assert sum(dataset.sizes.values()) == 37


def test_strict_stops_at_the_first_row_that_cannot_be_used(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("text,label\n" + "good,yes\nbad,no\n" * 9 + "one\nmore,yes,no\n")
    dataset = open_dataset(DataSettings(source="files", train=str(path), strict=True))
    with pytest.raises(DataError, match=r"rows\.csv, line 20: 1 columns .* data\.strict to false"):
        _ = dataset.sizes


def test_a_label_that_occurs_once_is_asked_about_as_a_typo(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("text,label\n" + "good,positive\nbad,negative\n" * 9 + "fine,postive\n")
    with pytest.raises(DataError, match=r"'postive' has 1 examples, .* did you mean 'positive'\?"):
        _ = open_dataset(DataSettings(source="files", train=str(path))).sizes


def test_labels_of_test_that_train_lacks_are_rejected_there(tmp_path):
    train = table(tmp_path / "a.csv", stars(110))
    test = table(tmp_path / "b.csv", [("x", 1), ("y", 6)])
    dataset = files(train, test=test)
    assert [(r.file, r.line) for r in dataset.rejections] == [(test, 3)]
    assert dataset.sizes["test"] == 1


def test_the_order_of_labels_can_be_given(tmp_path):
    rows = [(f"text {n}", "ab"[n % 2]) for n in range(20)]
    assert files(table(tmp_path / "a.csv", rows), labels=("b", "a")).labels == ("b", "a")


def test_numbers_are_divided_without_classes(tmp_path):
    rows = [(f"text {n}", n / 8) for n in range(100)]
    rows[3], rows[4] = ("text", "nan"), ("text", "much")
    dataset = files(table(tmp_path / "a.csv", rows), task="regression")
    found = contents(dataset)
    assert dataset.labels == ()
    assert dataset.sizes == {"train": 79, "validation": 9, "test": 10}
    assert [r.line for r in dataset.rejections] == [5, 6]
    assert all(e.label == int(e.text.split()[1]) / 8 for e in itertools.chain(*found.values()))


def test_folders_of_labels_are_a_source(tmp_path):
    for label, count in (("neg", 30), ("pos", 10)):
        (tmp_path / label).mkdir()
        for n in range(count):
            (tmp_path / label / f"{n}.txt").write_text(f"{label} {n}", "utf-8")
    dataset = files(str(tmp_path))
    assert dataset.labels == ("neg", "pos")
    assert dataset.sizes == {"train": 32, "validation": 4, "test": 4}
    assert all(e.text.startswith(e.label) for e in dataset.examples("train"))


def test_a_limit_holds_for_every_split_and_is_even_over_labels(tmp_path):
    dataset = files(table(tmp_path / "a.csv", stars(1100)), limit=50)
    found = contents(dataset)
    assert dataset.sizes == {"train": 50, "validation": 50, "test": 50}
    for examples in found.values():
        assert set(Counter(e.label for e in examples).values()) == {10}


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "there are no rows"),
        ([("lone",)], "1 were rejected, the first: .*line 2"),
        ([("a", "x")] * 20, "single label 'x'"),
        ([("a", "x")] * 20 + [("b", "y")] * 2, "label 'y' has 2 examples"),
    ],
)
def test_files_that_cannot_be_learnt_from_are_refused(tmp_path, rows, reason):
    with pytest.raises(DataError, match=reason):
        _ = files(table(tmp_path / "a.csv", rows)).labels


def test_too_few_numbers_are_refused(tmp_path):
    with pytest.raises(DataError, match="train has 2 examples"):
        _ = files(table(tmp_path / "a.csv", [("a", 1), ("b", 2)]), task="regression").sizes


def test_a_given_label_without_examples_is_refused(tmp_path):
    train = table(tmp_path / "a.csv", stars(110))
    with pytest.raises(DataError, match="label '9' has 0 examples"):
        _ = files(train, labels=("1", "2", "9")).sizes


def test_a_split_that_twins_empty_is_refused(tmp_path):
    train = table(tmp_path / "a.csv", stars(110))
    with pytest.raises(DataError, match="all its 99 texts stand in test too"):
        _ = files(train, test=train).sizes


def test_a_test_file_without_a_usable_row_is_refused(tmp_path):
    train = table(tmp_path / "a.csv", stars(110))
    with pytest.raises(DataError, match="split test is empty"):
        _ = files(train, test=table(tmp_path / "b.csv", [])).sizes


def test_missing_files_and_columns_are_refused_by_name(tmp_path):
    with pytest.raises(DataError, match=r"no file or folder nowhere\.csv"):
        files("nowhere.csv")
    with pytest.raises(DataError, match="no column 'text' but 'Text', 'label'"):
        _ = files(table(tmp_path / "a.csv", [], header=("Text", "label"))).sizes
    with pytest.raises(DataError, match="no column 'label': did you mean 'labels'"):
        _ = files(table(tmp_path / "b.csv", [("a", 1)], header=("text", "labels"))).sizes


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path):
    path = table(tmp_path / "a.csv", stars(110))
    dataset = files(path)
    _ = dataset.sizes
    table(tmp_path / "a.csv", stars(90))
    with pytest.raises(DataError, match="changed"):
        list(dataset.examples("train"))


def test_an_unknown_split_is_refused(tmp_path):
    dataset = files(table(tmp_path / "a.csv", stars(110)))
    with pytest.raises(DataError, match="did you mean 'validation'"):
        next(dataset.examples("valid"))


def test_progress_is_told_of_every_row_scanned(tmp_path):
    seen = Counter()

    def progress(items, *, total, label):
        for item in items:
            seen[label] += 1
            yield item

    settings = DataSettings(source="files", train=table(tmp_path / "a.csv", stars(110)))
    _ = open_dataset(settings, progress).sizes
    assert seen == {"scan train": 110}


def test_the_demo_corpus_is_a_data_set():
    dataset = open_dataset(DataSettings(source="demo", size=40, seed=3))
    assert dataset.labels == ("negative", "positive")
    assert dataset.sizes == {"train": 40, "validation": 10, "test": 10}
    expected = [Example(text, label) for text, label in demo.generate("test", 10, 3)]
    assert list(dataset.examples("test")) == list(dataset.examples("test")) == expected
    assert (dataset.inputs(), dataset.rejections, dataset.twins) == ({}, [], {})
    with pytest.raises(DataError, match="did you mean 'train'"):
        next(dataset.examples("trian"))


def test_the_demo_corpus_can_be_limited_and_its_labels_turned_round():
    settings = DataSettings(source="demo", size=40, limit=6, labels=("positive", "negative"))
    dataset = open_dataset(settings)
    assert dataset.labels == ("positive", "negative")
    assert dataset.sizes == {"train": 6, "validation": 6, "test": 6}
    assert len(list(dataset.examples("train"))) == 6


@pytest.mark.parametrize("source", ["demo", "imdb"])
def test_labels_that_a_source_does_not_have_are_refused(source):
    with pytest.raises(DataError, match="'negative', 'positive'"):
        _ = open_dataset(DataSettings(source=source, labels=("neg", "pos"))).labels


def test_inputs_are_digested_without_tensorflow_or_numpy(tmp_path):
    folder = tmp_path / "imdb_reviews" / "plain_text" / "1.0.0"
    folder.mkdir(parents=True)
    for name in (
        "imdb_reviews-train.tfrecord-0",
        "imdb_reviews-test.tfrecord-0",
        "dataset_info.json",
    ):
        (folder / name).write_text(name, "utf-8")
    code = (
        "import sys; from sentiment_lstm.datasets import *; import json\n"
        f"inputs = open_dataset(DataSettings(dir={str(tmp_path)!r})).inputs()\n"
        "assert not {'tensorflow', 'numpy', 'tensorflow_datasets'} & set(sys.modules)\n"
        "print(*sorted(inputs.items()))"
    )
    root = str(Path(sentiment_lstm.__file__).parents[1])
    environment = os.environ | {"PYTHONPATH": root}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    names = sorted(path.name for path in folder.iterdir())
    expected = [(name, hashlib.sha256(name.encode()).hexdigest()) for name in names]
    assert result.stdout.strip() == " ".join(map(str, expected))


UNLABELLED = {
    "more.txt": "text 3\nnew one\nNew  two\n",
    "more.csv": "id,text\n1,text 3\n2,new one\n3,New  two\n",
    "more.tsv": "text\tid\ntext 3\t1\nnew one\t2\nNew  two\t3\n",
    "more.jsonl": '{"text": "text 3"}\n{"text": "new one"}\n{"text": "New  two"}\n',
}


@pytest.mark.parametrize("name", UNLABELLED)
def test_unlabelled_texts_come_from_any_file_without_twins_of_validation_and_test(tmp_path, name):
    rows = [(f"text {n}", n % 2) for n in range(20)]
    (tmp_path / name).write_text(UNLABELLED[name])
    held_out = {
        "validation": table(tmp_path / "v.csv", [("new two", 0), ("other", 1)]),
        "test": table(tmp_path / "t.csv", [("TEXT 3", 0), ("another", 1)]),
    }
    train = table(tmp_path / "a.csv", rows)
    dataset = files(train, unlabelled=str(tmp_path / name), **held_out)
    assert dataset.splits == ("train", "validation", "test", "unlabelled")
    assert list(dataset.examples("unlabelled")) == [Example("new one", None)]
    assert dataset.twins == {"train": 1, "unlabelled": 2}
    assert dataset.labels == ("0", "1")
    assert str(tmp_path / name) in dataset.inputs()


def test_an_unlabelled_file_that_is_not_there_is_named(tmp_path):
    train = table(tmp_path / "a.csv", stars(100))
    with pytest.raises(DataError, match=r"there is no file or folder gone\.txt"):
        files(train, unlabelled="gone.txt")


@pytest.fixture(scope="module")
def imdb():
    return open_dataset(DataSettings(dir=PREPARED))


@needs_imdb
def test_imdb_has_its_sizes_and_loses_123_twins_of_test(imdb):
    assert imdb.splits == ("train", "validation", "test")
    assert imdb.sizes["test"] == 25_000
    assert imdb.sizes["train"] + imdb.sizes["validation"] == 25_000 - 123
    assert sum(imdb.twins.values()) == 123
    assert imdb.rejections == []


@needs_imdb
def test_imdb_labels_are_balanced_in_test_and_carved_evenly(imdb):
    assert Counter(e.label for e in imdb.examples("test")) == dict.fromkeys(imdb.labels, 12_500)
    drawn = Counter(e.label for e in imdb.examples("validation"))
    assert all(1_240 <= drawn[label] <= 1_250 for label in imdb.labels)


@needs_imdb
def test_unsupervised_reviews_have_no_label():
    dataset = open_dataset(DataSettings(dir=PREPARED, unlabelled="unsupervised"))
    assert dataset.splits == ("train", "validation", "test", "unlabelled")
    rows = dataset._sources["unlabelled"].rows()
    assert all(found.text and found.label is None for found in itertools.islice(rows, 20))
