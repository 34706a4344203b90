"""The pretrain stage on a real run directory: killed with SIGKILL, or stopped, and resumed."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from safetensors.numpy import load_file

from pipelines.config import load_recipe
from pipelines.stamp import file_digest
from sentiment_lstm.errors import SettingsError

TINY = [
    "data.size=200",
    "text.max_tokens=40",
    "text.head_tokens=20",
    "model.embedding=8",
    "model.units=6",
    "pretrain.epochs=2",
    "pretrain.batch_size=16",
    "pretrain.negatives=40",
    "pretrain.average=0.9",
    "pretrain.dropout=0.1",
    "pretrain.embedding_dropout=0.1",
    "pretrain.checkpoint_minutes=0",
    "train.epochs=1",
]


def command(directory, *extra, stage="pretrain", settings=()):
    options = [part for setting in (*TINY, *settings) for part in ("--set", setting)]
    return [
        *(sys.executable, "-m", "pipelines", stage, "quickstart", *extra),
        *("--run-dir", str(directory), *options),
    ]


def run(directory, *extra, **options):
    return subprocess.run(
        command(directory, *extra, **options), capture_output=True, text=True, check=True
    )


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def weights(directory):
    return directory / "pretrain" / "weights.safetensors"


def last_step(directory):
    saved = (directory / "pretrain" / "checkpoint").glob("*/step-*")
    return max((int(path.name.removeprefix("step-")) for path in saved), default=0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return a run that was never interrupted, up to its classifier."""
    directory = tmp_path_factory.mktemp("whole")
    run(directory, "--until", "train", stage="run")
    return directory


def test_leaves_a_model_its_sizes_its_figures_and_no_checkpoint(whole):
    names = {path.name for path in (whole / "pretrain").iterdir()}
    model = {"weights.safetensors", "config.json", "vocabulary.txt", "manifest.json"}
    assert names == model | {"history.jsonl", "stage.json"}
    config = json.loads((whole / "pretrain" / "config.json").read_text())
    rows = [json.loads(r) for r in (whole / "pretrain" / "history.jsonl").read_text().splitlines()]
    assert config["vocabulary"] == file_digest(whole / "preprocess" / "vocabulary.txt")
    assert (config["embedding"], config["units"], config["directions"]) == (8, 6, 2)
    assert [row["epoch"] for row in rows] == [1, 2]
    for direction, perplexity in config["perplexities"].items():
        assert rows[-1][f"{direction}_perplexity"] == perplexity
    arrays = load_file(weights(whole))
    assert {str(a.dtype) for a in arrays.values()} == {"float32"}
    assert arrays["projection.backward"].shape == (6, 8)


def test_killed_and_resumed_ends_with_the_same_weights(whole, tmp_path):
    run(tmp_path, stage="preprocess")
    for checkpoints in (3, 16):  # kill it once so many steps are safe on disk
        child = subprocess.Popen(command(tmp_path), stderr=subprocess.DEVNULL)
        while child.poll() is None and last_step(tmp_path) < checkpoints:
            time.sleep(0.005)
        os.kill(child.pid, signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        assert not weights(tmp_path).exists()
    assert last_step(tmp_path) >= 16
    run(tmp_path)
    assert digest(weights(tmp_path)) == digest(weights(whole))


def test_stopped_by_the_clock_it_says_where_and_goes_on(whole, tmp_path):
    stopped = run(tmp_path, "--max-minutes", "0.0001", stage="run")
    last = stopped.stderr.splitlines()[-1]
    assert last.startswith("stopped after 0.0001 minutes at epoch 1, step ")
    assert last.endswith(" of 13: run the same command to go on")
    assert stopped.stdout == ""
    assert not (tmp_path / "pretrain" / "stage.json").exists()
    assert not (tmp_path / "bundle").exists()
    run(tmp_path, "--until", "pretrain", stage="run")
    assert digest(weights(tmp_path)) == digest(weights(whole))
    again = run(tmp_path)
    assert again.stderr.splitlines() == ["pretrain: up to date"]
    told = json.loads((tmp_path / "pretrain" / "config.json").read_text())["perplexities"]
    shown = ", ".join(f"{direction} {value:.1f}" for direction, value in told.items())
    assert again.stdout == f"language    {tmp_path / 'pretrain'}: perplexity {shown}\n"


def test_the_clock_stops_a_training_of_the_classifier_too(whole, tmp_path):
    settings = ["pretrain.epochs=0", "train.epochs=2"]
    options = {"stage": "run", "settings": settings}
    stopped = run(tmp_path, "--until", "train", "--max-minutes", "0.0001", **options)
    assert "of 4: run the same command to go on" in stopped.stderr
    run(tmp_path, "--until", "train", **options)
    assert len((tmp_path / "train" / "history.jsonl").read_text().splitlines()) == 2
    assert not (tmp_path / "pretrain").exists()


def test_without_epochs_there_is_nothing_to_do(tmp_path):
    run(tmp_path, stage="preprocess")
    done = run(tmp_path, settings=["pretrain.epochs=0"])
    assert done.stderr.splitlines() == ["pretrain: up to date"]
    assert done.stdout == ""
    assert not (tmp_path / "pretrain").exists()


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_another_backend_stops_and_goes_on_in_a_process_of_its_own(tmp_path, backend):
    pytest.importorskip(backend, reason="pip install '.[peers]'")
    settings = [f"train.backend={backend}", "pretrain.epochs=1"]
    options = {"stage": "run", "settings": settings}
    stopped = run(tmp_path, "--until", "pretrain", "--max-minutes", "0.0001", **options)
    assert "of 13: run the same command to go on" in stopped.stderr.splitlines()[-1]
    run(tmp_path, "--until", "pretrain", **options)
    assert weights(tmp_path).exists()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (["model.layers=2"], "model.layers is 2 and pretrain.epochs is 1: only one layer"),
        (["model.embeddings=v.txt"], "two starts for one embedding"),
        (["model.from_model=imdb"], "two starts for one embedding"),
        (["data.unlabelled=more.txt"], "which has no unlabelled texts"),
    ],
)
def test_what_cannot_be_is_refused_at_once(settings, reason):
    with pytest.raises(SettingsError, match=reason):
        load_recipe("quickstart", ["pretrain.epochs=1", *settings])


def test_unlabelled_texts_are_learnt_from(tmp_path):
    rows = "".join(f"a {w} film number {n},{w}\n" for n in range(40) for w in ("good", "bad"))
    (tmp_path / "reviews.csv").write_text("text,label\n" + rows)
    (tmp_path / "more.txt").write_text("".join(f"one more film {n}\n" for n in range(30)))
    recipe = tmp_path / "own.toml"
    recipe.write_text(
        f'[data]\nsource = "files"\ntrain = "{tmp_path}/reviews.csv"\n'
        f'unlabelled = "{tmp_path}/more.txt"\n'
        "[model]\nembedding = 4\nunits = 3\n[pretrain]\nepochs = 1\n[train]\nepochs = 1\n"
    )
    directory = tmp_path / "run"
    arguments = ["run", str(recipe), "--run-dir", str(directory), "--until", "train"]
    subprocess.run([sys.executable, "-m", "pipelines", *arguments], check=True)
    summary = json.loads((directory / "preprocess" / "summary.json").read_text())
    assert summary["splits"]["unlabelled"]["texts"] == 30
    stamp = json.loads((directory / "pretrain" / "stage.json").read_text())
    assert "preprocess/unlabelled.tokens.npy" in stamp["inputs"]
    assert (
        "unlabelled" not in json.loads((directory / "bundle" / "config.json").read_text())["data"]
    )
