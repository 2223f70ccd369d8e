"""What varies between variants: the settings in which they differ, and the names made of these."""

from collections.abc import Iterable, Mapping
from typing import Any

from netlearn.settings import FIELDS, OWN, Settings

IGNORED = {"seed", "snapshots"}  # they tell no variants apart


def varied(variants: Iterable[Settings]) -> dict[str, tuple[Any, ...]]:
    """Return the settings in which variants differ, with their values in order of appearance.

    Settings that follow from a choice are left out: a learning rate that each cost and optimizer has one of, and the
    settings of an optimizer or an augmentation.
    """
    variants = list(variants)
    values = {name: tuple(dict.fromkeys(getattr(each, name) for each in variants)) for name in FIELDS}
    differing = {name: found for name, found in values.items() if len(found) > 1 and name not in IGNORED}
    choices: dict[str, tuple[str, ...]] = {
        name: (owner,) for owner, choices in OWN.items() for own in choices.values() for name in own
    }
    choices["learning_rate"] = ("cost", "optimizer", "momentum")
    return {
        name: found
        for name, found in differing.items()
        if not (name in choices and differing.keys() & choices[name] and _follows(name, choices[name], variants))
    }


def _follows(name: str, choices: Iterable[str], variants: Iterable[Settings]) -> bool:
    """Return whether variants with equal choices have the same value of a setting."""
    pairs = {(tuple(getattr(each, choice) for choice in choices), getattr(each, name)) for each in variants}
    return len(pairs) == len({chosen for chosen, _ in pairs})


def name_of(values: Mapping[str, Any]) -> str:
    """Return the name of a variant with some settings: "cross-entropy hidden=100+30 l2=5", the cost first."""
    ordered = sorted(values.items(), key=lambda item: item[0] != "cost")
    return " ".join(text_of(value) if name == "cost" else f"{name}={text_of(value)}" for name, value in ordered)


def text_of(value: Any) -> str:
    """Return the value of a setting as `netlearn compare --vary` takes it."""
    if isinstance(value, tuple):
        return "+".join(map(text_of, value)) or "none"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.10g}" if isinstance(value, float) else str(value)
