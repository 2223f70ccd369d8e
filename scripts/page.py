"""The page on the book's experiments: their results beside the published ones, and which runs are missing."""

import shutil
import statistics
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from netlearn.comparison import catalogue
from netlearn.comparison.experiment import Experiment
from netlearn.comparison.tasks import Task, is_done, tasks_of
from netlearn.errors import NetlearnError
from netlearn.runs import Run, read_run
from netlearn.runs.setup import environment
from scripts.book import CLAIMS, MEASURES, NOTES, Claim
from scripts.captions import BESIDE, PICTURES, SHOWN

SECONDS = "seconds.txt"
REPLAY = "## The book's recorded curves, replayed"  # the last section, which `make replay` makes
NEURON = "neuron"  # the experiment whose figures are those of the book's equations


@dataclass(frozen=True)
class Finding:
    """The result for a claim; `in_range` is None if the book has no figure, `holds` if there is no bound."""

    claim: Claim
    seeds: int
    in_range: bool | None
    holds: bool | None
    cells: tuple[str, ...]


def page(
    plans: Mapping[str, Experiment], runs: Path, pictures: Path, command: str,
    problems: Mapping[str, Sequence[str]], *, notes: bool,
) -> str:  # fmt: skip
    """Return the page on the experiments that are done, and copy their pictures to a folder beside it.

    Args:
        plans: the experiments, by name.
        runs: the folder with a folder for each.
        pictures: where the pictures go.
        command: what made the page.
        problems: why experiments that were just run are incomplete; for the others, their folders say why.
        notes: whether the notes in `book.py` apply to these seeds.
    """
    parts, findings, seconds = [], [], 0.0
    for name, experiment in sorted(plans.items(), key=lambda item: item[0] == NEURON):  # its long table comes last
        tasks = tasks_of(experiment, runs / name)
        if not all(map(is_done, tasks)):
            parts.append(_not_done(name, experiment, tasks, problems.get(name, ())))
            continue
        found = [read_run(task.folder, task.variant) for task in tasks]
        here = [finding for claim in CLAIMS if claim.experiment == name and (finding := compared(claim, found))]
        findings += here
        seconds += seconds_in(runs / name / SECONDS)
        failed = [*problems.get(name, ()), *_diverged(found)]
        parts.append(_section(name, experiment, here, failed, _copied(name, runs, pictures), notes=notes))
    machine = environment()
    data = ", ".join(sorted({settings.data for plan in plans.values() for settings in plan.variants.values()}))
    versions = f"netlearn {machine['netlearn']}, numpy {machine['numpy']} and {machine['blas']}"
    head = f"""# The book's experiments, reproduced

Made by `{command}` (data: {data}); this page took {seconds / 60:.1f} minutes on {machine["cores"]} cores,
{machine["cpu"]}, with {versions}.

The experiments are those of Michael Nielsen's *Neural Networks and Deep Learning*, chapters 1, 3, 5 and 6, and
three of netlearn's own. The book reports single runs, often the best of several. Our figures are the mean ± standard
deviation over seeds 0, 1, 2, …, with the lowest and the highest seed; differences of percentages are in points. Where
the book does not say whether a figure is that of the best epoch or of the last one, the table has both. "Holds" says
that our mean is within the bounds beside it. The single neuron, which comes last, starts from constants, so it has
one run. It is compared with the book's equations; with η = 0.005 the book's web page
[takes another step](book.md#what-differs-what-is-not-there).

{tally(findings)}
"""
    return "\n".join([head, *parts])


def with_replay(text: str, stored: Path) -> str:
    """Return a page with the section that `make replay` stored, if there is one, at its end."""
    section = stored.read_text() if stored.is_file() else ""
    before = text.partition(REPLAY)[0]
    gap = "\n" if section and not before.endswith("\n\n") else ""
    return before + gap + section


def tally(findings: Sequence[Finding]) -> str:
    """Return how many figures of the book lie in our ranges, each counted once, and how many bounds hold."""
    readings: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        if finding.in_range is not None:
            readings.setdefault(finding.claim.figure, []).append(finding)
    neuron = [each for each in readings.values() if each[0].claim.experiment == NEURON]
    others = [each for each in readings.values() if each[0].claim.experiment != NEURON]
    inside, agreeing = (sum(any(one.in_range for one in each) for each in some) for some in (others, neuron))
    twice = sum(len(each) > 1 for each in others)
    by_chance = sum((each[0].seeds - 1) / (each[0].seeds + 1) for each in others)
    bounds = [finding.holds for finding in findings if finding.holds is not None]
    return textwrap.fill(
        f"Of {len(others)} figures of the book, {inside} lie in the range of our seeds. Each is counted once: "
        f"{twice} have two readings, best epoch and last, and are in range if either is. If the book's runs were "
        f"like ours, {by_chance:.0f} or more would be expected: another run lies between the lowest and the highest "
        "of n runs with probability (n − 1)/(n + 1), and with a higher one in either of two ranges. The single "
        f"neuron, where nothing is random, is counted separately: {agreeing} of its {len(neuron)} figures are the "
        f"same. Of {len(bounds)} bounds on our means, {sum(bounds)} hold.",
        118,
    )


def _not_done(name: str, experiment: Experiment, tasks: Sequence[Task], problems: Sequence[str]) -> str:
    """Return the section of an experiment that is incomplete."""
    said = problems or [
        f"{task.variant}, seed {task.settings.seed}: {_why_not_done(task)}"
        for task in tasks
        if task.folder.exists() and not is_done(task)
    ]
    done = sum(map(is_done, tasks))
    state = f"{done} of {len(tasks)} runs are done." if done or said else "not run yet."
    listed = "".join(f"- {problem}\n" for problem in said)
    return f"## {experiment.title}\n\n`netlearn compare {name}`: {state}\n" + (f"\n{listed}" if said else "")


def _why_not_done(task: Task) -> str:
    try:
        run = read_run(task.folder, task.variant)
    except NetlearnError as error:
        return str(error)
    return f"{task.folder}: {'interrupted' if run.settings == task.settings else 'holds a run with other settings'}"


def _diverged(runs: Sequence[Run]) -> list[str]:
    return [f"{run.variant}, seed {run.settings.seed}, not counted: {run.problem}" for run in runs if run.problem]


def _section(
    name: str,
    experiment: Experiment,
    findings: Sequence[Finding],
    failed: Sequence[str],
    pictures: Mapping[str, str],
    *,
    notes: bool,
) -> str:
    question = catalogue.read_about(catalogue.files()[name]).question
    seeds = len(experiment.seeds)
    book = "the book's equations" if name == NEURON else "the book"
    head = ("variant", "figure", book, "ours", "lowest to highest", "verdict")
    table = [head, ("---", "---", *["---:"] * 3, "---"), *(finding.cells for finding in findings)]
    outside = any(False in (finding.in_range, finding.holds) for finding in findings)
    return "\n".join(
        [
            f"## {experiment.title}\n",
            f"{question} `netlearn compare {name}`, {seeds} {'seed' if seeds == 1 else 'seeds'}.\n",
            *(f"| {' | '.join(row)} |" for row in table),
            *(["", *(f"- {problem}" for problem in failed)] if failed else []),
            *([f"\n{NOTES[name]}"] if notes and outside and name in NOTES else []),
            *(f"\n![{SHOWN[kind]}. {experiment.title}]({picture})" for picture, kind in pictures.items()),
            *([f"\n{BESIDE[name]}"] if notes and name in BESIDE and (pictures or name not in PICTURES) else []),
            "",
        ]
    )


def _copied(name: str, runs: Path, pictures: Path) -> dict[str, str]:
    """Copy the most informative pictures of an experiment; return their kinds by their paths relative to the page."""
    copies: dict[str, str] = {}
    for kind in PICTURES.get(name, ()):
        source = runs / name / f"{kind}.png"
        if source.is_file():
            pictures.mkdir(parents=True, exist_ok=True)
            copy = pictures / (f"{name}-{kind}.png" if copies else f"{name}.png")
            shutil.copyfile(source, copy)
            copies[f"{pictures.name}/{copy.name}"] = kind
    return copies


def seconds_in(path: Path) -> float:
    """Return the seconds stored in a file, 0 if there are none."""
    try:
        return float(path.read_text())
    except (OSError, ValueError):
        return 0.0


def compared(claim: Claim, runs: Sequence[Run]) -> Finding | None:
    """Return the result for a claim, None if its variant was not run."""
    measure, unit = MEASURES[claim.measure]
    values = {run.settings.seed: measure(run) for run in runs if run.variant == claim.variant and not run.problem}
    if claim.minus:
        less = {run.settings.seed: measure(run) for run in runs if run.variant == claim.minus and not run.problem}
        values = {seed: values[seed] - less[seed] for seed in values.keys() & less.keys()}
    ours = [_rounded(value, unit) for _, value in sorted(values.items())]
    if not ours:
        return None
    mean = statistics.fmean(ours)
    in_range = None if claim.book is None else min(ours) <= claim.book <= max(ours)
    text = _difference if claim.minus else _text
    bounds = [f"at least {text(claim.low, unit)}"] if claim.low > -float("inf") else []
    bounds += [f"at most {text(claim.high, unit)}"] if claim.high < float("inf") else []
    holds = claim.low <= round(mean, 4) <= claim.high if bounds else None
    verdict = [] if claim.book is None else [_verdict(claim.book, ours, unit)]
    verdict += [f"{'holds' if holds else 'does not hold'}: {', '.join(bounds)}"] if bounds else []
    cells = (
        f"{claim.variant}, minus {claim.minus}" if claim.minus else claim.variant,
        claim.measure,
        "" if claim.book is None else text(claim.book, unit),
        text(mean, unit) + (f" ± {text(statistics.stdev(ours), unit)}" if len(ours) > 1 else ""),
        f"{text(min(ours), unit)} to {text(max(ours), unit)}" if len(ours) > 1 else "",
        "; ".join(verdict),
    )
    return Finding(claim, len(ours), in_range, holds, cells)


def _verdict(book: float, ours: Sequence[float], unit: str) -> str:
    where = "our range" if len(ours) > 1 else "ours"
    if book < min(ours):
        return f"the book's is {_difference(min(ours) - book, unit)} below {where}"
    if book > max(ours):
        return f"the book's is {_difference(book - max(ours), unit)} above {where}"
    return "in our range" if len(ours) > 1 else "the same"


def _rounded(value: float, unit: str) -> float:
    """Return a value rounded as the page shows it."""
    return round(value, 4) if unit == "%" else float(f"{value:{unit}}")


def _text(value: float, unit: str) -> str:
    return (f"{100 * value:.2f} %" if unit == "%" else f"{value:{unit}}").replace("-", "−")


def _difference(value: float, unit: str) -> str:
    return _text(value, unit).replace("%", "points")
