"""Where the work is done, as a person asks for it: in this process, or by a Ray cluster."""

from dataclasses import dataclass

ENGINES = ("local", "ray")


@dataclass(frozen=True)
class Engine:
    """What runs a stage or a classification.

    Attributes:
        name: one of `ENGINES`.
        address: of a running cluster, `HOST:PORT`; None starts one on this machine, for as long
            as the work lasts.
        workers: processes that share the work; None is one for each core of the cluster.
    """

    name: str = "local"
    address: str | None = None
    workers: int | None = None

    @property
    def distributed(self) -> bool:
        """Whether Ray runs it."""
        return self.name == "ray"


LOCAL = Engine()
