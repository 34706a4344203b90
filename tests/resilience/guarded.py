"""A process that watches itself while it runs the command line on what strangers made.

Reads a JSON object a line, {"case", "arguments"}, and answers each with one: how the command ended,
which forbidden thing was done meanwhile, and by how much the peak of memory has grown since a
sound model was answered with.
"""

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

from tests.resilience.commands import within

# Events of Python's audit hooks that nothing of ours has cause for while it reads a model.
FORBIDDEN = (
    "pickle.find_class", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty",
    "subprocess.Popen", "socket.connect", "socket.getaddrinfo", "urllib.Request", "marshal.loads",
    "ctypes.dlopen", "shutil.unpack_archive",
)  # fmt: skip
MOST_MEMORY = 3 << 30  # of address space beyond what stands: a bomb ends here and not the machine


def main(canary: str, sound: str) -> None:
    """Answer each line of standard input; `canary` names what must never be opened."""
    seen: list[str] = []

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and Path(os.path.realpath(str(arguments[0]))).name == canary:
            seen.append(f"opened {arguments[0]}")
        if event in FORBIDDEN:
            seen.append(f"{event} {arguments}"[:200])

    for _ in range(2):  # all that is imported is imported
        ended = within("classify", "--model", sound, "good")
        assert ended.status == 0, ended.told
        within("evaluate", "--model", sound, "--input", "nowhere.csv")
        within("generate", "--model", "nowhere", "good")
    sys.addaudithook(watch)
    limit = _address_space() + MOST_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    before = _peak()
    for line in sys.stdin:
        asked = json.loads(line)
        seen.clear()
        ended = within(*asked["arguments"])
        answer = {
            "case": asked["case"],
            "status": ended.status,
            "shown": ended.shown[:2000],
            "told": ended.told[:4000],
            "escaped": None if ended.escaped is None else repr(ended.escaped)[:500],
            "seen": seen[:5],
            "grown": _peak() - before,
        }
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _peak() -> int:
    """Return the most memory that the process has had, in bytes."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _address_space() -> int:
    return resource.getpagesize() * int(Path("/proc/self/statm").read_text("ascii").split()[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
