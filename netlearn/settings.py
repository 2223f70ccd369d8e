"""The settings of one run, declared once: the command line's options, TOML files and run folders all follow them.

A value that is not allowed is refused with its key, itself and what is allowed, whichever way it came.
"""

import difflib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

from netlearn.activations import ACTIVATIONS
from netlearn.costs import COSTS, load_cost
from netlearn.datasets import NAMES
from netlearn.errors import SettingsError
from netlearn.network import INITIALIZERS

DTYPES = ("float32", "float64")
MOST_TOML = 250_000  # bytes
MOST_DOTS = 50  # in a line: a key a.b.c… costs the reader memory by the square of its dots
MOST_BITS = 10_000  # of a whole number: Python does not write out larger ones
LARGEST = 1e9  # no learning rate or λ makes sense beyond; infinity and not-a-number are refused with it
Count: TypeAlias = Annotated[int, Meta(ge=1, le=10_000_000)]
Rate: TypeAlias = Annotated[float, Meta(gt=0, le=LARGEST)]


def _meta(description: str, allowed: str, **bounds: Any) -> Meta:
    return Meta(description=description, extra={"allowed": allowed}, **bounds)


def _one_of(description: str, names: Collection[str]) -> Meta:
    return _meta(description, ", ".join(names), pattern=rf"\A({'|'.join(names)})\Z")


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All that determines a run, but for the machine."""

    cost: Annotated[str, _meta("cost function", f"{', '.join(COSTS)} or package.module:ClassName")] = "cross-entropy"
    hidden: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=100_000)], ...],
        _meta(
            "neurons in each hidden layer", "numbers from 1 to 100000, such as 30 or 100,30, or none", max_length=100
        ),
    ] = (30,)
    activation: Annotated[str, _one_of("activation of the hidden layers", ACTIVATIONS)] = "sigmoid"
    initializer: Annotated[
        Annotated[str, _one_of("", INITIALIZERS)] | tuple[float, float],
        _meta(
            "initial weights: N(0, 1/n_in), N(0, 1) or constants",
            f"{', '.join(INITIALIZERS)} or two numbers w,b from -{LARGEST:g} to {LARGEST:g}",
        ),
    ] = "scaled"
    epochs: Annotated[Count, _meta("passes over the training set", "a whole number from 1 to 10000000")] = 30
    batch_size: Annotated[Count, _meta("examples in a mini-batch", "a whole number from 1 to 10000000")] = 10
    learning_rate: Annotated[Rate | None, _meta("step size η", f"a number above 0, to {LARGEST:g}")] = None
    l2: Annotated[
        float, _meta("L2 regularization λ: adds λ/2n Σw²", f"a number from 0 to {LARGEST:g}", ge=0, le=LARGEST)
    ] = 0.0
    patience: Annotated[
        Count | None,
        _meta(
            "stop after that many epochs without a better validation accuracy", "a whole number from 1 to 10000000"
        ),
    ] = None
    seed: Annotated[
        int, _meta("seed of the weights and the shuffling", "a whole number from 0 to 2^63-1", ge=0, le=2**63 - 1)
    ] = 0
    data: Annotated[str, _meta("data set", f"{', '.join(NAMES)}, a folder of IDX files or an .npz file")] = "auto"
    train_size: Annotated[
        Count | None, _meta("train on the first so many examples only", "a whole number from 1 to 10000000")
    ] = None
    dtype: Annotated[str, _one_of("type of the network's numbers", DTYPES)] = "float32"
    probe_every: Annotated[
        Count, _meta("epochs from one probe to the next, after the first epoch", "a whole number from 1 to 10000000")
    ] = 1
    track_test: Annotated[
        bool, _meta("measure the test set at every probe, not at the end only", "true or false")
    ] = False


CHOICES: dict[str, Collection[str]] = {
    "cost": COSTS,
    "activation": ACTIVATIONS,
    "initializer": INITIALIZERS,
    "dtype": DTYPES,
    "data": NAMES,
}
FIELDS = {field.name: field for field in msgspec.structs.fields(Settings)}


def description(name: str) -> str:
    """Return what a setting is, in words."""
    return str(_meta_of(name).description)


def allowed(name: str) -> str:
    """Return what a setting may be, in words."""
    return str((_meta_of(name).extra or {})["allowed"])


def _meta_of(name: str) -> Meta:
    meta: Meta = Settings.__annotations__[name].__metadata__[-1]
    return meta


def check(name: str, value: Any, label: str, shown: str | None = None) -> Any:
    """Return a setting's value as its type, from what a TOML file or a flag's text gives.

    Raises:
        SettingsError: it is not allowed; the message calls the setting `label` and its value `shown`.
    """
    if name not in FIELDS:
        near = difflib.get_close_matches(name, FIELDS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"allowed is {', '.join(FIELDS)}"
        raise SettingsError(f"unknown key {label}: {hint}")
    try:
        return _convert(name, value)
    except msgspec.ValidationError as error:
        text = value if shown is None else shown
        wants_text = shown is not None or name in CHOICES
        text = text if isinstance(text, str) and text and text.isprintable() and wants_text else repr(text)
        near = difflib.get_close_matches(text, CHOICES.get(name, ()), n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise SettingsError(f"{label} {text[:80]}: {hint}allowed is {allowed(name)}") from error


def _convert(name: str, value: Any) -> Any:
    one_layer = name == "hidden" and isinstance(value, int)
    result = msgspec.convert([value] if one_layer else value, FIELDS[name].type)
    if isinstance(result, str) and not result.isprintable():
        raise msgspec.ValidationError
    constants = result if name == "initializer" and isinstance(result, tuple) else ()
    if not all(abs(constant) <= LARGEST for constant in constants) or (
        name == "cost" and result not in COSTS and ":" not in result
    ):
        raise msgspec.ValidationError
    return result


def read_toml(path: Path) -> dict[str, Any]:
    """Return the settings that a TOML file gives, each checked.

    Raises:
        SettingsError: the file cannot be read, is not TOML, or has a key or a value that is not allowed.
    """
    return {name: check(name, value, f"{path}: {name}") for name, value in decode_toml(path).items()}


def decode_toml(path: Path) -> dict[str, Any]:
    """Return what a TOML file holds, unchecked.

    Raises:
        SettingsError: the file cannot be read or is not TOML.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_TOML + 1)
        if len(raw) > MOST_TOML:
            raise SettingsError(f"{path}: more than {MOST_TOML:,} bytes; no settings need that many")
        for number, line in enumerate(raw.splitlines(), 1):
            if line.count(b".") > MOST_DOTS:
                raise SettingsError(f"{path}: line {number} has {line.count(b'.'):,} dots; allowed are {MOST_DOTS}")
        content: dict[str, Any] = msgspec.toml.decode(raw)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # what is not TOML, not UTF-8, too long a number, too deep
        raise SettingsError(f"{path}: not a TOML file: {error}") from error
    if _has_endless_number(content):
        raise SettingsError(f"{path}: holds a whole number of more than {MOST_BITS:,} bits; no setting is as large")
    return content


def _has_endless_number(value: Any) -> bool:
    if isinstance(value, int):
        return value.bit_length() > MOST_BITS
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(map(_has_endless_number, children))


def write_toml(settings: Settings) -> bytes:
    """Return the settings as a TOML file that `read_toml` reads back; what is not set has no line."""
    given = {name: value for name, value in msgspec.structs.asdict(settings).items() if value is not None}
    return msgspec.toml.encode(given)


def resolve(*layers: Mapping[str, Any]) -> Settings:
    """Return the settings that checked layers give, the later before the earlier, the cost's learning rate filled in.

    Raises:
        SettingsError, CostError: the cost that they name cannot be loaded.
    """
    merged: dict[str, Any] = {}
    for layer in layers:
        merged |= layer
    settings = Settings(**merged)
    if settings.learning_rate is None:
        return msgspec.structs.replace(settings, learning_rate=float(load_cost(settings.cost).learning_rate))
    return settings
