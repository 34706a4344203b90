"""The generate command, on a small model in a run directory."""

import numpy as np
import pytest

from sentiment_lstm.language_models import write_language_model
from sentiment_lstm.text import SPECIAL_TOKENS, Vocabulary

VOCABULARY = Vocabulary([*SPECIAL_TOKENS, "the", "film", "was", "good", ".", "n't", "did"])


@pytest.fixture
def run_dir(tmp_path):
    """Return a run directory whose language model counts on through its vocabulary."""
    size, units = len(VOCABULARY), len(VOCABULARY)
    forward = np.zeros((units, 4 * units), np.float32)
    kernel = np.zeros((size, 4 * units), np.float32)
    kernel[:, 2 * units : 3 * units] = 9 * np.roll(np.eye(size), 1, axis=1)  # what is written
    bias = np.concatenate([np.full(units, b, np.float32) for b in (9, -9, 0, 9)])
    directory = tmp_path / "run" / "pretrain"
    directory.mkdir(parents=True)
    arrays = {
        "embedding": np.eye(size, dtype=np.float32),
        "lstm.0.forward.kernel": kernel,
        "lstm.0.forward.recurrent_kernel": forward,
        "lstm.0.forward.bias": bias,
        "projection.forward": 9 * np.eye(units, dtype=np.float32),
        "softmax.bias": np.zeros(size, np.float32),
    }
    sizes = {"embedding": size, "units": units, "directions": 1}
    write_language_model(directory, VOCABULARY, arrays, sizes)
    return tmp_path / "run"


def test_goes_on_from_a_prompt_until_the_text_ends(invoke, run_dir):
    result = invoke("generate", "--model", run_dir, "The film ", "--temperature", "0")
    assert result.stdout == "The film was good.n't did\n"


def test_writes_so_many_tokens_from_the_directory_of_the_model_too(invoke, run_dir):
    options = ("--temperature", "0", "--tokens", "2")
    result = invoke("generate", "--model", run_dir / "pretrain", "the", *options)
    assert result.stdout == "the film was\n"


def test_the_same_seed_writes_the_same(invoke, run_dir):
    options = ("generate", "--model", run_dir, "--temperature", "9", "--top-k", "4", "--seed")
    assert invoke(*options, "3").stdout == invoke(*options, "3").stdout
    assert len({invoke(*options, str(seed)).stdout for seed in range(5)}) > 1


def test_suggests_the_likeliest_next_tokens(invoke, run_dir):
    lines = invoke("generate", "--model", run_dir, "the", "--suggest", "2").stdout.splitlines()
    assert lines[0].split("\t")[1] == "film"
    assert len(lines) == 2
    ends = invoke("generate", "--model", run_dir, "did", "--suggest", "1").stdout
    assert ends.endswith("\t(end)\n")


def test_a_directory_without_a_model_is_an_error_of_one_line(invoke, tmp_path):
    result = invoke("generate", "--model", tmp_path, "the")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "holds no language model: make one with `sentiment-lstm pretrain" in result.stderr


def test_needs_no_tensorflow(command, run_dir):
    code = (
        "import sys; from pipelines.cli import cli; cli(standalone_mode=False); "
        "print({'tensorflow', 'keras'} & set(sys.modules), file=sys.stderr)"
    )
    result = command("generate", "--model", run_dir, "the", code=code)
    assert result.returncode == 0
    assert result.stderr.strip() == b"set()"
