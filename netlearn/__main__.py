"""`python -m netlearn` runs the `netlearn` command."""

import sys

if __name__ == "__main__":
    if not sys.flags.safe_path:  # the current folder comes last: no module in it must take the place of another
        sys.path.append(sys.path.pop(0))
    from netlearn.cli import main

    main(prog_name="netlearn")
