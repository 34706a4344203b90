"""Pretraining: learns, resumes bit for bit, and measures by the whole softmax."""

import numpy as np
import numpy_language_model as oracle
import pytest

from sentiment_lstm import pretraining
from sentiment_lstm.batching import TokenArrays
from sentiment_lstm.errors import Paused, SettingsError
from sentiment_lstm.model import build_classifier, named_variables
from sentiment_lstm.pretraining import pretrain_network
from sentiment_lstm.settings import ModelSettings, PretrainSettings, TrainSettings
from sentiment_lstm.training import Task, train_network

VOCABULARY = 20
SMALL = ModelSettings(embedding=6, units=5)


def counting(count, seed):
    """Return texts that count on from some number: the next token is sure, the first is not."""
    rng = np.random.default_rng(seed)
    lengths, starts = rng.integers(4, 12, count), rng.integers(VOCABULARY, size=count)
    texts = [
        (s + np.arange(n)) % (VOCABULARY - 2) + 2 for s, n in zip(starts, lengths, strict=True)
    ]
    return TokenArrays.of(texts, [0] * count)


def run(settings, checkpoints=None, model=SMALL, **kwargs):
    return pretrain_network(
        kwargs.pop("train", counting(96, 0)),
        counting(40, 1),
        vocabulary_size=VOCABULARY,
        model=model,
        settings=settings,
        checkpoints=checkpoints,
        **kwargs,
    )


def everything_on(**kwargs):
    return PretrainSettings(
        **{
            "epochs": 3,
            "batch_size": 16,
            "learning_rate": 0.02,
            "warmup": 0.1,
            "negatives": 9,
            "average": 0.9,
            "dropout": 0.1,
            "embedding_dropout": 0.1,
            "checkpoint_minutes": 0.0,
        }
        | kwargs
    )


def assert_same(first, second):
    assert first.weights.keys() == second.weights.keys()
    for name, weight in first.weights.items():
        np.testing.assert_array_equal(weight, second.weights[name], err_msg=name)
    rows = [[{**row, "seconds": 0} for row in result.history] for result in (first, second)]
    assert rows[0] == rows[1]


def test_learns_to_count_in_both_directions():
    settings = PretrainSettings(epochs=6, batch_size=16, learning_rate=0.03, negatives=10)
    model = ModelSettings(embedding=12, units=12)
    result = run(settings, model=model, train=counting(400, 0))
    for name in ("forward_perplexity", "backward_perplexity"):
        assert result.history[-1][name] < 2  # the end of a text comes unforeseen


def test_the_perplexity_is_that_of_the_weights_it_leaves():
    result, texts = run(everything_on()), counting(40, 1)
    for direction in ("forward", "backward"):
        losses = [oracle.cross_entropies(t, result.weights, direction) for t in texts]
        perplexity = np.exp(np.concatenate(losses).mean())
        assert result.history[-1][f"{direction}_perplexity"] == pytest.approx(perplexity, rel=1e-4)


def test_perplexity_is_measured_on_so_many_texts_at_most(monkeypatch):
    monkeypatch.setattr(pretraining, "EVALUATION_TEXTS", 7)
    held_out = pretraining._held_out(counting(40, 1), 0)
    assert len(held_out) == 7
    assert [len(t) for t in held_out] == sorted(len(t) for t in held_out)
    again = pretraining._held_out(counting(40, 1), 0)
    assert all((a == b).all() for a, b in zip(held_out, again, strict=True))


class KilledError(Exception):
    pass


def killer(steps):
    """Return a progress that ends the training in the middle of an epoch."""
    seen = [0]

    def progress(items, *, total, label):
        for item in items:
            if seen[0] == steps:
                raise KilledError
            seen[0] += 1
            yield item

    return progress


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_killed_twice_and_resumed_ends_with_the_same_weights(tmp_path, average):
    settings = everything_on(average=average)
    for steps in (4, 7):
        with pytest.raises(KilledError):
            run(settings, tmp_path, progress=killer(steps))
    assert_same(run(settings, tmp_path), run(settings))


def test_stops_when_its_time_is_up_and_goes_on_from_there(tmp_path):
    settings = everything_on()
    with pytest.raises(Paused, match=r"stopped after 1e-09 minutes at epoch 1, step \d+ of 6: run"):
        run(settings, tmp_path, max_minutes=1e-9)
    assert_same(run(settings, tmp_path, max_minutes=1000.0), run(settings))


def test_another_seed_gives_other_weights():
    first, other = run(everything_on(epochs=1)), run(everything_on(epochs=1, seed=1))
    for name in first.weights:
        assert not np.array_equal(first.weights[name], other.weights[name])


def test_one_direction_leaves_the_weights_of_one():
    result = run(everything_on(epochs=1), model=ModelSettings(embedding=6, units=5, directions=1))
    assert not any("backward" in name for name in [*result.weights, *result.history[0]])


def test_a_classifier_starts_from_the_weights_and_a_head_of_its_own():
    weights = run(everything_on(epochs=1)).weights
    start = {k: v for k, v in weights.items() if k.startswith(("embedding", "lstm."))}
    trained = train_network(
        TokenArrays.of(list(counting(30, 2)), [0, 1] * 15),
        TokenArrays.of(list(counting(10, 3)), [0, 1] * 5),
        vocabulary_size=VOCABULARY,
        task=Task("classification", ("no", "yes")),
        model=SMALL,
        settings=TrainSettings(epochs=1, learning_rate=1e-8),
        initial=start,
    )
    for name in named_variables(build_classifier(SMALL, VOCABULARY, 1)):
        if name in start:
            np.testing.assert_allclose(trained.weights[name], start[name], atol=1e-6)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (ModelSettings(layers=2), r"model\.layers is 2 and pretrain\.epochs is 3"),
        (ModelSettings(embeddings="v.txt"), r"model\.embeddings is 'v\.txt'"),
    ],
)
def test_what_a_language_model_cannot_be_for_is_refused(model, reason):
    with pytest.raises(SettingsError, match=reason):
        run(everything_on(), model=model)


def test_empty_texts_and_texts_of_one_token_are_learnt_from_too():
    train = TokenArrays.of([np.array(t, np.int32) for t in ([], [3], [4, 5], [])], [0] * 4)
    result = run(everything_on(epochs=1, batch_size=1), train=train)
    assert all(np.isfinite(w).all() for w in result.weights.values())
