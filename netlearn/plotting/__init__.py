"""Pictures: matplotlib figures of runs, comparisons, networks and data. Only this package imports matplotlib.

The colours are Okabe and Ito's, and one of Tol's, which colour-blind readers can tell apart. Lines also differ in
dashes or markers, or are labelled, so that the pictures can be read in grey.
"""

import logging

logging.getLogger("matplotlib").setLevel(logging.ERROR)  # no notes on its font cache
