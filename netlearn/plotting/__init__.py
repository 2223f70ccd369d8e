"""Pictures: matplotlib figures of runs, comparisons, networks and data. Only this package imports matplotlib.

The colours are Okabe and Ito's, and one of Tol's, which colour-blind readers can tell apart. Lines also differ in
dashes or markers, or are labelled, so that the pictures can be read in grey.
"""

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from netlearn.errors import DrawingError, DrawingWarning, NetlearnError

Picture = TypeVar("Picture")
logging.getLogger("matplotlib").setLevel(logging.ERROR)  # no notes on its font cache


@contextmanager
def drawing(what: str = "picture") -> Iterator[None]:
    """Draw with netlearn's own settings of matplotlib, whatever a matplotlibrc or a notebook say.

    Files are rendered by Agg or as SVG, whatever the backend: figures are made without pyplot, which alone needs one.

    Raises:
        DrawingError: anything went wrong, other than an error of netlearn's own.
    """
    try:
        import matplotlib as mpl  # noqa: PLC0415 (takes 0.4 s)

        with mpl.rc_context():
            mpl.rcdefaults()
            mpl.rcParams["svg.hashsalt"] = "netlearn"
            yield
    except NetlearnError:
        raise
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise DrawingError(f"{what}: cannot be drawn: {type(error).__name__}: {reason}") from error


def drawn(what: str, make: Callable[[], Picture], otherwise: Picture) -> Picture:
    """Return what a function draws; if that fails, warn in one line and return something else."""
    try:
        with drawing(what):
            return make()
    except DrawingError as error:
        warnings.warn(str(error), DrawingWarning, stacklevel=2)
        return otherwise
