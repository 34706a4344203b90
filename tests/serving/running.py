"""The real service, in a process of its own, on a free port."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pipelines

ROOT = Path(pipelines.__file__).parents[1]
COMMAND = (sys.executable, "-m", "pipelines", "serve")


@dataclass(frozen=True)
class Running:
    """A service that runs."""

    process: "subprocess.Popen[str]"
    address: str
    stderr: IO[str]

    @property
    def port(self) -> int:
        return int(self.address.rstrip("/").rpartition(":")[2])

    def told(self) -> str:
        """Return what it has written to standard error."""
        return Path(self.stderr.name).read_text("utf-8")


@contextmanager
def running(model: str | Path, *options: Any, **settings: Any) -> Iterator[Running]:
    """Yield a service that is ready; what is left of it at the end is killed."""
    command = [*COMMAND, "--model", str(model), "--port", "0", *map(str, options)]
    with (
        tempfile.NamedTemporaryFile("w+", encoding="utf-8") as stderr,
        subprocess.Popen(
            command,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | settings.pop("env", {}),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            **settings,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(Path(stderr.name).read_text("utf-8"))
            yield Running(process, line.split()[-1], stderr)
        finally:
            process.kill()
