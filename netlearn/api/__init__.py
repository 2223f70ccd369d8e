"""Train and compare from Python: one call for what one command does, and one result that a notebook shows.

```python
import netlearn

run = netlearn.train(cost="cross-entropy", epochs=3)
run.figure("curves")
run.evaluate()
```

The last expression of a cell is shown: a run and a comparison as tables, a figure as a picture, without a magic line
such as `%matplotlib`. Nothing is kept on disk unless `out` is given. The settings are those of the command line, with
the names, values and defaults of the [reference](reference.md#settings); a misspelt one is an error that names the
nearest.

```python
comparison = netlearn.compare(costs=["quadratic", "cross-entropy"], seeds=2, epochs=2)
comparison.plot("stuck").set_title("badly wrong outputs")
comparison.frame().groupby("variant")["validation_accuracy"].max()
comparison.report().save("report.html")
```

A cost of one's own is given as it is, as a class or an instance. Its delta is first checked against numerical
gradients of its value, for desired outputs of 0, 1 and between:

```python
import numpy as np
from netlearn.activations import Sigmoid


class Halves:
    output = Sigmoid()
    learning_rate = 1.0

    def __init__(self, cross_entropy=0.5):
        self.cross_entropy = cross_entropy

    def value(self, z, a, y):
        ce = np.logaddexp(0, z) - y * z
        return (self.cross_entropy * ce + (1 - self.cross_entropy) * (a - y) ** 2 / 2).sum(axis=0)

    def delta(self, z, a, y, out):
        out[:] = (a - y) * (self.cross_entropy + (1 - self.cross_entropy) * a * (1 - a))
        return out


netlearn.compare(costs=["quadratic", Halves(0.1), Halves(0.5)], seeds=2, epochs=2)
```

`pip install 'netlearn[notebook]'` adds pandas, for `frame()`, and ipywidgets, for progress bars in Jupyter. A script
needs no `if __name__ == "__main__"`, although comparisons start processes.
"""

from netlearn.api.calls import compare, lab, load, train
from netlearn.api.results import ComparisonResult, Page, Result, RunResult

__all__ = ["ComparisonResult", "Page", "Result", "RunResult", "compare", "lab", "load", "train"]
