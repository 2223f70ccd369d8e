"""`python -m netlearn` runs the `netlearn` command."""

from netlearn.cli import main

if __name__ == "__main__":  # a worker process imports this file too
    main(prog_name="netlearn")
