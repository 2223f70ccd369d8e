"""Replays the book's recorded curves with netlearn and puts the result into docs/reproduction.md: `make replay`."""

from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from time import process_time

import click

from netlearn.book import mnist_loader
from netlearn.cli.progress import note
from netlearn.errors import NetlearnError
from netlearn.runs import write_whole
from scripts.page import REPLAY, with_replay
from scripts.recorded import REPLAYS, Outcome


def section(outcomes: Sequence[Outcome], data: str, seconds: float) -> str:
    """Return the page's section."""
    rows = [
        f"| `{outcome.record}` | {outcome.what} | {outcome.same[0]} of {outcome.same[1]} "
        f"| {'' if outcome.difference is None else f'{outcome.difference:.0e}'} | {outcome.note} |"
        for outcome in outcomes
    ]
    return "\n".join(
        [
            f"{REPLAY}\n",
            "The book's programs seed their random generators, and some of the curves that they stored lie beside "
            "its code (here in `scripts/records/`, with source and licence). `make replay` types "
            "the calls that the book prints into `netlearn.book`, with those seeds "
            f"(data: {data}, {seconds / 60:.0f} minutes of one core), and compares every recorded figure, "
            "costs relative to the book's.\n",
            "| record | figures | the same | largest difference of a cost | remark |",
            "| --- | --- | ---: | ---: | --- |",
            *rows,
            "",
        ]
    )


@click.command()
@click.option("--only", multiple=True, type=click.Choice(list(REPLAYS)), help="a record; repeat it.")
@click.option(
    "--page", "target", type=click.Path(path_type=Path), default=Path("docs/reproduction.md"), show_default=True
)
def main(only: tuple[str, ...], target: Path) -> None:
    """Replay the book's recorded curves; of all of them, put the result into the page."""
    begun = process_time()
    try:
        data = mnist_loader.load_data_wrapper()
        if len(data[0]) != 50_000:
            raise click.ClickException("the records are of full MNIST: set NETLEARN_DATA to its folder")
        outcomes: list[Outcome] = []
        for record in only or REPLAYS:
            with redirect_stdout(StringIO()):  # the book's programs print every epoch
                replayed = list(REPLAYS[record](data, record))
            outcomes += replayed
            for outcome in replayed:
                costs = "" if outcome.difference is None else f", costs within {outcome.difference:.0e}"
                note(f"{record}: {outcome.what}: {outcome.same[0]} of {outcome.same[1]}{costs}")
        text = section(outcomes, f"MNIST, {len(data[0]):,} training images", process_time() - begun)
        if not only:
            stored = target.parent / target.stem / "replay.md"
            write_whole(stored, text.encode())
            write_whole(target, with_replay(target.read_text(), stored).encode())
    except NetlearnError as error:
        raise click.ClickException(str(error)) from error
    click.echo(text)


if __name__ == "__main__":
    main()
