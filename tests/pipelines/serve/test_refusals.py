"""What is refused, with its status and one line of reason; every limit at its edge."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

LIMITS = {
    "--max-body-bytes": 400_000,
    "--max-texts": 3,
    "--max-explained": 2,
    "--max-phrases": 2,
    "--max-phrase-characters": 9,
    "--max-places": 3,
    "--max-characters": 50,
    "--max-waiting-explained": 2,
}


@pytest.fixture(scope="module")
def strict(needed, bundle):
    """Yield a server of narrow limits."""
    from tests.serving.running import running

    with running(bundle, "--numpy", *(x for pair in LIMITS.items() for x in pair)) as started:
        yield started


@pytest.fixture
def client(strict, connect):
    return connect(strict)


def refusal(response, status):
    assert response.status_code == status, response.text
    assert set(response.json()) == {"error"}
    reason = response.json()["error"]
    assert reason
    assert "\n" not in reason
    assert "Traceback" not in reason
    return reason


def body_of(size):
    """Return JSON of exactly so many bytes."""
    return json.dumps({"text": "good"}).encode().ljust(size)


def test_a_body_may_have_so_many_bytes_and_not_one_more(client):
    most = LIMITS["--max-body-bytes"]
    assert client.post("/v1/classify", content=body_of(most)).status_code == 200
    reason = refusal(client.post("/v1/classify", content=body_of(most + 1)), 413)
    assert "400,000 bytes" in reason


def test_so_does_a_body_that_does_not_say_how_long_it_is(client):
    most = LIMITS["--max-body-bytes"]
    for size, status in ((most, 200), (most + 1, 413)):
        whole = body_of(size)
        pieces = (whole[at : at + 9_999] for at in range(0, size, 9_999))
        assert client.post("/v1/classify", content=pieces).status_code == status


@pytest.mark.parametrize(
    ("abstain", "part"),
    [
        (0.5, "abstain is 0.5: give a margin of at least 0 and less than 0.5"),
        (-1, "abstain is -1"),
        (10**40, "abstain is 1000"),
        (True, "abstain is a boolean: give a number"),
        ("0.1", "abstain is a string: give a number"),
        ([0.1], "abstain is a list"),
    ],
)
def test_what_is_no_margin_is_refused(client, abstain, part):
    body = {"text": "good", "abstain": abstain}
    assert refusal(client.post("/v1/classify", json=body), 422).startswith(part)


def test_a_margin_is_no_part_of_an_explanation(client):
    body = {"text": "good", "abstain": 0.1}
    assert "unknown key 'abstain'" in refusal(client.post("/v1/explain", json=body), 422)


def test_a_model_that_cannot_be_unsure_refuses_a_margin(start, connect, make_bundle):
    settings = {
        "number": ({"task": "regression", "labels": ()}, "a regression decides nothing"),
        "own": ({"labels": ("sure", "unsure")}, "a label 'unsure' of its own"),
    }
    for name, (changes, part) in settings.items():
        with start(make_bundle(name, **changes)) as server:
            client = connect(server)
            body = {"text": "good", "abstain": 0.1}
            assert part in refusal(client.post("/v1/classify", json=body), 422)
            described = json.dumps(client.get("/openapi.json").json())
            assert "exclusiveMaximum" not in described


def test_a_body_far_too_large_is_refused_before_it_is_sent_where_the_client_asks(strict, raw):
    with raw(strict) as connection:
        connection.sendall(
            b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n"
            b"Expect: 100-continue\r\n\r\n"
        )
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("path", "key", "most"),
    [
        ("/v1/classify", "texts", LIMITS["--max-texts"]),
        ("/v1/explain", "texts", LIMITS["--max-explained"]),
        ("/v1/models/films:predict", "instances", LIMITS["--max-texts"]),
    ],
)
def test_a_request_may_have_so_many_texts_of_so_many_characters(client, path, key, most):
    longest = "a" * LIMITS["--max-characters"]
    assert client.post(path, json={key: [longest] * most}).status_code == 200
    assert f"give {most} at most" in refusal(client.post(path, json={key: ["a"] * (most + 1)}), 413)
    reason = refusal(client.post(path, json={key: ["a", longest + "a"]}), 413)
    assert "text 1 has 51 characters" in reason
    assert "give one or more" in refusal(client.post(path, json={key: []}), 422)


@pytest.mark.parametrize("path", ["/v1/classify", "/v1/explain", "/v1/models/films:predict"])
@pytest.mark.parametrize(
    ("body", "part"),
    [
        (b"", "the body is not JSON"),
        (b"{", "the body is not JSON"),
        (b"[" * 150_000, "nests too deep"),
        (b'{"text":' * 20_000, "nests too deep"),
        (b"[" * 150_000 + b"]" * 150_000, "nests too deep"),
        (b'"\xff"', "the body is not UTF-8: byte 1"),
        (b"[]", "the body is a list: send a JSON object"),
        (b"3", "a number"),
        (b"null", "null"),
        (b'{"text": NaN}', "NaN is no value of JSON"),
        (b"9" * 5_000, "the body is not JSON"),
        ('{"text": "a"}'.encode("utf-16"), "not UTF-8"),
    ],
)
def test_what_is_no_json_object_is_refused(client, path, body, part):
    assert part in refusal(client.post(path, content=body), 400)


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ({}, "give text, a string, or texts"),
        ({"text": "a", "texts": ["a"]}, "one of them"),
        ({"text": None}, "text is null: give a string"),
        ({"text": ["a"]}, "text is a list: give a string"),
        ({"texts": "a"}, "texts is a string: give a list of strings"),
        ({"texts": ["a", {}]}, "texts[1] is an object"),
        ({"text": "a", "thresold": 1}, "unknown key 'thresold'"),
        ({"text": "a", "\ud800\n" + "k" * 100_000: 1}, "unknown key"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/classify", "/v1/explain"])
def test_what_is_no_text_is_refused_with_its_place(client, path, body, part):
    reason = refusal(client.post(path, content=json.dumps(body)), 422)
    assert part in reason
    assert len(reason) < 200


@pytest.mark.parametrize(
    ("phrases", "part"),
    [
        ("good", "phrases is a string: give a list of strings"),
        (None, "phrases is null: give a list of strings"),
        (["good", 3], "phrases[1] is a number: give a string"),
        ([""], "phrase '' holds no word: give words of the text"),
        (["good", " \n "], "phrase ' \\n ' holds no word"),
        (["god film"], "did you mean 'good' for 'god'?"),
        (["film good"], "give words that follow one another there"),
        (["\ud800"], "holds no word"),
    ],
)
def test_what_is_no_phrase_of_the_text_is_refused(client, phrases, part):
    body = json.dumps({"text": "a good film", "phrases": phrases})
    assert part in refusal(client.post("/v1/explain", content=body), 422)


def test_a_request_may_have_so_many_phrases_of_so_many_characters_in_so_many_places(client):
    def asked(text, phrases):
        return client.post("/v1/explain", json={"text": text, "phrases": phrases})

    assert asked("a good good", ["good good", "a"]).status_code == 200
    reason = refusal(asked("a good good", ["a", "a", "good"]), 413)
    assert reason == "3 phrases in one request: give 2 at most"
    reason = refusal(asked("a good good ", ["a", "good good "]), 413)
    assert reason == "phrases[1] has 10 characters: give 9 at most"
    assert asked("a good a", ["a", "good"]).status_code == 200
    reason = refusal(asked("a good a", ["a", "a"]), 413)
    assert reason == "the phrases stand in 4 places of the text: ask for 3 at most"


def test_phrases_belong_to_one_text_and_to_an_explanation(client):
    body = {"texts": ["good"], "phrases": ["good"]}
    reason = refusal(client.post("/v1/explain", json=body), 422)
    assert reason == "phrases go with text: ask about one text at a time"
    body = {"text": "good", "phrases": ["good"]}
    assert "unknown key 'phrases'" in refusal(client.post("/v1/classify", json=body), 422)


def test_more_than_may_wait_is_told_to_come_back(client, strict, connect):
    text = "good " * 10
    with ThreadPoolExecutor(24) as pool:
        found = [*pool.map(lambda _: client.post("/v1/explain", json={"text": text}), range(240))]
    refused = [response for response in found if response.status_code != 200]
    assert refused, "240 requests of 24 at a time never met a queue of 2"
    for response in refused:
        assert "wait already" in refusal(response, 429)
        assert response.headers["retry-after"] == "1"
    assert len(refused) < len(found)
    assert client.post("/v1/explain", json={"text": text}).status_code == 200


def test_an_answer_that_takes_too_long_is_not_waited_for(start, connect, make_bundle):
    model = make_bundle("slow", units=256, max_tokens=400, head_tokens=200)
    with start(model, "--timeout", "0.001") as server:
        client = connect(server)
        response = client.post("/v1/explain", json={"text": "good film " * 200})
        assert "no answer within 0.001 s" in refusal(response, 503)
        assert client.get("/healthz").status_code == 200
