"""The option `--shard`, and what its command prints."""

from typing import Any

import click

from netlearn.comparison.shard import Part, Shard, parse_shard


class ShardType(click.ParamType):  # type: ignore[type-arg]  # generic, but not to be subscripted in older clicks
    """One of several shards, such as 3/8."""

    name = "shard"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Shard:  # noqa: ARG002
        """Return the shard."""
        return parse_shard(value)


SHARD = click.option(
    "--shard",
    type=ShardType(),
    metavar="K/N",
    help="train only every N-th run, from the K-th on; --resume completes the shards, copied into one folder.",
)


def report_of(part: Part) -> str:
    """Return what a shard prints at its end."""
    return "\n".join([
        *part.problems,
        f"shard {part.shard}: {part.finished} of {part.runs} runs finished",
        f"folder: {part.folder} (copy those of all shards into one, then: netlearn compare --resume FOLDER)",
    ])  # fmt: skip
