"""Rows through a classifier, and the command that does it."""

import csv
import gzip
import io
import json
import os
import shutil
import subprocess
import sys
from itertools import count, islice
from pathlib import Path

import pytest

import pipelines
from pipelines.classify import classify_rows
from sentiment_lstm.classifier import SentimentClassifier
from sentiment_lstm.precision import narrow_fits
from sentiment_lstm.records import Rejection, Row, read_rows

TEXTS = ("the film was good!", "not very good.", "", "<br /> \t", "bad\nbad", "un été")


@pytest.fixture
def bundle(make_bundle):
    return make_bundle()


def expected(bundle, texts, **options):
    return SentimentClassifier.load(bundle).classify(texts, **options)


def test_text_goes_in_and_label_probability_and_text_come_out(invoke, bundle):
    result = invoke("classify", "--model", bundle, *TEXTS)
    wanted = [
        f"{p.label}\t{p.probability:.4f}\t{' '.join(text.split())}"
        for p, text in zip(expected(bundle, TEXTS), TEXTS, strict=True)
    ]
    assert result.exit_code == 0
    assert result.stdout.split("\n") == [*wanted, ""]
    assert result.stderr == ""


def test_jsonl_gives_one_object_a_text_in_order(invoke, bundle):
    result = invoke("classify", "--model", bundle, "--format", "jsonl", *TEXTS)
    objects = [json.loads(line) for line in result.stdout.splitlines()]
    assert objects == [
        {"label": p.label, "probability": round(p.probability, 6), "text": text}
        for p, text in zip(expected(bundle, TEXTS), TEXTS, strict=True)
    ]
    assert list(objects[0]) == ["label", "probability", "text"]
    assert "un été" in result.stdout  # readable as it stands


def test_texts_near_the_threshold_are_unsure_if_asked_for(invoke, bundle, make_bundle):
    for model, abstain in ((bundle, "0.4"), (bundle, "0"), (make_bundle("torn", abstain=0.4), "0")):
        options = ("--model", model, "--format", "jsonl", "--abstain", abstain)
        found = [json.loads(x) for x in invoke("classify", *options, *TEXTS).stdout.splitlines()]
        wanted = expected(bundle, TEXTS, abstain=float(abstain))
        assert [each["label"] for each in found] == [p.label for p in wanted]
        assert [each["probability"] for each in found] == [round(p.probability, 6) for p in wanted]
        assert ("unsure" in {each["label"] for each in found}) == (abstain == "0.4")
    own = invoke("classify", "--model", make_bundle("own", abstain=0.4), *TEXTS).stdout
    assert [line.split("\t")[0] for line in own.splitlines()] == [
        p.label for p in expected(bundle, TEXTS, abstain=0.4)
    ]


def test_a_margin_that_the_model_cannot_have_is_one_line(invoke, make_bundle):
    model = make_bundle("number", task="regression", labels=())
    result = invoke("classify", "--model", model, "--abstain", "0.1", "good")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: abstain is 0.1: a regression decides nothing, leave it out\n"


def test_products_in_bfloat16_move_probabilities_and_no_verdict(invoke, make_bundle):
    model = make_bundle("half", units=16)
    options = ("--format", "jsonl", "--precision", "mixed_bfloat16")
    result = invoke("classify", "--model", model, *options, *TEXTS)
    assert result.exit_code == 0, result.stderr
    objects = [json.loads(line) for line in result.stdout.splitlines()]
    wanted = expected(model, TEXTS)
    assert [each["label"] for each in objects] == [p.label for p in wanted]
    moved = [
        abs(each["probability"] - p.probability) for each, p in zip(objects, wanted, strict=True)
    ]
    assert max(moved) < 0.01
    assert bool(result.stderr) != narrow_fits(16)
    assert (max(moved) > 1e-6) == narrow_fits(16)


def test_a_model_that_cannot_have_bfloat16_answers_in_float32_and_says_so(invoke, make_bundle):
    model = make_bundle("odd", units=3)
    result = invoke("classify", "--model", model, "--precision", "mixed_bfloat16", "good")
    assert result.stdout == invoke("classify", "--model", model, "good").stdout
    assert result.stderr.count("\n") == 1
    assert "texts are classified in float32: bfloat16 takes a processor with" in result.stderr


def test_bfloat16_without_a_compiler_is_one_line(invoke, bundle, monkeypatch):
    monkeypatch.setitem(sys.modules, "sentiment_lstm.compiled_inference", None)
    result = invoke("classify", "--model", bundle, "--precision", "mixed_bfloat16", "good")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: --precision mixed_bfloat16 needs the compiler")
    assert result.stderr.count("\n") == 1
    assert invoke("classify", "--model", bundle, "good").exit_code == 0


def test_bfloat16_is_for_bundles_and_this_machine_alone(invoke, tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"a program")
    half = ("--precision", "mixed_bfloat16")
    result = invoke("classify", "--model", tmp_path, *half, "good")
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{tmp_path} is a SavedModel, which runs in float32" in result.stderr
    result = invoke("classify", "--engine", "ray", "--input", "x", "--output", "y", *half)
    assert result.exit_code == 2
    assert "--precision mixed_bfloat16 goes with --engine local alone." in result.stderr


def test_csv_keeps_the_other_columns(invoke, bundle, tmp_path):
    path = tmp_path / "in.csv"
    rows = [["7", "the film\nwas good", 'a "b"'], ["8", "bad, bad", ""]]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["id", "text", "note"], *rows])
    result = invoke("classify", "--model", bundle, "--input", path, "--format", "csv")
    answers = expected(bundle, [row[1] for row in rows])
    assert list(csv.reader(io.StringIO(result.stdout, newline=""))) == [
        ["id", "text", "note", "label", "probability"],
        *([*row, p.label, f"{p.probability:.4f}"] for row, p in zip(rows, answers, strict=True)),
    ]


def test_jsonl_keeps_the_other_keys(invoke, bundle, tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text('{"id": 7, "review": "good", "tags": ["a"], "score": null}\n')
    options = ("--text-column", "review", "--format", "jsonl")
    result = invoke("classify", "--model", bundle, "--input", path, *options)
    (answer,) = expected(bundle, ["good"])
    kept = {"id": 7, "review": "good", "tags": ["a"], "score": None}
    assert json.loads(result.stdout) == {
        "label": answer.label,
        "probability": round(answer.probability, 6),
        **kept,
    }


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_columns_named_like_the_answer_are_kept_under_another_name(invoke, bundle, tmp_path, form):
    path = tmp_path / "in.csv"
    path.write_text("label,text,probability,input_label\ntrue,good,0.1,x\n")
    result = invoke("classify", "--model", bundle, "--input", path, "--format", form)
    lines = result.stdout.splitlines()
    row = json.loads(lines[0]) if form == "jsonl" else next(csv.DictReader(lines))
    (answer,) = expected(bundle, ["good"])
    assert row["label"] == answer.label
    assert row["input_input_label"] == "true"
    assert row["input_label"] == "x"
    assert row["input_probability"] == "0.1"
    assert row["text"] == "good"


def test_rows_of_differing_keys_lose_in_csv_what_the_first_lacks_and_it_is_said(
    invoke, bundle, tmp_path
):
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "a", "x": 1}\n{"text": "b"}\n{"text": "c", "y": {"z": 2}}\n')
    result = invoke("classify", "--model", bundle, "--input", path, "--format", "csv")
    assert [r["x"] for r in csv.DictReader(io.StringIO(result.stdout))] == ["1", "", ""]
    assert result.stderr.startswith("1 rows have keys")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("in.txt", "good\r\nbad"),
        ("in.csv", "text\r\ngood\r\nbad\r\n"),
        ("in.tsv", "n\ttext\n1\tgood\n2\tbad\n"),
        ("in.jsonl", '{"text": "good"}\n{"text": "bad"}\n'),
        ("in.csv.gz", "text\ngood\nbad\n"),
    ],
)
def test_the_kind_of_a_file_follows_from_its_name(invoke, bundle, tmp_path, name, content):
    path = tmp_path / name
    packed = gzip.compress(content.encode()) if name.endswith(".gz") else content.encode()
    path.write_bytes(packed)
    result = invoke("classify", "--model", bundle, "--input", path)
    assert [line.split("\t")[2] for line in result.stdout.splitlines()] == ["good", "bad"]


def test_the_kind_of_a_file_can_be_told(invoke, bundle, tmp_path):
    path = tmp_path / "in.txt"
    path.write_text('{"text": "good"}\n')
    result = invoke("classify", "--model", bundle, "--input", path, "--input-format", "jsonl")
    assert result.stdout.endswith("\tgood\n")


def test_bad_rows_are_reported_by_line_and_the_rest_goes_through(invoke, bundle, tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "good"}\n{"txt": 1}\nno json\n{"text": "bad"}\n')
    result = invoke("classify", "--model", bundle, "--input", path)
    assert result.exit_code == 0
    assert [line.split("\t")[2] for line in result.stdout.splitlines()] == ["good", "bad"]
    first, second, summary = result.stderr.splitlines()
    assert first.startswith("line 2: ")
    assert second.startswith("line 3: ")
    assert summary == "2 rows left out, 2 answered"


def test_strict_stops_at_the_first_bad_row_and_writes_nothing(invoke, bundle, tmp_path):
    path, output = tmp_path / "in.jsonl", tmp_path / "out.csv"
    path.write_text('{"text": "good"}\n{"txt": 1}\nno json\n')
    result = invoke("classify", "--model", bundle, "--input", path, "--strict", "--output", output)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: line 2: no key 'text'")
    assert line.endswith("or leave out --strict")
    assert not output.exists()


def test_a_row_nested_without_end_costs_itself_alone(invoke, bundle, tmp_path):
    path = tmp_path / "in.jsonl"
    deep = [f'{{"text": "good", "x": {"[" * n}{"]" * n}}}' for n in (10, 60, 70, 300, 900, 990)]
    path.write_text("\n".join(deep))
    result = invoke("classify", "--model", bundle, "--input", path, "--format", "jsonl")
    assert len(result.stdout.splitlines()) == 2
    assert [line.split(":")[0] for line in result.stderr.splitlines()[:4]] == [
        f"line {n}" for n in (3, 4, 5, 6)
    ]


def test_a_file_without_a_usable_row_is_an_error(invoke, bundle, tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text("no json\n")
    output = tmp_path / "out.csv"
    result = invoke("classify", "--model", bundle, "--input", path, "--output", output)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("error: none of the 1 rows")
    assert not output.exists()


def test_the_threshold_moves_the_verdict_and_not_the_probability(invoke, bundle):
    (answer,) = expected(bundle, ["good"])
    shown = {}
    for threshold in (answer.probability - 0.01, answer.probability + 0.01):
        result = invoke("classify", "--model", bundle, "--threshold", threshold, "good")
        label, probability, _ = result.stdout.split("\t")
        shown[label] = probability
    assert shown == dict.fromkeys(["positive", "negative"], f"{answer.probability:.4f}")


@pytest.mark.parametrize("threshold", ["-0.1", "1.01", "nan", "half"])
def test_an_impossible_threshold_is_refused(invoke, bundle, threshold):
    result = invoke("classify", "--model", bundle, "--threshold", threshold, "good")
    assert result.exit_code in (1, 2)
    assert result.stdout == ""
    assert threshold in result.stderr


def test_many_labels_give_a_probability_each(invoke, make_bundle):
    labels = ("bad", "so-so", "good")
    bundle = make_bundle(labels=labels)
    (answer,) = expected(bundle, ["good"])
    rounded = dict(zip(labels, answer.probabilities, strict=True))
    lines = invoke("classify", "--model", bundle, "--format", "jsonl", "good").stdout
    found = json.loads(lines)
    assert found["label"] == answer.label
    assert found["probability"] == round(answer.probability, 6)
    assert found["probabilities"] == {label: round(p, 6) for label, p in rounded.items()}
    lines = invoke("classify", "--model", bundle, "--format", "csv", "good").stdout
    (row,) = csv.DictReader(lines.splitlines())
    assert row == {
        "text": "good",
        "label": answer.label,
        "probability": f"{answer.probability:.4f}",
        **{f"p_{label}": f"{p:.4f}" for label, p in rounded.items()},
    }


def test_a_threshold_between_many_labels_is_refused(invoke, make_bundle):
    bundle = make_bundle(labels=("bad", "so-so", "good"))
    result = invoke("classify", "--model", bundle, "--threshold", "0.3", "good")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: threshold is 0.3")


def test_a_regression_gives_a_value(invoke, make_bundle):
    bundle = make_bundle(labels=(), task="regression", target_mean=3.0, target_scale=2.0)
    (answer,) = expected(bundle, ["good"])
    assert invoke("classify", "--model", bundle, "good").stdout == f"{answer.value:.4f}\tgood\n"
    line = invoke("classify", "--model", bundle, "--format", "jsonl", "good").stdout
    assert json.loads(line) == {"value": round(answer.value, 6), "text": "good"}
    lines = invoke("classify", "--model", bundle, "--format", "csv", "good").stdout
    assert lines == f"text,value\ngood,{answer.value:.4f}\n"


def test_texts_come_from_standard_input(invoke, bundle):
    for options in ((), ("--input", "-")):
        result = invoke("classify", "--model", bundle, *options, input="good\nbad\n")
        assert len(result.stdout.splitlines()) == 2
    told = ("--input", "-", "--input-format", "csv")
    result = invoke("classify", "--model", bundle, *told, input="text\ngood\n")
    assert result.stdout.endswith("\tgood\n")


def test_text_and_input_together_are_refused(invoke, bundle):
    assert invoke("classify", "--model", bundle, "--input", "x.txt", "good").exit_code == 2


def test_nothing_to_classify_on_a_terminal_is_a_usage_error(command):
    code = (
        "import sys; sys.stdin = type('Terminal', (), {'isatty': lambda self: True})()\n"
        "from pipelines.cli import main; main()"
    )
    result = command("classify", code=code, stdin=subprocess.DEVNULL)
    assert result.returncode == 2
    assert b"Nothing to classify" in result.stderr


@pytest.mark.parametrize("options", [[], ["--input", "-"]])
def test_a_closed_standard_input_is_a_usage_error(command, bundle, options):
    code = (
        "import os; os.close(0); os.execv(os.sys.executable, [os.sys.executable, '-c', {!r}, *{}])"
    )
    inner = "from pipelines.cli import main; main()"
    arguments = ["classify", "--model", str(bundle), *options]
    result = command(code=code.format(inner, arguments))
    assert result.returncode == 2
    assert b"Traceback" not in result.stderr


def test_a_lone_carriage_return_survives_csv(invoke, bundle, tmp_path):
    path, output = tmp_path / "in.jsonl", tmp_path / "out.csv"
    path.write_text('{"text": "good\\rfilm"}\n{"text": "bad\\nfilm"}\n')
    invoke("classify", "--model", bundle, "--input", path, "--format", "csv", "--output", output)
    assert [row.text for row in read_rows(output, "csv")] == ["good\rfilm", "bad\nfilm"]
    assert output.read_bytes().startswith(b"text,label,probability\r\n")


def test_where_a_bundle_stands_no_program_beside_it_is_run(invoke, bundle, tmp_path):
    shutil.copytree(bundle, tmp_path / "run" / "bundle")
    for directory in (bundle, tmp_path / "run"):
        (directory / "saved_model.pb").write_bytes(b"a program")
    assert invoke("classify", "--model", tmp_path / "run", "good").stderr == ""
    refused = invoke("classify", "--model", bundle, "good").stderr
    assert "saved_model.pb" in refused  # a bundle holds nothing else
    assert "is a program" not in refused


def test_answers_go_to_a_file_whole(invoke, bundle, tmp_path):
    output = tmp_path / "deep" / "out.txt"
    result = invoke("classify", "--model", bundle, "--output", output, *TEXTS)
    assert result.stdout == ""
    shown = invoke("classify", "--model", bundle, *TEXTS).stdout
    assert output.read_text("utf-8") == shown


def test_a_pipe_named_as_output_is_written_to_and_stays_a_pipe(invoke, bundle, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE)
    assert invoke("classify", "--model", bundle, "--output", pipe, "good").exit_code == 0
    shown, _ = reader.communicate()
    assert shown.endswith(b"\tgood\n")
    assert pipe.is_fifo()


def test_a_missing_file_a_wrong_column_and_a_missing_model_are_one_line(
    invoke, bundle, tmp_path, monkeypatch
):
    monkeypatch.setattr("sentiment_lstm.bundle.SHIPPED", tmp_path / "nothing")
    path = tmp_path / "in.csv"
    path.write_text("review\ngood\n")
    for options in (
        ("--model", bundle, "--input", tmp_path / "none.csv"),
        ("--model", bundle, "--input", path),
        ("--model", bundle, "--input", tmp_path / "in.xlsx"),
        ("--model", tmp_path / "nowhere", "good"),
        ("good",),
    ):
        result = invoke("classify", *options)
        assert result.exit_code == 1
        assert result.stdout == ""
        assert result.stderr.startswith("error: ")
        assert len(result.stderr.splitlines()) == 1


def test_control_characters_do_not_reach_the_terminal(invoke, bundle):
    result = invoke("classify", "--model", bundle, "a\x1b[31mb\x07\u202ec")
    assert result.stdout.endswith("\ta [31mb c\n")


@pytest.mark.parametrize("form", ["text", "jsonl", "csv"])
def test_a_text_that_is_no_utf8_comes_out_as_an_escape(command, bundle, form):
    result = command("classify", "--model", bundle, "--format", form, os.fsdecode(b"good \xff"))
    assert result.returncode == 0, result.stderr
    last = result.stdout.decode("utf-8").splitlines()[-1]
    assert "good" in last
    if form == "jsonl":
        assert json.loads(last)["text"] == "good \udcff"


def test_output_is_utf8_in_every_locale(command, bundle):
    result = command(
        "classify", "--model", bundle, "un été 😀", env={"LC_ALL": "C", "PYTHONUTF8": "0"}
    )
    assert result.stdout.decode("utf-8").endswith("\tun été 😀\n")


def piped(script, bundle):
    """Run a shell script in which CLASSIFY is our command, buffered as for most people."""
    root = str(Path(pipelines.__file__).parents[1])
    classify = f"{sys.executable} -m pipelines.cli classify --model {bundle}"
    environment = os.environ | {"PYTHONPATH": root, "CLASSIFY": classify}
    environment.pop("PYTHONUNBUFFERED", None)
    return subprocess.run(["bash", "-c", script], env=environment, capture_output=True, check=True)


def test_a_pipe_streams_and_a_reader_that_leaves_is_no_error(bundle):
    """Endless input, a reader that takes three lines: both ends come to rest."""
    result = piped("yes 'the film was good' | $CLASSIFY --input - | head -n 3", bundle)
    assert len(result.stdout.splitlines()) == 3
    assert result.stderr == b""


def test_a_reader_that_has_left_before_is_no_error(bundle):
    script = f"mkfifo {bundle}.pipe; : < {bundle}.pipe & exec 3> {bundle}.pipe; wait; "
    result = piped(script + "$CLASSIFY good >&3; echo $?", bundle)
    assert result.stdout == b"141\n"
    assert result.stderr == b""


def test_no_more_rows_wait_than_the_classifier_reads_ahead(bundle):
    classifier = SentimentClassifier.load(bundle)
    taken = count()
    rows = (Row(n, "good", {"n": n}) for n in iter(lambda: next(taken), None))
    answered = classify_rows(rows, classifier, rejected=lambda _: None)
    assert [row.line for row, _ in islice(answered, 5)] == list(range(5))
    assert next(taken) < 10_000


def test_wide_rows_wait_only_until_they_are_many_bytes_together(bundle, monkeypatch):
    monkeypatch.setattr("pipelines.classify.PART_BYTES", 1000)
    taken = count()
    rows = (Row(n, f"good {n}", {}, 100) for n in iter(lambda: next(taken), 5000))
    answered = classify_rows(rows, SentimentClassifier.load(bundle), rejected=lambda _: None)
    for n, (row, _) in enumerate(answered):
        assert row.line == n
        ahead = next(taken)
        taken = count(ahead)
        assert ahead <= n + 11
    assert n == 4999


def test_rows_keep_their_predictions_past_rejections(bundle):
    classifier = SentimentClassifier.load(bundle)
    texts = [f"{'good ' * (n % 5)} film {'bad ' * (n % 3)}" for n in range(5000)]
    rows = [Rejection(n, "odd") if n % 7 == 3 else Row(n, t, {}) for n, t in enumerate(texts)]
    rejected = []
    answered = list(classify_rows(rows, classifier, rejected=rejected.append))
    assert [r.line for r in rejected] == [n for n in range(5000) if n % 7 == 3]
    assert [row.line for row, _ in answered] == [n for n in range(5000) if n % 7 != 3]
    for row, prediction in answered[::97]:
        (alone,) = classifier.classify([row.text])
        assert prediction.probability == pytest.approx(alone.probability, abs=1e-6)


def test_the_model_that_ships_answers_where_none_is_named(invoke):
    result = invoke("classify", "A wonderful film, I loved it.", "Awful. I want my money back.")
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == ["positive", "negative"]
