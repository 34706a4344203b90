"""Why a request gets no answer: a status, and one line that names the value and the way out."""

from collections.abc import Mapping

CLOSE = {"connection": "close"}  # where the rest of a body is not read
SOON = {"retry-after": "1"}

BAD_REQUEST, NOT_FOUND, TIMEOUT, TOO_LARGE = 400, 404, 408, 413
UNFIT, TOO_MANY, CLIENT_GONE, UNAVAILABLE = 422, 429, 499, 503


class Refusal(Exception):  # noqa: N818 - nothing is wrong with the service
    """A request that is not answered.

    Args:
        status: of HTTP.
        reason: one line.
        headers: that go with it.
    """

    def __init__(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status, self.reason, self.headers = status, reason, dict(headers or {})
