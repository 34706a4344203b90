"""Clients that are slow, silent or gone: cut off in time, and in nobody's way."""

import pytest

HEAD = b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 15\r\n\r\n"
BODY = b'{"text":"good"}'


@pytest.fixture(scope="module")
def impatient(needed, bundle):
    """Yield a server that waits a second for a head and for a body."""
    from tests.serving.running import running

    options = ("--numpy", "--header-timeout", "1", "--body-timeout", "1")
    with running(bundle, *options) as started:
        yield started


def read_all(connection):
    pieces = []
    while piece := connection.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def test_a_slow_client_is_answered_and_blocks_no_other(server, raw, client):
    with raw(server) as slow, raw(server) as silent:
        slow.sendall(HEAD[:20])
        for _ in range(3):
            assert client.post("/v1/classify", json={"text": "good"}).status_code == 200
        slow.sendall(HEAD[20:] + BODY[:4])
        assert client.post("/v1/explain", json={"text": "good"}).status_code == 200
        slow.sendall(BODY[4:])
        assert slow.recv(65536).startswith(b"HTTP/1.1 200 ")
        silent.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert silent.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("head", [b"", HEAD[:20], HEAD[:-2]])
def test_a_head_that_does_not_come_ends_the_connection(impatient, raw, head):
    with raw(impatient) as connection:
        connection.sendall(head)
        assert read_all(connection) == b""


def test_so_does_a_second_head_on_a_connection_that_is_kept(impatient, raw):
    with raw(impatient) as connection:
        connection.sendall(HEAD + BODY + HEAD[:20])
        assert read_all(connection).startswith(b"HTTP/1.1 200 ")


def test_a_body_that_does_not_come_is_told_so(impatient, raw):
    with raw(impatient) as connection:
        connection.sendall(HEAD + BODY[:-1])
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"the body did not come within 1 s" in answer


def test_a_connection_too_many_is_refused_and_the_others_are_not(
    start, bundle, raw, connect, until
):
    with start(bundle, "--max-connections", "3") as server, raw(server) as one, raw(server):
        one.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert one.recv(65536).startswith(b"HTTP/1.1 200 ")
        with raw(server) as third, raw(server) as fourth:
            answer = read_all(fourth)
            third.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert third.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b'{"error": "3 connections are open: try again soon"}' in answer
        until(lambda: connect(server).get("/readyz").status_code == 200)


def test_a_head_without_end_is_refused(server, raw):
    with raw(server) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 70_000)
        assert connection.recv(65536).startswith(b"HTTP/1.1 4")


def test_a_client_that_leaves_takes_its_question_along(server, raw, client, until):
    with raw(server) as connection:
        connection.sendall(HEAD + BODY[:4])
    with raw(server) as connection:
        connection.sendall(HEAD.replace(b"classify", b"explain") + BODY)
    gone = 'sentiment_lstm_requests_total{route="/v1/classify",status="499"}'
    until(lambda: gone in client.get("/metrics").text)
    assert client.post("/v1/explain", json={"text": "good"}).status_code == 200
    assert "Traceback" not in server.told()
