"""An interpreter in which the book's sessions can be typed: `python -m netlearn.book`."""

import code
import contextlib
import sys

from netlearn.book import mnist_loader, network, network2

BANNER = (
    "The programs of Neural Networks and Deep Learning: mnist_loader, network and network2 are imported. Begin with\n"
    ">>> training_data, validation_data, test_data = mnist_loader.load_data_wrapper()"
)


def main() -> None:
    """Run the interpreter, in which `import network2`, as the book prints it, works too."""
    modules = {"mnist_loader": mnist_loader, "network": network, "network2": network2}
    sys.modules |= modules
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401, PLC0415 (gives the prompt its history, where Python has it)
    code.interact(BANNER, local={"__name__": "__main__", **modules}, exitmsg="")


if __name__ == "__main__":
    main()
