"""The settings of one run, declared once: command-line options, TOML files and run folders all follow this schema."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from shlex import quote
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta, inspect

from netlearn.activations import ACTIVATIONS
from netlearn.costs import Cost
from netlearn.custom_cost import KNOWN, LARGEST_NUMBER, NO_COSTS, NamedCosts, load_cost, parse_name
from netlearn.datasets import NAMES
from netlearn.datasets.augmentation import AUGMENTATIONS
from netlearn.errors import SettingsError
from netlearn.network import INITIALIZERS
from netlearn.optimizers import OPTIMIZERS
from netlearn.text import decode_toml, suggestion, unknown

FORMAT = 2  # of run folders and comparison folders; their config.toml states it
DTYPES = ("float32", "float64")
AUGMENT = ("none", *AUGMENTATIONS)
IN_FLAGS, IN_FILES = "{},{}", "[{}, {}]"  # how two numbers are written there
Off: TypeAlias = Literal["off"]
Count: TypeAlias = Annotated[int, Meta(ge=1, le=10_000_000)]
AtLeast0: TypeAlias = Annotated[float, Meta(ge=0, le=LARGEST_NUMBER)]
Above0: TypeAlias = Annotated[float, Meta(gt=0, le=LARGEST_NUMBER)]
Constant: TypeAlias = Annotated[float, Meta(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)]
Below1: TypeAlias = Annotated[float, Meta(ge=0, lt=1)]


def _says(description: str, names: Iterable[str] = ()) -> Meta:
    return Meta(description=description, pattern=rf"\A({'|'.join(names)})\Z" if names else None)


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that determines a run, except for the machine. All defaults are filled in: see `resolve`."""

    cost: Annotated[str, _says("cost function")] = "cross-entropy"
    hidden: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=100_000)], ...],
        Meta(description="neurons in each hidden layer", max_length=100),
    ] = (30,)
    activation: Annotated[str, _says("activation of the hidden layers", ACTIVATIONS)] = "sigmoid"
    initializer: Annotated[
        Annotated[str, _says("", INITIALIZERS)] | tuple[Constant, Constant],
        _says("initial weights: N(0, 1/n_in), N(0, 1) or constants"),
    ] = "scaled"
    epochs: Annotated[Count, _says("passes over the training set")] = 30
    batch_size: Annotated[Count, _says("examples in a mini-batch")] = 10
    learning_rate: Annotated[Above0, _says("step size η")]
    optimizer: Annotated[str, _says("optimizer", OPTIMIZERS)] = "sgd"
    momentum: Annotated[Below1 | Off, _says("momentum μ of momentum and nesterov")] = "off"
    beta1: Annotated[Below1 | Off, _says("decay of the mean of gradients in adam")] = "off"
    beta2: Annotated[Below1 | Off, _says("decay of the mean of squares in rmsprop and adam")] = "off"
    epsilon: Annotated[Above0 | Off, _says("added to the root of that mean")] = "off"
    l2: Annotated[AtLeast0, _says("L2 regularization λ: adds λ/2n Σw²")] = 0.0
    l1: Annotated[AtLeast0, _says("L1 regularization λ: adds λ/n Σ|w|")] = 0.0
    max_norm: Annotated[Above0 | Off, _says("largest norm of the weights into a hidden neuron")] = "off"
    dropout: Annotated[Below1, _says("probability of dropping a hidden neuron in a step")] = 0.0
    halve_after: Annotated[
        Count | Off, _says("halve η after N epochs without a better validation accuracy, and stop at 1/128 of it")
    ] = "off"
    patience: Annotated[Count | Off, _says("stop after N epochs without a better validation accuracy")] = "off"
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1), _says("seed of all random streams")] = 0
    data: Annotated[str, _says("data set")] = "auto"
    augment: Annotated[str, _says("how to deform the training images, anew in each epoch", AUGMENT)] = "none"
    elastic_sigma: Annotated[
        Annotated[float, Meta(gt=0, le=100)] | Off, _says("σ in pixels that smooths the elastic fields")
    ] = "off"
    elastic_alpha: Annotated[Above0 | Off, _says("α that multiplies the elastic fields")] = "off"
    train_size: Annotated[Count | Literal["all"], _says("train on the first N examples only")] = "all"
    label_noise: Annotated[Below1, _says("fraction of the training labels replaced by another class")] = 0.0
    dtype: Annotated[str, _says("type of the network's numbers", DTYPES)] = "float32"
    probe_every: Annotated[Count, _says("epochs between probes after the first epoch")] = 1
    track_test: Annotated[bool, _says("measure the test set at every probe, not only at the end")] = False
    snapshots: Annotated[bool, _says("store the weights at a few updates of epoch 1, at most 1 MB")] = False


CHOICES: dict[str, Collection[str]] = {
    "cost": KNOWN,
    "activation": ACTIVATIONS,
    "initializer": INITIALIZERS,
    "dtype": DTYPES,
    "data": NAMES,
    "optimizer": OPTIMIZERS,
    "augment": AUGMENT,
}
OF_CHOICE: dict[str, Mapping[str, Mapping[str, float]]] = {  # settings that belong to a choice, with their defaults
    "optimizer": {name: optimizer.settings for name, optimizer in OPTIMIZERS.items()},
    "augment": {"none": {}} | {name: displacement.settings for name, displacement in AUGMENTATIONS.items()},
}
FIELDS = {field.name: field for field in msgspec.structs.fields(Settings)}


def description(name: str) -> str:
    """Return the description of a setting."""
    return str(Settings.__annotations__[name].__metadata__[-1].description)


def number_type(name: str) -> type[int | float] | None:
    """Return the type of the numbers that a setting can be, or that `hidden` consists of, None for other settings."""
    number = _number(name) if name in FIELDS else None
    return None if number is None else int if isinstance(number, inspect.IntType) else float


def must_be(name: str, pair: str = IN_FLAGS) -> str:
    """Return a description of the values that a setting may have; `pair` is how two numbers are written."""
    quote = '"' if pair == IN_FILES else ""
    special = {
        "cost": f"{', '.join(KNOWN)} or package.module:ClassName",
        "hidden": f"whole numbers above 0, such as 30 or {'[100, 30], or []' if quote else '100+30, or none'}",
        "initializer": f"{', '.join(INITIALIZERS)} or two numbers {pair.format('w', 'b')}",
        "data": f"{', '.join(NAMES)}, a folder of IDX files or images, an .npz or a CSV file",
    }
    if name in special:
        return special[name]
    if name in CHOICES:
        *most, last = CHOICES[name]
        return f"{', '.join(most)} or {last}"
    texts = []
    for kind in _kinds(name):
        if isinstance(kind, inspect.IntType):
            texts.append(f"a whole number, at least {kind.ge}")
        elif isinstance(kind, inspect.FloatType):
            below = "" if kind.lt is None else f" and less than {kind.lt}"
            texts.append(f"a number above {kind.gt}" if kind.ge is None else f"a number, at least {kind.ge}{below}")
        elif isinstance(kind, inspect.LiteralType):
            texts.append(f"{quote}{kind.values[0]}{quote}")
    return ", or ".join(texts) or "true or false"


def _kinds(name: str) -> tuple[inspect.Type, ...]:
    """Return the types that a setting may have, without their descriptions."""
    found = inspect.type_info(FIELDS[name].type)
    found = found.type if isinstance(found, inspect.Metadata) else found
    return found.types if isinstance(found, inspect.UnionType) else (found,)


def _number(name: str) -> inspect.IntType | inspect.FloatType | None:
    kinds = [kind.item_type if isinstance(kind, inspect.VarTupleType) else kind for kind in _kinds(name)]
    return next((kind for kind in kinds if isinstance(kind, inspect.IntType | inspect.FloatType)), None)


def check(name: str, value: Any, label: str, shown: str | None = None, allowed: str | None = None) -> Any:
    """Return the value of a setting, converted from that in a TOML file or a flag.

    Errors call the setting `label`, show the value as `shown` and say that it must be `allowed`, if given.

    Raises:
        SettingsError: there is no such setting, or the value is not valid.
    """
    if name not in FIELDS:
        raise unknown(label, name, FIELDS)
    try:
        return _convert(name, value)
    except msgspec.ValidationError as error:
        text = value if shown is None else shown
        may_be_text = shown is not None or name in CHOICES
        text = text if isinstance(text, str) and text and text.isprintable() and may_be_text else _shown(text)
        near = suggestion(text, CHOICES.get(name, ()))
        hint = f"did you mean {near}? " if near else ""
        allowed = allowed or must_be(name, IN_FILES if shown is None else IN_FLAGS)
        raise SettingsError(f"{label} {text[:80]}: {hint}must be {_limit(name, value) or allowed}") from error


def _shown(value: Any) -> str:
    """Return a value for an error; Python prints no number of more than 4,300 digits."""
    try:
        return repr(value)
    except ValueError:
        return "of so many digits"


def _limit(name: str, value: Any) -> str:
    """Return "at most …" for a number that is too large; such bounds are not in the help."""
    most = getattr(_number(name), "le", None)
    values = value if isinstance(value, list) else [value]
    if most is None or not any(isinstance(each, int | float) and each > most for each in values):
        return ""
    return f"at most {most:,}".removesuffix(".0")


def _convert(name: str, value: Any) -> Any:
    one_layer = name == "hidden" and isinstance(value, int)
    result = msgspec.convert([value] if one_layer else value, FIELDS[name].type)
    if isinstance(result, str) and not result.isprintable():
        raise msgspec.ValidationError
    if name == "cost":
        try:
            parse_name(result)
        except SettingsError as error:
            if "(" in result:
                raise
            raise msgspec.ValidationError from error
    return result


def read_toml(path: Path) -> dict[str, Any]:
    """Return the settings in a TOML file, each checked, without its `format` and `about`.

    Raises:
        SettingsError: the file cannot be read, is not TOML, or has an unknown key or an invalid value.
    """
    content = decode_toml(path)
    check_format(path, content.pop("format", FORMAT))
    content.pop("about", None)
    if of_experiment := [key for key in ("variants", "vary", "seeds", "baseline", "title") if key in content]:
        raise SettingsError(
            f"{path}: {of_experiment[0]}: belongs to an experiment, not to one run; "
            f"use netlearn compare {quote(str(path))}"
        )
    return {name: check(name, value, f"{path}: {name}") for name, value in content.items()}


def check_format(path: Path, found: Any) -> None:
    """Raise a `SettingsError` for a file of another format, naming the version of netlearn that reads it."""
    if found != FORMAT:
        reader = "netlearn 0.1 reads it" if found == 1 else "a later netlearn wrote it"
        raise SettingsError(f"{path}: format {found!r:.20}: must be {FORMAT} for this netlearn; {reader}")


def write_toml(settings: Settings) -> bytes:
    """Return the settings as the config.toml of a run, which `read_toml` reads."""
    return msgspec.toml.encode({"format": FORMAT} | msgspec.structs.asdict(settings))


def resolve(*layers: Mapping[str, Any], costs: NamedCosts = NO_COSTS, cost: Cost | None = None) -> Settings:
    """Return complete settings from layers of checked ones; later layers take precedence.

    The learning rate has the default of the optimizer and of the cost, other settings that of the optimizer or the
    augmentation they belong to. `costs` are the users' own that were given as objects; `cost` replaces that of the
    settings, where a network has it already.

    Raises:
        SettingsError: a setting belongs to another optimizer or augmentation.
        CostError: the user's own cost cannot be loaded.
    """
    merged: dict[str, Any] = {}
    for layer in layers:
        merged |= layer
    for owner, choices in OF_CHOICE.items():
        choice = merged.setdefault(owner, FIELDS[owner].default)
        for name in {name for own in choices.values() for name in own}:
            value = merged.get(name, "off")
            if name in merged and value == "off" and name in choices[choice]:
                raise SettingsError(
                    f"{name} off: must be a number with {owner} {choice}; left out, it is {choices[choice][name]:g}"
                )
            if value == "off":
                merged[name] = choices[choice].get(name, "off")
            elif name not in choices[choice]:
                owners = " or ".join(each for each, own in choices.items() if name in own)
                raise SettingsError(f"{name} {value:g}: applies only to {owner} {owners}, not {choice}")
    if "learning_rate" not in merged:
        cost = cost or load_cost(merged.get("cost", FIELDS["cost"].default), costs)
        rate = OPTIMIZERS[merged["optimizer"]].rate or float(cost.learning_rate)
        if merged["momentum"] != "off":
            rate *= 1 - merged["momentum"]  # v tends to −η∇C/(1−μ) under a constant gradient
        merged["learning_rate"] = float(f"{rate:.6g}")
    return Settings(**merged)


def settings_of_choice(settings: Settings, owner: str) -> dict[str, float]:
    """Return the settings that belong to the choice of `owner`, "optimizer" or "augment", in a run."""
    values = {name: getattr(settings, name) for name in OF_CHOICE[owner][getattr(settings, owner)]}
    return {name: value for name, value in values.items() if value != "off"}
