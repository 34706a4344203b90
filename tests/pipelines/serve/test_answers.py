"""The answers over HTTP are those of the library, in each form, alone and together."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipelines.serve.limits import Limits
from sentiment_lstm import __version__
from sentiment_lstm.classifier import SentimentClassifier
from sentiment_lstm.explain import Explainer

TEXTS = [
    "the film was good", "The film was not very good, the zebra was bad!", "bad . " * 30, "",
    "é\u0000\u202e<script>alert(1)</script>", "\ud800 half \udfff", "😀" * 7, "good\r\n\tbad",
]  # fmt: skip
CLOSE = 2e-6  # answers are rounded to 6 digits; sums differ by the batch they are taken in


@pytest.fixture(scope="module")
def classifier(bundle):
    return SentimentClassifier.load(bundle)


def posted(client, path, body):
    response = client.post(path, content=json.dumps(body))
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    return response.json()


def close(answers, expected):
    assert [answer["label"] for answer in answers] == [answer.label for answer in expected]
    found = [answer["probability"] for answer in answers]
    assert found == pytest.approx([answer.probability for answer in expected], abs=CLOSE)
    return True


# --- classify ---


def test_one_text_has_the_classifiers_answer(client, classifier):
    for text in TEXTS:
        answer = posted(client, "/v1/classify", {"text": text})
        assert set(answer) == {"label", "probability"}
        assert close([answer], classifier.classify([text]))


def test_several_texts_are_answered_in_order(client, classifier):
    found = posted(client, "/v1/classify", {"texts": TEXTS})
    assert set(found) == {"predictions"}
    assert close(found["predictions"], classifier.classify(TEXTS))


def test_what_arrives_together_is_answered_together_and_as_alone(
    client, server, connect, classifier
):
    before = counted(client)
    texts = [f"the film {n} was {'good ' * (n % 5)}" for n in range(64)]
    with ThreadPoolExecutor(16) as pool:
        ask = connect(server)
        found = [*pool.map(lambda text: posted(ask, "/v1/classify", {"text": text}), texts)]
    assert close(found, [classifier.classify([text])[0] for text in texts])
    after = counted(client)
    batches = "sentiment_lstm_batch_texts_count"
    assert after["sentiment_lstm_batch_texts_sum"] - before["sentiment_lstm_batch_texts_sum"] == 64
    assert after[batches] - before[batches] < 64


def test_models_of_other_tasks_answer_as_on_the_command_line(start, connect, make_bundle, invoke):
    settings = {
        "three": {"labels": ("bad", "fair", "good")},
        "value": {"task": "regression", "labels": ()},
    }
    for name, changes in settings.items():
        model = make_bundle(name, **changes)
        with start(model) as server:
            found = posted(connect(server), "/v1/classify", {"text": TEXTS[1]})
        printed = invoke("classify", "--model", model, "--format", "jsonl", TEXTS[1]).stdout
        expected = json.loads(printed)
        assert expected.pop("text") == TEXTS[1]
        assert list(found) == list(expected)
        for key, value in expected.items():
            assert found[key] == (value if key == "label" else pytest.approx(value, abs=CLOSE))


def test_the_compiled_network_answers_alike(needed, connect, bundle, classifier):
    from tests.serving.running import running

    with running(bundle, "--compiled") as server:
        found = posted(connect(server), "/v1/classify", {"texts": TEXTS})["predictions"]
    for answer, expected in zip(found, classifier.classify(TEXTS), strict=True):
        assert answer["probability"] == pytest.approx(expected.probability, abs=1e-5)


def test_a_margin_of_a_request_is_its_own(client, classifier):
    for abstain in (0, 0.1, 0.45):
        found = posted(client, "/v1/classify", {"texts": TEXTS, "abstain": abstain})
        assert close(found["predictions"], classifier.classify(TEXTS, abstain=abstain))
        (first,) = classifier.classify(TEXTS[:1], abstain=abstain)
        assert close(
            [posted(client, "/v1/classify", {"text": TEXTS[0], "abstain": abstain})], [first]
        )
    labels = {answer["label"] for answer in found["predictions"]}
    assert "unsure" in labels
    assert posted(client, "/v1/classify", {"texts": TEXTS})["predictions"][0]["label"] != "unsure"


def test_a_model_that_abstains_says_so_in_every_form(start, connect, make_bundle):
    model = make_bundle("torn", abstain=0.3)
    expected = SentimentClassifier.load(model).classify(TEXTS[:4])
    labels = [answer.label for answer in expected]
    assert {"unsure"} < {*labels}
    with start(model) as server:
        client = connect(server)
        assert close(posted(client, "/v1/classify", {"texts": TEXTS[:4]})["predictions"], expected)
        served = posted(client, "/v1/models/torn:predict", {"instances": TEXTS[:4]})
        assert [row["label"] for row in served["predictions"]] == labels
        explained = posted(client, "/v1/explain", {"texts": TEXTS[:4]})["explanations"]
        assert [each["verdict"] for each in explained] == labels
        decided = posted(client, "/v1/classify", {"texts": TEXTS[:4], "abstain": 0})
        assert "unsure" not in {answer["label"] for answer in decided["predictions"]}


# --- explain ---


def test_an_explanation_is_that_of_the_command(client, bundle, invoke):
    options = ("explain", "--model", bundle, "--format", "json")
    for text in TEXTS:
        piped = text.encode("utf-8", "surrogatepass")
        assert posted(client, "/v1/explain", {"text": text}) == json.loads(
            invoke(*options, input=piped).stdout
        )


def test_several_explanations_come_in_order(client, bundle):
    found = posted(client, "/v1/explain", {"texts": TEXTS[:3]})["explanations"]
    explainer = Explainer.load(bundle)
    for text, each in zip(TEXTS, found, strict=False):
        expected = explainer.explain(text)
        assert each["tokens"] == [*expected.tokens]
        assert each["shares"] == pytest.approx(expected.shares.tolist(), abs=1e-7)
        assert each["logit"] == pytest.approx(expected.logit, abs=1e-7)


PHRASES = ["Not  VERY good", "was", "!"]


def test_phrases_get_the_shares_that_the_command_gives_them(client, bundle, invoke):
    options = [part for phrase in PHRASES for part in ("--phrase", phrase)]
    told = invoke("explain", "--model", bundle, "--format", "json", *options, TEXTS[1]).stdout
    found = posted(client, "/v1/explain", {"text": TEXTS[1], "phrases": PHRASES})
    assert found == json.loads(told)
    places = [(each["phrase"], each["start"], each["end"]) for each in found["phrases"]]
    assert places == [(PHRASES[0], 3, 6), ("was", 2, 3), ("was", 9, 10), ("!", 11, 12)]
    for each in found["phrases"]:
        assert each["relevant"] + each["irrelevant"] == pytest.approx(found["logit"], abs=1e-7)


def test_no_phrases_change_nothing(client):
    plain = posted(client, "/v1/explain", {"text": TEXTS[1]})
    assert posted(client, "/v1/explain", {"phrases": [], "text": TEXTS[1]}) == plain


# --- TensorFlow Serving's form ---


def test_predict_answers_as_classify(client, classifier):
    texts = [text.encode("utf-8", "replace").decode() for text in TEXTS]
    found = posted(client, "/v1/models/films:predict", {"instances": texts})["predictions"]
    assert close(found, classifier.classify(texts))
    columns = posted(client, "/v1/models/films:predict", {"inputs": {"text": texts}})["outputs"]
    assert columns["label"] == [row["label"] for row in found]
    assert columns["probability"] == pytest.approx([row["probability"] for row in found], abs=CLOSE)


def test_the_status_of_the_model_is_told(client):
    (state,) = client.get("/v1/models/films").json()["model_version_status"]
    assert (state["version"], state["state"]) == ("1", "AVAILABLE")


@pytest.mark.parametrize("path", ["/v1/models/other", "/v1/models/film%0As"])
def test_another_model_is_not_there(client, path):
    for response in (client.get(path), client.post(f"{path}:predict", json={"instances": ["a"]})):
        assert response.status_code == 404
        assert "ask for 'films'" in response.json()["error"]


# --- the rest ---


def counted(client):
    lines = client.get("/metrics").text.splitlines()
    return {
        name: float(value) for name, _, value in (x.rpartition(" ") for x in lines if x[0] != "#")
    }


def test_what_is_answered_is_counted(client):
    before = counted(client)
    client.post("/v1/classify", json={"texts": ["a", "b"]})
    client.post("/v1/classify", json={})
    client.post("/v1/explain", json={"text": "a"})
    client.get("/no/such/path")
    after = counted(client)

    def more(name):
        return after[f"sentiment_lstm_{name}"] - before.get(f"sentiment_lstm_{name}", 0)

    assert more('requests_total{route="/v1/classify",status="200"}') == 1
    assert more('requests_total{route="/v1/classify",status="422"}') == 1
    assert more('requests_total{route="none",status="404"}') == 1
    assert more('texts_total{work="classify"}') == 2
    assert more('texts_total{work="explain"}') == 1
    assert more('request_seconds_count{route="/v1/classify"}') == 2
    assert after["sentiment_lstm_model_version"] == 1
    assert after["sentiment_lstm_waiting_texts_classify"] == 0
    assert after["process_resident_memory_bytes"] > 1e7


def test_it_is_alive_and_ready(client):
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}


def test_openapi_describes_every_route_and_no_page_loads_from_elsewhere(client):
    described = client.get("/openapi.json").json()
    assert described["info"]["version"] == __version__
    assert {
        "/v1/classify", "/v1/explain", "/v1/models/{name}", "/v1/models/{name}:predict",
        "/healthz", "/readyz", "/metrics",
    } == set(described["paths"])  # fmt: skip
    for path in ("/docs", "/redoc"):
        assert client.get(path).status_code == 404


def test_openapi_describes_phrases_as_they_are_taken_and_answered(client):
    route = client.get("/openapi.json").json()["paths"]["/v1/explain"]["post"]
    one, many = route["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
    assert "phrases" not in many["properties"]
    assert "phrases" not in one["required"]
    schema = one["properties"]["phrases"]
    assert schema["maxItems"] == Limits.phrases
    assert schema["items"] == {
        "type": "string", "minLength": 1, "maxLength": Limits.phrase_characters,
    }  # fmt: skip
    answer = route["responses"]["200"]["content"]["application/json"]["schema"]["anyOf"][0]
    found = posted(client, "/v1/explain", {"text": "not good", "phrases": ["not good"]})
    (phrase,) = found["phrases"]
    assert set(answer["properties"]["phrases"]["items"]["required"]) == set(phrase)


@pytest.mark.parametrize("path", ["/", "/healthz", "/nowhere", "/page/page.js"])
def test_every_answer_carries_the_policy(client, path):
    headers = client.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'", "script-src": "'self'", "style-src": "'self'",
        "connect-src": "'self'", "img-src": "'self' data:", "base-uri": "'none'",
        "frame-ancestors": "'none'", "form-action": "'none'",
    }  # fmt: skip
    assert headers["x-content-type-options"] == "nosniff"


def test_the_wrong_method_is_refused_as_everything_is(client):
    response = client.get("/v1/classify")
    assert response.status_code == 405
    assert set(response.json()) == {"error"}


def test_nothing_of_tensorflow_is_mapped_into_the_server(client, server):
    client.post("/v1/explain", json={"text": "good"})
    client.post("/v1/classify", json={"text": "good"})
    maps = Path(f"/proc/{server.process.pid}/maps").read_text()
    assert "numpy" in maps
    assert not re.findall("tensorflow|keras|libtorch|jaxlib", maps)


def test_the_page_and_its_files_come_from_here(client):
    page = client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for path in re.findall(r'(?:src|href)="(/[^"]*)"', page.text):
        assert client.get(path).status_code == 200, path
    assert not re.findall(r'(?:src|href)="(?![/#])', page.text)
