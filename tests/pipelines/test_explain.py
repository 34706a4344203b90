"""The explain command: what it prints in each form, where its text comes from, what it refuses."""

import json
import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import pipelines
from pipelines.classify import DEFAULT_MODEL
from sentiment_lstm.classifier import SentimentClassifier
from sentiment_lstm.explain import Explainer

TEXT = "The film was not very good, the zebra was bad!"
TOKENS = "the film was not very good , the zebra was bad !"
SIGNS = re.compile(r"\([+-]+\)")


@pytest.fixture
def bundle(make_bundle):
    return make_bundle()


@pytest.fixture
def as_json(invoke, bundle):
    """Return a function that gives the JSON of the command."""

    def run(*arguments, model=bundle, **options):
        result = invoke("explain", "--model", model, "--format", "json", *arguments, **options)
        assert (result.exit_code, result.stderr) == (0, "")
        return json.loads(result.stdout)

    return run


# --- JSON ---


def test_json_holds_the_answer_and_a_sum(as_json, bundle):
    found = as_json(TEXT)
    (answer,) = SentimentClassifier.load(bundle).classify([TEXT])
    (logit,) = SentimentClassifier.load(bundle).logits([TEXT])
    assert found["verdict"] == answer.label
    assert found["label"] == "positive"
    assert found["probability"] == pytest.approx(answer.probability, abs=1e-5)
    assert found["logit"] == pytest.approx(logit, abs=1e-4)
    assert sum(found["shares"]) + found["bias"] == pytest.approx(found["logit"], abs=1e-4)
    assert found["tokens"] == [*TOKENS.split()]
    assert [t for t, k in zip(found["tokens"], found["known"], strict=True) if not k] == ["zebra"]
    assert (found["left_out"], found["shares_of"]) == (None, "words")
    assert list(found) == [
        "verdict", "label", "temperature", "threshold", "tokens", "known", "left_out", "shares_of",
        "shares", "bias", "logit", "probability", "running", "flip", "phrases", "gates",
    ]  # fmt: skip


def test_a_verdict_that_is_unsure_is_named_in_every_form(as_json, invoke, make_bundle):
    model = make_bundle("torn", abstain=0.49)
    found = as_json(TEXT, model=model)
    assert (found["verdict"], found["label"], found["abstain"]) == ("unsure", "positive", 0.49)
    assert {step["verdict"] for step in found["running"]} >= {"unsure"}
    lines = invoke("explain", "--model", model, TEXT).stdout.splitlines()
    assert lines[0] == f"unsure  {found['probability']:.4f}"
    page = invoke("explain", "--model", model, "--format", "html", TEXT).stdout
    assert "<h1><bdi>unsure</bdi></h1>" in page
    assert "too near to another verdict for this one to be given" in page
    edges = [160 * (1 - p) for p in (0.99, 0.5, 0.01)]
    heights = [float(y) for y in re.findall(r'class="level" x1="0" x2="1000" y1="([^"]*)"', page)]
    assert sorted(heights[:5]) == pytest.approx(sorted([0.0, 160.0, *edges]), abs=0.01)


def test_shares_of_an_unsure_answer_speak_for_the_likeliest_of_many_labels(as_json, make_bundle):
    sure = make_bundle("sure", labels=("bad", "fair", "good"))
    torn = make_bundle("torn", labels=("bad", "fair", "good"), abstain=0.49)
    (text, *_) = (
        text
        for text in (TEXT, "good", "bad", "the film was", "not very good", "!", "")
        if SentimentClassifier.load(torn).classify([text])[0].unsure
    )
    one, other = as_json(text, model=sure), as_json(text, model=torn)
    assert other["verdict"] == "unsure"
    assert other["label"] == one["label"] == one["verdict"]
    assert other["shares"] == one["shares"]


def test_json_holds_the_answer_for_each_prefix(as_json, bundle):
    found = as_json("the film was bad")
    prefixes = ["", "the", "the film", "the film was", "the film was bad"]
    answers = SentimentClassifier.load(bundle).classify(prefixes)
    assert [step["tokens"] for step in found["running"]] == [0, 1, 2, 3, 4]
    for step, answer in zip(found["running"], answers, strict=True):
        assert step["verdict"] == answer.label
        assert step["probability"] == pytest.approx(answer.probability, abs=1e-5)
    labels = [answer.label for answer in answers]
    turns = [t for t in range(4) if labels[t] != labels[t + 1]]
    assert found["flip"] == (turns[-1] if turns else None)


def test_json_holds_the_gates_of_each_direction(as_json, bundle):
    found = as_json(TEXT, "--unit", 2, "--unit", 0)["gates"]
    expected = Explainer.load(bundle).explain(TEXT, units=[2, 0]).gates
    assert list(found) == ["forward", "backward"]
    for direction in expected:
        shown = found[direction.name]
        assert shown["half_life"] == pytest.approx(direction.half_life, abs=1e-7)
        assert list(shown["mean"]) == ["i", "f", "o", "g", "c", "h"]
        for gate, values in shown["mean"].items():
            np.testing.assert_allclose(values, direction.mean[gate], atol=1e-7)
        assert [unit["unit"] for unit in shown["units"]] == [2, 0]
        np.testing.assert_allclose(shown["units"][0]["c"], direction.units[0].gates["c"], atol=1e-7)
        assert shown["units"][1]["share"] == pytest.approx(direction.units[1].share, abs=1e-7)


def test_json_of_an_empty_text_is_json(as_json):
    found = as_json("")
    assert found["tokens"] == found["shares"] == []
    assert found["bias"] == found["logit"]
    assert found["gates"]["forward"] == {
        "half_life": None, "mean": {gate: [] for gate in "ifogch"}, "units": [],
    }  # fmt: skip
    assert len(found["running"]) == 1


def test_json_of_a_regression_has_a_value_and_no_probability(as_json, make_bundle):
    settings = {"task": "regression", "labels": (), "target_scale": 2.0, "target_mean": 5.0}
    model = make_bundle("regression", **settings)
    found = as_json(TEXT, model=model)
    (answer,) = SentimentClassifier.load(model).classify([TEXT])
    assert found["value"] == pytest.approx(answer.value, abs=1e-4)
    assert sum(found["shares"]) + found["bias"] == pytest.approx(found["value"], abs=1e-4)
    assert not {"verdict", "label", "probability", "logit"} & set(found)
    assert set(found["running"][3]) == {"tokens", "value"}


def test_json_says_what_is_not_read_and_what_shares_belong_to(as_json, make_bundle):
    found = as_json("good " * 20, model=make_bundle("deep", layers=2))
    assert found["left_out"] == {"after": 4, "tokens": 8}
    assert found["shares_of"] == "positions of layer 2"


def test_a_label_can_be_chosen(as_json, make_bundle):
    assert as_json(TEXT, "--label", "negative")["logit"] == -as_json(TEXT)["logit"]
    model = make_bundle("three", labels=("bad", "fair", "good"))
    found = {label: as_json(TEXT, "--label", label, model=model) for label in ("bad", "good")}
    assert found["bad"]["label"] == "bad"
    assert found["bad"]["verdict"] == found["good"]["verdict"]
    assert found["bad"]["shares"] != found["good"]["shares"]


def test_phrases_stand_where_they_stand(as_json):
    found = as_json(TEXT, "--phrase", "NOT very good", "--phrase", "was")
    places = [(p["phrase"], p["start"], p["end"]) for p in found["phrases"]]
    assert places == [("NOT very good", 3, 6), ("was", 2, 3), ("was", 9, 10)]
    for phrase in found["phrases"]:
        assert phrase["relevant"] + phrase["irrelevant"] == pytest.approx(found["logit"], abs=1e-6)


# --- text ---


def test_text_tells_the_answer_the_sum_and_the_words(invoke, bundle):
    result = invoke("explain", "--model", bundle, TEXT, "--phrase", "very good")
    found = Explainer.load(bundle).explain(TEXT, phrases=["very good"])
    lines = result.stdout.splitlines()
    assert lines[0] == f"{found.prediction.label}  {found.prediction.probability:.4f}"
    total = found.shares.sum()
    assert lines[1] == (
        f"logit of positive {found.logit:+.4f} = bias {found.bias:+.4f} and shares {total:+.4f}"
        " of 12 words"
    )
    start, end = lines.index("") + 1, lines.index("", 3)
    assert SIGNS.sub("", " ".join(lines[start:end])) == TEXT
    assert any(line.startswith("running   ") for line in lines)
    assert "unknown   zebra" in lines
    (phrase,) = [line for line in lines if line.startswith("phrase")]
    assert f"'very good' (words 5 to 6) {found.phrases[0].relevant:+.4f}" in phrase
    assert "\x1b" not in result.stdout


def test_the_probability_is_of_the_label_that_shares_speak_for(invoke, bundle):
    lines = invoke("explain", "--model", bundle, TEXT, "--label", "negative").stdout.splitlines()
    found = Explainer.load(bundle).explain(TEXT)
    assert lines[0] == f"{found.prediction.label}  {1 - found.probability:.4f} of negative"
    assert lines[1].startswith(f"logit of negative {-found.logit:+.4f} = ")


def test_where_beginnings_were_not_read_the_line_says_so(invoke, bundle, monkeypatch):
    def running():
        shown = invoke("explain", "--model", bundle, TEXT).stdout.splitlines()
        (line,) = [line for line in shown if line.startswith("running")]
        return line

    assert "beginnings" not in running()
    monkeypatch.setattr("sentiment_lstm.running_verdict.MOST_WORK", 500)
    found = Explainer.load(bundle).explain(TEXT)
    assert running().endswith(f" ({len(found.running.lengths)} of 13 beginnings)")


def test_signs_tell_the_largest_share_and_the_list_is_by_size(invoke, bundle):
    lines = invoke("explain", "--model", bundle, TEXT).stdout.splitlines()
    found = Explainer.load(bundle).explain(TEXT)
    top = int(np.abs(found.shares).argmax())
    sign = "+++" if found.shares[top] > 0 else "---"
    assert f"{found.tokens[top]}({sign})" in lines[3].lower()
    listed = [float(line.split()[0]) for line in lines if re.match(r" +[+-]\d", line)]
    assert listed == sorted(listed, key=abs, reverse=True)
    assert listed[0] == pytest.approx(found.shares[top], abs=1e-4)
    assert len(listed) == 10


def test_gates_add_a_row_for_each_word_and_direction(invoke, bundle):
    plain = invoke("explain", "--model", bundle, TEXT).stdout
    lines = invoke("explain", "--model", bundle, TEXT, "--gates").stdout.splitlines()
    assert lines[: len(plain.splitlines())] == plain.splitlines()
    found = Explainer.load(bundle).explain(TEXT)
    for direction in found.gates:
        start = lines.index(f"{direction.name}, mean over 3 units")
        assert lines[start + 1].split() == ["word", "i", "f", "o", "g", "c", "h"]
        for t, token in enumerate(found.tokens):
            cells = [f"{direction.mean[gate][t]:.3f}" for gate in "ifogch"]
            assert lines[start + 2 + t].split() == [token, *cells]
    assert sum(bool(re.match("(for|back)ward, unit ", line)) for line in lines) == 6


def test_a_unit_that_is_asked_for_is_shown(invoke, bundle):
    lines = invoke("explain", "--model", bundle, TEXT, "--unit", "1").stdout.splitlines()
    units = [line.split(":")[0] for line in lines if ", unit " in line]
    assert units == ["forward, unit 1", "backward, unit 1"]
    assert not [line for line in lines if "mean over" in line]


def test_a_long_text_shows_where_words_are_left_out(invoke, bundle):
    lines = invoke("explain", "--model", bundle, "good " * 4 + "bad " * 9 + "film " * 8).stdout
    before, _, after = lines.partition("[… 9 words that the model does not read …]")
    assert SIGNS.sub("", before).lower().count("good") >= 4
    assert SIGNS.sub("", after.partition("running")[0]).lower().count("film") == 8


@pytest.mark.parametrize("changes", [{"task": "regression", "labels": ()}, {"layers": 2}, {}])
@pytest.mark.parametrize("text", ["", "<br />", "good", "\u202e\x1b[31m\x00 \ud800"])
@pytest.mark.parametrize("form", ["text", "html", "json"])
def test_any_model_explains_any_text_in_any_form(invoke, make_bundle, changes, text, form):
    piped = text.encode("utf-8", "surrogatepass")
    options = ("--format", form, "--gates")
    result = invoke("explain", "--model", make_bundle(**changes), *options, input=piped)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith("\n")
    assert not {"\x1b", "\x00", "\u202e"} & set(result.stdout)


def test_a_stack_says_what_its_shares_belong_to(invoke, make_bundle):
    shown = invoke("explain", "--model", make_bundle(layers=2), TEXT).stdout
    assert "shares belong to positions of layer 2" in shown


# --- where the text comes from and where the explanation goes ---


@pytest.mark.parametrize("arguments", [[], ["-"]])
def test_all_of_standard_input_is_one_text(as_json, arguments):
    found = as_json(*arguments, input="the film\nwas good\n\nnot bad, é".encode())
    assert found["tokens"] == ["the", "film", "was", "good", "not", "bad", ",", "é"]


def test_a_text_is_utf_8_whatever_the_locale(command, bundle):
    for locale in ("C", "C.UTF-8"):
        environment = {"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        options = ("--model", bundle, "--format", "json", "--phrase", "é")
        result = command("explain", *options, "un é", env=environment)
        assert json.loads(result.stdout)["tokens"] == ["un", "é"], result.stderr


def test_a_file_is_written_whole_and_nothing_is_printed(invoke, bundle, tmp_path):
    path = tmp_path / "new" / "why.html"
    options = ("--format", "html", "--output", path)
    result = invoke("explain", "--model", bundle, TEXT, *options)
    assert (result.exit_code, result.output) == (0, "")
    printed = invoke("explain", "--model", bundle, TEXT, "--format", "html").stdout
    assert path.read_text("utf-8") == printed
    assert [entry.name for entry in path.parent.iterdir()] == ["why.html"]


def test_a_failure_leaves_the_file_as_it_was(invoke, bundle, tmp_path):
    path = tmp_path / "why.txt"
    path.write_text("before")
    assert invoke("explain", "--model", bundle, "x", "--unit", 9, "--output", path).exit_code == 1
    assert path.read_text() == "before"


def on_a_terminal(bundle, **environment):
    """Return what the command prints where standard output is a terminal."""
    ours, theirs = pty.openpty()
    root = str(Path(pipelines.__file__).parents[1])
    plain = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM", "COLUMNS")}
    code = "from pipelines.cli import main; main()"
    subprocess.run(
        [sys.executable, "-c", code, "explain", "--model", str(bundle), TEXT],
        env=plain | {"PYTHONPATH": root, "TERM": "xterm-256color"} | environment,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        check=True,
    )
    os.close(theirs)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    return shown.replace("\r\n", "\n")


def test_a_terminal_shows_colours_in_place_of_signs(bundle):
    shown = on_a_terminal(bundle)
    words = re.sub(r"\x1b\[[\d;]*m", "", shown).split("\n\n")[1]
    assert "\x1b[38;5;16m\x1b[48;5;" in shown
    assert not SIGNS.search(words)
    assert " ".join(words.split()) == TEXT


def test_no_color_and_dumb_terminals_are_heeded(bundle):
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        shown = on_a_terminal(bundle, **environment)
        assert "\x1b" not in shown
        assert SIGNS.search(shown)


# --- errors ---


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("", "'' is no name of a file: give a file, or - for standard output."),
        (".", "'.' is a directory: give a file"),
        ("file/x", "file: Not a directory"),
        ("loop", "loop: Too many levels of symbolic links"),
        ("/dev/full", "/dev/full: No space left on device"),
    ],
)
@pytest.mark.parametrize("command", ["explain", "classify"])
def test_where_nothing_can_be_written_is_named(
    invoke, bundle, tmp_path, monkeypatch, command, name, part
):
    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("loop")
    Path("file").write_text("kept")
    result = invoke(command, "--model", bundle, TEXT, "--output", name)
    assert result.exit_code in {1, 2}
    assert part in result.stderr.splitlines()[-1]
    assert Path("file").read_text() == "kept"


def test_a_full_standard_output_is_named(command, bundle):
    code = "import sys; sys.stdout = open('/dev/full', 'w'); "
    code += "from pipelines.cli import main; main()"
    result = command("explain", "--model", bundle, TEXT, code=code)
    assert result.stderr == b"error: standard output: No space left on device\n"


def test_a_dash_is_standard_output(invoke, bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for one in ("explain", "classify"):
        shown = invoke(one, "--model", bundle, TEXT).stdout
        assert invoke(one, "--model", bundle, TEXT, "--output", "-").stdout == shown
    assert not Path("-").exists()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--phrase", "not god"], "did you mean 'good' for 'god'?"),
        (["--phrase", "good not"], "phrase 'good not' does not stand"),
        (["--phrase", " "], "phrase ' ' holds no word"),
        (["--label", "positiv"], "no label 'positiv': did you mean 'positive'?"),
        (["--unit", "3"], "unit is 3: the model has units 0 to 2"),
        (["--model", "nowhere"], "no model at 'nowhere'"),
    ],
)
def test_a_mistake_is_one_line_that_names_it_and_the_way_out(invoke, bundle, arguments, part):
    result = invoke("explain", "--model", bundle, TEXT, *arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert part in result.stderr


def test_without_a_model_that_ships_one_is_asked_for(invoke, monkeypatch, tmp_path):
    monkeypatch.setattr("sentiment_lstm.bundle.SHIPPED", tmp_path)
    result = invoke("explain", "good")
    assert result.exit_code == 1
    assert "sentiment-lstm run quickstart" in result.stderr


def test_the_model_that_ships_is_the_default(invoke, monkeypatch, make_bundle):
    bundle = make_bundle(DEFAULT_MODEL)
    monkeypatch.setattr("sentiment_lstm.bundle.SHIPPED", bundle.parent)
    assert invoke("explain", TEXT).stdout == invoke("explain", "--model", bundle, TEXT).stdout


def test_a_saved_model_hides_its_gates(invoke, tmp_path):
    (tmp_path / "saved_model.pb").touch()
    result = invoke("explain", "--model", tmp_path, "good")
    assert result.exit_code == 1
    assert "is a SavedModel, whose gates are hidden: give the model it was" in result.stderr


def test_a_terminal_without_a_text_is_wrong_usage(bundle):
    ours, theirs = pty.openpty()
    root = str(Path(pipelines.__file__).parents[1])
    result = subprocess.run(
        [sys.executable, "-m", "pipelines", "explain", "--model", str(bundle)],
        env=os.environ | {"PYTHONPATH": root},
        stdin=theirs,
        capture_output=True,
        check=False,
    )
    os.close(theirs)
    os.close(ours)
    assert result.returncode == 2
    assert b"Nothing to explain: give TEXT or pipe a text in." in result.stderr


# --- speed ---


def test_nothing_heavy_is_loaded(command, bundle):
    code = (
        "import sys; from pipelines.cli import cli; cli(standalone_mode=False); "
        "print({'tensorflow', 'keras', 'sklearn', 'scipy', 'matplotlib', 'numba', 'tqdm'} "
        "& set(sys.modules), file=sys.stderr)"
    )
    for form in ("text", "html", "json"):
        result = command("explain", "--model", bundle, TEXT, "--format", form, code=code)
        assert result.returncode == 0
        assert result.stderr.strip() == b"set()"


def test_a_review_is_explained_soon(make_bundle):
    """Generous: what is measured stands in the README; this fails where n² has become n³."""
    model = make_bundle("wide", units=128, embedding=128, max_tokens=400, head_tokens=200)
    explainer = Explainer.load(model)
    started = time.perf_counter()
    found = explainer.explain("the film was not very good . " * 33)
    assert time.perf_counter() - started < 5
    assert len(found.running.lengths) == len(found.tokens) + 1 == 232
