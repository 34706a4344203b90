"""Disks that are full or read-only, places without permission, files that are not there.

Each command that writes has to end in one line that names the place, with status 1, and to leave
what stood there as it was.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from itertools import chain
from pathlib import Path
from typing import Any

from tests.resilience.artifacts import unfinished
from tests.resilience.commands import Ended, refusal_fault
from tests.resilience.small_disk import MountError, SmallDisk, small_disk
from tests.resilience.tally import Tally
from tests.resilience.workshop import Workshop
from tests.resilience.writers import Found, Writer, writers

IDEA = "disk"
DISK = 64 << 20
PAGE = 4096
SIZES = (0, *(PAGE << n for n in range(9)))  # bytes left, to 1 MB
PROGRESS = ("epoch ", "texts: ")


def refused(ended: Ended, name: str, *places: object) -> str:
    """Say what keeps an end from being a refusal, apart from what a stage tells on its way."""
    told = [x for x in ended.told.splitlines() if not x.startswith((f"{name}: ", *PROGRESS))]
    alone = Ended(ended.status, ended.shown, "\n".join(told), ended.escaped)
    return refusal_fault(alone, *map(str, places))


def harmed(writer: Writer, directory: Path, *states: Found) -> str:
    """Say what is left half-written, or is in none of the states that it may be in."""
    left = unfinished(directory)
    return f"left {left}" if left else writer.half(directory, *states)


def full(workshop: Workshop, disk: SmallDisk, writer: Writer, sizes: Sequence[int]) -> Tally:
    """Run a command with so many bytes left; it works where they are enough."""
    tally = Tally(IDEA, f"{writer.name}, the disk full")
    after = cache(partial(made, workshop, writer))
    for size in sizes:
        directory = emptied(disk.root / "full")
        writer.prepare(directory)
        before = writer.found(directory)
        disk.leave(size)
        ended = workshop.warm.run(*writer.arguments(directory))
        disk.leave(DISK)
        fault = fault_of_end(writer, directory, ended, before, after)
        tally.count(f"{size:,} bytes left, status {ended.status}", fault)
    return tally


def fault_of_end(
    writer: Writer, directory: Path, ended: Ended, before: Found, after: Callable[[], Found]
) -> str:
    """Say what is wrong with an end; of two artifacts a failed command may have made the first."""
    if ended.status == 0:
        return harmed(writer, directory, after())
    fault = refused(ended, writer.name, directory)
    if fault or not harmed(writer, directory, before):
        return fault
    return harmed(writer, directory, before, after())


def made(workshop: Workshop, writer: Writer) -> Found:
    """Return what a command makes where there is room."""
    directory = workshop.fresh("whole")
    writer.prepare(directory)
    ended = workshop.warm.run(*writer.arguments(directory))
    assert ended.status == 0, ended.told
    return writer.found(directory)


def emptied(directory: Path) -> Path:
    """Return a directory with nothing in it."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    return directory


def unwritable(
    workshop: Workshop, name: str, root: Path, forbid: Callable[[], None], *, unprivileged: bool
) -> Tally:
    """Run every command where it may not write.

    Args:
        workshop: where the rest is.
        name: of the line.
        root: an empty directory.
        forbid: has nothing written below it any more.
        unprivileged: have permissions count for root too.
    """
    tally, everything = Tally(IDEA, name), writers(workshop)
    for writer in everything.values():
        writer.prepare(emptied(root / writer.name))
    forbid()
    for writer in everything.values():
        place = root / writer.name
        before = writer.found(place)
        ended = workshop.warm.run(*writer.arguments(place), unprivileged=unprivileged)
        fault = refused(ended, writer.name, place)
        tally.count(writer.name, fault or harmed(writer, place, before))
    return tally


def without_permission(workshop: Workshop) -> Tally:
    """Run every command in directories that nobody may write to."""
    root = workshop.fresh("closed")

    def allow(mode: int) -> None:
        for path in [root, *filter(Path.is_dir, root.rglob("*"))]:
            path.chmod(mode)

    close = partial(allow, 0o555)
    try:
        return unwritable(workshop, "no permission to write", root, close, unprivileged=True)
    finally:
        allow(0o755)


def missing(workshop: Workshop) -> Iterator[tuple[list[Any], str]]:
    """Yield commands that read or write what cannot be there, and what they have to name."""
    recipe, model = workshop.recipe, workshop.bundle
    place = workshop.fresh("missing")
    nowhere, file = place / "nowhere.csv", place / "file"
    file.write_text("a good film\n", "utf-8")
    yield ["classify", "--model", model, "--input", nowhere], str(nowhere)
    yield ["classify", "--model", nowhere, "good"], str(nowhere)
    yield ["classify", "--model", model, "good", "--output", file / "answers"], str(file)
    yield ["explain", "--model", nowhere, "good"], str(nowhere)
    yield ["explain", "--model", model, "good", "--output", file / "page"], str(file)
    run = ["--run-dir", place / "run"]
    yield ["preprocess", recipe, *run, "--set", f"data.train={nowhere}"], str(nowhere)
    yield ["preprocess", nowhere.with_suffix(".toml"), *run], "nowhere.toml"
    yield ["preprocess", recipe, "--run-dir", file / "run"], str(file)
    yield ["train", recipe, *run], "preprocess"
    yield ["evaluate", recipe, *run], "preprocess"
    yield ["export", recipe, *run], "preprocess"
    yield ["evaluate", "--model", model, "--input", nowhere], str(nowhere)
    yield ["evaluate", "--model", model, "--input", file], str(file)
    labelled = ["--input", recipe.with_name("labelled.csv")]
    yield ["evaluate", "--model", model, *labelled, "--output", file / "figures"], str(file)
    yield ["export", "--model", nowhere, "--output", place / "exported"], str(nowhere)
    yield ["export", "--model", model, "--output", file / "exported"], str(file)


def removed(workshop: Workshop) -> Iterator[tuple[list[Any], str]]:
    """Yield stages from whose input a file is gone, and what they have to name."""
    for stage, name in (
        ("train", "preprocess/train.tokens.npy"),
        ("train", "preprocess/vocabulary.txt"),
        ("evaluate", "bundle/weights.safetensors"),
        ("export", "train/history.jsonl"),
    ):
        directory = workshop.fresh("removed")
        shutil.copytree(workshop.run, directory, dirs_exist_ok=True)
        (directory / name).unlink()
        yield [stage, workshop.recipe, "--run-dir", directory, "--force"], name


def absent(workshop: Workshop) -> Tally:
    """Run every command on what is not there."""
    tally = Tally(IDEA, "files that are not there")
    for arguments, named in chain(missing(workshop), removed(workshop)):
        ended = workshop.warm.run(*arguments)
        told = refused(ended, arguments[0], named)
        tally.count(" ".join(map(str, arguments)), told)
    return tally


def run(workshop: Workshop, *, sizes: Sequence[int]) -> Iterator[Tally]:
    """Have each command write where it cannot.

    Args:
        workshop: where.
        sizes: bytes left on a disk.
    """
    yield absent(workshop)
    yield without_permission(workshop)
    place = workshop.fresh("mounted")
    try:
        with small_disk(place, DISK) as disk:
            for writer in writers(workshop).values():
                yield full(workshop, disk, writer, sizes)
            name = "a disk that is read-only"
            yield unwritable(workshop, name, place, disk.freeze, unprivileged=False)
    except MountError as reason:
        yield Tally(
            IDEA, f"a disk full, a disk read-only: left out, as no mount is allowed ({reason})"
        )
