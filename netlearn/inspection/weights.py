"""The weights of the first layer before and after training: what its neurons respond to."""

from netlearn.datasets import Dataset
from netlearn.errors import DataError
from netlearn.inspection.files import Files, render_all
from netlearn.inspection.trained import check_fit, weights_file
from netlearn.network import Network
from netlearn.runs import Run


def weights_files(run: Run, data: Dataset, initial: Network | None, *, best: bool | None = None) -> Files:
    """Return the picture of the weights from the inputs to the neurons of the first layer, by name.

    Args:
        run: as `read_run` returns it.
        data: a data set of images that fits the network.
        initial: the network that the run started from; None leaves it out.
        best: which weights, see `load_network`.
    """
    from netlearn.plotting import inspection  # noqa: PLC0415 (matplotlib takes 0.4 s to import)

    check_fit(run, data)
    if data.image is None:
        raise DataError(f"data {data.name}: its examples must be images")
    trained = run.weights(weights_file(run, best=best))["weights.1"]
    count, shown = len(trained), min(len(trained), inspection.MOST_NEURONS)
    panels = {} if initial is None else {"before training": initial.weights[0][:shown]}
    panels["after training"] = trained[:shown]
    hidden = bool(run.settings.hidden)
    which = f"the first {shown} of {count} " if shown < count else f"the {count} "
    title = f"{run.folder}: the weights to {which}{'neurons of hidden layer 1' if hidden else 'output neurons'}"
    names = [str(neuron) for neuron in range(1 if hidden else 0, shown + 1)]
    return render_all("weights", inspection.weights(panels, names[:shown], data.image, title))
