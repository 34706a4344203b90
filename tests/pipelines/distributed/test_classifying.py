"""Batch classification: what one process answers, whatever is killed, and every row once."""

import csv
import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from pipelines.classify import classify_rows
from pipelines.distributed.classifying import Batch, classify_batch
from pipelines.distributed.engine import Engine
from pipelines.distributed.scoring import Wish
from sentiment_lstm.classifier import SentimentClassifier
from sentiment_lstm.errors import BundleError, DataError
from sentiment_lstm.progress import silent
from sentiment_lstm.records import read_rows
from tests.distributed.clusters import when
from tests.resilience.commands import environment

ROWS, SHARD = 900, 1500


@pytest.fixture(scope="module")
def model(make_shared_bundle):
    return make_shared_bundle("scored")


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    """Return a folder of a CSV file, whose rows span lines, and one of JSON Lines."""
    folder = tmp_path_factory.mktemp("reviews")
    with (folder / "a.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text"])
        for number in range(ROWS // 2):
            writer.writerow([number, f"the film\nwas {'good' if number % 3 else 'bad'} {number}"])
            if number % 100 == 7:
                writer.writerow(["one column"])
    lines = [json.dumps({"id": n, "text": f"not very good {n}"}) for n in range(ROWS // 2, ROWS)]
    lines[5] = "not JSON"
    (folder / "b.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def batch(model, reviews, tmp_path):
    wish = Wish(form="jsonl")
    return Batch(str(model), str(reviews), None, str(tmp_path / "answers"), wish, SHARD)


def answers(output):
    """Return the answers of all shards in their order, and the rejections."""
    parts = sorted(Path(output).glob("part-*.jsonl"))
    rejected = [p for p in parts if p.name.endswith(".rejected.jsonl")]
    lines = [p.read_text().splitlines() for p in parts if p not in rejected]
    told = [json.loads(line) for p in rejected for line in p.read_text().splitlines()]
    return [json.loads(line) for some in lines for line in some], told


def expected(model, reviews):
    """Return what one process answers, and the rejections."""
    classifier, found, rejected = SentimentClassifier.load(model), [], []
    for name, kind in (("a.csv", "csv"), ("b.jsonl", "jsonl")):
        rows = read_rows(reviews / name, kind)
        answered = classify_rows(rows, classifier, rejected=rejected.append)
        found += [(row.fields, prediction) for row, prediction in answered]
    return found, rejected


def assert_complete(output, model, reviews):
    """See that every row came out once, with the answer of one process."""
    found, rejected = answers(output)
    wanted, refused = expected(model, reviews)
    assert [{k: v for k, v in x.items() if k in ("id", "text")} for x in found] == [
        fields for fields, _ in wanted
    ]
    for answer, (_, prediction) in zip(found, wanted, strict=True):
        assert answer["label"] == prediction.label
        assert answer["probability"] == pytest.approx(prediction.probability, abs=2e-6)
    assert rejected == [vars(each) for each in refused]
    summary = json.loads((Path(output) / "summary.json").read_text())
    assert summary["answered"] == len(wanted)
    assert summary["rejected"] == len(refused)
    assert summary["rows"] == len(wanted) + len(refused)


def made(output):
    """Return when each report was written, by its name."""
    return {p.name: p.stat().st_mtime_ns for p in Path(output).glob("part-?????.json")}


def command(batch, *more):
    return [
        *(sys.executable, "-m", "pipelines", "classify", "--engine", "ray", "--workers", "2"),
        *("--model", batch.model, "--input", batch.source, "--output", batch.output),
        *("--format", "jsonl", *more),
    ]


def test_every_row_comes_out_once_as_one_process_answers_it(cluster, batch, model, reviews):
    counts = classify_batch(batch, cluster.engine, silent)
    assert counts["shards"] > 10
    assert_complete(batch.output, model, reviews)


def test_finished_shards_are_not_made_again(cluster, batch):
    classify_batch(batch, cluster.engine, silent)
    output = Path(batch.output)
    before = {p.name: p.read_bytes() for p in output.iterdir()}
    gone = ("part-00003.json", "part-00005.json", "summary.json")
    for name in gone:
        (output / name).unlink()
    times = made(output)
    classify_batch(batch, cluster.engine, silent)
    assert {p.name: p.read_bytes() for p in output.iterdir()} == before
    assert {name for name, at in made(output).items() if times.get(name) != at} == set(gone[:2])


def test_work_whose_actors_are_killed_loses_and_doubles_nothing(cluster, batch, model, reviews):
    killed = []

    def killing(reports, *, total, label):
        for number, report in enumerate(reports):
            for process in cluster.actors("Scorer")[:1] if number in (0, 4) else ():
                process.kill()
                killed.append(process.pid)
            yield report

    classify_batch(batch, cluster.engine, killing)
    assert len(set(killed)) == 2
    assert_complete(batch.output, model, reviews)


def test_a_killed_command_is_gone_on_with(cluster, batch, model, reviews, tmp_path):
    program, output = tmp_path / "killed.py", Path(batch.output)
    program.write_text(KILLED.format(batch=batch, engine=cluster.engine))
    done = subprocess.run([sys.executable, program], env=environment())
    assert done.returncode == -signal.SIGKILL
    before = made(output)
    assert len(before) >= 3
    assert not (output / "summary.json").exists()
    classify_batch(batch, cluster.engine, silent)
    assert_complete(output, model, reviews)
    assert before.items() <= made(output).items()


KILLED = """
import os, signal
from pipelines.distributed.classifying import Batch, classify_batch
from pipelines.distributed.engine import Engine
from pipelines.distributed.scoring import Wish

def killing(reports, *, total, label):
    for number, report in enumerate(reports):
        if number == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        yield report

classify_batch({batch!r}, {engine!r}, killing)
"""


def test_the_cluster_of_a_killed_command_ends_with_it(token, batch):
    with subprocess.Popen(command(batch), env=environment()) as process:
        when(lambda: (Path(batch.output) / "plan.json").exists())
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    assert len(children) > 4
    _, alive = psutil.wait_procs(children, timeout=600)
    assert alive == []


def test_a_local_cluster_is_out_of_reach(token, tmp_path):
    program = tmp_path / "listening.py"
    program.write_text(LISTENING)
    done = subprocess.run(
        [sys.executable, program],
        env=environment(RAY_ADDRESS="127.0.0.1:1"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["places"]
    assert all(place.endswith("127.0.0.1") for place in told["places"])
    assert told["dashboard"] is None
    assert told["usage"] is False
    assert told["stranger"] != 0
    assert "uthentication" in told["said"]


LISTENING = """
import json, os, subprocess, sys
import psutil
from pipelines.distributed.cluster import cluster
from pipelines.distributed.engine import Engine

STRANGER = "import ray, sys; ray.init(address=sys.argv[1]); print(ray.nodes())"

with cluster(Engine("ray", None, 1)):
    import ray
    from ray._common.usage import usage_lib

    processes = psutil.Process().children(recursive=True)
    places = [c.laddr.ip for p in processes for c in p.net_connections("inet")
              if c.status == "LISTEN"]
    address = ray.get_runtime_context().gcs_address
    stranger = subprocess.run(
        [sys.executable, "-c", STRANGER, address],
        env=os.environ | {"RAY_AUTH_TOKEN": "0" * 64}, capture_output=True, text=True)
    print(json.dumps({
        "places": places, "dashboard": ray._private.worker.get_dashboard_url() or None,
        "usage": usage_lib.usage_stats_enabled(),
        "stranger": stranger.returncode, "said": stranger.stdout + stranger.stderr}))
"""


def test_a_row_that_holds_no_text_ends_strict_work_in_one_line(cluster, batch):
    strict = replace(batch, wish=replace(batch.wish, strict=True))
    with pytest.raises(DataError, match=r"(a\.csv|b\.jsonl), line \d+: .* or leave out --strict"):
        classify_batch(strict, cluster.engine, silent)


def test_an_output_of_other_work_is_left_alone(cluster, batch, make_bundle, tmp_path):
    classify_batch(batch, cluster.engine, silent)
    other = str(make_bundle("other", seed=1))
    for changed in (replace(batch, model=other), replace(batch, wish=Wish(form="csv"))):
        with pytest.raises(DataError, match="holds answers of another input, model or options"):
            classify_batch(changed, cluster.engine, silent)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").touch()
    with pytest.raises(DataError, match="mine holds other files"):
        classify_batch(replace(batch, output=str(tmp_path / "mine")), cluster.engine, silent)


def test_an_input_that_changes_under_the_work_is_refused(cluster, batch, reviews, tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_bytes((reviews / "b.jsonl").read_bytes())
    changing = replace(batch, source=str(source))

    def cut_short(reports, *, total, label):
        source.write_text('{"text": "good"}\n')
        yield from reports

    # The first shard may have been read before: then it is a later one that tells.
    with pytest.raises(DataError, match=r"in\.jsonl had \d+ rows from line \d+ on when it was cut"):
        classify_batch(changing, cluster.engine, cut_short)


def test_a_model_that_is_not_there_is_told_before_a_cluster_is_asked(batch):
    with pytest.raises(BundleError, match="no model at 'nowhere'"):
        classify_batch(replace(batch, model="nowhere"), Engine("ray", "no:1"), silent)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["good"], "--engine ray needs --input FILE|DIR|URL and --output DIR|URL."),
        (["--input", "x.csv"], "--engine ray needs --input FILE|DIR|URL and --output DIR|URL."),
    ],
)
def test_the_command_line_asks_for_files(invoke, arguments, said):
    result = invoke("classify", "--engine", "ray", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_the_command_line_tells_how_many_rows_there_were(cluster, invoke, batch):
    arguments = command(batch, "--address", cluster.engine.address)[3:]
    result = invoke(*arguments)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"6 rows left out, {ROWS - 1} answered\n"


def test_a_cluster_goes_with_its_engine(invoke):
    for option in (["--address", "x:1"], ["--workers", "2"]):
        result = invoke("classify", "good", *option)
        assert result.exit_code == 2
        assert f"{option[0]} goes with --engine ray." in result.stderr
