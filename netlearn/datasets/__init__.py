"""Data sets: from a name, a folder or a file to examples split into training, validation and test sets.

Examples are rows, x of shape (n, n_in) in float32, and labels are one vector of integers, shape (n,); `targets` turns
labels into the desired outputs of a network. Bytes stay bytes, `Examples.inputs`, until they are used: `scaled` and
`gather` alone divide them. A file that is missing, damaged or not valid raises a `DataError` that names it;
docs/data.md lists what is read.

**Split.** The known data sets (mnist, mnist-5k, fashion-mnist) keep the order of their files, and the last sixth of
the training file is the validation set: full MNIST splits 50,000 / 10,000 / 10,000. A user's own data is first put
in a random order, always the same one, that is stratified: the classes are spread evenly, so that both the first
training examples, which `train_size` selects, and the last sixth, the validation set, have each class in proportion.
Where there is no test set, a seventh is withheld for it before. If the data has a validation set, that is used. With
fewer than ten examples of a class on average nothing is withheld. The split depends only on the content of the files,
not on their path or on the seed of a run. A class that is missing from a split is named in the data set's `note`.

**Pixels.** Integers are divided by the range of their type (see `netlearn.datasets.splitting`), floats are not
scaled; the `note` says when inputs leave [0, 1] or use little of it.
"""

from netlearn.datasets.appearance import MNIST, Appearance
from netlearn.datasets.dataset import Dataset, Examples, Labels, gather, scaled, targets
from netlearn.datasets.formats import KEYS, store
from netlearn.datasets.loading import NAMES, hold, is_present, load
from netlearn.datasets.sources import BUNDLED
from netlearn.datasets.splitting import MAX_CLASSES

__all__ = [
    "BUNDLED",
    "KEYS",
    "MAX_CLASSES",
    "MNIST",
    "NAMES",
    "Appearance",
    "Dataset",
    "Examples",
    "Labels",
    "gather",
    "hold",
    "is_present",
    "load",
    "scaled",
    "store",
    "targets",
]
