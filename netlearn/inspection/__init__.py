"""Trained networks inspected: evaluation, prediction, export, weights."""
