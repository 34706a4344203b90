"""Requests that a fuzzer makes of the service's own description: none may meet a fault."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable

from tests.serving.running import Running

EACH = 20  # requests of one round for one route


@dataclass
class Fuzz:
    """What became of the requests.

    Attributes:
        statuses: how often each route answered with each status.
        faults: requests that met a fault of the service, as they can be repeated.
    """

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Requests made."""
        return sum(self.statuses.values())

    def lines(self) -> Iterator[str]:
        """Yield what there is to say."""
        for (route, status), count in sorted(self.statuses.items()):
            yield f"{route}: {status} {count:,} times"
        yield f"{self.count:,} requests, {len(self.faults)} with a status of 5xx"
        yield from self.faults


def fuzzed(server: Running, requests: int, minutes: float) -> Fuzz:
    """Make so many requests or more, sound ones and unsound ones, other ones in each round.

    No round begins after so many minutes.
    """
    import schemathesis
    from schemathesis import GenerationMode

    schema = schemathesis.openapi.from_url(f"{server.address}openapi.json")
    operations = [result.ok() for result in schema.get_all_operations()]
    found, round_, until = Fuzz(), 0, time.monotonic() + 60 * minutes
    while found.count < requests and time.monotonic() < until:
        for operation in operations:
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                _round(operation, operation.as_strategy(generation_mode=mode), round_, found)
        round_ += 1
    return found


def _round(operation: object, strategy: object, number: int, found: Fuzz) -> None:
    @seed(number)
    @settings(
        max_examples=EACH, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)  # type: ignore[call-overload]
    def ask(case: object) -> None:
        response = case.call()  # type: ignore[attr-defined]
        found.statuses[operation.label, response.status_code] += 1  # type: ignore[attr-defined]
        if response.status_code >= 500:
            found.faults.append(case.as_curl_command())  # type: ignore[attr-defined]

    with suppress(Unsatisfiable):  # of a route without parameters nothing unsound can be asked
        ask()
