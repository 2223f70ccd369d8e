"""The options of `netlearn compare` alone: seeds, sweeps, shards, a cluster, and the size of what they plan."""

from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from netlearn.cli.options import COMMA, PATH, completing, parse, settings_in, together
from netlearn.comparison import catalogue
from netlearn.comparison.compare import trials_of
from netlearn.comparison.experiment import BUILT_IN_SEEDS, Experiment
from netlearn.comparison.shard import parse_shard
from netlearn.comparison.sweep import RANGE, Sweep, values_of
from netlearn.errors import SettingsError
from netlearn.settings import FIELDS
from netlearn.text import counted


def complete_experiments(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the names of experiments, and of files and folders."""
    names = [name for name in catalogue.files() if name.startswith(incomplete)]
    if not names:
        return [CompletionItem(incomplete, type="file")]  # bash forgets the names where it completes files too
    beside = sorted(path.name for path in Path().glob("*") if path.is_dir() or path.suffix == ".toml")
    return [CompletionItem(name) for name in [*names, *(each for each in beside if each.startswith(incomplete))]]


def seeds(text: str) -> int | list[int]:
    """Return the number of seeds, or the list of them, that a text such as 1,2,5 says."""
    texts = text.split(",")
    if not all(each.strip().isdecimal() for each in texts):
        raise SettingsError(f"--seeds {text}: must be a number of seeds, or a list of them, such as 1,2,5")
    return int(text) if len(texts) == 1 else [int(each) for each in texts]


def vary(text: str) -> tuple[str, tuple[Any, ...]]:
    """Return a setting and its values, from a text such as hidden=30,100 or learning_rate=0.01:10:log7."""
    given, equals, values = text.partition("=")
    name = given.replace("-", "_")
    if not equals:
        raise SettingsError(f"--vary {text}: must be SETTING=VALUE,VALUE,…")
    texts = COMMA.split(values) if values else []
    return name, values_of(name, [_item(name, each) for each in texts], f"--vary {given}", texts)


def _item(name: str, text: str) -> Any:
    """Return the value that a TOML file would have for a value of `--vary`."""
    if isinstance(FIELDS[name].default if name in FIELDS else None, bool):
        return {"true": True, "false": False}.get(text, text)
    return text if RANGE.fullmatch(text) else parse(name, text)


SEEDS = click.option(
    "--seeds",
    type=seeds,
    metavar="N | A,B,…",
    help=f"train each variant from seeds 0 to N-1, or from those listed.  [default: {BUILT_IN_SEEDS}]",
)
SWEEP = together(
    click.option(
        "--vary",
        type=vary,
        multiple=True,
        metavar="SETTING=V,V,…",
        shell_complete=completing(lambda: [f"{name}=" for name in FIELDS if name != "seed"]),
        help="compare all combinations of these values; also ranges, such as 0:0.9:10 or, evenly spaced on a log "
        "scale, 0.01:10:log7. Repeat it for more settings. Several layers are one value: hidden=30,100+30.",
    ),
    click.option("--dry-run", is_flag=True, help="print how many runs there are, and stop."),
    click.option(
        "--random", type=click.IntRange(1), metavar="N", help="train only N of the combinations, drawn at random."
    ),
    click.option(
        "--random-seed",
        type=click.IntRange(0),
        metavar="N",
        default=0,
        help="seed of that draw.  [default: 0]",
    ),
)
WORKERS = together(
    click.option(
        "--shard",
        type=parse_shard,
        metavar="K/N",
        help="train only every N-th run, from the K-th on; --resume completes the shards, copied into one folder.",
    ),
    click.option(
        "--cluster",
        metavar="ADDRESS",
        help="train on the Dask cluster with scheduler tls://HOST:PORT, or local:N for N processes here.",
    ),
    click.option(
        "--tls-folder", type=PATH, metavar="FOLDER", help="folder of ca.pem, cert.pem and key.pem, for tls://."
    ),
    click.option("--insecure", is_flag=True, help="allow a scheduler tcp://HOST:PORT, without certificates."),
)


def sweep_of(flags: dict[str, Any]) -> Sweep:
    """Return the sweep in the flags of a command, and remove it from them; other flags are settings.

    Raises:
        SettingsError: a setting is varied twice, or has another flag, or the seed of a draw is given without one.
    """
    varied, random, random_seed = (flags.pop(name) for name in ("vary", "random", "random_seed"))
    names, given = [name for name, _ in varied], settings_in(flags)
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f"--vary {name}: must be given once, with all values: --vary {name}=VALUE,VALUE,…")
        if name in given:
            raise SettingsError(f"--{name.replace('_', '-')}: must be left out with --vary {name}")
    if random_seed and random is None:
        raise SettingsError(f"--random-seed {random_seed}: must be with --random, whose combinations it draws")
    return Sweep(dict(varied), random, random_seed)


def size_of(experiment: Experiment) -> tuple[dict[str, int], str]:
    """Return the size of an experiment and the same as text; the runs include those that tune learning rates."""
    variants, seeds = len(experiment.variants), len(experiment.seeds)
    tuning = len(trials_of(experiment)) if experiment.tuning == "to do" else 0
    tuned = f", {tuning:,} to tune them" if tuning else ""
    runs = variants * seeds + tuning
    text = f"{counted(runs, 'run')} ({counted(variants, 'variant')} from {counted(seeds, 'seed')}{tuned})"
    return {"variants": variants, "seeds": seeds, "runs": runs}, text
