"""What costs do to a badly wrong output, from their equations: |δ| against error."""

from collections.abc import Mapping

from netlearn.numerics import Array
from netlearn.plotting.marks import cost_styles, short
from netlearn.plotting.style import Figure, finish, label_ends, plain

HIGHEST = 1.5  # |δ| in the picture: steeper costs leave it


def theory_curves(errors: Array, curves: Mapping[str, Array], title: str) -> Figure:
    """Return |δ| of the output neuron of the right class against its error.

    Args:
        errors: 1 − a, from 0 to 1, (n,).
        curves: |δ| of each cost at them, (n,).
        title: of the picture.
    """
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    plain(axes)
    styles = cost_styles(curves)
    for name, delta in curves.items():
        axes.plot(errors, delta, color=styles[name].colour, linestyle=styles[name].dashes, linewidth=1.8)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, min(HIGHEST, 1.05 * max(float(delta.max()) for delta in curves.values())))
    axes.set_xlabel("error e = 1 − a of the output neuron of the right class")
    axes.set_ylabel("gradient |δ|")
    label_ends(axes, [(float(delta[-1]), short(name, curves), styles[name].colour) for name, delta in curves.items()])
    return finish(figure, title)
