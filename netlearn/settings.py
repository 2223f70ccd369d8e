"""The settings of one run, declared once: command-line options, TOML files and run folders all follow this schema."""

import difflib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from netlearn.activations import ACTIVATIONS
from netlearn.costs import Cost
from netlearn.custom_cost import KNOWN, NO_COSTS, NamedCosts, load_cost, parse_name
from netlearn.datasets import NAMES
from netlearn.datasets.augmentation import AUGMENTATIONS
from netlearn.errors import SettingsError
from netlearn.network import INITIALIZERS
from netlearn.optimizers import OPTIMIZERS
from netlearn.toml import decode_toml

FORMAT = 2  # of run folders and comparison folders; their config.toml states it
DTYPES = ("float32", "float64")
AUGMENT = ("none", *AUGMENTATIONS)
LARGEST = 1e9  # of a learning rate or λ; the bound also rejects infinity and NaN
Count: TypeAlias = Annotated[int, Meta(ge=1, le=10_000_000)]
Positive: TypeAlias = Annotated[float, Meta(gt=0, le=LARGEST)]
Below1: TypeAlias = Annotated[float, Meta(ge=0, lt=1)]
Off: TypeAlias = Literal["off"]
COUNT = "a whole number from 1 to 10000000"
FROM_0 = f"a number from 0 to {LARGEST:g}"
ABOVE_0 = f"a number above 0, up to {LARGEST:g}"
BELOW_1 = "a number from 0, below 1"
BOOL, OR_OFF = "true or false", ", or off"


def _meta(description: str, must_be: str, **bounds: Any) -> Meta:
    return Meta(description=description, extra={"must be": must_be}, **bounds)


def _one_of(description: str, names: Collection[str]) -> Meta:
    *most, last = names
    return _meta(description, f"{', '.join(most)} or {last}", pattern=rf"\A({'|'.join(names)})\Z")


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that determines a run, except for the machine. All defaults are filled in: see `resolve`."""

    cost: Annotated[str, _meta("cost function", f"{', '.join(KNOWN)} or package.module:ClassName")] = "cross-entropy"
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
    epochs: Annotated[Count, _meta("passes over the training set", COUNT)] = 30
    batch_size: Annotated[Count, _meta("examples in a mini-batch", COUNT)] = 10
    learning_rate: Annotated[float, _meta("step size η", ABOVE_0, gt=0, le=LARGEST)]
    optimizer: Annotated[str, _one_of("optimizer", OPTIMIZERS)] = "sgd"
    momentum: Annotated[Below1 | Off, _meta("momentum μ of momentum and nesterov", BELOW_1 + OR_OFF)] = "off"
    beta1: Annotated[Below1 | Off, _meta("decay of the mean of gradients in adam", BELOW_1 + OR_OFF)] = "off"
    beta2: Annotated[Below1 | Off, _meta("decay of the mean of squares in rmsprop and adam", BELOW_1 + OR_OFF)] = (
        "off"
    )
    epsilon: Annotated[Positive | Off, _meta("added to the root of that mean", ABOVE_0 + OR_OFF)] = "off"
    l2: Annotated[float, _meta("L2 regularization λ: adds λ/2n Σw²", FROM_0, ge=0, le=LARGEST)] = 0.0
    l1: Annotated[float, _meta("L1 regularization λ: adds λ/n Σ|w|", FROM_0, ge=0, le=LARGEST)] = 0.0
    max_norm: Annotated[
        Positive | Off, _meta("largest norm of the weights into a hidden neuron", ABOVE_0 + OR_OFF)
    ] = "off"
    dropout: Annotated[float, _meta("probability of dropping a hidden neuron in a step", BELOW_1, ge=0, lt=1)] = 0.0
    halve_after: Annotated[
        Count | Off,
        _meta("halve η after N epochs without a better validation accuracy, and stop at 1/128 of it", COUNT + OR_OFF),
    ] = "off"
    patience: Annotated[
        Count | Off, _meta("stop after N epochs without a better validation accuracy", COUNT + OR_OFF)
    ] = "off"
    seed: Annotated[
        int, _meta("seed of all random streams", "a whole number from 0 to 2^63-1", ge=0, le=2**63 - 1)
    ] = 0
    data: Annotated[
        str, _meta("data set", f"{', '.join(NAMES)}, a folder of IDX files or images, an .npz or a CSV file")
    ] = "auto"
    augment: Annotated[str, _one_of("how to deform the training images, anew in each epoch", AUGMENT)] = "none"
    elastic_sigma: Annotated[
        Annotated[float, Meta(gt=0, le=100)] | Off,
        _meta("σ in pixels that smooths the elastic fields", "a number above 0, up to 100" + OR_OFF),
    ] = "off"
    elastic_alpha: Annotated[Positive | Off, _meta("α that multiplies the elastic fields", ABOVE_0 + OR_OFF)] = "off"
    train_size: Annotated[Count | Literal["all"], _meta("train on the first N examples only", f"{COUNT}, or all")] = (
        "all"
    )
    dtype: Annotated[str, _one_of("type of the network's numbers", DTYPES)] = "float32"
    probe_every: Annotated[Count, _meta("epochs between probes after the first epoch", COUNT)] = 1
    track_test: Annotated[bool, _meta("measure the test set at every probe, not only at the end", BOOL)] = False
    snapshots: Annotated[bool, _meta("store the weights at a few updates of epoch 1, at most 1 MB", BOOL)] = False


CHOICES: dict[str, Collection[str]] = {
    "cost": KNOWN,
    "activation": ACTIVATIONS,
    "initializer": INITIALIZERS,
    "dtype": DTYPES,
    "data": NAMES,
    "optimizer": OPTIMIZERS,
    "augment": AUGMENT,
}
OWN: dict[str, Mapping[str, Mapping[str, float]]] = {  # the settings that belong to a choice, with their defaults
    "optimizer": {name: optimizer.settings for name, optimizer in OPTIMIZERS.items()},
    "augment": {"none": {}} | {name: displacement.settings for name, displacement in AUGMENTATIONS.items()},
}
FIELDS = {field.name: field for field in msgspec.structs.fields(Settings)}


def description(name: str) -> str:
    """Return the description of a setting."""
    return str(_meta_of(name).description)


def must_be(name: str) -> str:
    """Return a description of the values that a setting may have."""
    return str((_meta_of(name).extra or {})["must be"])


def must_be_in_toml(name: str) -> str:
    """Return a description of the values that a setting may have in a TOML file."""
    if name == "hidden":
        return "numbers from 1 to 100000, such as 30 or [100, 30], or []"
    return must_be(name).replace("two numbers w,b", "two numbers [w, b]").replace(", or off", ', or "off"')


def _meta_of(name: str) -> Meta:
    meta: Meta = Settings.__annotations__[name].__metadata__[-1]
    return meta


ALIASES = {  # what others call them
    "eta": "learning_rate", "lr": "learning_rate", "alpha": "learning_rate", "rate": "learning_rate",
    "step_size": "learning_rate", "lmbda": "l2", "lambda": "l2", "weight_decay": "l2", "reg": "l2",
    "mini_batch_size": "batch_size", "minibatch": "batch_size", "bs": "batch_size", "layers": "hidden",
    "sizes": "hidden", "loss": "cost", "dataset": "data", "init": "initializer", "weights": "initializer",
    "random_state": "seed", "early_stopping": "patience", "mse": "quadratic", "l2_loss": "quadratic",
    "squared_error": "quadratic", "bce": "cross-entropy", "binary_crossentropy": "cross-entropy",
    "crossentropy": "cross-entropy", "softmax": "log-likelihood", "nll": "log-likelihood",
    "categorical_crossentropy": "log-likelihood", "logistic": "sigmoid", "gd": "sgd",
    "gradient_descent": "sgd", "float": "float32", "double": "float64", "fashion": "fashion-mnist",
}  # fmt: skip
NEAR = 0.75  # as difflib measures: a wrong suggestion is worse than none


def suggestion(name: str, known: Iterable[str]) -> str | None:
    """Return which of the known names is meant, or None if none is near."""
    names = {each.lstrip("-").replace("_", "-"): each for each in known}
    plain = name.lstrip("-").lower().replace("_", "-")
    alias = ALIASES.get(plain.replace("-", "_"), "").replace("_", "-")
    near = [alias] if alias in names else difflib.get_close_matches(plain, names, n=1, cutoff=NEAR)
    return names[near[0]] if near else None


def unknown(label: str, name: str, known: Iterable[str]) -> SettingsError:
    """Return the error for a key that does not exist, with the nearest one that does."""
    return SettingsError(f"{label}: unknown key: {nearest(name, known)}")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return which of the known names is meant, for an error, or all of them."""
    known = list(known)
    near = suggestion(name, known)
    return f"did you mean {near}?" if near else f"must be {', '.join(known)}"


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
        text = text if isinstance(text, str) and text and text.isprintable() and may_be_text else repr(text)
        near = suggestion(text, CHOICES.get(name, ()))
        hint = f"did you mean {near}? " if near else ""
        allowed = allowed or (must_be_in_toml(name) if shown is None else must_be(name))
        raise SettingsError(f"{label} {text[:80]}: {hint}must be {allowed}") from error


def _convert(name: str, value: Any) -> Any:
    one_layer = name == "hidden" and isinstance(value, int)
    result = msgspec.convert([value] if one_layer else value, FIELDS[name].type)
    if isinstance(result, str) and not result.isprintable():
        raise msgspec.ValidationError
    constants = result if name == "initializer" and isinstance(result, tuple) else ()
    if not all(abs(constant) <= LARGEST for constant in constants):
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
            f"{path}: {of_experiment[0]}: belongs to an experiment, not to one run; use netlearn compare {path.name}"
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
    for owner, choices in OWN.items():
        choice = merged.setdefault(owner, FIELDS[owner].default)
        for name in {name for own in choices.values() for name in own}:
            value = merged.get(name, "off")
            if value == "off":
                merged[name] = choices[choice].get(name, "off")
            elif name not in choices[choice]:
                owners = " or ".join(each for each, own in choices.items() if name in own)
                raise SettingsError(f"{name} {value:g}: must be off with {owner} {choice}; {owners} has it")
    if "learning_rate" not in merged:
        cost = cost or load_cost(merged.get("cost", FIELDS["cost"].default), costs)
        rate = OPTIMIZERS[merged["optimizer"]].rate or float(cost.learning_rate)
        if merged["momentum"] != "off":
            rate *= 1 - merged["momentum"]  # v tends to −η∇C/(1−μ) under a constant gradient
        merged["learning_rate"] = float(f"{rate:.6g}")
    return Settings(**merged)


def own_settings(settings: Settings, owner: str) -> dict[str, float]:
    """Return the settings that belong to the choice of `owner`, "optimizer" or "augment", in a run."""
    values = {name: getattr(settings, name) for name in OWN[owner][getattr(settings, owner)]}
    return {name: value for name, value in values.items() if value != "off"}
