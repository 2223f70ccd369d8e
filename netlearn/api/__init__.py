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

The check says at how many points delta is right. The [profile](#profile) says what the cost means for learning: |δ|
at growing errors, whether a badly wrong output learns slowly, whether outputs tend to probabilities.

```python
from netlearn.cost_profile import profile
from netlearn.gradient_check import check_gradient

print(check_gradient(Halves(0.1), "Halves", outputs=10))
print(profile(Halves(0.1), outputs=10))
```

With `label_noise` some of the training labels are wrong, the same ones for each cost of a seed; validation and test
labels are right. Whether outputs are probabilities is part of every evaluation: `answer` reads the largest output as
the probability that the answer is right, `outputs` each output a as (a, 1 − a). The rows of a comparison have the
calibration error of the answers over the seeds, and `pairs` has the differences seed by seed.

```python
costs = ["cross-entropy", "generalized-cross-entropy(q=0.5)"]
noisy = netlearn.compare(costs=costs, label_noise=0.4, seeds=2, epochs=2)
calibration = noisy.evaluate("cross-entropy").answer
print(calibration.brier, calibration.log_loss, calibration.debiased, calibration.interval)
print([(row.variant, row.calibration_error) for row in noisy.rows])
```

`pip install 'netlearn[notebook]'` adds pandas, for `frame()`, and ipywidgets, for progress bars in Jupyter. A script
needs no `if __name__ == "__main__"`, although comparisons start processes.
"""

from netlearn.api.calls import compare, lab, load, train
from netlearn.api.pages import Page
from netlearn.api.results import ComparisonResult, Result, RunResult

__all__ = ["ComparisonResult", "Page", "Result", "RunResult", "compare", "lab", "load", "train"]
