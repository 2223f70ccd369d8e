"""What a comparison shows of its progress, on a terminal and elsewhere."""

import os
import re
import sys

import click
import pytest

from netlearn.cli import progress
from netlearn.cli.progress import MOST_LINES, comparison_progress, note
from netlearn.cli.terminal import QUIETLY
from netlearn.comparison.experiment import Experiment
from netlearn.settings import resolve
from tests.commands import POSIX
from tests.messages import has_facts

SIX = Experiment("title", (0, 1, 2), {name: resolve({"epochs": 10}) for name in ("a", "b")})


@pytest.fixture(autouse=True)
def ten_seconds_later_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 100_000, 10))
    monkeypatch.setattr(progress, "monotonic", lambda: next(clock))


def lines_of(experiment: Experiment, *states: tuple[float, int]) -> None:
    with comparison_progress(experiment) as show:
        for state in states:
            show(*state)


def test_each_run_that_ends_is_a_line_with_the_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    lines_of(SIX, (0, 0), (20, 2), (25, 2), (40, 3), (60, 6))
    first, *lines = capsys.readouterr().err.splitlines()
    assert has_facts(first, "6, a, b 3")
    assert [has_facts(*pair) for pair in zip(lines, ("2 of 6 00:20", "3 of 6 00:10", "6 of 6"), strict=True)]


def test_names_with_commas_are_separated_by_semicolons(capsys: pytest.CaptureFixture[str]) -> None:
    lines_of(Experiment("title", (0,), dict.fromkeys(("a, mild", "b"), resolve({"epochs": 10}))))
    assert capsys.readouterr().err.startswith("runs: 2; a, mild; b from 1 seed each")


def test_time_left_of_a_resumed_comparison_counts_only_what_was_done_since(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines_of(SIX, (30, 3), (40, 4))
    _, line = capsys.readouterr().err.splitlines()
    assert has_facts(line, "4 of 6 00:20")


def test_many_runs_are_few_lines_and_the_last_one_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    many = Experiment("title", tuple(range(511)), {"a": resolve({"epochs": 1})})
    lines_of(many, *((ended, ended) for ended in range(512)))
    _, *lines = capsys.readouterr().err.splitlines()
    assert MOST_LINES // 2 < len(lines) <= MOST_LINES + 1
    assert has_facts(lines[-1], "511 of 511")


def test_quiet_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with click.Context(click.Command("compare")) as context:
        context.meta[QUIETLY] = True
        lines_of(SIX, (0, 0), (60, 6))
    assert capsys.readouterr().err == ""


@POSIX
def test_terminal_shows_the_epochs_of_all_runs_with_notes_above_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    import pty  # noqa: PLC0415 (Windows has none)
    import termios  # noqa: PLC0415

    main_end, child_end = pty.openpty()
    termios.tcsetwinsize(child_end, (24, 100))
    with os.fdopen(child_end, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with comparison_progress(SIX) as show:
            show(45, 4)
            note("a, seed 0: failed")
            show(60, 6)
        monkeypatch.undo()
        shown = ""
        while "60.0/60" not in shown:  # a terminal hands over what it has so far
            shown += os.read(main_end, 65536).decode()
    os.close(main_end)
    before, _, after = shown.partition("a, seed 0: failed\r\n")
    assert before.endswith("\r")
    assert re.search(r"4 of 6 .*: +75%\|█+.*\| 45\.0/60 epochs \[", shown)  # at once, or after the note
    assert re.search(r"6 of 6 .*: 100%\|█+\| 60\.0/60 epochs \[", after)
