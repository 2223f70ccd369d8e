"""Runs netlearn's own experiments on what cures the learning slowdown and writes docs/cures.md: `make reproduce`.

Finished runs are kept, so an interrupted reproduction can be resumed. The experiments that take long run with
`make reproduce-long` only; their results are stored beside the page, which can be written again without the runs.
"""

from pathlib import Path

import click
import msgspec

from netlearn.cli.progress import load_and_tell
from netlearn.cli.terminal import terminated_as_interrupted
from netlearn.comparison.pool import Pool, cores
from netlearn.runs import write_whole
from scripts.answers import of_runs, stored
from scripts.cures_page import LONG, PICTURES, page
from scripts.reproduce import QUICK_DATA, conclude, plan, reproduce, resumable

SHORT = tuple(name for name in PICTURES if name not in LONG)


@click.command()
@click.option("--only", multiple=True, type=click.Choice(list(PICTURES)), help="an experiment; repeat it.")
@click.option("--long", is_flag=True, help=f"the experiments that take long: {', '.join(LONG)}.")
@click.option("--quick", is_flag=True, help="few epochs of the bundled digits: to see that it works.")
@click.option("--runs", type=click.Path(path_type=Path), help="folder of the runs.  [default: runs/reproduce]")
@click.option("--page", "target", type=click.Path(path_type=Path), help="the page.  [default: docs/cures.md]")
def main(only: tuple[str, ...], long: bool, quick: bool, runs: Path | None, target: Path | None) -> None:
    """Run the experiments on what cures the slowdown and write the page on them."""
    runs = runs or Path("runs/reproduce-quick" if quick else "runs/reproduce")
    target = target or (runs / "what-cures.md" if quick or only else Path("docs/cures.md"))
    beside = target.parent / target.stem
    with resumable():
        load_and_tell(QUICK_DATA if quick else "auto")
        plans = {name: plan(name, None, quick=quick) for name in PICTURES}
        with terminated_as_interrupted(), Pool(cores()) as workers:
            failed = {
                name: reproduce(name, plans[name], runs / name, workers) for name in only or (LONG if long else SHORT)
            }
        found = {}
        for name, experiment in plans.items():
            kept = beside / f"{name}.json"
            results = of_runs(experiment, runs / name) or stored(experiment, kept)
            if results is not None:
                found[name] = results
                beside.mkdir(parents=True, exist_ok=True)
                if name in LONG:
                    write_whole(kept, msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")
        command = "python -m scripts.cures --quick" if quick else "make reproduce"
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, page(plans, found, runs, beside, command, failed, notes=not quick).encode())
    conclude(target, failed)


if __name__ == "__main__":
    main()
