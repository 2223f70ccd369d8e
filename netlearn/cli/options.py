"""Makes command-line options of the fields of `Settings`, so that the two cannot drift apart."""

from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from netlearn import settings

WHOLE_NUMBERS = ("epochs", "batch_size", "patience", "seed", "train_size")
METAVARS = {"hidden": "N,…", "learning_rate": "X", "l2": "X", "data": "NAME|PATH"} | dict.fromkeys(WHOLE_NUMBERS, "N")
DEFAULTS = {"learning_rate": "the cost's own", "patience": "off", "train_size": "all", "hidden": "30"}

Function = TypeVar("Function", bound=Callable[..., Any])


class Setting(click.ParamType):  # type: ignore[type-arg]  # generic, but not to be subscripted in older clicks
    """The text of one setting, checked by the schema."""

    def __init__(self, field: str) -> None:
        self.name = field

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ARG002
        """Return the setting's value; a `SettingsError` names the flag."""
        return settings.check(self.name, _parse(self.name, value), flag(self.name), shown=value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        """Complete the names that the setting knows."""
        return [CompletionItem(name) for name in settings.CHOICES.get(self.name, ()) if name.startswith(incomplete)]


def flag(field: str) -> str:
    """Return the flag of a setting."""
    return "--" + field.replace("_", "-")


def _parse(field: str, text: str) -> Any:
    """Return what a TOML file would give for a flag's text."""
    if field == "hidden" and text == "none":
        return []
    if field == "hidden" or (field == "initializer" and "," in text):
        return [_number(part) for part in text.split(",")]
    if METAVARS.get(field) in {"N", "X"}:
        return _number(text)
    return text


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def setting_options(function: Function) -> Function:
    """Give a command an option for each field of `Settings`; those that were not used arrive as None."""
    for field in reversed(settings.FIELDS.values()):
        description, allowed = settings.description(field.name), settings.allowed(field.name)
        function = click.option(
            flag(field.name),
            type=Setting(field.name),
            metavar=METAVARS.get(field.name, "NAME"),
            multiple=field.name == "hidden",
            help=f"{description}; {allowed}.  [default: {DEFAULTS.get(field.name, field.default)}]",
        )(function)
    return function


def given(flags: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that were given; several --hidden are the layers one after the other."""
    used = {name: value for name, value in flags.items() if value is not None}
    layers = used.pop("hidden", ())
    return used | ({"hidden": sum(layers, ())} if layers else {})
