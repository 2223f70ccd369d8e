"""netlearn: how does a cost function make a network learn?

Small fully connected networks, trained from scratch with numpy, after Michael Nielsen's *Neural Networks and
Deep Learning* (cited as "the book"). To read the code, start with `activations`, `costs`, `network`, `optimizers` and
`training.descent`.
"""

__version__ = "0.2.0"
