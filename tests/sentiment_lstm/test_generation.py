"""What a language model writes: its chances are those of numpy's oracle, its draws obey them."""

import json
from collections import Counter

import numpy as np
import numpy_lstm
import pytest
from safetensors.numpy import save_file

from sentiment_lstm.errors import BundleError
from sentiment_lstm.generation import END, Choice, Writer, softmax
from sentiment_lstm.language_models import FILES
from sentiment_lstm.manifest import write_manifest
from sentiment_lstm.text import PAD, SPECIAL_TOKENS, UNKNOWN, Vocabulary

WORDS = ("the", "film", "was", "good", "bad", ".", "n't", "did")
VOCABULARY = Vocabulary([*SPECIAL_TOKENS, *WORDS])
WIDTH, UNITS = 4, 3


def random_weights(seed=0, **changes):
    rng = np.random.default_rng(seed)
    shapes = {
        "embedding": (len(VOCABULARY), WIDTH),
        "lstm.0.forward.kernel": (WIDTH, 4 * UNITS),
        "lstm.0.forward.recurrent_kernel": (UNITS, 4 * UNITS),
        "lstm.0.forward.bias": (4 * UNITS,),
        "projection.forward": (UNITS, WIDTH),
        "softmax.bias": (len(VOCABULARY),),
    }
    return {n: rng.normal(0.1, 0.9, s).astype("float32") for n, s in shapes.items()} | changes


def write(directory, weights, **config):
    directory.mkdir(exist_ok=True)
    save_file(weights, directory / "weights.safetensors")
    sizes = {"embedding": WIDTH, "units": UNITS, "directions": 1} | config
    (directory / "config.json").write_text(json.dumps(sizes))
    VOCABULARY.save(directory / "vocabulary.txt")
    write_manifest(directory, FILES)
    return directory


WRITER = Writer.of(VOCABULARY, random_weights())


def expected_logits(ids, weights):
    W, U, b = (weights[f"lstm.0.forward.{p}"] for p in ("kernel", "recurrent_kernel", "bias"))
    h = np.zeros(UNITS)
    if ids:
        h = numpy_lstm.forward(weights["embedding"][ids][None], W, U, b).h[0, -1]
    E = weights["embedding"].astype(float)
    return E @ (h @ weights["projection.forward"]) + weights["softmax.bias"]


@pytest.mark.parametrize("ids", [[], [4], [2, 3, 4, 1, 5]])
def test_logits_are_those_of_the_oracle_but_for_the_unknown_token(ids):
    logits = WRITER.logits(WRITER.read(ids))
    known = np.arange(len(VOCABULARY)) != UNKNOWN
    expected = expected_logits(ids, random_weights())
    np.testing.assert_allclose(logits[known], expected[known], rtol=1e-5)
    assert logits[UNKNOWN] == -np.inf


def test_reading_on_is_reading_all_at_once_and_leaves_the_state_before_alone():
    before = WRITER.read([2, 3])
    h = before.h.copy()
    after = WRITER.read([4, 5], before)
    np.testing.assert_array_equal(before.h, h)
    np.testing.assert_allclose(after.h, WRITER.read([2, 3, 4, 5]).h, rtol=1e-6)


def test_suggestions_are_the_likeliest_tokens_and_their_chances():
    chances = softmax(WRITER.logits(WRITER.read(WRITER.ids("the film"))))
    found = WRITER.suggestions("the film", 3)
    assert [chance for _, chance in found] == sorted(chances, reverse=True)[:3]
    everything = WRITER.suggestions("the film", 1000)
    assert {word for word, _ in everything} == {END, *WORDS}
    assert sum(chance for _, chance in everything) == pytest.approx(1)


def test_the_same_seed_writes_the_same_and_another_one_something_else():
    texts = [list(WRITER.continuation("the", 30, Choice(), seed)) for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_the_unknown_token_never_comes_and_the_end_ends():
    bias = random_weights()["softmax.bias"]
    bias[[PAD, UNKNOWN]] = 3, 100
    writer = Writer.of(VOCABULARY, random_weights(**{"softmax.bias": bias}))
    texts = [list(writer.continuation("the", 50, Choice(), seed)) for seed in range(30)]
    assert {len(t) for t in texts} > {0, 1}
    assert not {"[UNK]", "[PAD]"} & {token for t in texts for token in t}
    assert max(map(len, texts)) < 50


def test_so_many_tokens_at_most():
    bias = random_weights()["softmax.bias"]
    bias[PAD] = -100
    writer = Writer.of(VOCABULARY, random_weights(**{"softmax.bias": bias}))
    assert len(list(writer.continuation("", 17, Choice(), 0))) == 17
    assert list(writer.continuation("", 0, Choice(), 0)) == []


LOGITS = np.array([0.0, -np.inf, 1.0, 2.0, 0.5])


def drawn(choice, count=4000):
    generator = np.random.default_rng(0)
    counts = Counter(choice.draw(LOGITS, generator) for _ in range(count))
    return np.array([counts[i] / count for i in range(len(LOGITS))])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_draws_are_as_often_as_their_chances_at_a_temperature(temperature):
    np.testing.assert_allclose(drawn(Choice(temperature)), softmax(LOGITS / temperature), atol=0.03)


def test_top_k_leaves_the_likeliest_in_their_proportion():
    np.testing.assert_allclose(
        drawn(Choice(top_k=2)), softmax(np.array([-np.inf, -np.inf, 1, 2, -np.inf])), atol=0.03
    )


def test_temperature_0_takes_the_likeliest():
    assert drawn(Choice(0.0), 20)[3] == 1


def test_a_model_on_disk_is_the_model(tmp_path):
    writer = Writer.load(write(tmp_path / "model", random_weights()))
    assert writer.suggestions("the", 4) == WRITER.suggestions("the", 4)


NAN = {"softmax.bias": np.full(len(VOCABULARY), np.nan, "float32")}


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (lambda d: (d / "config.json").unlink(), "holds no language model: make one with"),
        (lambda d: (d / "config.json").write_text("{"), r"config\.json: .*not as it was written"),
        (lambda d: (d / "config.json").write_text("{}"), r"config\.json: .*not as it was written"),
        (lambda d: (d / "vocabulary.txt").unlink(), r"vocabulary\.txt: missing"),
        (
            lambda d: (d / "weights.safetensors").write_bytes(b"x"),
            r"weights\.safetensors: .*not as it",
        ),
        (
            lambda d: write(d, random_weights(), units=7),
            r"is F32 \(12,\), the configuration demands .* \(28,\)",
        ),
        (lambda d: write(d, random_weights(**NAN)), "NaN"),
        (lambda d: write(d, {"embedding": np.zeros((10, 4), "f")}), "is missing"),
    ],
)
def test_a_damaged_model_is_refused_in_one_line(tmp_path, harm, reason):
    directory = write(tmp_path / "model", random_weights())
    harm(directory)
    with pytest.raises(BundleError, match=reason) as error:
        Writer.load(directory)
    assert "\n" not in str(error.value)
