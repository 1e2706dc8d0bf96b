"""Benchmarks: `make bench`. Each prints a table with ratios to a peer or a floor of its run; none is a timed test."""
