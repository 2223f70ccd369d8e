"""Inspecting trained networks: evaluation, predictions, weights."""
