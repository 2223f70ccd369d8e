"""`netlearn check`: is the gradient of a cost right, and what does the cost mean for learning?"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import click
import numpy as np

from netlearn.activations import Softmax
from netlearn.cli.options import JSON, PATH, QUIET, Command, check_suffix
from netlearn.cli.progress import load_and_tell, tell
from netlearn.cli.table import aligned
from netlearn.cli.terminal import echo_results
from netlearn.cost_profile import CURVE, ERRORS, Profile, profile, theory_curve
from netlearn.custom_cost import load_cost, short_name
from netlearn.errors import SettingsError
from netlearn.gradient_check import Verified, check_gradient
from netlearn.numerics import Array
from netlearn.runs import write_whole
from netlearn.settings import check

OUTPUTS = 10
CLASSICS = ("quadratic", "cross-entropy")


@click.command("check", cls=Command)
@click.argument("name", metavar="COST")
@click.option("--data", metavar="NAME|PATH", help="check it for the classes of this data set.  [default: 10 classes]")
@click.option(
    "--out", type=PATH, metavar="FILE", help="draw |δ| against the error beside the classics, .png or .svg."
)
@QUIET
@JSON
def command(name: str, data: str | None, out: Path | None) -> None:
    """Check the gradient of a cost, and show what the cost means for learning.

    COST is your own, package.module:ClassName, with parameters or not, such as "mycosts:Focal(gamma=2)", or one of
    netlearn's. Its delta is compared with numerical derivatives of its value; where they differ, the error names the
    mistake if it is a common one. Then come |δ| against the error, whether a badly wrong output learns slowly,
    whether the cost is bounded, and whether it is a proper scoring rule, so that outputs tend to probabilities.
    """
    _check_name(name)
    check_suffix(out, "--out", ".png", ".svg")
    outputs = OUTPUTS if data is None else load_and_tell(data).outputs
    cost = load_cost(name)
    if outputs == 1 and isinstance(cost.output, Softmax):
        raise SettingsError(f"COST {name}: must have another output than softmax for {data}, which has one output")
    verified = check_gradient(cost, name, outputs, dtype="float32")
    found = profile(cost, outputs)
    costs = {short_name(name): cost} | {each: load_cost(each) for each in CLASSICS if each != name}
    if out is not None:
        from netlearn.plotting.single import theory_curves  # noqa: PLC0415
        from netlearn.plotting.style import render  # noqa: PLC0415 (matplotlib takes 0.4 s to import)

        curves = {each: theory_curve(known, outputs, CURVE) for each, known in costs.items()}
        figure = theory_curves(CURVE, curves, f"{short_name(name)}: the gradient at each error")
        write_whole(out, render(figure, out.suffix[1:]))
    results = {"cost": name, "outputs": outputs, "verified": verified, "errors": ERRORS, "profile": found}
    deltas = {each: theory_curve(known, outputs, np.array(ERRORS)) for each, known in costs.items()}
    echo_results(results | {"file": None if out is None else str(out)}, _results(name, verified, found, deltas))
    if out is not None:
        tell(f"picture: {out}")


def _check_name(name: str) -> None:
    """Check the name of a cost; that of a file, such as a picture, gets its own error."""
    try:
        check("cost", name, "COST", shown=name)
    except SettingsError as error:
        with suppress(OSError):  # the name may be too long for one
            if Path(name).is_file():
                raise SettingsError(
                    f"COST {name}: is a file: must be a cost, such as focal or mycosts:ClassName; "
                    "netlearn predict classifies pictures"
                ) from error
        raise


def _results(name: str, verified: Verified, found: Profile, deltas: Mapping[str, Array]) -> str:
    head = ["|δ| where the error 1 − a is", *(f"{error:g}" for error in ERRORS)]
    table = aligned([head, *([each, *(f"{delta:.3f}" for delta in row)] for each, row in deltas.items())])
    return "\n".join([f"{name}: {verified}", "", table, "", *found.sentences])
