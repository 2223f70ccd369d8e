"""Command-line options: those made from the fields of `Settings`, and those that several commands share."""

import re
import sys
from collections.abc import Callable, Collection, Mapping
from contextlib import redirect_stdout
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from netlearn import settings
from netlearn.cli.terminal import AS_JSON, QUIETLY, RESULTS
from netlearn.errors import SettingsError
from netlearn.runs import text_of
from netlearn.text import suggestion

METAVARS = {"hidden": "N+…", "data": "NAME|PATH"}
NUMBERS: dict[type | None, str] = {int: "N", float: "X"}
DEFAULTS = {"learning_rate": "that of the cost and the optimizer"} | {
    name: f"that of {owner}"
    for owner, choices in settings.OF_CHOICE.items()
    for own in choices.values()
    for name in own
}
PARTS = re.compile(r",|(?<![eE])\+")  # between the layers of one value, as in 100+30; not that of 1e+3
COMMA = re.compile(r",(?![^(]*\))")  # not one inside parentheses, as in costs:Focal(gamma=2,alpha=1)
BEGINNING = {  # of the sections of a long help text: each has the settings from this one to the next
    "cost": "Network", "epochs": "Learning", "data": "Data", "dtype": "Network", "probe_every": "Measuring",
}  # fmt: skip
SECTIONS = {  # other options by section; those in none stand below "Options"
    "Running": ("jobs", "shard", "cluster", "tls_folder", "insecure", "dry_run", "resumed"),
    "Results": ("out", "force", "top", "markdown", "quiet", "as_json", "help"),
}

Function = TypeVar("Function", bound=Callable[..., Any])


def remembered(key: str, *names: str, text: str) -> Callable[[Function], Function]:
    """Return a flag that is no argument of a command: its context has it by a key, for `asked`."""

    def remember(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        ctx.meta[key] = value

    return click.option(*names, is_flag=True, expose_value=False, callback=remember, help=text)


def sections() -> dict[str, str]:
    """Return the section of the help in which an option stands, by its name, in the order of the sections."""
    found, section = {}, ""
    for name in settings.FIELDS:
        found[name] = section = BEGINNING.get(name, section)
    return found | {name: section for section, names in SECTIONS.items() for name in names}


PATH = click.Path(path_type=Path)
EXISTING = click.Path(exists=True, path_type=Path)
RUN = click.argument("folder", type=EXISTING, metavar="RUN")
QUIET = remembered(QUIETLY, "-q", "--quiet", text="print nothing but the results.")
JSON = remembered(AS_JSON, "--json", "as_json", text="print the results as JSON.")
OPEN = click.option("--open", "opened", is_flag=True, help="open the page in the browser.")
OUT = click.option("--out", type=PATH, metavar="FOLDER", help="folder for the files.  [default: the run folder]")
BEST = click.option(
    "--best/--last",
    default=None,
    help="use the weights of the best epoch, or the last ones.  [default: those of the summary's test result]",
)
COST = click.option(
    "--cost",
    "costs",
    multiple=True,
    metavar="NAME",
    help="your own cost that a RUN was trained with, package.module:ClassName; imported only if named here.",
)


class Command(click.Command):
    """A command whose help has sections, and that rejects an option given twice instead of taking the last one."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, those of the command's own first, and the settings in sections if there are many."""
        shown = [
            (param.name, record)
            for param in self.get_params(ctx)
            if isinstance(param, click.Option) and (record := param.get_help_record(ctx))
        ]
        section_of = sections() if len(shown) > 20 else {}
        for section in dict.fromkeys(["Options", *section_of.values()]):
            records = [record for name, record in shown if section_of.get(str(name), "Options") == section]
            if records:
                with formatter.section(section):
                    formatter.write_dl(records)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments."""
        try:
            order = self.make_parser(ctx).parse_args(args=list(args))[2]
        except click.NoSuchOption as error:
            name = error.option_name
            near = suggestion(name, [flag for option in self.params for flag in option.opts])
            hint = f" Did you mean {near}?" if near else ""
            raise click.NoSuchOption(name, f"No such option {name}.{hint}", ctx=ctx) from error
        for option in order:
            if isinstance(option, click.Option) and not option.multiple and order.count(option) > 1:
                name = max(option.opts, key=len)
                hint = "; several layers are one option, such as --hidden 10+30" if name == "--hidden" else ""
                if option.name in settings.FIELDS and self.name == "compare":
                    hint += f"; several values are compared by --vary {option.name}=VALUE,VALUE,…"
                raise SettingsError(f"{name}: must be given once{hint}")
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, whose results alone go to stdout: what a user's own cost prints goes to stderr."""
        ctx.meta[RESULTS] = sys.stdout
        with redirect_stdout(sys.stderr):
            return super().invoke(ctx)


def together(*options: Callable[[Function], Function]) -> Callable[[Function], Function]:
    """Return a decorator that gives a command several options, shown in this order."""

    def decorate(function: Function) -> Function:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def completing(names: Callable[[], Collection[str]]) -> Callable[..., list[CompletionItem]]:
    """Return the `shell_complete` of an option or argument that has one of some names."""
    return lambda ctx, param, text: [CompletionItem(name) for name in names() if name.startswith(text)]


def setting(field: str) -> Callable[[Any], Any]:
    """Return the type of an option that is a setting, checked by the schema."""
    return lambda text: settings.check(field, parse(field, str(text)), flag(field), shown=str(text))


def flag(field: str) -> str:
    """Return the flag of a setting."""
    return "--" + field.replace("_", "-")


def parse(field: str, text: str) -> Any:
    """Return the value that a TOML file would have for the text of a flag."""
    if field == "hidden" and text == "none":
        return []
    parts = PARTS.split(text)
    if field == "hidden" or (field == "initializer" and len(parts) > 1):
        return [_number(part) for part in parts]
    return text if settings.number_type(field) is None else _number(text)


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def setting_options(
    *, defaults: Mapping[str, Any] = {}, repeatable: Collection[str] = (), without: Collection[str] = ()
) -> Callable[[Function], Function]:
    """Return a decorator that gives a command an option for each field of `Settings`, None where it is not used.

    Args:
        defaults: shown in the help instead of the schema's defaults.
        repeatable: fields that may have several values, by commas or by several options; their value is a tuple.
        without: fields without an option.
    """

    def option(name: str) -> Callable[[Function], Function]:
        default = defaults.get(name, DEFAULTS.get(name, settings.FIELDS[name].default))
        text = settings.description(name)
        if isinstance(default, bool):
            help_text = f"{text}.  [default: {'yes' if default else 'no'}]"
            return click.option(f"{flag(name)}/--no-{flag(name)[2:]}", default=None, help=help_text)
        one, several = setting(name), name in repeatable
        metavar = METAVARS.get(name) or NUMBERS.get(settings.number_type(name), "NAME")
        return click.option(
            flag(name),
            type=(lambda values: tuple(map(one, COMMA.split(values)))) if several else one,
            multiple=several,
            callback=(lambda ctx, param, values: tuple(chain(*values))) if several else None,
            shell_complete=completing(lambda: settings.CHOICES.get(name, ())),
            metavar="NAME,…" if several else metavar,
            help=f"{text}; {settings.must_be(name)}.  [default: {text_of(default)}]",
        )

    return together(*(option(name) for name in settings.FIELDS if name not in without))


def check_suffix(path: Path | None, name: str, *suffixes: str) -> None:
    """Check that a file that an option names, if any, has one of the endings.

    Raises:
        SettingsError: it has not.
    """
    if path is not None and path.suffix not in suffixes:
        raise SettingsError(f"{name} {path}: must end in {' or '.join(suffixes)}")


def check_force(out: Path | None, *, force: bool) -> None:
    """Check that --force says what it overwrites, which a numbered folder is not.

    Raises:
        SettingsError: it does not.
    """
    if force and out is None:
        raise SettingsError("--force: must be given with --out, the folder to overwrite")


def settings_in(flags: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that were given."""
    return {name: value for name, value in flags.items() if value is not None and (name != "cost" or value != ())}
