"""What somebody gets who installs netlearn: the wheel in an empty folder with a new HOME, the tests of the sdist.

`make try-dist` builds both before. Times are printed beside that of a Python that does nothing; on two quiet cores
`netlearn compare` is to end within a minute, and `netlearn --help` within 0.2 s.
"""

import os
import subprocess
import tarfile
import tempfile
import venv
from pathlib import Path
from time import perf_counter

DIST = Path(__file__).parents[1] / "dist"
BIN = "Scripts" if os.name == "nt" else "bin"
FIRST = ("curves.png", "slowdown.png", "report.html", "SHA256SUMS")  # what a comparison must have written


def run(command: list[str | Path], folder: Path, home: Path) -> float:
    """Run a command in a folder with another HOME and nothing of this environment's Python; return its seconds."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "NETLEARN", "VIRTUAL"))
    }
    begun = perf_counter()
    subprocess.run(command, cwd=folder, env=kept | {"HOME": str(home), "USERPROFILE": str(home)}, check=True)  # noqa: S603
    return perf_counter() - begun


def newest(pattern: str) -> Path:
    """Return the one file of that kind in dist/."""
    found = sorted(DIST.glob(pattern))
    if len(found) != 1:
        raise SystemExit(f"{DIST / pattern}: {len(found)} files; make dist leaves one")
    return found[0]


def main() -> None:
    """Install the wheel, compare two costs, and run the quick tests of the source distribution."""
    with tempfile.TemporaryDirectory() as name:
        folder, home, environment = (Path(name, part) for part in ("empty", "home", "environment"))
        folder.mkdir()
        home.mkdir()
        venv.create(environment, with_pip=True)
        python, netlearn = environment / BIN / "python", environment / BIN / "netlearn"
        pip: list[str | Path] = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        print(f"install: {run([*pip, 'install', newest('*.whl')], folder, home):.1f} s")
        print(f"compare: {run([netlearn, 'compare'], folder, home):.1f} s")
        missing = [file for file in FIRST if not (folder / "runs" / "compare" / file).is_file()]
        if missing:
            raise SystemExit(f"runs/compare has no {', '.join(missing)}")
        print(f"--help:  {min(run([netlearn, '--help'], folder, home) for _ in range(3)):.2f} s")
        print(f"python:  {min(run([python, '-c', 'pass'], folder, home) for _ in range(3)):.2f} s")
        with tarfile.open(newest("*.tar.gz")) as archive:
            archive.extractall(folder, filter="data")
        (source,) = folder.glob("netlearn-*")
        run([*pip, "install", "--upgrade", "pip>=25.1"], source, home)
        run([*pip, "install", "--group", "dev", "--editable", "."], source, home)
        quick = ["-m", "pytest", "--quiet", "--numprocesses", "auto", "-m", "not slow and not browser"]
        print(f"tests:   {run([python, *quick], source, home):.0f} s")


if __name__ == "__main__":
    main()
