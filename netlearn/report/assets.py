"""What both pages are made of: templates, scripts and styles, their policy, and the colours of lines."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from itertools import accumulate, cycle, pairwise

import jinja2

from netlearn.plotting.marks import Dashes, cost_styles, lightened

POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'"
DASH: dict[str, tuple[float, ...]] = {  # matplotlib's, at a line width of 2
    "-": (), "--": (7.4, 3.2), "-.": (12.8, 3.2, 2.0, 3.2), ":": (2.0, 3.3),
}  # fmt: skip
DARK = "#14161b"  # the background


@cache
def environment() -> jinja2.Environment:
    """Return what renders the templates, with everything escaped that is not marked as safe."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("netlearn.report", "."), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip


@cache
def part(path: str) -> str:
    """Return the text of a file of this package."""
    return resources.files("netlearn.report").joinpath(path).read_text("utf-8")


def script(paths: Iterable[str]) -> str:
    """Return scripts as one, with names of their own."""
    return '(() => {\n"use strict";\n' + "".join(map(part, paths)) + "})();\n"


def policy(scripts: Sequence[str], style: str, *rest: str) -> str:
    """Return the Content-Security-Policy that allows these scripts and this style, and nothing from anywhere."""
    allowed = " ".join(_hash(each) for each in scripts)
    return "; ".join([POLICY, f"script-src {allowed}", f"style-src {_hash(style)}", *rest])


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def cost_colours(costs: Iterable[str]) -> str:
    """Return the style of the lines of costs: the colours and dashes of the pictures."""
    return line_styles((cost.replace("-", ""), each.colour, each.dashes) for cost, each in cost_styles(costs).items())


def line_styles(lines: Iterable[tuple[str, str, Dashes]]) -> str:
    """Return the style of lines and of their keys, each with its class, without the v, its colour and its dash."""
    light, dark = [], []
    for name, colour, dash in lines:
        lengths = DASH[dash] if isinstance(dash, str) else tuple(2 * length for length in dash[1])
        ends = pairwise(accumulate(lengths, initial=0.0))
        inks = zip(cycle(("var(--line)", "#0000")), ends, strict=False)
        stops = "".join(f",{ink} {start:g}px {end:g}px" for ink, (start, end) in inks)
        key = f"repeating-linear-gradient(90deg{stops})" if stops else "var(--line)"
        texts = " ".join(f"{length:g}" for length in lengths) or "none"
        light.append(f".v{name}{{--line:{colour};--dash:{texts};--key:{key}}}")
        dark.append(f".v{name}{{--line:{lightened(colour, DARK)}}}")
    auto = "".join(f":root:not([data-theme=light]) {rule}" for rule in dark)
    chosen = "".join(f":root[data-theme=dark] {rule}" for rule in dark)
    return f"{''.join(light)}@media screen and (prefers-color-scheme:dark){{{auto}}}@media screen{{{chosen}}}"
