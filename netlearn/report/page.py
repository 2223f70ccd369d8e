"""The page itself: a template, the scripts and the style become one file that loads nothing else.

Names of variants, costs and data come from strangers. As text they are escaped by jinja2; as data they are in a JSON
block that no browser runs; and the page's Content-Security-Policy allows its own script and style, by their hashes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from jinja2.utils import htmlsafe_json_dumps

from netlearn import __version__
from netlearn.custom_cost import NamedCosts
from netlearn.plotting.lines import of_the_neuron
from netlearn.plotting.marks import LineStyle, short, variant_styles
from netlearn.report.assets import cost_colours, environment, line_styles, part, policy, script
from netlearn.report.curves import (
    NAMED,
    compares_speeds,
    curves,
    neurons,
    on_layers,
    on_recall,
    on_silence,
    on_speed,
)
from netlearn.report.networks import examples, networks
from netlearn.runs import Groups, text_of
from netlearn.settings import FIELDS, description

NAMES = (
    "dom", "tools", "scales", "chart", "variants", "curves", "neuron", "theory", "gradient", "network", "ink", "pad",
    "digits", "mistakes", "page",
)  # fmt: skip
SCRIPTS = tuple(f"page/{name}.js" for name in NAMES)
STYLES = ("page/page.css", "page/parts.css", "page/print.css")
NEURON = ("quadratic", "cross-entropy")  # the costs of the single neuron
UNUSED = ("off", "none", "0", "false")  # values of settings that change nothing
LABEL = 25  # characters at the end of a line


@dataclass(frozen=True)
class Content:
    """A comparison as its page tells it.

    Attributes:
        title: of the comparison.
        groups: the runs of each variant; of many, first the best, the median and the worst, then the next best.
        left: how many variants were left out.
        conclusion: the sentences about them.
        more_seeds: the command that adds seeds, where not all differences are clear, or "".
        pairing: whether runs with the same seed are paired.
        table: lines of cells, the first with the names of the variants.
        ranked: whether the table has a line for each variant instead, below the names of the columns.
        problems: a line for each run that did not finish.
        commands: that repeat the comparison, each with what it does.
        config: the experiment as TOML; "" for runs that were not made by one experiment.
        environment: versions, processor and system.
        costs: the user's own costs, whose code may be imported.
        lab: the address of the lab with the settings of this comparison, or "".
    """

    title: str
    groups: Groups
    left: int
    conclusion: Sequence[str]
    more_seeds: str
    pairing: str
    table: Sequence[Sequence[str]]
    ranked: bool
    problems: Sequence[str]
    commands: Sequence[tuple[str, str]]
    config: str
    environment: Mapping[str, str | int | None]
    costs: NamedCosts
    lab: str


def render(content: Content) -> bytes:
    """Return the page of a comparison.

    Raises:
        RunError: a file of a run was changed.
    """
    names = list(content.groups)
    places = [name[: name.find(" ") + 1] if content.ranked else "" for name in names]
    plain = [name[len(place) :] for name, place in zip(names, places, strict=True)]
    brief = [name.replace("learning_rate=", "η=") for name in plain]
    labels = [place + short(name, brief, LABEL - len(place)) for name, place in zip(brief, places, strict=True)]
    speeds, drawn = compares_speeds(content.groups), curves(content.groups)
    samples = neurons(content.groups) if speeds else None
    tested = examples(content.groups, costs=content.costs)
    summaries = [run.summary for runs in content.groups.values() for run in runs if run.summary is not None]
    named = {summary.data.classes for summary in summaries}
    classes = named.pop() if len(named) == 1 else ()
    data = {
        "variants": [
            {
                "name": name,
                "short": label,
                "cost": one.cost,
                "penalty": [one.l2, one.l1],
                "seeds": [run.settings.seed for run in runs],
            }
            for (name, runs), label in zip(content.groups.items(), labels, strict=True)
            for one in [runs[0].settings]
        ],
        "curves": drawn,
        "neurons": samples,
        "examples": tested,
        "classes": classes,
        "networks": networks(content.groups, costs=content.costs),
    }
    columns, *lines = content.table
    marks = enumerate(_styles(content).values())
    colours = line_styles((str(place), mark.colour, mark.dashes) for place, mark in marks)  # those of the pictures
    code, style = script(SCRIPTS), "".join(map(part, STYLES)) + cost_colours(NEURON) + colours
    page = environment().get_template("page/report.html").render(
        content=content, version=__version__, style=style, script=code, policy=policy([code], style),
        data=htmlsafe_json_dumps(data, separators=(",", ":"), ensure_ascii=False),
        columns=columns, lines=lines, single=of_the_neuron(content.groups), runs=_recalls(content.groups),
        speeds=speeds, seeds=max(map(len, content.groups.values())),
        epochs=drawn["epochs"], speed=on_speed(content.groups),
        layers=on_layers(content.groups) if drawn["layered"] else "",
        silence=on_silence(tested, names, classes),
        recall=on_recall(content.groups, classes).replace(" %", "\u00a0%"), classes=classes,
        draw="Draw an image" if classes else "Draw a digit", drawable=tested["drawable"],
        settings=_settings(content.groups),
        hashes={summary.data.name: (Path(summary.data.name).name, summary.data.sha256) for summary in summaries},
    )  # fmt: skip
    return page.encode(errors="backslashreplace")  # paths may have bytes that are no text


def _styles(content: Content) -> dict[str, LineStyle]:
    """Return the style of each variant; of many, the first ones, which are shown, have shades that are far apart."""
    styles = variant_styles(content.groups)
    first = variant_styles(dict(islice(content.groups.items(), NAMED))) if content.ranked else {}
    return styles | {name: replace(styles[name], colour=mark.colour) for name, mark in first.items()}


def _recalls(groups: Groups) -> list[dict[str, Any]]:
    """Return the recall of each run, with the step from 0 to 10 of its shade."""
    rows = []
    for place, (name, runs) in enumerate(groups.items()):
        for run in runs:
            if run.summary is not None and run.summary.recall:
                cells = [None if share is None else (100 * share, round(10 * share)) for share in run.summary.recall]
                rows.append({"variant": place, "name": name, "seed": run.settings.seed, "cells": cells})
    return rows


def _settings(groups: Groups) -> dict[str, Any]:
    """Return the settings in which the variants differ, and those that they share; the seed aside."""
    values = {
        name: {field: text_of(getattr(runs[0].settings, field)) for field in FIELDS if field != "seed"}
        for name, runs in groups.items()
    }
    first = next(iter(values.values()))
    differing = [field for field in first if len({each[field] for each in values.values()}) > 1]
    shared = [field for field in first if field not in differing]
    return {
        "differing": [(field, description(field)) for field in differing],
        "rows": [[each[field] for field in differing] for each in values.values()],
        "shared": [
            (field, description(field), Path(first[field]).name if field == "data" else first[field])
            for field in shared
            if first[field] not in UNUSED
        ],
        "unused": [field for field in shared if first[field] in UNUSED],
    }
