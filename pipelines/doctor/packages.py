"""Python and the packages, against what the metadata of this package require."""

import json
import platform
import shlex
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import sentiment_lstm
from pipelines.doctor.finding import AGAIN, Finding, problem

OWN = "sentiment-lstm"
# Modules that are not called as what is installed.
MODULES = {"scikit-learn": "sklearn"}
AT_LEAST = (">=", ">", "~=")


def python() -> Iterator[Finding]:
    """Tell whether the interpreter is one that the package is made for."""
    required = SpecifierSet(distribution(OWN).metadata["Requires-Python"] or "")
    found = platform.python_version()
    if required.contains(found, prereleases=True):
        yield Finding("Python", f"{found} ({required})")
    else:
        yield problem(
            "Python", f"{found}, and {required} is required: make the environment with another one"
        )


def packages() -> Iterator[Finding]:
    """Tell of each package that is missing, too old, too new or hidden, or of all at once."""
    faults = [*filter(None, [_own_fault(), *map(fault, _required())])]
    yield from faults
    if not faults:
        found = [f"{r.name} {distribution(r.name).version}" for r in _required()]
        version = sentiment_lstm.__version__
        yield Finding("packages", f"{OWN} {version}, and as required: {', '.join(found)}")


def fault(requirement: Requirement) -> Finding | None:
    """Return what is wrong with a package that is required; nothing if it is as it should be."""
    name, wanted = requirement.name, requirement.specifier
    way_out = _install(requirement)
    try:
        version = distribution(name).version
    except PackageNotFoundError:
        return problem(name, f"not installed, and {wanted} is required: {way_out}")
    if not wanted.contains(version, prereleases=True):
        low = any(not s.contains(version, prereleases=True) for s in wanted
                  if s.operator in AT_LEAST)  # fmt: skip
        age = "old" if low else "new"
        return problem(name, f"{version} is too {age}, {wanted} is required: {way_out}")
    hiding = hidden_by(name)
    return problem(name, f"{version} is installed, and {_uncover(hiding)}") if hiding else None


def way_out_of(name: str) -> str:
    """Return what to do about a package that is installed and cannot be imported."""
    hiding = hidden_by(name)
    requirement = next((r for r in _all() if r.name == name), Requirement(name))
    return _uncover(hiding) if hiding else _install(requirement, "--force-reinstall ")


def hidden_by(name: str) -> Path | None:
    """Return the module that is imported in place of a package's own, if there is such a one."""
    spec = find_spec(MODULES.get(name, name.replace("-", "_")))
    try:
        installed = distribution(name)
    except PackageNotFoundError:
        return None
    origin = spec and (spec.origin or next(iter(spec.submodule_search_locations or ()), None))
    if not origin or _editable(installed):
        return None
    home = Path(str(installed.locate_file(""))).resolve()
    return None if Path(origin).resolve().is_relative_to(home) else Path(origin)


def requirement_of(name: str) -> str:
    """Return the requirement of a package, an optional one too, as pip takes it."""
    return next((_text(r) for r in _all() if r.name == name), name)


def _own_fault() -> Finding | None:
    installed = distribution(OWN).version
    if installed == sentiment_lstm.__version__:
        return None
    return problem(
        OWN,
        f"version {installed} is installed, and {Path(sentiment_lstm.__file__).parent} is of "
        f"{sentiment_lstm.__version__}: {AGAIN}",
    )


def _all() -> list[Requirement]:
    return [Requirement(line) for line in distribution(OWN).requires or ()]


def _required() -> list[Requirement]:
    """Return what is required here, whatever extras are asked for."""
    return [r for r in _all() if r.marker is None or r.marker.evaluate({"extra": ""})]


def _text(requirement: Requirement) -> str:
    return f"{requirement.name}{requirement.specifier}"


def _install(requirement: Requirement, option: str = "") -> str:
    return f"pip install {option}{shlex.quote(_text(requirement))}"


def _uncover(hiding: Path) -> str:
    return f"{hiding} is imported in its place: move that away, or out of PYTHONPATH"


def _editable(installed: Distribution) -> bool:
    url = json.loads(installed.read_text("direct_url.json") or "{}")
    return bool(url.get("dir_info", {}).get("editable"))
