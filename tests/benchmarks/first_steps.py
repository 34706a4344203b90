"""A process that takes our first training steps, and writes down when and how long they took.

`python -m tests.benchmarks.first_steps UNITS PRECISION FILE`
"""

import json
import sys
import time
from pathlib import Path

from sentiment_lstm.made_aside import made_aside


def main(units: int, precision: str, file: Path) -> None:
    """Write the time after the first step, and the seconds that it and a later one took."""
    with made_aside(precision, units):  # as the training stage does
        from tests.benchmarks.first_network import step_of

        step = step_of(units, precision)
        first, after_first, *later = step(), time.time(), *(step() for _ in range(3))
    told = {"after_first": after_first, "first": first, "later": min(later)}
    file.write_text(json.dumps(told), "utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
