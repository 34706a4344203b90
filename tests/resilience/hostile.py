"""Models that strangers made: refused, nothing of theirs run, no file of others read or written."""

import io
import json
import os
import pickle
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sentiment_lstm import language_models
from sentiment_lstm.bundle import CARD, CONFIG, FILES, VOCABULARY
from sentiment_lstm.manifest import digest_of, write_manifest
from sentiment_lstm.strict_json import canonical_json
from sentiment_lstm.weights_file import WEIGHTS
from tests.resilience.commands import Ended, environment, refusal_fault
from tests.resilience.tally import Tally
from tests.resilience.workshop import Workshop

IDEA = "hostile"
CANARY = "canary.csv"  # a name that would be read as labelled texts
MARKER = "the secret of the canary"
MOST_GROWTH = 200 * 2**20

Harm = Callable[[Path, "Trap"], None]
"""Turns a sound model in a directory into a hostile one."""


@dataclass(frozen=True)
class Trap:
    """What a hostile model goes for: a file to read, and one that its code would write."""

    canary: Path
    sprung: Path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.sprung,)


@dataclass(frozen=True)
class Case:
    """A hostile thing: its class, what is told of it, and the command that is given it."""

    kind: str
    name: str
    arguments: tuple[str, ...]
    named: tuple[str, ...] = ()


def sealed(directory: Path) -> None:
    """Write a manifest that agrees with the files, as a forger would."""
    write_manifest(directory, FILES)


def put(name: str, content: bytes) -> Harm:
    """Return a harm that replaces one file and seals it."""

    def harm(directory: Path, trap: Trap) -> None:
        (directory / name).write_bytes(content)
        sealed(directory)

    return harm


def config(**changes: Any) -> Harm:
    """Return a harm that states other things in config.json; {canary} becomes its path."""

    def harm(directory: Path, trap: Trap) -> None:
        told = json.dumps(changes).replace("{canary}", str(trap.canary))
        stated = json.loads((directory / CONFIG).read_bytes()) | json.loads(told)
        (directory / CONFIG).write_text(json.dumps(stated))
        sealed(directory)

    return harm


def instead(link: Callable[[Path, Path], None], name: str) -> Harm:
    """Return a harm that puts a link to the canary in the place of a file."""

    def harm(directory: Path, trap: Trap) -> None:
        (directory / name).unlink()
        link(directory / name, trap.canary)

    return harm


def pickled(directory: Path, trap: Trap) -> None:
    put(WEIGHTS, pickle.dumps(trap))(directory, trap)


def pickled_array(directory: Path, trap: Trap) -> None:
    content = io.BytesIO()
    np.save(content, np.array([trap], object), allow_pickle=True)
    put(WEIGHTS, content.getvalue())(directory, trap)


def pickled_in_zip(directory: Path, trap: Trap) -> None:
    """As PyTorch writes its checkpoints."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(trap))
    put(WEIGHTS, content.getvalue())(directory, trap)


def header(change: Callable[[dict[str, Any]], Any], length: int | None = None) -> Harm:
    """Return a harm that states another header in the weights."""

    def harm(directory: Path, trap: Trap) -> None:
        data = (directory / WEIGHTS).read_bytes()
        size = int.from_bytes(data[:8], "little")
        entries = json.loads(data[8 : 8 + size])
        text = json.dumps(change(entries) or entries).encode()
        stated = len(text) if length is None else length
        put(WEIGHTS, stated.to_bytes(8, "little") + text + data[8 + size :])(directory, trap)

    return harm


def shape(*sizes: int) -> Harm:
    return header(lambda entries: entries["embedding"].update(shape=list(sizes)))


def hole(name: str, size: int, **changes: Any) -> Harm:
    """Return a harm that makes a file huge without its taking any room, and lists it so."""

    def harm(directory: Path, trap: Trap) -> None:
        config(**changes)(directory, trap)
        os.truncate(directory / name, size)
        path = directory / "manifest.json"
        manifest = json.loads(path.read_bytes())
        manifest["files"][name]["bytes"] = size
        manifest["digest"] = digest_of(manifest["files"])
        path.write_bytes(canonical_json(manifest))

    return harm


def listed(name: str) -> Harm:
    """Return a harm that has the manifest list a file that stands elsewhere."""

    def harm(directory: Path, trap: Trap) -> None:
        path = directory / "manifest.json"
        manifest = json.loads(path.read_bytes())
        manifest["files"][name.format(canary=trap.canary)] = manifest["files"].pop(VOCABULARY)
        manifest["digest"] = digest_of(manifest["files"])
        path.write_bytes(canonical_json(manifest))

    return harm


LAMBDA = {
    "class_name": "Lambda",
    "module": "keras.layers",
    "config": {"function": {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}},
}
MODULE = {"module": "os", "class_name": "system", "config": "touch sprung", "registered_name": None}

BUNDLES: dict[str, dict[str, Harm]] = {
    "pickle": {
        "as weights": pickled,
        "in an array": pickled_array,
        "in a zip": pickled_in_zip,
        "as configuration": lambda d, t: put(CONFIG, pickle.dumps(t))(d, t),
        "as vocabulary": lambda d, t: put(VOCABULARY, pickle.dumps(t))(d, t),
        "as manifest": lambda d, t: (d / "manifest.json").write_bytes(pickle.dumps(t)),  # type: ignore[dict-item]
    },
    "Lambda and modules in config.json": {
        "a Lambda layer as the model": put(CONFIG, json.dumps(LAMBDA).encode()),
        "a Lambda layer beside it": config(model_config=LAMBDA),
        "a Lambda layer as pooling": config(pooling=[LAMBDA]),
        "a module as the model": put(CONFIG, json.dumps(MODULE).encode()),
        "a module as the task": config(task=MODULE),
        "a class of Python's": config(__class__="os.system", __reduce__=["os.system", ["id"]]),
        "a YAML object": put(CONFIG, b"!!python/object/apply:os.system ['touch sprung']"),
    },
    "links": {
        **{f"symbolic, {n}": instead(Path.symlink_to, n) for n in (*FILES, "manifest.json")},
        **{f"hard, {n}": instead(Path.hardlink_to, n) for n in (*FILES, "manifest.json")},
        "a device": lambda d, t: ((d / WEIGHTS).unlink(), (d / WEIGHTS).symlink_to("/dev/zero")),  # type: ignore[dict-item]
        "a pipe": lambda d, t: ((d / CONFIG).unlink(), os.mkfifo(d / CONFIG)),  # type: ignore[dict-item]
        "a directory": lambda d, t: ((d / CARD).unlink(), (d / CARD).mkdir()),  # type: ignore[dict-item]
    },
    "header and shape bombs": {
        "a header longer than memory": header(lambda e: None, 2**63 - 1),
        "a header longer than the file": header(lambda e: None, 2**31),
        "a header of 30 million lists": put(
            WEIGHTS, (90_000_002).to_bytes(8, "little") + b"[" + b"[]," * 30_000_000 + b"0]"
        ),
        "a header 100,000 levels deep": put(
            WEIGHTS, (200_000).to_bytes(8, "little") + b"[" * 100_000 + b"]" * 100_000
        ),
        "a shape beyond memory": shape(2**40, 5),
        "a shape that overflows": shape(2**62, 2**62, 2**62),
        "a negative shape": shape(-1, 5),
        "ten thousand axes": shape(*[1] * 10_000),
        "a size of 5,000 digits": put(
            WEIGHTS, (5_020).to_bytes(8, "little") + b'{"a": {"shape": [' + b"9" * 5_000 + b"]}}"
        ),
        "offsets outside the file": header(
            lambda e: e["embedding"].update(data_offsets=[0, 2**62])
        ),
        "offsets turned round": header(lambda e: e["embedding"].update(data_offsets=[9, 3])),
        "a configuration beyond memory": config(units=65_536, embedding=65_536, layers=64),
        "units beyond all numbers": config(units=10**300),
        "a configuration of 30 million lists": put(CONFIG, b"[" + b"[]," * 30_000_000 + b"0]"),
        "a configuration 900 levels deep": put(CONFIG, b'{"data":' * 900 + b"1" + b"}" * 900),
        "a vocabulary of 40 million lines": put(VOCABULARY, b"a\n" * 40_000_000),
        "weights of 16 GB that take no room": hole(WEIGHTS, 2**34),
        "weights of 16 GB that the configuration asks for": hole(WEIGHTS, 2**34, units=30_000),
        "a configuration of 16 GB that takes no room": hole(CONFIG, 2**34),
        "a manifest of 16 GB that takes no room": lambda d, t: os.truncate(
            d / "manifest.json", 2**34
        ),
    },
    "paths to read": {
        "a vocabulary elsewhere": config(vocabulary="{canary}"),
        "weights elsewhere": config(weights="{canary}"),
        "the manifest lists what stands above": listed("../" + CANARY),
        "the manifest lists an absolute path": listed("{canary}"),
        "a card that includes": config(version="{canary}", card="{canary}"),
    },
    "remote addresses": {
        "weights": config(weights="https://example.invalid/weights.safetensors"),
        "vocabulary": config(vocabulary="s3://bucket/vocabulary.txt"),
    },
    "names that steer the terminal": {
        "of a file": lambda d, t: (d / "\x1b[2J\x1b]0;owned\x07").touch(),
        "of a label": config(labels=["\x1b[2J", "b"]),
        "of a key": config(**{"\x1b[31mred": 1}),
    },
}


def archives(directory: Path, trap: Trap) -> Iterator[tuple[str, str, Path]]:
    """Write files that are no directory, and that unpacking or loading would let loose."""
    up = f"../../{trap.sprung.name}"
    with zipfile.ZipFile(directory / "model.zip", "w") as archive:
        archive.writestr(up, "sprung")
    with tarfile.open(directory / "model.tar.gz", "w:gz") as archive:
        for name in (up, str(trap.sprung)):
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
        link = tarfile.TarInfo("vocabulary.txt")
        link.type, link.linkname = tarfile.SYMTYPE, str(trap.canary)
        archive.addfile(link)
    with zipfile.ZipFile(directory / "model.keras", "w") as archive:
        archive.writestr("config.json", json.dumps(LAMBDA))
        archive.writestr("metadata.json", '{"keras_version": "3.15.0"}')
    (directory / "model.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + json.dumps(LAMBDA).encode())
    (directory / "model.pkl").write_bytes(pickle.dumps(trap))
    kinds = {"zip": "zip and tar traversal", "tar.gz": "zip and tar traversal", "pkl": "pickle"}
    for ending in ("zip", "tar.gz", "keras", "h5", "pkl"):
        path = directory / f"model.{ending}"
        yield kinds.get(ending, ".h5 and .keras"), f"a .{ending} as the model", path


ADDRESSES = (
    "https://example.invalid/model", "http://127.0.0.1:9/model", "s3://bucket/model",
    "gs://bucket/model", "hf://user/model", "ftp://example.invalid/m", "file:///etc/passwd",
    "//example.invalid/share", "\\\\example.invalid\\share",
)  # fmt: skip


def cases(workshop: Workshop, directory: Path, trap: Trap) -> Iterator[Case]:
    """Yield every hostile thing, each made when it is asked for."""
    for number, (kind, name, harm) in enumerate(_harms()):
        place = directory / f"bundle-{number}"
        shutil.copytree(workshop.bundle, place)
        harm(place, trap)
        yield Case(kind, name, ("classify", "--model", str(place), "good"))
        shutil.rmtree(place)
    (directory / "archives").mkdir()
    for kind, name, path in archives(directory / "archives", trap):
        yield Case(kind, name, ("classify", "--model", str(path), "good"))
    for command in (("classify", "good"), ("generate", "good")):
        for address in ADDRESSES:
            arguments = (command[0], "--model", address, command[1])
            named = (address, repr(address)[1:-1])
            yield Case("remote addresses", f"{command[0]} {address}", arguments, named)
    yield from _data_paths(workshop, directory, trap)
    yield from _language_models(workshop, directory, trap)
    yield from _saved_models(directory, trap)


def _harms() -> Iterator[tuple[str, str, Harm]]:
    for kind, harms in BUNDLES.items():
        for name, harm in harms.items():
            yield kind, name, harm


def _data_paths(workshop: Workshop, directory: Path, trap: Trap) -> Iterator[Case]:
    """A model says which data it came with, and `evaluate` reads them."""
    for key in ("train", "test", "validation"):
        place = directory / f"data-{key}"
        shutil.copytree(workshop.bundle, place)
        told = {"source": "files", "train": "{canary}", key: "{canary}"}
        config(data=told)(place, trap)
        yield Case("paths to read", f"data.{key}", ("evaluate", "--model", str(place)))


def _language_models(workshop: Workshop, directory: Path, trap: Trap) -> Iterator[Case]:
    harms: dict[str, Callable[[Path], Any]] = {
        "pickle": lambda d: (d / WEIGHTS).write_bytes(pickle.dumps(trap)),
        "header and shape bombs": lambda d: (d / CONFIG).write_text(
            '{"embedding": 1e400, "units": 65536, "directions": 2}'
        ),
        "Lambda and modules in config.json": lambda d: (d / CONFIG).write_text(json.dumps(LAMBDA)),
    }
    for number, (kind, harm) in enumerate(harms.items()):
        place = directory / f"language-{number}"
        shutil.copytree(workshop.language_model, place)
        harm(place)
        write_manifest(place, language_models.FILES)
        yield Case(kind, "a language model", ("generate", "--model", str(place), "good"))
    place = directory / "language-link"
    shutil.copytree(workshop.language_model, place)
    instead(Path.symlink_to, VOCABULARY)(place, trap)
    yield Case("links", "a language model's vocabulary", ("generate", "--model", str(place), "a"))


def _saved_models(directory: Path, trap: Trap) -> Iterator[Case]:
    """A SavedModel is a program; one without our seal is not even loaded."""
    place = directory / "saved"
    place.mkdir()
    (place / "saved_model.pb").write_bytes(pickle.dumps(trap))
    yield Case("a SavedModel of others", "no seal", ("classify", "--model", str(place), "good"))


def fault_of(case: Case, answer: dict[str, Any], trap: Trap) -> str:
    """Say what was wrong with how a hostile thing was received."""
    ended = Ended(answer["status"], answer["shown"], answer["told"])
    said = answer["shown"] + answer["told"]
    faults = [
        f"came through: {answer['escaped']}" if answer["escaped"] else "",
        refusal_fault(ended, *case.named),
        f"did {answer['seen']}" if answer["seen"] else "",
        "wrote its file" if trap.sprung.exists() else "",
        "printed the canary" if MARKER in said else "",
        "let an escape sequence through" if "\x1b" in said else "",
        f"took {answer['grown'] >> 20} MB" if answer["grown"] > MOST_GROWTH else "",
    ]
    return next(filter(None, faults), "")


def run(workshop: Workshop) -> Iterator[Tally]:
    """Give every hostile thing to a process that watches itself; one line a class."""
    directory = workshop.fresh("hostile")
    trap = Trap(directory / CANARY, directory / "sprung")
    trap.canary.write_text(f"text,label\n{MARKER},yes\n", "utf-8")
    tallies: dict[str, Tally] = {}
    command = [sys.executable, "-P", "-m", "tests.resilience.guarded", CANARY, str(workshop.bundle)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment(), **pipes) as guarded:  # type: ignore[call-overload]
        for case in cases(workshop, directory, trap):
            guarded.stdin.write(json.dumps({"case": case.name, "arguments": case.arguments}) + "\n")
            guarded.stdin.flush()
            answer = json.loads(guarded.stdout.readline())
            tally = tallies.setdefault(case.kind, Tally(IDEA, case.kind))
            tally.count(case.name, fault_of(case, answer, trap))
            trap.sprung.unlink(missing_ok=True)
        guarded.stdin.close()
    yield from tallies.values()
