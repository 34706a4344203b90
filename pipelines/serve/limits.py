"""What one request may cost; every limit is an option of the command."""

from dataclasses import dataclass

from sentiment_lstm.errors import SettingsError


@dataclass(frozen=True)
class Limits:
    """Bounds on requests and on what waits.

    Attributes:
        body_bytes: of a request's body.
        texts: of a request to classify or predict.
        explained: texts of a request to explain.
        phrases: of a request to explain.
        phrase_characters: of a phrase.
        places: in the text where phrases stand; each is worked out by itself.
        characters: of a text.
        batch: texts that are classified together at most, unless one request has more.
        waiting: texts that may wait to be classified.
        waiting_explained: texts that may wait to be explained.
        connections: open at once; those of a client that says nothing count too.
        header_seconds: for the head of a request to arrive, and for a client to go on reading.
        body_seconds: for the body to arrive.
        answer_seconds: for the answer, from the end of the body on.
    """

    body_bytes: int = 2**20
    texts: int = 256
    explained: int = 8
    phrases: int = 16
    phrase_characters: int = 200
    places: int = 64
    characters: int = 50_000
    batch: int = 64
    waiting: int = 1024
    waiting_explained: int = 64
    connections: int = 512
    header_seconds: float = 10.0
    body_seconds: float = 10.0
    answer_seconds: float = 30.0

    def __post_init__(self) -> None:
        pairs = (("texts", "waiting"), ("explained", "waiting_explained"))
        for one, all_of_them in pairs:
            most, room = getattr(self, one), getattr(self, all_of_them)
            if most > room:
                raise SettingsError(
                    f"{_option(one)} is {most}, but no more than {room} may wait: "
                    f"give {_option(all_of_them)} {most} or more"
                )


def _option(name: str) -> str:
    return f"--max-{name.replace('_', '-')}"
