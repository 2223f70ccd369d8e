"""Experiments: variants and seeds, the catalogue, one run, worker processes, statistics, the comparison."""
