"""The process: where it listens, how it stops, and how a model takes another's place."""

import shutil
import signal
import socket
from pathlib import Path

import pytest

from sentiment_lstm.classifier import SentimentClassifier

TEXT = "the film was good"


# --- starting ---


def one_line(result):
    told = result.stderr.decode() if isinstance(result.stderr, bytes) else result.stderr
    assert told.startswith("error: ")
    assert told.count("\n") == 1
    return told


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--model", "nowhere"], "no model at 'nowhere'"),
        (["--max-texts", "99999"], "--max-texts is 99999, but no more than 1024 may wait"),
        (["--host", "256.1.1.1"], "--host 256.1.1.1: "),
        (["--host", "192.0.2.1"], "cannot listen at 192.0.2.1"),
    ],
)
def test_a_mistake_is_one_line(needed, command, bundle, arguments, part):
    result = command(
        "serve", *(["--model", bundle] if "--model" not in arguments else []), *arguments
    )
    assert result.returncode == 1
    assert part in one_line(result)


def test_a_port_in_use_is_one_line_that_names_the_way_out(needed, command, bundle, server):
    result = command("serve", "--model", bundle, "--port", server.port)
    assert result.returncode == 1
    told = one_line(result)
    assert f"127.0.0.1 port {server.port}: Address already in use" in told
    assert "--port (0 takes a free one)" in told


def test_a_broken_model_does_not_start(needed, command, make_bundle):
    model = make_bundle()
    (model / "weights.safetensors").write_bytes(b"")
    result = command("serve", "--model", model, "--port", "0")
    assert result.returncode == 1
    assert "weights.safetensors" in one_line(result)


@pytest.mark.parametrize("missing", ["fastapi", "uvicorn", "prometheus_client"])
def test_without_the_extra_it_says_how_to_install_it(needed, command, bundle, missing):
    code = f"import sys; sys.modules[{missing!r}] = None\nfrom pipelines.cli import main; main()"
    result = command("serve", "--model", bundle, code=code)
    assert result.returncode == 1
    told = one_line(result)
    assert missing in told
    assert "pip install '.[serve]'" in told


def test_it_listens_at_loopback_alone(server):
    assert server.address == f"http://127.0.0.1:{server.port}/"
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    port = f":{server.port:04X}"
    hosts = {parts[1] for parts in listening if parts[3] == "0A" and parts[1].endswith(port)}
    assert hosts == {f"0100007F{port}"}


def test_a_run_directory_is_served_by_its_name(start, connect, make_bundle, tmp_path):
    make_bundle("runs/stars/bundle")
    with start(tmp_path / "runs" / "stars") as server:
        assert connect(server).get("/v1/models/stars").status_code == 200


# --- stopping ---


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_in_flight_is_answered_before_the_end(start, bundle, raw, number, until):
    body = b'{"text":"good"}'
    with start(bundle) as server, raw(server) as connection:
        connection.sendall(
            b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 15\r\n\r\n" + body[:5]
        )
        with raw(server) as other:  # answered after the first was accepted
            other.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert other.recv(65536).startswith(b"HTTP/1.1 200 ")
        server.process.send_signal(number)
        until(lambda: refuses(server.port))
        assert server.process.poll() is None
        connection.sendall(body[5:])
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b'"probability"' in answer
        assert server.process.wait(60) == 0
        assert server.told() == ""


def refuses(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=60).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_connection_that_is_kept_does_not_hold_up_the_end(start, bundle, connect):
    with start(bundle) as server:
        assert connect(server).get("/healthz").status_code == 200
        server.process.terminate()
        assert server.process.wait(60) == 0


# --- replacing ---


def version(client):
    return int(client.get("/v1/models/model").json()["model_version_status"][0]["version"])


def test_a_sound_model_takes_over_and_a_broken_one_never(start, connect, make_bundle, until):
    model = make_bundle(seed=1)
    with start(model, "--watch", "0.05") as server:
        client = connect(server)
        check_serves(client, model)

        make_bundle(seed=2)
        until(lambda: version(client) == 2)
        check_serves(client, model)
        sound = SentimentClassifier.load(model).classify([TEXT])[0].probability

        weights = model / "weights.safetensors"
        weights.write_bytes(weights.read_bytes()[:-4] + b"xxxx")
        until(lambda: "the model that serves stays" in server.told())
        assert client.post("/v1/classify", json={"text": TEXT}).json()[
            "probability"
        ] == pytest.approx(sound, abs=2e-6)
        assert version(client) == 2

        shutil.rmtree(model)
        make_bundle(seed=3, labels=("bad", "fair", "good"))
        until(lambda: version(client) == 3)
        check_serves(client, model)
        found = client.get("/metrics").text
        assert 'sentiment_lstm_models_total{outcome="served"} 2.0' in found
        lines = server.told().splitlines()
    refused = [line for line in lines if "stays" in line]
    assert all(line.startswith("warning: ") for line in refused)
    assert sum("weights.safetensors" in line for line in refused) == 1
    assert [line for line in lines if line not in refused] == [
        "version 2 of model serves", "version 3 of model serves",
    ]  # fmt: skip


def check_serves(client, model):
    (expected,) = SentimentClassifier.load(model).classify([TEXT])
    found = client.post("/v1/classify", json={"text": TEXT}).json()
    assert found["label"] == expected.label
    assert found["probability"] == pytest.approx(expected.probability, abs=2e-6)
    why = client.post("/v1/explain", json={"text": TEXT}).json()
    assert why["verdict"] == expected.label


# --- what is loaded ---


def test_no_module_of_tensorflow_is_loaded(needed, command, bundle):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from pipelines.serve.app import create_app\n"
        "from pipelines.serve.limits import Limits\n"
        "from pipelines.serve.service import Service\n"
        "service = Service(Path(sys.argv[1]), Limits(), compiled=False, watch_seconds=60)\n"
        "create_app(service).openapi()\n"
        "service.close()\n"
        "print(*{'tensorflow', 'keras', 'sklearn', 'scipy', 'matplotlib', 'numba', 'jinja2'}\n"
        "      & set(sys.modules))"
    )
    result = command(bundle, code=code)
    assert (result.returncode, result.stdout.split()) == (0, []), result.stderr
