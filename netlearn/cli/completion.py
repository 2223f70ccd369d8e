"""`netlearn completion`: the lines that make a shell complete netlearn's commands, options and names."""

import click
from click.shell_completion import get_completion_class

from netlearn.cli.options import Command
from netlearn.cli.terminal import echo


@click.command("completion", cls=Command)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, /, shell: str) -> None:
    r"""Print what makes a shell complete commands, options, settings and the names of experiments.

    \b
    netlearn completion bash >> ~/.bashrc
    netlearn completion zsh >> ~/.zshrc
    netlearn completion fish > ~/.config/fish/completions/netlearn.fish
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.ClickException(f"shell {shell}: this click completes none of that name")
    echo(kind(ctx.find_root().command, {}, "netlearn", "_NETLEARN_COMPLETE").source().strip())
