"""The JSON schema of experiment files, for editors: writes configs/experiment.schema.json.

The type of a file as it is written is made here, of the type of each setting in `Settings`; names are listed, so that
an editor offers them.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from netlearn.comparison.catalogue import About
from netlearn.settings import CHOICES, FIELDS, FORMAT, description

TARGET = Path(__file__).parents[1] / "configs" / "experiment.schema.json"
OWN_COST: Any = Annotated[
    str, Meta(pattern=r"^[\w.]+:\w+(\(.*\))?$", description="a cost of your own, package.module:ClassName")
]
RANGE: Any = Annotated[str, Meta(pattern=r"^[^:]+:[^:]+:(log)?\d+$", description="a range, such as 0.01:10:log7")]


def _type_of(name: str) -> Any:
    """Return the type of a setting as it is written in a file."""
    kind = FIELDS[name].type
    if name in CHOICES:
        names: Any = Literal[tuple(CHOICES[name])]
        kind = {
            "cost": names | OWN_COST,
            "data": names | Annotated[str, Meta(pattern=r"[./\\]", description="a folder or a file")],
            "initializer": names | tuple[float, float],
        }.get(name, names)
    if name == "hidden":
        kind = kind | Annotated[int, Meta(ge=1)]
    return Annotated[kind, Meta(description=description(name))]


def _list_of(kind: Any) -> Any:
    return list[kind]


SETTINGS: dict[str, Any] = {name: _type_of(name) for name in FIELDS}
SEED: Any = Annotated[int, Meta(ge=0)]
TABLE: Any = msgspec.defstruct(
    "SettingsTable",
    [(name, kind, None) for name, kind in SETTINGS.items() if name != "seed"],
    forbid_unknown_fields=True,
    namespace={"__doc__": "Settings of a variant, or those that all variants have in common."},
)
VARY: Any = msgspec.defstruct(
    "Vary",
    [(name, _list_of(kind | RANGE) | RANGE, None) for name, kind in SETTINGS.items() if name != "seed"],
    forbid_unknown_fields=True,
    namespace={"__doc__": "Several values of some settings; every combination is a variant."},
)
SHARED: list[Any] = [("format", Literal[FORMAT], FORMAT), ("about", About, None), ("vary", VARY, None)]
EXPERIMENT = msgspec.defstruct(
    "Experiment",
    [
        ("variants", dict[str, TABLE], None),
        ("defaults", TABLE, None),
        ("title", str, ""),
        ("seeds", Annotated[int, Meta(ge=1, le=1000)] | Annotated[list[SEED], Meta(min_length=1)], 6),
        ("baseline", Annotated[str, Meta(description="the variant that all others are compared with")], ""),
        ("looks", list[int], None),
        ("tuning", Literal["no", "to do", "done"], "no"),
        ("data_sha256", dict[str, list[str]], None),
        *SHARED,
    ],
    forbid_unknown_fields=True,
    namespace={"__doc__": "Variants of one network, each trained from several seeds."},
)
RUN = msgspec.defstruct(
    "Run",
    [*((name, kind, None) for name, kind in SETTINGS.items()), *SHARED],
    forbid_unknown_fields=True,
    namespace={"__doc__": "The settings of one run; with `vary`, those of a sweep."},
)


def schema() -> dict[str, Any]:
    """Return the schema of a file that is an experiment or the settings of one run."""
    references, components = msgspec.json.schema_components([EXPERIMENT, RUN], ref_template="#/$defs/{name}")
    for component in components.values():
        for field in component.get("properties", {}).values():
            if field.get("default", ...) is None:
                del field["default"]  # what stands for "not written"
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "netlearn experiment",
        "anyOf": list(references),
        "$defs": components,
    }


def text() -> str:
    """Return the file's content."""
    return json.dumps(schema(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), "utf-8")
