"""What costs do to a badly wrong output, from their equations: |δ| against error."""

from collections.abc import Mapping, Sequence

from netlearn.numerics import Array
from netlearn.plotting.marks import COLOURS, DASHES, GREY, short
from netlearn.plotting.style import Figure, finish, label_ends, literal, plain

HIGHEST = 1.5  # |δ| in the picture, if others are below: a steeper cost leaves it


def theory_curves(errors: Array, curves: Mapping[str, Array], title: str, grey: Sequence[str] = ()) -> Figure:
    """Return |δ| of the output neuron of the right class against its error.

    Args:
        errors: 1 − a, from 0 to 1, (n,).
        curves: |δ| of each cost at them, (n,).
        title: of the picture.
        grey: the costs that others are compared with.
    """
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    plain(axes)
    ends = []
    for i, (name, delta) in enumerate(curves.items()):
        colour = GREY if name in grey else COLOURS[i % len(COLOURS)]
        dashes = DASHES[(i // len(COLOURS) if name not in grey else 1 + grey.index(name)) % len(DASHES)]
        axes.plot(errors, delta, color=colour, linestyle=dashes, linewidth=1.2 if name in grey else 2)
        ends.append((float(delta[-1]), short(name, curves), colour))
    axes.set_xlim(0, 1)
    axes.set_ylim(0, min(HIGHEST, 1.05 * max(float(delta.max()) for delta in curves.values())))
    axes.set_xlabel("error e = 1 − a of the output neuron of the right class")
    axes.set_ylabel(literal("gradient |δ|"))
    label_ends(axes, ends)
    return finish(figure, title)
