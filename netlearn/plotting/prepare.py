"""Getting ready to draw, in a process that has nothing else to do yet."""

from functools import cache


@cache
def prepare() -> None:
    """Import what draws a comparison, and draw something: a first text and log axis take a third of a second."""
    from netlearn.plotting.compare import DRAWN  # noqa: F401, PLC0415 (matplotlib takes 0.4 s to import)
    from netlearn.plotting.style import Figure, render_files  # noqa: PLC0415

    figure = Figure(figsize=(1, 1), layout="constrained")
    figure.subplots().set_yscale("log")
    render_files("first", figure)
