"""Be a process that looks at one thing and prints what it found, a JSON object a line."""

import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from pipelines.doctor.finding import Finding, problem, reason, subject_of, unseen

DEFAULT_BACKEND = "tensorflow"


def backend(name: str) -> Iterator[Finding]:
    """Tell whether Keras runs on a backend."""
    os.environ["KERAS_BACKEND"] = name
    if find_spec(name) is None:
        yield _not_installed(name)
        return
    module = "keras"
    try:
        keras = import_module(module)
        module = name
        version = import_module(module).__version__
    except BaseException as error:  # an import may raise whatever it likes
        yield problem(
            name,
            f"cannot be used, import {module} says {reason(error)}: "
            f"{_way_out_of(name if _is_raised_in(name, error) else 'keras')}",
        )
    else:
        yield Finding(name, f"{version} runs Keras {keras.__version__}")


def _is_raised_in(name: str, error: BaseException) -> bool:
    """Tell whether an error passed through the code of a package on its way."""
    spec = find_spec(name)
    home = Path((spec and spec.origin) or name)
    home = home.parent if home.name == "__init__.py" else home
    frames = traceback.extract_tb(error.__traceback__)
    return any(Path(frame.filename).is_relative_to(home) for frame in frames)


def _way_out_of(name: str) -> str:
    from pipelines.doctor.packages import way_out_of

    return way_out_of(name)


def _not_installed(name: str) -> Finding:
    from pipelines.doctor.packages import requirement_of

    command = f'pip install "{requirement_of(name)}"'
    if name == DEFAULT_BACKEND:
        return problem(name, f"not installed, and the default backend: {command}")
    return Finding(name, f'not installed; only train.backend = "{name}" asks for it: {command}')


def compiler() -> Iterator[Finding]:
    """Tell whether numba compiles, and where it keeps machine code for the next process."""
    try:
        from numba import config, njit

        compiled = njit(_twice)(21)
    except BaseException as error:
        yield problem("compiler", f"numba says {reason(error)}: {_way_out_of('numba')}")
        return
    if config.DISABLE_JIT:
        yield problem("compiler", "numba is told not to compile: unset NUMBA_DISABLE_JIT")
    elif compiled != 42:
        yield problem("compiler", f"numba makes {compiled} of 42: {_way_out_of('llvmlite')}")
    else:
        yield _cache(str(config.CACHE_DIR))


def _cache(asked: str) -> Finding:
    """Tell where machine code is kept.

    Args:
        asked: the directory that the environment names, if it does.
    """
    from sentiment_lstm.compiled import kept_in

    place = kept_in()
    if place is None:
        return problem(
            "compiler",
            "machine code cannot be kept, and each command compiles it for some seconds anew: set "
            "NUMBA_CACHE_DIR to a directory that can be written",
        )
    if asked and not place.is_relative_to(Path(asked).absolute()):
        return problem(
            "compiler",
            f"NUMBA_CACHE_DIR is {asked}, which takes no files: set it to a directory that does, "
            "or unset it",
        )
    return Finding("compiler", f"numba compiles, and keeps machine code in {place}")


def _twice(number: int) -> int:
    return number + number


def models(*given: str) -> Iterator[Finding]:
    """Tell whether the models that ship are whole, every byte, and so is a given one."""
    from pipelines.doctor.models import given_model, shipped_models

    yield from shipped_models()
    for name in given:
        yield from given_model(name)


PROBES: dict[str, Callable[..., Iterator[Finding]]] = {
    "backend": backend,
    "compiler": compiler,
    "models": models,
}


def main(kind: str, *arguments: str) -> None:
    """Look at one thing, and print the findings."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is not the answer
    try:
        for finding in PROBES[kind](*arguments):
            print(json.dumps(asdict(finding)), file=answers, flush=True)
    except Exception as error:
        found = unseen(subject_of([kind, *arguments]), error)
        print(json.dumps(asdict(found)), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
