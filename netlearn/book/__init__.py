"""The programs of Nielsen's book on Python 3, computed by netlearn in float64: mnist_loader, network and network2."""
