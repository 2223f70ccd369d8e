"""Data sets: from a name, a folder or a file to examples split into training, validation and test sets.

Examples are rows here, x of shape (n, n_in) in float32, and labels are one vector of integers, shape (n,); `targets`
turns labels into the desired outputs of a network. The last sixth of a training file is the validation set, so full
MNIST splits 50,000 / 10,000 / 10,000 in file order.
"""

from netlearn.datasets.arrays import MAX_CLASSES
from netlearn.datasets.dataset import Dataset, Examples, Labels, targets
from netlearn.datasets.loading import NAMES, load
from netlearn.datasets.sources import BUNDLED

__all__ = ["BUNDLED", "MAX_CLASSES", "NAMES", "Dataset", "Examples", "Labels", "load", "targets"]
