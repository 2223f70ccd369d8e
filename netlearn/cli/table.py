"""Tables and paragraphs that fit the terminal.

Variants stand side by side where they fit, or else below each other, with as many measures as have room.
"""

import re
import textwrap
from collections.abc import Sequence
from itertools import zip_longest

from wcwidth import wcswidth

from netlearn.comparison.findings import Cells, Findings, cells, neuron_cells, ranking
from netlearn.comparison.neuron import QUANTITIES
from netlearn.runs.selection import MOST_SHOWN

TOP = 10  # variants that are shown of more
GAP = 2  # spaces between columns
LABEL = 21  # columns, at least, of what stands before the variants
FEW = 4  # variants that stay beside each other
FEWEST = 3  # columns below each other: the names of the variants, and two measures
DECIDING = (  # measures, those that matter most first; others come after them
    "data.*", "seeds (diverged|diverging|failed)", "test accuracy", "early accuracy", "updates to [^:]+",
    "test accuracy: points .*", "early accuracy: points .*", "learning rate η", "best validation accuracy",
    ".*: interval",
)  # fmt: skip


def table(found: Findings, width: int, *, markdown: bool = False, top: int | None = None) -> str:
    """Return the table of a comparison for the terminal or in Markdown; of neurons one of each quantity by epoch.

    Of many variants, or where `top` is given, the best ones have a line each; how many were left out is said below.
    """
    if found.neurons:
        parts = [neuron_cells(found.neurons, quantity) for quantity in QUANTITIES]
        if markdown:
            return "\n\n".join(map(in_markdown, parts))
        if max(_widest(aligned(lines)) for lines in parts) > width:  # a digit less may spare names a second line
            parts = [neuron_cells(found.neurons, quantity, 3) for quantity in QUANTITIES]
        return "\n\n".join(fitted(lines, width) for lines in parts)
    rows = found.rows
    if top is None and len(rows) <= MOST_SHOWN:
        lines = cells(found)
        if markdown:
            return in_markdown(lines)
        whole = aligned(lines)
        return whole if _widest(whole) <= width else _beside(lines, width) or _below(transposed(lines), width)
    lines = ranking(rows)[: 1 + (top or TOP)]
    chosen_by = 1 + lines[0].index("best validation accuracy")
    text = in_markdown(lines) if markdown else _below(lines, width, chosen_by, left=2)
    if len(lines) <= len(rows):
        left = f"{len(lines) - 1} of {len(rows):,} variants; --top N shows more, results.csv has all"
        text = "\n".join([text, "", *paragraphs([left], width)])
    return text


def in_markdown(lines: Cells) -> str:
    """Return a table in Markdown."""
    head, *body = [[cell.strip().replace("\\", r"\\").replace("|", r"\|") for cell in line] for line in lines]
    ruled = [head, ["---", *("---:" for _ in head[1:])], *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in ruled)


def aligned(lines: Cells, fixed: int = 1) -> str:
    """Return lines with aligned columns on a terminal, where some characters are two cells wide.

    The first columns stand to the left, figures to the right. A cell may have several lines.
    """
    widths = [max(map(_widest, column)) for column in zip(*lines, strict=True)]
    texts = []
    for line in lines:
        for parts in zip_longest(*(cell.split("\n") for cell in line), fillvalue=""):
            gaps = [" " * (width - _widest(part)) for part, width in zip(parts, widths, strict=True)]
            left = [part + gap for part, gap in zip(parts[:fixed], gaps, strict=False)]
            right = [gap + part for part, gap in zip(parts[fixed:], gaps[fixed:], strict=True)]
            texts.append((" " * GAP).join([*left, *right]).rstrip())
    return "\n".join(texts)


def fitted(lines: Cells, width: int, fixed: int = 1) -> str:
    """Return lines with aligned columns that are no wider than a terminal.

    Heads and cells wrap at words. Columns that have no room follow below, in further parts
    that repeat the first columns.
    """
    whole = aligned(lines)
    if _widest(whole) <= width:
        return whole
    columns = list(zip(*lines, strict=True))
    first = [_wrapped(column, width // 3) for column in columns[:fixed]]
    room = width - sum(GAP + max(map(_widest, column)) for column in first)
    return _in_parts([*first, *(_wrapped(column, room) for column in columns[fixed:])], width, fixed)


def _in_parts(columns: Sequence[Sequence[str]], width: int, fixed: int) -> str:
    """Return columns beside each other, in as many parts as it takes; each part has the fixed ones."""
    parts = [list(columns[:fixed])]
    for column in columns[fixed:]:
        if (
            len(parts[-1]) > fixed
            and sum(GAP + max(map(_widest, each)) for each in [*parts[-1], column]) - GAP > width
        ):
            parts.append(list(columns[:fixed]))
        parts[-1].append(column)
    return "\n\n".join(aligned(list(map(list, zip(*part, strict=True))), fixed) for part in parts)


def _beside(lines: Cells, width: int) -> str:
    """Return lines with wrapped labels and names, in few parts if there are few variants; "" if they have no room."""
    labels, *variants = zip(*lines, strict=True)
    columns = [_wrapped(column) for column in variants]
    room = width - sum(GAP + max(map(_widest, column)) for column in columns)
    if room < LABEL and len(columns) > FEW:
        return ""
    return _in_parts([[_wrap(label, room if room >= LABEL else width // 3) for label in labels], *columns], width, 1)


def _below(lines: Cells, width: int, fixed: int = 1, left: int = 1) -> str:
    """Return a line for each variant with the first columns and the measures that have room, those that decide first.

    Where these are too few, all stand in parts below each other. The first columns, as many as `left` says, are
    aligned to the left.
    """
    if _widest(whole := aligned(lines, left)) <= width:
        return whole
    columns = [_wrapped(column, width // 4 if i < fixed else 0) for i, column in enumerate(zip(*lines, strict=True))]
    shown = list(range(fixed))
    room = width + GAP - sum(GAP + max(map(_widest, column)) for column in columns[:fixed])
    for place in sorted(range(fixed, len(columns)), key=lambda place: _importance(lines[0][place])):
        needed = GAP + max(map(_widest, columns[place]))
        if needed <= room:
            shown.append(place)
            room -= needed
    if len(shown) < max(FEWEST, fixed + 1):
        return fitted(lines, width, left)
    text = aligned([list(line) for line in zip(*(columns[place] for place in sorted(shown)), strict=True)], left)
    if len(shown) == len(columns):
        return text
    count, every = (number - max(1, fixed - 1) for number in (len(shown), len(columns)))
    note = f"{count} of {every} measures; the page, --markdown and a wider terminal have all"
    return "\n".join([text, "", *paragraphs([note], width)])


def _importance(label: str) -> int:
    """Return the place of a measure among those that decide."""
    return next((i for i, pattern in enumerate(DECIDING) if re.fullmatch(pattern, label)), len(DECIDING))


def _wrapped(column: Sequence[str], most: int = 0) -> list[str]:
    """Return a column with its head wrapped, no wider than the cells below it and its longest word, and these too."""
    head, *rest = column
    cells = [_wrap(cell, most) for cell in rest] if most else rest
    return [_wrap(head, max(map(_widest, [*cells, *head.split()]), default=1)), *cells]


def _wrap(text: str, width: int) -> str:
    """Return a text in lines that keep its indentation; a word is broken only if it is wider than a line."""
    indent = text[: len(text) - len(text.lstrip())]
    return textwrap.fill(text, max(1, width * len(text) // max(1, _widest(text))), subsequent_indent=indent)


def transposed(lines: Cells) -> Cells:
    """Return the cells with a line for each variant; an indented label is joined to the one that it belongs to."""
    named, above = [], ""
    for label, *rest in lines:
        above = above if label.startswith(" ") else label
        named.append([label if label == above else f"{above}: {label.strip()}", *rest])
    return [list(column) for column in zip(*named, strict=True)]


def _widest(text: str) -> int:
    """Return how many cells of a terminal the widest line of a text takes."""
    return max((wcswidth(line) for line in text.split("\n")), default=0)


def paragraphs(sentences: Sequence[str], width: int) -> list[str]:
    """Return lines of text no wider than a terminal, without a break before "%"; several sentences as a list."""
    mark = "- " if len(sentences) > 1 else ""
    wrapper = textwrap.TextWrapper(width, subsequent_indent=" " * len(mark), break_on_hyphens=False)
    return [wrapper.fill(f"{mark}{each}".replace(" %", "\xa0%")).replace("\xa0", " ") for each in sentences]
