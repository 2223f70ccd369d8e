"""The options of a sweep, `--vary`, `--random` and `--random-seed`, and its size."""

from collections.abc import Callable
from typing import Any, TypeVar

import click
import msgspec
from click.shell_completion import CompletionItem

from netlearn.cli.options import COMMA, Number, parse
from netlearn.cli.terminal import echo
from netlearn.comparison.experiment import Experiment
from netlearn.comparison.sweep import MOST_RUNS, RANGE, Sweep, values_of
from netlearn.comparison.tuning import trials_of
from netlearn.errors import SettingsError
from netlearn.settings import FIELDS

Function = TypeVar("Function", bound=Callable[..., Any])


class Vary(click.ParamType):  # type: ignore[type-arg]  # generic, but not to be subscripted in older clicks
    """A setting with several values, such as hidden=30,100 or learning_rate=0.01:10:log7."""

    name = "vary"

    def convert(
        self,
        value: str,
        param: click.Parameter | None,  # noqa: ARG002
        ctx: click.Context | None,  # noqa: ARG002
    ) -> tuple[str, tuple[Any, ...]]:
        """Return the setting and its values."""
        given, equals, text = value.partition("=")
        name, label = given.replace("-", "_"), f"--vary {given}"
        if not equals:
            raise SettingsError(f"--vary {value}: must be SETTING=VALUE,VALUE,…")
        texts = COMMA.split(text) if text else []
        return name, values_of(name, [_item(name, each) for each in texts], label, texts)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        """Complete the names of the settings."""
        names = [f"{name}=" for name in FIELDS if name != "seed" and name.startswith(incomplete)]
        return [CompletionItem(name) for name in names]


def _item(name: str, text: str) -> Any:
    """Return the value that a TOML file would have for a value of `--vary`."""
    if isinstance(FIELDS[name].default if name in FIELDS else None, bool):
        return {"true": True, "false": False}.get(text, text)
    if RANGE.fullmatch(text):
        return text
    return parse(name, text)


def sweep_options(function: Function) -> Function:
    """Give a command the options of a sweep; `sweep_of` reads them."""
    for option in (
        click.option(
            "--random-seed", type=Number(0), metavar="N", default=0, help="seed of that draw.  [default: 0]"
        ),
        click.option(
            "--random",
            type=Number(1, MOST_RUNS),
            metavar="N",
            help="train only N of the combinations, drawn at random.",
        ),
        click.option("--dry-run", is_flag=True, help="print how many runs there are, and stop."),
        click.option(
            "--vary",
            type=Vary(),
            multiple=True,
            metavar="SETTING=V,V,…",
            help="compare all combinations of these values; also ranges, such as 0:0.9:10 or, evenly spaced on a log "
            "scale, 0.01:10:log7. Repeat it for more settings. Several layers are one value: hidden=30,100+30.",
        ),
    ):
        function = option(function)
    return function


def sweep_of(flags: dict[str, Any]) -> Sweep:
    """Return the sweep in the flags of a command, and remove it from them; other flags are settings.

    Raises:
        SettingsError: a setting is varied twice, or has another flag.
    """
    vary, random, random_seed = (flags.pop(name) for name in ("vary", "random", "random_seed"))
    names = [name for name, _ in vary]
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f"--vary {name}: must be given once, with all values: --vary {name}=VALUE,VALUE,…")
        if flags.get(name):
            raise SettingsError(f"--{name.replace('_', '-')}: must be left out with --vary {name}")
    return Sweep(dict(vary), random, random_seed)


class Size(msgspec.Struct, frozen=True):
    """The size of an experiment; the runs include those that tune learning rates."""

    variants: int
    seeds: int
    runs: int

    def __str__(self) -> str:
        seeds = "1 seed" if self.seeds == 1 else f"{self.seeds} seeds"
        tuning = self.runs - self.variants * self.seeds
        tuned = f", {tuning:,} to tune them" if tuning else ""
        return f"{self.runs:,} runs ({self.variants:,} variants from {seeds}{tuned})"


def end_dry_run(experiment: Experiment, *, dry_run: bool, as_json: bool) -> None:
    """Print the size of an experiment in a dry run, of which that is the result.

    Raises:
        Exit: it is one.
    """
    if not dry_run:
        return
    variants, seeds = len(experiment.variants), len(experiment.seeds)
    tuning = len(trials_of(experiment)) if experiment.tuning == "to do" else 0
    size = Size(variants, seeds, variants * seeds + tuning)
    echo(msgspec.json.encode(size) if as_json else str(size))
    raise click.exceptions.Exit
