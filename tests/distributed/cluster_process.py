"""A cluster of so many workers on this machine, for as long as standard input is open."""

import sys

import ray

from pipelines.distributed.cluster import cluster
from pipelines.distributed.engine import Engine

with cluster(Engine("ray", None, int(sys.argv[1]))):
    sys.stdout.write(ray.get_runtime_context().gcs_address + "\n")
    sys.stdout.flush()
    sys.stdin.read()
