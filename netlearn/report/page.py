"""The page itself: a template, the scripts and the style become one file that loads nothing else.

Names of variants, costs and data come from strangers. As text they are escaped by jinja2; as data they are in a JSON
block that no browser runs; and the page's Content-Security-Policy allows its own script and style, by their hashes.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import jinja2
import msgspec
from jinja2.utils import htmlsafe_json_dumps

from netlearn import __version__
from netlearn.plotting.lines import colours_of
from netlearn.plotting.marks import COLOURS, DASHES
from netlearn.report.curves import curves, neurons
from netlearn.report.examples import examples
from netlearn.report.networks import networks
from netlearn.report.sentences import on_neurons, on_recall, on_silence, on_speed
from netlearn.report.story import Story
from netlearn.runs import Run
from netlearn.settings import FIELDS, description

SCRIPTS = (
    "dom", "scales", "chart", "variants", "curves", "neuron", "theory", "gradient", "network", "ink", "digits",
    "mistakes", "page",
)  # fmt: skip
STYLES = ("page", "parts", "print")
POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'"
WIDE = 4  # variants that a table has room for side by side
DASH = {"-": "", "--": "7.4 3.2", "-.": "12.8 3.2 2 3.2", ":": "2 3.3"}  # matplotlib's, at a line width of 2
DARK = (20, 22, 27)  # the background


def render(story: Story) -> bytes:
    """Return the page of a comparison.

    Raises:
        RunError: a file of a run was changed.
    """
    names = list(story.groups)
    samples = neurons(story.groups)
    tested = examples(story.groups, costs=story.costs)
    data = {
        "variants": [_variant(name, runs) for name, runs in story.groups.items()],
        "curves": curves(story.groups),
        "neurons": samples,
        "examples": tested,
        "networks": networks(story.groups, costs=story.costs),
    }
    script = '(() => {\n"use strict";\n' + "".join(_part(f"{name}.js") for name in SCRIPTS) + "})();\n"
    style = "".join(_part(f"{name}.css") for name in STYLES) + _colours(story.groups)
    content = _environment().get_template("report.html").render(
        story=story,
        version=__version__,
        style=style,
        script=script,
        policy=f"{POLICY}; script-src {_hash(script)}; style-src {_hash(style)}",
        data=htmlsafe_json_dumps(data, separators=(",", ":"), ensure_ascii=False),
        transposed=len(names) > WIDE,
        speed=on_speed(story.groups),
        wrong=on_neurons(samples, names) if samples else "",
        silence=on_silence(tested, names),
        recall=on_recall(story.groups),
        runs=_recalls(story.groups),
        settings=_settings(story.groups),
        hashes=_hashes(story.groups),
    )  # fmt: skip
    return content.encode(errors="backslashreplace")  # paths may have bytes that are no text


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("netlearn.report", "page"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip


@cache
def _part(name: str) -> str:
    return resources.files("netlearn.report").joinpath("page", name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _variant(name: str, runs: Sequence[Run]) -> dict[str, Any]:
    return {"name": name, "cost": runs[0].settings.cost, "seeds": [run.settings.seed for run in runs]}


def _colours(groups: Mapping[str, Sequence[Run]]) -> str:
    """Return the style of each variant's lines: the colours and dashes of the pictures."""
    light, dark = [], []
    distinct = dict(list(groups.items())[: len(COLOURS)])
    for place, colour in enumerate((colours_of(groups) | colours_of(distinct)).values()):
        dash = DASHES[place % len(DASHES)]
        texts = DASH[dash] if isinstance(dash, str) else " ".join(f"{2 * length:g}" for length in dash[1])
        light.append(f".v{place}{{--line:{colour};--dash:{texts or 'none'}}}")
        dark.append(f".v{place}{{--line:{_brighter(colour)}}}")
    auto = "".join(f":root:not([data-theme=light]) {rule}" for rule in dark)
    chosen = "".join(f":root[data-theme=dark] {rule}" for rule in dark)
    return f"{''.join(light)}@media screen and (prefers-color-scheme:dark){{{auto}}}@media screen{{{chosen}}}"


def _brighter(colour: str) -> str:
    """Return a colour mixed with white until its contrast with the dark background is 5 (WCAG 2)."""
    rgb = mixed = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    for white in range(20):
        mixed = [round(value + (255 - value) * white / 20) for value in rgb]
        if (_luminance(mixed) + 0.05) / (_luminance(DARK) + 0.05) >= 5:
            break
    return "#" + "".join(f"{value:02x}" for value in mixed)


def _luminance(rgb: Sequence[int]) -> float:
    parts = [value / 255 for value in rgb]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _recalls(groups: Mapping[str, Sequence[Run]]) -> list[dict[str, Any]]:
    """Return the recall of each run, with the step from 0 to 10 of its shade."""
    rows = []
    for place, (name, runs) in enumerate(groups.items()):
        for run in runs:
            if run.summary is not None and run.summary.recall:
                cells = [None if share is None else (100 * share, round(10 * share)) for share in run.summary.recall]
                rows.append({"variant": place, "name": name, "seed": run.settings.seed, "cells": cells})
    return rows


def _settings(groups: Mapping[str, Sequence[Run]]) -> dict[str, Any]:
    """Return the settings in which the variants differ, and those that they share; the seed aside."""
    values = {
        name: {field: _text(getattr(runs[0].settings, field)) for field in FIELDS if field != "seed"}
        for name, runs in groups.items()
    }
    first = next(iter(values.values()))
    differing = [field for field in first if len({each[field] for each in values.values()}) > 1]
    return {
        "differing": [(field, description(field)) for field in differing],
        "rows": [[each[field] for field in differing] for each in values.values()],
        "shared": [(field, description(field), value) for field, value in first.items() if field not in differing],
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _hashes(groups: Mapping[str, Sequence[Run]]) -> dict[str, dict[str, str]]:
    """Return the SHA-256 of the files of each data set."""
    summaries = [run.summary for runs in groups.values() for run in runs if run.summary is not None]
    return {summary.data.name: summary.data.sha256 for summary in summaries}
