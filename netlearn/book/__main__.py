"""An interpreter in which the book's sessions can be typed: `python -m netlearn.book`."""

import code
import sys

from netlearn import book
from netlearn.book import mnist_loader, network, network2

BANNER = f"{book.__doc__}\nBegin with: training_data, validation_data, test_data = mnist_loader.load_data_wrapper()"

if __name__ == "__main__":
    modules = {"mnist_loader": mnist_loader, "network": network, "network2": network2}
    sys.modules |= modules  # `import network2`, as the book prints it, works too
    code.interact(BANNER, local={"__name__": "__main__", **modules}, exitmsg="")
