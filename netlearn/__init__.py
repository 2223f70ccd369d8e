"""netlearn: how does a cost function make a network learn?

Small fully connected networks, trained from scratch with numpy, after Michael Nielsen's *Neural Networks and
Deep Learning* (cited below as "the book"). Start reading at `activations`, then `costs`, `network`, `training`.
"""

__version__ = "0.1.0"
