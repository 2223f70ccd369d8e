"""How pictures mark what they show: a colour and dashes for each cost, and names that fit beside a line.

The first colours are Okabe and Ito's, which colour-blind readers can tell apart; most others are Tol's. Lines differ
in dashes and markers too, and those with equal dashes in brightness, so that they can be read in grey. It does not
import matplotlib: tables and pages use it too.
"""

import colorsys
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from netlearn.custom_cost import KNOWN, short_name
from netlearn.numerics import Array
from netlearn.runs import Run
from netlearn.settings import Settings

Dashes: TypeAlias = Literal["-", "--", "-.", ":"] | tuple[float, tuple[float, ...]]  # as matplotlib takes them
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#666666"
SHADES = (  # of each cost in `KNOWN`, then of the users' own: from dark, through the colour itself, to light
    ("#5E0B22", ORANGE, "#F7BE4F"), ("#2B1160", BLUE, "#63CFE3"), ("#20380A", "#009E73", "#86DDB0"),
    ("#6B2A55", "#CC79A7", "#E5A5C7"), ("#6B4A00", "#E69F00", "#F0BE4A"), ("#1A5A80", "#56B4E9", "#8CCBF0"),
    ("#000000", "#4D4D4D", "#999999"), ("#1D5A51", "#44AA99", "#7CCDBF"),
    ("#3F0526", "#882255", "#C4608F"), ("#3D1F00", "#7A3E00", "#B57A3C"), ("#170A4D", "#332288", "#7766CC"),
    ("#6E0A43", "#C51B7D", "#E77BB5"), ("#55551A", "#999933", "#C4C46A"),
)  # fmt: skip
DASHES: tuple[Dashes, ...] = ("-", "--", "-.", ":", (0, (7, 1.5, 1, 1.5, 1, 1.5)), (0, (9, 3)))
MARKS = (("o", "●"), ("s", "■"), ("^", "▲"), ("D", "◆"), ("v", "▼"), ("P", "✚"), ("X", "✖"))  # and as characters
VALUES = re.compile(  # of settings, as variants of a sweep are named
    rf"((?<=[\w.)]) )?\b({'|'.join(Settings.__struct_fields__)})=(?=\S)"
)
TITLE = re.compile(  # of a sweep
    rf"\w+(?= × )|(?<= × )\w+|^({'|'.join(Settings.__struct_fields__)})(?= with )"
)
PARTS = re.compile(r", | (?=\w+=\S)")  # where a name has several, such as settings
LABEL = 36  # characters beside a line
SETTING_NAMES = {  # of settings that were adjusted to each other, the first one is drawn
    "train_size": "training examples", "learning_rate": "learning rate η", "hidden": "hidden neurons",
    "label_noise": "wrong training labels", "l2": "λ of L2 regularization", "l1": "λ of L1 regularization",
    "dropout": "dropout", "max_norm": "max-norm",
    "momentum": "momentum μ", "beta1": "β₁", "beta2": "β₂", "epsilon": "ε", "batch_size": "mini-batch size",
    "halve_after": "halve after epochs", "patience": "patience", "elastic_sigma": "σ of elastic deformation",
    "elastic_alpha": "α of elastic deformation", "epochs": "epochs",
}  # fmt: skip
MOST_ALIKE = 3  # variants with the dashes of their cost; of more, each has its own


@dataclass(frozen=True)
class LineStyle:
    """How the lines of a variant are drawn: in the colour of its cost or a shade of it, with its dashes or its own.

    Variants with the same cost have markers too, each as matplotlib names it and as a character; else both are "".
    """

    colour: str
    dashes: Dashes
    marker: str = ""
    character: str = ""

    def label(self, name: str) -> str:
        """Return the name of the variant, after its marker."""
        return f"{self.character} {name}".strip()


def cost_styles(costs: Iterable[str]) -> dict[str, LineStyle]:
    """Return a colour and dashes for each cost; those of netlearn's costs are the same wherever they are shown."""
    return _styles({cost: cost for cost in costs})


def variant_styles(groups: Mapping[str, Sequence[Run]]) -> dict[str, LineStyle]:
    """Return the style of each variant: of its cost, in a shade and with a marker where several have the same one.

    A variant named by its cost alone keeps the colour of the cost.
    """
    return _styles({name: runs[0].settings.cost for name, runs in groups.items()})


def _styles(costs: Mapping[str, str]) -> dict[str, LineStyle]:
    """Return the style of each name, given its cost; costs that differ in parameters alone count as the same one.

    Where all have the same one, or more than `MOST_ALIKE` have, dashes tell the names apart too.
    """
    kinds = {name: cost.partition("(")[0] for name, cost in costs.items()}
    own = list(dict.fromkeys(kind for kind in kinds.values() if kind not in KNOWN))
    places = {kind: place for place, kind in enumerate([*KNOWN, *own])}
    several = len(set(kinds.values())) > 1
    found = {}
    for kind in dict.fromkeys(kinds.values()):
        place, names = places[kind], [name for name in kinds if kinds[name] == kind]
        colours = dict(zip(names, _shades(place, len(names)), strict=True))
        if bare := {kind, short_name(kind)} & {*names}:
            others = [name for name in names if name not in bare]
            half = -(-len(others) // 2)
            shades = _shades(place, 2 * half + 1)  # the one in the middle is the colour itself
            colours = dict(zip(others, [*shades[:half], *shades[len(shades) - len(others) + half :]], strict=True))
            colours |= dict.fromkeys(bare, SHADES[place % len(SHADES)][1])
        for number, name in enumerate(names):
            marker = MARKS[number % len(MARKS)] if len(names) > 1 else ("", "")
            own_dashes = number if len(names) > MOST_ALIKE or not several else 0
            dashes = DASHES[((place if several or len(names) == 1 else 0) + own_dashes) % len(DASHES)]
            found[name] = LineStyle(colours[name], dashes, *marker)
    return {name: found[name] for name in costs}


def shades(cost: str, count: int) -> list[str]:
    """Return shades of the colour of a cost, from dark to light."""
    kind = cost.partition("(")[0]
    return _shades([*KNOWN, kind].index(kind), count)


def _shades(place: int, count: int) -> list[str]:
    """Return shades of a colour, from dark to light; the colour itself if one is wanted."""
    shades = SHADES[place % len(SHADES)]
    if count == 1:
        return [shades[1]]
    anchors = np.array([[int(shade[i : i + 2], 16) for i in (1, 3, 5)] for shade in shades])
    parts = [np.interp(np.linspace(0, 2, count), range(3), anchors[:, channel]) for channel in range(3)]
    return ["#" + "".join(f"{round(value):02x}" for value in rgb) for rgb in zip(*parts, strict=True)]


def readable(colour: str, contrast: float = 3.5) -> str:
    """Return a colour, mixed with as much black as it takes for its contrast with white (WCAG 2)."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    mixed = [(rgb * (20 - part) / 20).round().astype(int) for part in range(21)]
    found = ("#" + "".join(f"{value:02x}" for value in each) for each in mixed)
    return next(each for each in found if _contrast(each, "#ffffff") >= contrast)


def lightened(colour: str, background: str, contrast: float = 3.5) -> str:
    """Return a colour of the same hue, as light as it takes for its contrast with a dark background (WCAG 2)."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)))
    lights = (lightness + (1 - lightness) * part / 20 for part in range(21))
    mixed = (colorsys.hls_to_rgb(hue, light, saturation) for light in lights)
    found = ("#" + "".join(f"{round(255 * value):02x}" for value in each) for each in mixed)
    return next(each for each in found if _contrast(each, background) >= contrast)


def _contrast(one: str, other: str) -> float:
    """Return the ratio of the luminances of two colours, from 1 to 21."""
    parts = np.array([[int(each[i : i + 2], 16) / 255 for i in (1, 3, 5)] for each in (one, other)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    darker, brighter = sorted(linear @ (0.2126, 0.7152, 0.0722) + 0.05)
    return float(brighter / darker)


def short(name: str, names: Collection[str] = (), most: int = LABEL) -> str:
    """Return a variant's name, cut to the length of a label so that it still differs from the other names.

    Parts that all names share are left out; else the beginning is shown, and the place where the name differs from
    the one most like it.
    """
    if len(name) <= most:
        return name
    others = [other for other in names if other != name]
    shared = set.intersection(*(set(PARTS.split(other)) for other in others)) if others else set()
    own = ", ".join(part for part in PARTS.split(name) if part not in shared)
    if 0 < len(own) <= most:
        return own
    same = max((_shared_length(name, other) for other in others), default=0)
    if same < most - 1:
        return f"{name[: most - 1]}…"
    head = most // 2 - 1
    start = max(head + 1, min(same, len(name) - head))
    return f"{name[:head]}…{name[start : start + head]}{'…' if start + head < len(name) else ''}"


def label(setting: str) -> str:
    """Return what pictures call a setting."""
    return SETTING_NAMES.get(setting, setting.replace("_", " "))


def in_words(text: str) -> str:
    """Return a title or a variant's name with what pictures call the settings: "quadratic, learning rate η = 0.5"."""
    text = VALUES.sub(lambda found: f"{', ' if found[1] else ''}{label(found[2])} = ", text)
    return TITLE.sub(lambda found: label(found[0]), text)


def _shared_length(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their beginning."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def strongest(outputs: Array) -> str:
    """Return the two strongest outputs in words, such as "7: 0.98, 2: 0.05", or the only one."""
    if len(outputs) == 1:
        return f"output {outputs[0]:.2f}"
    first, second = np.argsort(-outputs, kind="stable")[:2]
    return f"{first}: {outputs[first]:.2f}, {second}: {outputs[second]:.2f}"


def letter(index: int) -> str:
    """Return the letter of a run: A to Z, then A1, B1 and so on."""
    rounds, rest = divmod(index, 26)
    return chr(ord("A") + rest) + (str(rounds) if rounds else "")
