"""Benchmarks, run by hand: `python -m tests.benchmarks [SECTION]...` from the checkout's root.

Each measures this package beside its peers in one run, all of them in turn, and gives medians.
Peers come with `pip install -c constraints.txt ".[peers]"`; those not installed are left out.
"""
