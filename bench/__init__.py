"""Benchmarks: each beside its floor, on the real processes. `python -m bench`, or `make bench`."""
