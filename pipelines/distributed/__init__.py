"""The same work on a Ray cluster, for when one machine is not enough."""
