"""Forty small runs whose results must stay the same to the bit when the program is rewritten.

`python -m scripts.reference_runs OUT.json` does them by `netlearn train` and stores the SHA-256 of their weights, of
their metrics without the time, and of each picture. With a second such file it names what differs from that.
`python -m scripts.reference_runs OUT.json ways` does those that have the seed 0 as one comparison, with 1, 2 and 4
worker processes, in two shards and on a cluster of two processes, and names what differs from OUT.json.
"""

import csv
import hashlib
import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from netlearn.comparison.experiment import folder_name

SMALL = {"--data": "mnist-5k", "--train-size": "300", "--epochs": "2"}  # where a run says nothing else
RUNS = {
    "default": "",
    "quadratic": "--cost quadratic",
    "log-likelihood": "--cost log-likelihood",
    "quadratic, large": "--cost quadratic --initializer large",
    "constant weights": "--initializer 0.1,-0.2 --seed 3",
    "all images": "--train-size all --epochs 1",
    "momentum": "--optimizer momentum",
    "momentum 0.5": "--optimizer momentum --momentum 0.5 --l2 2 --cost quadratic",
    "nesterov": "--optimizer nesterov --cost log-likelihood",
    "rmsprop": "--optimizer rmsprop",
    "rmsprop, own": "--optimizer rmsprop --beta2 0.9 --epsilon 1e-4 --l1 0.1",
    "adam": "--optimizer adam",
    "adam, own": "--optimizer adam --beta1 0.8 --beta2 0.99 --epsilon 1e-6 --cost quadratic",
    "l2": "--l2 5",
    "l1": "--l1 5",
    "l1 and l2": "--l1 1 --l2 3 --optimizer adam",
    "max_norm": "--max-norm 0.5",
    "dropout": "--dropout 0.5",
    "dropout, relu, max_norm": "--dropout 0.3 --activation relu --max-norm 1 --hidden 40,20 --learning-rate 0.1",
    "elastic": "--augment elastic",
    "elastic, own": "--augment elastic --elastic-sigma 6 --elastic-alpha 40 --dropout 0.2 --seed 5",
    "affine": "--augment affine",
    "shift": "--augment shift --activation relu",
    "tanh": "--activation tanh",
    "relu": "--activation relu --cost log-likelihood",
    "tanh, float64": "--activation tanh --dtype float64 --cost quadratic",
    "float64": "--dtype float64",
    "float64, adam, dropout": "--dtype float64 --optimizer adam --dropout 0.4",
    "float64, elastic": "--dtype float64 --augment elastic --cost log-likelihood",
    "no hidden layer": "--hidden none",
    "three hidden layers": "--hidden 30,20,15",
    "four layers, tanh": "--hidden 12,12,12,12 --activation tanh --initializer large",
    "batches of 1": "--batch-size 1 --train-size 100",
    "batches of 100": "--batch-size 100 --epochs 3",
    "batches of 7": "--batch-size 7",
    "patience": "--patience 2 --epochs 12 --learning-rate 3",
    "halve_after": "--halve-after 1 --epochs 10 --learning-rate 4 --hidden 10",
    "snapshots": "--snapshots --track-test",
    "probe_every": "--probe-every 3 --epochs 5 --track-test",
    "diverged": "--activation relu --cost quadratic --learning-rate 1e6 --l2 1e6",
}


def main(out: Path, earlier: Path | None) -> int:
    """Do the runs, store their hashes and compare them; return the exit code."""
    with TemporaryDirectory() as parent, ThreadPoolExecutor(2) as pool:
        folders = [Path(parent, str(number)) for number in range(len(RUNS))]
        found = dict(zip(RUNS, pool.map(hashes, folders, RUNS.values()), strict=True))
    out.write_text(json.dumps(found, indent=1) + "\n")
    if earlier is None:
        return 0
    before = json.loads(earlier.read_text())
    names = [(run, name) for run in before | found for name in before.get(run, {}) | found.get(run, {})]
    differing = [(run, name) for run, name in names if before.get(run, {}).get(name) != found.get(run, {}).get(name)]
    print("\n".join(f"differs: {run}: {name}" for run, name in differing))
    print(f"{len(names) - len(differing)} of {len(names)} files of {len(found)} runs are the same")
    return 1 if differing else 0


def compare_ways(expected: dict[str, dict[str, str]]) -> int:
    """Do the runs as a comparison in several ways, and compare the files that both kinds of runs have."""
    runs = {name: words_of(options) for name, options in RUNS.items() if "--seed" not in options}
    differing, count = 0, 0
    with TemporaryDirectory() as parent:
        experiment = Path(parent, "reference.toml")
        experiment.write_text("".join(map(variant, runs, runs.values())))
        for way in ("--jobs 1", "--jobs 2", "--jobs 4", "--shard", "--cluster local:2"):
            out = Path(parent, way.replace(" ", ""))
            begun = [str(experiment), "--seeds", "1"]
            if way == "--shard":
                for shard in ("1/2", "2/2"):
                    netlearn("compare", *begun, "--shard", shard, "--out", f"{out}{shard[0]}")
                    shutil.copytree(f"{out}{shard[0]}", out, dirs_exist_ok=True)
                netlearn("compare", "--resume", str(out))
            else:
                netlearn("compare", *begun, *way.split(), "--out", str(out))
            for name in runs:
                found = hashes_of(out / f"{folder_name(name)}-0")
                same = {file for file in found.keys() & expected[name].keys() if not file.endswith(".png")}
                for file in sorted(same):
                    count += 1
                    if found[file] != expected[name][file]:
                        differing += 1
                        print(f"differs: {way}: {name}: {file}")
    print(f"{count - differing} of {count} files are the same")
    return 1 if differing else 0


def variant(name: str, words: list[str]) -> str:
    """Return a run as a variant of an experiment file."""
    lines = [f"[variants.{json.dumps(name)}]"]
    for flag, *values in (group.split() for group in " ".join(words).split("--")[1:]):
        key, value = flag.replace("-", "_"), values[0] if values else "true"
        if key == "hidden":
            value = "[]" if value == "none" else f"[{value}]"
        elif value != "true" and not value.replace(".", "").replace("e", "").replace("-", "").isdigit():
            value = json.dumps(value)
        lines.append(f"{key} = {value}")
    return "\n".join(lines) + "\n"


def netlearn(*arguments: str) -> str:
    """Do a command quietly; return what it wrote to stderr."""
    command = [sys.executable, "-m", "netlearn", *arguments, "--quiet"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr  # noqa: S603 (the runs above)


def words_of(options: str) -> list[str]:
    """Return the options of a run with those that it does not give."""
    words = options.split()
    return words + [word for flag, value in SMALL.items() if flag not in words for word in (flag, value)]


def hashes(folder: Path, options: str) -> dict[str, str]:
    """Do a run and return the hash of each of its files that depends on neither the time nor the machine."""
    said = netlearn("train", *words_of(options), "--out", str(folder))
    if not (folder / "SHA256SUMS").exists():
        raise SystemExit(f"netlearn train {options}: {said}")
    return hashes_of(folder)


def hashes_of(folder: Path) -> dict[str, str]:
    """Return the hash of each file of a run that depends on neither the time nor the machine."""
    contents = {path.name: path.read_bytes() for path in sorted(folder.glob("*.safetensors"))}
    contents.pop("checkpoint.safetensors", None)  # it holds the time
    with (folder / "metrics.csv").open(newline="") as file:
        rows = [[cell for name, cell in row.items() if name != "seconds"] for row in csv.DictReader(file)]
    contents |= {"metrics": json.dumps(rows).encode()}
    contents |= {path.name: path.read_bytes() for path in sorted(folder.glob("*.png"))}
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


if __name__ == "__main__":
    if sys.argv[2:] == ["ways"]:
        sys.exit(compare_ways(json.loads(Path(sys.argv[1]).read_text())))
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2:] else None))
