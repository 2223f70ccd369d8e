"""The contract of import-linter: imports run one way."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def lint_imports() -> "subprocess.CompletedProcess[str]":
    """Check the copy of the package in the current folder."""
    program = Path(sys.executable).with_name("lint-imports")
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    return subprocess.run([program, "--no-cache"], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("module", "imported"), [("costs.py", "network"), ("runs/files.py", "plotting"), ("training/patience.py", "cli")]
)
def test_contract_holds_and_fails_when_one_import_is_reversed(module: str, imported: str) -> None:
    shutil.copytree(ROOT / "netlearn", "netlearn")
    shutil.copy(ROOT / "pyproject.toml", ".")
    result = lint_imports()
    assert result.returncode == 0, result.stdout + result.stderr
    path = Path("netlearn", module)
    path.write_text(f"{path.read_text()}\nfrom netlearn import {imported}\n")
    result = lint_imports()
    assert result.returncode == 1
    name = f"netlearn.{module.removesuffix('.py').replace('/', '.')}"
    assert f"{name} -> netlearn.{imported}" in result.stdout
