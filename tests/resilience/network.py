"""Every command with the network closed: it works, and no connection is tried.

An audit hook in the command's process, and in every one that it starts, writes down and refuses
whatever would find or reach another host; where the kernel allows it, the command is in a network
namespace of its own too, in which there is nothing to reach, and where strace is installed it
tells what native code tries. Whether a pinned version has a known fault is not asked: the answer
is in a database that has to be fetched.
"""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests.resilience.commands import COMMAND, environment
from tests.resilience.tally import Tally
from tests.resilience.workshop import Workshop

IDEA = "closed network"
HOOK = """
import os
import sys

EVENTS = {
    "socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr",
    "socket.getnameinfo", "socket.sendto", "socket.sendmsg", "urllib.Request",
    "http.client.connect", "ftplib.connect", "smtplib.connect",
}


def refuse(event, arguments):
    if event in EVENTS:
        with open(os.environ["TRIED"], "a") as file:
            file.write(f"{event} {arguments!r}\\n")
        raise PermissionError(f"{event}: the network is closed")


sys.addaudithook(refuse)
"""
NAMESPACES = (("unshare", "-n"), ("unshare", "-r", "-n"))
CALLS = (
    "strace",
    "-f",
    "--seccomp-bpf",
    "-qq",
    "-e",
    "trace=connect,sendto,sendmsg,sendmmsg",
    "-o",
)
INTERNET = "sa_family=AF_INET"  # and AF_INET6


@cache
def namespace() -> tuple[str, ...]:
    """Return what has a command in a network namespace of its own; nothing if not allowed."""
    for prefix in NAMESPACES if shutil.which("unshare") else ():
        if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
            return prefix
    return ()


def attempt(root: Path, command: list[str], *, traced: bool = False) -> tuple[int, str, list[str]]:
    """Run a command with the network closed; return its status, its last line, what it tried.

    Args:
        root: an empty directory.
        command: the command.
        traced: have strace tell of the calls of native code too.
    """
    (root / "sitecustomize.py").write_text(HOOK, "utf-8")
    tried, calls = root / "tried", root / "calls"
    path = os.pathsep.join([str(root), environment()["PYTHONPATH"]])
    prefix = [*CALLS, str(calls)] if traced else []
    done = subprocess.run(
        [*namespace(), *prefix, *command],
        env=environment(PYTHONPATH=path, TRIED=str(tried)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    lines = done.stderr.decode(errors="replace").splitlines()
    seen = _lines(tried) + [line for line in _lines(calls) if INTERNET in line]
    return done.returncode, lines[-1] if lines else "", seen


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8", "replace").splitlines() if path.exists() else []


def cases(workshop: Workshop, heavy: bool) -> Iterator[list[Any]]:
    """Yield the commands: what a person does with a model that is there, and with local data."""
    recipe, model = workshop.recipe, workshop.bundle
    labelled = workshop.root / "labelled.csv"
    new = ["--run-dir", workshop.fresh("closed") / "run"]
    yield ["classify", "a good film"]
    yield ["explain", "--model", model, "a good film"]
    yield ["run", recipe, *new, "--until", "evaluate"]
    if not heavy:
        return
    yield ["models"]
    yield ["classify", "--model", model, "--input", labelled, "--format", "csv"]
    yield ["classify", "--model", workshop.saved_model, "a good film"]
    yield ["evaluate", "--model", model, "--input", labelled]
    yield ["export", "--model", model, "--output", workshop.fresh("closed-export")]
    yield ["generate", "--model", workshop.language_model, "a good"]
    yield ["pretrain", recipe, *new, "--set", "pretrain.epochs=1"]
    for backend in ("jax", "torch"):
        if importlib.util.find_spec(backend):
            yield ["train", recipe, *new, "--set", f"train.backend={backend}", "--force"]
    if "TFDS_DATA_DIR" in os.environ:
        other = ["--run-dir", workshop.fresh("closed") / "imdb"]
        yield ["preprocess", "imdb-scratch", *other]


def run(workshop: Workshop, *, heavy: bool) -> Iterator[Tally]:
    """Run each command with the network closed."""
    how = "no network there" if namespace() else "every connection refused"
    traced = heavy and shutil.which("strace") is not None
    for arguments in cases(workshop, heavy):
        words = [word.name if isinstance(word, Path) else str(word) for word in arguments]
        tally = Tally(IDEA, f"{' '.join(words[:3])}: {how}, none tried")
        command = [*COMMAND, *map(str, arguments)]
        status, last, tried = attempt(workshop.fresh("hook"), command, traced=traced)
        tally.count(
            " ".join(words), "; ".join(tried[:3]) or (f"{status}: {last}" if status else "")
        )
        yield tally
