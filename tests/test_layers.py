"""The contract of import-linter: imports run one way."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
REVERSED = {"costs": "network", "runs/files": "plotting", "training/state": "cli"}


def test_contract_is_broken_by_reversed_imports_and_by_nothing_else() -> None:
    shutil.copytree(ROOT / "netlearn", "netlearn", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", ".")
    for module, imported in REVERSED.items():
        with Path("netlearn", f"{module}.py").open("a") as file:
            file.write(f"\nfrom netlearn import {imported}\n")
    program = Path(sys.executable).with_name("lint-imports")
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    result = subprocess.run([program, "--no-cache"], env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 1, result.stdout + result.stderr
    found = set(re.findall(r"netlearn\.(\S+) -> netlearn\.(\S+) \(l\.", result.stdout))
    assert found == {(module.replace("/", "."), imported) for module, imported in REVERSED.items()}
