import dataclasses
import itertools
import json
import resource

import numpy as np
import pytest

from sentiment_lstm.bundle import BundleConfig, payload_digest, read_bundle
from sentiment_lstm.classifier import SentimentClassifier
from sentiment_lstm.errors import BundleError, DataError, ExportError, SettingsError
from sentiment_lstm.manifest import files_below, write_manifest
from sentiment_lstm.saved_model import SEAL, SavedModelClassifier

tf = pytest.importorskip("tensorflow")

from sentiment_lstm import export  # noqa: E402 - it imports TensorFlow
from sentiment_lstm.export import export_saved_model  # noqa: E402

KINDS = {
    "two": {"temperature": 1.7, "threshold": 0.6},
    "torn": {"temperature": 1.7, "threshold": 0.6, "abstain": 0.03},
    "five": {
        "labels": ("a", "b", "c", "d", "é"),
        "layers": 2,
        "temperature": 0.6,
        "abstain": 0.3,
    },
    "number": {
        "task": "regression",
        "labels": (),
        "directions": 1,
        "pooling": ("last",),
        "target_scale": 3.0,
        "target_mean": -2.0,
    },
}
TEXTS = [
    "a good film.",
    "",
    "it didn't, it's bad!!!",
    "unheard words",
    b"\xff good \x00 film \xe2\x82",
    "ça 😀 \ud800 good",
    "a good film not bad " * 5,
]


@pytest.fixture(scope="module")
def exports(tmp_path_factory, write_random_bundle):
    """Return for each kind its bundle, its target directory and the record of its export."""
    made = {}
    for kind, settings in KINDS.items():
        directory = tmp_path_factory.mktemp(kind)
        bundle = write_random_bundle(directory / "bundle", seed=3, **settings)
        (directory / "served").mkdir()
        (directory / "served" / "1").write_text("an earlier version")
        record = export_saved_model(bundle, directory / "served", version=7)
        made[kind] = (bundle, directory / "served", record)
    return made


def signature(directory):
    loaded = tf.saved_model.load(str(directory / "7"))
    return loaded, loaded.signatures["serving_default"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_signature_takes_strings_and_names_its_answers(exports, kind):
    loaded, serve = signature(exports[kind][1])
    (spec,) = serve.structured_input_signature[1].values()
    assert (spec.name, spec.dtype, spec.shape.as_list()) == ("text", tf.string, [None])
    outputs = {name: (o.dtype, o.shape.as_list()) for name, o in serve.structured_outputs.items()}
    vector = [None]
    expected = {"label": (tf.string, vector), "probability": (tf.float32, vector)}
    if kind == "five":
        expected["probabilities"] = (tf.float32, [None, 5])
    assert outputs == ({"value": (tf.float32, vector)} if kind == "number" else expected)
    del loaded


@pytest.mark.parametrize("kind", KINDS)
def test_answers_are_those_of_the_numpy_model(exports, kind):
    bundle, target, _ = exports[kind]
    loaded, serve = signature(target)
    texts = [t if isinstance(t, bytes) else t.encode("utf-8", "surrogatepass") for t in TEXTS]
    answers = {name: o.numpy() for name, o in serve(text=tf.constant(texts)).items()}
    expected = SentimentClassifier.load(bundle).classify(TEXTS)
    for index, prediction in enumerate(expected):
        if kind == "number":
            assert answers["value"][index] == pytest.approx(prediction.value, abs=1e-5)
            continue
        assert answers["label"][index].decode() == prediction.label
        assert answers["probability"][index] == pytest.approx(prediction.probability, abs=1e-5)
        if kind == "five":
            np.testing.assert_allclose(
                answers["probabilities"][index], prediction.probabilities, atol=1e-5
            )
    labels = {prediction.label for prediction in expected}
    assert kind == "number" or len(labels) > 1
    assert ("unsure" in labels) == (kind in ("torn", "five"))
    del loaded


@pytest.mark.parametrize("kind", KINDS)
def test_the_record_tells_what_was_verified(exports, kind):
    bundle, target, record = exports[kind]
    assert json.loads((target / "export.json").read_bytes()) == record
    assert record["model"] == payload_digest(bundle)
    assert record["version"] == 7
    assert record["input"] == ["text", "string"]
    assert record["texts"] > 300
    assert set(record["largest_difference"]) == {"numpy", "keras"}
    assert 0 < max(record["largest_difference"].values()) <= 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_the_layout_is_that_of_serving_and_other_versions_stay(exports, kind):
    target = exports[kind][1]
    assert sorted(path.name for path in target.iterdir()) == ["1", "7", "export.json"]
    assert (target / "7" / "saved_model.pb").is_file()
    assert (target / "1").read_text() == "an earlier version"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("below", ["", "7"])
def test_a_saved_model_classifies_as_its_bundle(exports, kind, below):
    bundle, target, _ = exports[kind]
    answers = SavedModelClassifier.load(target / below).classify(TEXTS * 20)
    expected = SentimentClassifier.load(bundle).classify(TEXTS * 20)
    for answer, prediction in zip(answers, expected, strict=True):
        assert answer.label == prediction.label
        np.testing.assert_allclose(answer.probabilities, prediction.probabilities, atol=1e-5)
        assert answer.value == pytest.approx(prediction.value, abs=1e-5)


def test_a_saved_model_streams_in_order_and_takes_a_threshold(exports):
    classifier = SavedModelClassifier.load(exports["two"][1])
    expected = [prediction.probability for prediction in classifier.classify(TEXTS)]
    stream = classifier.stream(itertools.cycle(TEXTS), threshold=0.0)
    for index, answer in enumerate(itertools.islice(stream, 1500)):
        assert answer.probability == pytest.approx(expected[index % len(TEXTS)], abs=1e-6)
        assert answer.label == "positive"
    with pytest.raises(SettingsError, match="from 0 to 1"):
        classifier.stream(TEXTS, threshold=2.0)
    with pytest.raises(DataError, match="text 0 is None"):
        classifier.classify([None])
    assert classifier.classify([]) == []


def test_a_saved_model_takes_another_margin(exports):
    for kind in ("two", "torn", "five"):
        bundle, target, _ = exports[kind]
        for abstain in (0.0, 0.4):
            answers = SavedModelClassifier.load(target).classify(TEXTS, abstain=abstain)
            expected = SentimentClassifier.load(bundle).classify(TEXTS, abstain=abstain)
            assert [a.label for a in answers] == [p.label for p in expected]


def test_without_a_margin_the_graph_is_what_it_was():
    def operations(**settings):
        config = BundleConfig(labels=("a", "b"), **settings)
        answer = tf.function(export.answer_function(config))
        graph = answer.get_concrete_function(tf.TensorSpec([None, 1])).graph
        return [operation.type for operation in graph.get_operations()]

    assert "Abs" not in operations()
    assert "Less" not in operations()
    assert "Abs" in operations(abstain=0.1)


def test_what_is_no_saved_model_of_ours_is_refused(exports, tmp_path):
    with pytest.raises(BundleError, match="give DIR or DIR/VERSION"):
        SavedModelClassifier.load(tmp_path)
    tf.saved_model.save(tf.Module(), str(tmp_path / "foreign"))
    with pytest.raises(BundleError, match="not a SavedModel of this package"):
        SavedModelClassifier.load(tmp_path / "foreign")
    config = (exports["two"][1] / "7" / "assets.extra" / "config.json").read_bytes()
    (tmp_path / "foreign" / "assets.extra").mkdir()
    (tmp_path / "foreign" / "assets.extra" / "config.json").write_bytes(config)
    with pytest.raises(BundleError, match=r"no assets\.extra/manifest\.json"):
        SavedModelClassifier.load(tmp_path / "foreign")
    write_manifest(tmp_path / "foreign", files_below(tmp_path / "foreign"), SEAL)
    with pytest.raises(BundleError, match="TensorFlow cannot load it"):
        SavedModelClassifier.load(tmp_path / "foreign")
    (tmp_path / "foreign" / "saved_model.pb").write_bytes(b"\xff" * 100)
    with pytest.raises(BundleError, match=r"saved_model\.pb: .* not as it was written"):
        SavedModelClassifier.load(tmp_path / "foreign")
    (tmp_path / "foreign" / SEAL).unlink()
    write_manifest(tmp_path / "foreign", files_below(tmp_path / "foreign"), SEAL)
    with pytest.raises(BundleError, match="TensorFlow cannot load it"):
        SavedModelClassifier.load(tmp_path / "foreign")


def test_an_export_that_answers_otherwise_leaves_nothing(make_bundle, tmp_path, monkeypatch):
    write = export.write_saved_model

    def altered(bundle, model, directory):
        config = dataclasses.replace(bundle.config, temperature=1.01)
        write(dataclasses.replace(bundle, config=config), model, directory)

    monkeypatch.setattr(export, "write_saved_model", altered)
    bundle = make_bundle()
    with pytest.raises(ExportError, match="more than 1e-05"):
        export_saved_model(bundle, tmp_path / "served")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]


def test_a_graph_that_needs_python_is_refused(make_bundle, tmp_path, monkeypatch):
    def answer_function(config):
        def answer(logits):
            p = tf.py_function(lambda x: x, [tf.sigmoid(logits[:, 0])], tf.float32)
            return {"label": tf.as_string(p), "probability": tf.ensure_shape(p, [None])}

        return answer

    monkeypatch.setattr(export, "answer_function", answer_function)
    (tmp_path / "served" / "1").mkdir(parents=True)
    (tmp_path / "served" / "1" / "saved_model.pb").touch()
    with pytest.raises(ExportError, match="without this package"):
        export_saved_model(make_bundle(), tmp_path / "served")
    assert [path.name for path in (tmp_path / "served").iterdir()] == ["1"]
    assert (tmp_path / "served" / "1" / "saved_model.pb").exists()


def test_files_that_are_no_saved_model_are_not_replaced(make_bundle, tmp_path):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "thesis").touch()
    (tmp_path / "2").touch()
    for version in (1, 2):
        with pytest.raises(ExportError, match="holds other files"):
            export_saved_model(make_bundle(), tmp_path, version=version)
    assert (tmp_path / "1" / "thesis").exists()


def test_a_disk_without_room_is_one_line_that_names_the_place(make_bundle, tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    bundle = make_bundle()
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(ExportError) as caught:
            export_saved_model(bundle, tmp_path / "served")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(caught.value) == f"{tmp_path}/served/1 cannot be written: File too large"
    assert not (tmp_path / "served").exists()


@pytest.mark.parametrize("version", [-1, True, "1", 1.0])
def test_a_version_that_is_no_number_is_refused(tmp_path, version):
    with pytest.raises(SettingsError, match="whole number"):
        export_saved_model(tmp_path, tmp_path / "served", version=version)
    assert not (tmp_path / "served").exists()


def test_an_altered_model_is_not_exported(make_bundle, tmp_path):
    bundle = make_bundle()
    (bundle / "vocabulary.txt").write_bytes(b"")
    with pytest.raises(BundleError):
        export_saved_model(bundle, tmp_path / "served")
    assert not (tmp_path / "served").exists()


def test_the_keras_model_has_the_weights_of_the_bundle(make_bundle):
    bundle = read_bundle(make_bundle(layers=2, labels=("a", "b", "c")))
    network = export.traced(export.keras_model(bundle))
    ids = [[3, 4, 5, 1], [7, 0, 0, 0], [0, 0, 0, 0]]
    expected = SentimentClassifier(bundle).logits_of_ids(
        [np.array(row)[: np.count_nonzero(row)] for row in ids]
    )
    np.testing.assert_allclose(network(np.array(ids, np.int32)), expected, atol=1e-5)
