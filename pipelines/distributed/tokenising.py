"""Tokenising on a cluster: packs of texts go out, token blocks come back in their order.

It is the first half of a map-reduce. A block numbers its own tokens, whatever other blocks hold, so
that it can be made anywhere; the command adds up the counts of all blocks, makes the vocabulary of
them, and turns the numbers into ids. One process that fails is replaced, and its pack sent again.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from pipelines.distributed.cluster import Cluster, cluster
from pipelines.distributed.engine import Engine
from pipelines.token_workers import tokenised


class ClusterTokens:
    """Makes token blocks as `pipelines.token_workers.TokenWorkers` does, by tasks of a cluster."""

    def __init__(self, running: Cluster) -> None:
        self._running = running

    def blocks(self, texts: Iterable[bytes]) -> Iterator[bytes]:
        """Yield what `tokenised` makes of each pack, in order; a few are read ahead.

        Raises:
            RunError: if processes end again and again.
        """
        return self._running.mapped(tokenised, ((pack,) for pack in texts))


@contextmanager
def cluster_tokens(engine: Engine) -> Iterator[ClusterTokens]:
    """Have a cluster tokenise, until the block ends.

    Raises:
        RunError: if there is none.
    """
    with cluster(engine) as running:
        yield ClusterTokens(running)
