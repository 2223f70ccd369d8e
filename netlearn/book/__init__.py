"""The programs of Nielsen's book, for Python 3: `from netlearn.book import mnist_loader, network, network2`.

They have the names, arguments, printed lines and return values that the book's sessions use, and compute with
netlearn's own network in float64. `python -m netlearn.book` is an interpreter that knows the three modules.
"""
