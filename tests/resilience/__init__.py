"""What the package does with faults, bad input and hostile files, counted.

Each module tries one idea many times against the real command line and real artifacts, and tells
of each line what was tried, what survived and what was lost. `python -m tests.resilience` prints
all of it as one table; the tests beside it run each idea a few times.
"""
