"""A run that is interrupted anywhere and resumed ends with the same bytes as an uninterrupted one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from netlearn.datasets import Dataset
from netlearn.errors import RunError
from netlearn.runs import CHECKPOINT, METRICS, RunFolder, Sums, read_run
from netlearn.runs.folder import EXTENSION
from netlearn.runs.setup import make_trainer
from netlearn.runs.train_run import epochs_begun, train_run
from netlearn.settings import Settings, resolve
from netlearn.training import Trainer
from netlearn.training import trainer as trainer_module
from tests.files import small_dataset
from tests.messages import has_facts
from tests.runs import do_run, results_of, resume_run

SETTINGS = {"hidden": (5,), "epochs": 7, "batch_size": 10, "l2": 0.5, "learning_rate": 0.5, "data": "small"}
VARIANTS: list[dict[str, Any]] = [
    {}, {"patience": 2, "learning_rate": 3.0}, {"probe_every": 3}, {"probe_every": 4, "patience": 4},
    {"track_test": True, "batch_size": 47}, {"optimizer": "nesterov", "l1": 0.1}, {"dropout": 0.4, "max_norm": 0.9},
    {"halve_after": 1, "learning_rate": 3.0, "dtype": "float64"},
    *({"optimizer": name, "learning_rate": 0.01} for name in ("momentum", "rmsprop", "adam")),
]  # fmt: skip


def settings_of(**given: Any) -> Settings:
    return resolve(SETTINGS | given)


def begin(settings: Settings, data: Dataset | None = None) -> Trainer:
    return make_trainer(settings, data or small_dataset())


@pytest.mark.slow
@pytest.mark.parametrize("given", VARIANTS, ids=str)
def test_run_interrupted_after_any_update_ends_like_a_whole_one(given: dict[str, Any], tmp_path: Path) -> None:
    settings = settings_of(**given)
    do_run(settings, tmp_path / "whole")
    whole = results_of(tmp_path / "whole")
    step = 7 if given else 1  # an epoch is ten updates: every seventh is each place in an epoch once
    for update in range(1, whole["summary"]["updates"], step):
        do_run(settings, tmp_path / str(update), update)
        resume_run(settings, tmp_path / str(update))
        assert results_of(tmp_path / str(update)) == whole, update


@pytest.mark.slow
@pytest.mark.parametrize("given", [*VARIANTS, {"batch_size": 47, "probe_every": 7}], ids=str)
def test_run_can_be_resumed_from_every_checkpoint(
    given: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer_module, "CHECKPOINT_INSIDE", -1.0)
    monkeypatch.setattr(trainer_module, "CHECKPOINT_AT_END", -1.0)
    settings, path = settings_of(**given), tmp_path / "run"
    checkpoints: list[dict[Path, bytes]] = []
    files = [path / name for name in (CHECKPOINT, METRICS)]
    write = RunFolder.write

    def keep(folder: RunFolder, name: str, content: bytes) -> None:
        write(folder, name, content)
        if name == CHECKPOINT:
            checkpoints.append({file: file.read_bytes() for file in files})

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "write", keep)
        do_run(settings, path)
    whole = results_of(path)
    assert len(checkpoints) >= 4
    for state in checkpoints:
        for file, content in state.items():
            file.write_bytes(content)
        resume_run(settings, path)
        assert results_of(path) == whole


@pytest.mark.parametrize("done", [0, 2, 5, 10])
def test_run_stopped_at_any_record_is_resumed_and_records_nothing_twice(done: int, tmp_path: Path) -> None:
    settings, part = settings_of(), tmp_path / "part"
    do_run(settings, tmp_path / "whole")
    trainer = begin(settings)
    with RunFolder.create(part) as folder:
        train_run(settings, trainer, folder, lambda record: trainer.stop() if record.update == done else None)
    assert (results_of(part)["summary"]["status"], trainer.update) == ("interrupted", done)
    resume_run(settings, part, done)  # stopped again, before the next update
    updates = [row[0] for row in results_of(part)["metrics"]]
    assert len(set(updates)) == len(updates)
    resume_run(settings, part)
    assert results_of(part) == results_of(tmp_path / "whole")


def test_run_whose_patience_ends_in_its_last_epoch_stopped_early(tmp_path: Path) -> None:
    assert do_run(settings_of(patience=1, learning_rate=1e-9), tmp_path / "run", 10).status == "stopped early"


@pytest.mark.parametrize("given", VARIANTS, ids=str)
def test_extended_run_ends_like_one_with_as_many_epochs_from_the_start(given: dict[str, Any], tmp_path: Path) -> None:
    settings, longer = settings_of(**given), settings_of(**given, epochs=11)
    do_run(longer, tmp_path / "whole")
    do_run(settings, tmp_path / "part")
    resume_run(longer, tmp_path / "part")
    assert results_of(tmp_path / "part") == results_of(tmp_path / "whole")


def test_long_epoch_has_checkpoints_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer_module, "CHECKPOINT_INSIDE", -1.0)
    settings = settings_of(epochs=1, batch_size=1)
    data = small_dataset(train=1000)
    seen: list[tuple[int, bool]] = []
    trainer = begin(settings, data)
    trainer.on_checkpoint = lambda state: seen.append((state.update, state.probed))
    list(trainer)
    assert seen == [(400, False), (600, False), (800, False), (1000, True)]  # others are probed anyway


def test_resuming_changes_no_file_that_a_backup_shares(tmp_path: Path) -> None:
    run, backup = tmp_path / "run", tmp_path / "backup"
    do_run(settings_of(), run, 12)
    backup.mkdir()
    for file in run.iterdir():
        (backup / file.name).hardlink_to(file)
    resume_run(settings_of(), run)
    resume_run(settings_of(epochs=11), run)
    Sums.read(backup).check_all()
    resume_run(settings_of(), backup)
    assert results_of(backup)["weights"] != results_of(run)["weights"]


def full_disk(folder: RunFolder, name: str, content: bytes) -> None:
    raise RunError(f"{folder.path / name}: cannot be written: No space left on device")


@pytest.mark.parametrize("stopped", [None, 45])
def test_complete_run_stays_complete_until_the_longer_one_is(
    stopped: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, longer, path = settings_of(), settings_of(epochs=11), tmp_path / "run"
    do_run(longer, tmp_path / "whole")
    do_run(settings, path)
    before = {file.name: file.read_bytes() for file in path.iterdir()}
    if stopped:
        assert resume_run(longer, path, stopped).status == "interrupted"
        assert epochs_begun(path) == 11
    else:
        with monkeypatch.context() as patch:
            patch.setattr(RunFolder, "write", full_disk)
            with pytest.raises(RunError, match="No space left"):
                resume_run(longer, path)
    assert {file.name: file.read_bytes() for file in path.iterdir() if file.is_file()} == before
    resume_run(longer, path)
    assert results_of(path) == results_of(tmp_path / "whole")
    assert not [file for file in path.iterdir() if file.is_dir()]


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"x"), lambda path: path.unlink()])
def test_damaged_extension_is_begun_again(damage: Callable[[Path], Any], tmp_path: Path) -> None:
    longer, path = settings_of(epochs=11), tmp_path / "run"
    do_run(longer, tmp_path / "whole")
    do_run(settings_of(), path)
    resume_run(settings_of(epochs=20), path, 60)  # beyond what is asked for next
    resume_run(settings_of(epochs=9), path, 43)
    damage(path / EXTENSION / "checkpoint.safetensors")
    resume_run(longer, path)
    assert results_of(path) == results_of(tmp_path / "whole")


def test_other_blas_kernels_are_noted_and_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, notes = tmp_path / "run", list[str]()
    do_run(settings_of(), path, 12)
    here = read_run(path).summary
    assert here is not None
    monkeypatch.setattr("netlearn.runs.train_run.blas_kernels", lambda: "other kernels")
    with RunFolder.existing(path) as folder:
        train_run(settings_of(), begin(settings_of()), folder, resumed=True, on_note=notes.append)
    after = read_run(path).summary
    assert after is not None
    assert after.environment["blas"] == f"{here.environment['blas']} → other kernels"
    assert len(notes) == 1
    assert has_facts(notes[0], f"{path}: other kernels")
