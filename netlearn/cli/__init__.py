"""The command line: parses options, calls the library and prints results.

Commands are imported when they are called, so that `netlearn --help` loads no numpy.
"""

import atexit
import errno
import gc
import importlib
import os
import sys
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import click
import click.shell_completion

from netlearn import __version__
from netlearn.cli.terminal import Terminated, check_address_space, echo, prepare
from netlearn.errors import CostWarning, DrawingWarning, NetlearnError, SettingsError
from netlearn.text import printable, suggestion

COMMANDS = {
    "train": ("netlearn.cli.train:command", "Train a network and draw its learning curves."),
    "compare": ("netlearn.cli.compare:command", "Compare costs, or any settings, and show the learning slowdown."),
    "curves": ("netlearn.cli.stored:curves_command", "Draw the learning curves of runs."),
    "report": ("netlearn.cli.stored:report_command", "Make the page of a comparison, to explore in a browser."),
    "lab": ("netlearn.cli.stored:lab_command", "Make a page in which two networks learn while you watch."),
    "evaluate": ("netlearn.cli.evaluate:command", "Evaluate trained networks and show where they are wrong."),
    "predict": ("netlearn.cli.predict:command", "Classify pictures with a trained network."),
    "export": ("netlearn.cli.stored:export_command", "Export a trained network to ONNX or NumPy."),
    "weights": ("netlearn.cli.stored:weights_command", "Draw what the neurons of a trained network respond to."),
    "check": ("netlearn.cli.check:command", "Check a cost: is its gradient right, and does it learn slowly?"),
    "neuron": ("netlearn.cli.neuron:command", "Train one neuron with both costs, as a table or an animation."),
    "verify": ("netlearn.cli.stored:verify_command", "Repeat a run and check that its results are the same."),
    "data": ("netlearn.cli.data:command", "List, download and show data sets."),
    "completion": ("netlearn.cli:completion", "Print what makes a shell complete commands and names."),
}


class WrongSetting(click.ClickException):
    """A setting is not valid, which counts as wrong usage."""

    exit_code = 2


def _show_warning(
    otherwise: Callable[..., None], message: Warning | str, category: type[Warning], *where: object
) -> None:
    """Print netlearn's own warnings as a line, others as Python does."""
    if issubclass(category, (CostWarning, DrawingWarning)):
        echo(f"Warning: {message}", err=True)
    else:
        otherwise(message, category, *where)


class Commands(click.Group):
    """A group that lists its commands without importing them.

    It also turns netlearn's errors into exit codes: 2 for a wrong setting, 1 for anything else, 130 for Ctrl-C, 143
    for SIGTERM.
    """

    def main(self, *arguments: Any, **given: Any) -> Any:
        """Run the command line on a terminal of any encoding."""
        prepare()
        os.environ["MPLBACKEND"] = "agg"  # notebooks set another, which not every environment has
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # it is never asked for more, and ends where it gets none
        gc.set_threshold(10_000)  # after 700 new objects, looking for garbage takes a tenth of the time of starting
        atexit.register(gc.freeze)  # a last search for garbage when Python ends would be wasted
        return super().main(*arguments, **given)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Return the names in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        if name not in COMMANDS:
            return None
        check_address_space()
        module, _, attribute = COMMANDS[name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command, or say which one is meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = suggestion(args[0], COMMANDS)
            hint = f" Did you mean {near!r}?" if near else ""
            raise click.UsageError(f"No such command {args[0]!r}.{hint}", ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        """Run a command and translate its errors."""
        try:
            with warnings.catch_warnings():
                warnings.showwarning = partial(_show_warning, warnings.showwarning)
                result = super().invoke(ctx)
            if sys.stdout is not None:
                sys.stdout.flush()  # so that a failure is reported here, not when Python ends
        except click.BadParameter as error:
            if isinstance(error, click.MissingParameter):
                raise
            raise WrongSetting(printable(error.format_message())) from error
        except NetlearnError as error:
            problem = WrongSetting if isinstance(error, SettingsError) else click.ClickException
            raise problem(printable(" ".join(str(error).split()))) from error
        except (MemoryError, ImportError) as error:
            if isinstance(error, ImportError) and "failed to map" not in str(error):
                raise
            raise click.ClickException("memory: there is not enough for this command") from error
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # click exits quietly when nobody reads its output
            if error.filename is None and sys.__stdout__ is not None:  # stdout itself: Python would try again at exit
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())
            raise click.ClickException(printable(f"{error.filename or 'output'}: {error.strerror}")) from error
        except KeyboardInterrupt as error:
            echo("Interrupted", err=True)
            ctx.exit(143 if isinstance(error, Terminated) else 130)
        return result


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="netlearn %(version)s")
def main() -> None:
    """Train small neural networks from scratch and see how the cost function changes how fast they learn.

    Try: netlearn train --cost cross-entropy
    """


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    r"""Print what makes a shell complete commands, options, settings and the names of experiments.

    \b
    netlearn completion bash >> ~/.bashrc
    netlearn completion zsh >> ~/.zshrc
    netlearn completion fish > ~/.config/fish/completions/netlearn.fish
    """
    kind = click.shell_completion.get_completion_class(shell)
    if kind is None:
        raise click.ClickException(f"shell {shell}: this click completes none of that name")
    echo(kind(main, {}, "netlearn", "_NETLEARN_COMPLETE").source().strip())
