"""What a cluster promises, counted: `python -m tests.distributed [IDEA]...`, run by hand.

The tests of `pipelines.distributed` try the same a few times, on the cluster that is here.
"""
