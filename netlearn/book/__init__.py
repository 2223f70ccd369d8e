"""The programs of Nielsen's book, for Python 3: `from netlearn.book import mnist_loader, network, network2`.

They have the names, arguments, printed lines and return values of the book's, on netlearn's network in float64.
"""
