"""Lets `python -m netlearn` stand for the `netlearn` command."""

from netlearn.cli import main

main(prog_name="netlearn")
