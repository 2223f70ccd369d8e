import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from netlearn.cli import main
from netlearn.comparison.neuron import neuron_curves
from netlearn.plotting.single import animation, save


def neuron(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["neuron", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_table_has_the_outputs_of_the_book() -> None:
    rows = [line.split() for line in neuron("--weight", "0.6", "--bias", "0.9").splitlines()[2:]]
    assert [int(row[0]) for row in rows] == [0, 50, 100, 150, 200, 250, 300]
    assert [(row[1], row[4]) for row in rows[:2]] == [("0.8176", "0.8176"), ("0.3870", "0.0792")]


def test_gradient_of_the_quadratic_cost_starts_smaller_by_sigma_prime() -> None:
    curves = json.loads(neuron("--json", "--epochs", "1"))
    assert curves["cross-entropy"]["gradient"][0] / curves["quadratic"]["gradient"][0] == pytest.approx(56.6, abs=0.1)


@pytest.fixture
def held_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold the last frame once, not for a second: drawing a frame takes a fifth of one."""
    monkeypatch.setattr("netlearn.plotting.single.HELD", 1)


@pytest.mark.slow
@pytest.mark.usefixtures("held_once")
def test_gif_is_the_only_file_that_is_left(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["neuron", "--epochs", "1", "--gif", str(tmp_path / "neuron.gif")])
    assert result.stderr.splitlines() == [
        f"drawing 3 frames to {tmp_path}/neuron.gif",
        f"animation: {tmp_path}/neuron.gif",
    ]
    with Image.open(tmp_path / "neuron.gif") as image:
        assert getattr(image, "n_frames", 1) == 2
    assert [file.name for file in tmp_path.iterdir()] == ["neuron.gif"]


@pytest.mark.usefixtures("held_once")
def test_frames_hide_the_future_and_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "neuron.gif"
    counted: list[tuple[int, int]] = []
    curves = neuron_curves(("quadratic", "cross-entropy"), 2, 2, 0.15, 2)
    save(animation(curves, "title"), path, lambda frame, frames: counted.append((frame, frames)))
    assert counted == [(frame, 4) for frame in range(4)]
    coloured = []
    with Image.open(path) as image:
        for frame in range(3):
            image.seek(frame)
            pixels = np.asarray(image.convert("RGB"), np.int64)
            coloured.append(int((np.ptp(pixels, axis=2) > 60).sum()))
    assert coloured[0] < coloured[1] < coloured[2]  # the lines grow, and none is there before


@pytest.mark.parametrize(
    ("arguments", "facts"),
    [
        (["--epochs", "0"], ["--epochs", "0", "at least 1"]),
        (["--learning-rate", "-1"], ["--learning-rate", "-1", "above 0"]),
        (["--gif", "neuron.png"], ["--gif", "neuron.png", ".gif"]),
        (["--epochs", "1", "--gif", "no/such/folder/neuron.gif"], ["no/such/folder/neuron.gif"]),
    ],
)
def test_wrong_values_are_named_in_one_line(arguments: list[str], facts: list[str]) -> None:
    result = CliRunner().invoke(main, ["neuron", *arguments])
    assert result.exit_code in {1, 2}
    (line,) = result.stderr.strip().splitlines()
    assert all(fact in line for fact in facts)


def test_mp4_needs_ffmpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    result = CliRunner().invoke(main, ["neuron", "--epochs", "1", "--mp4", "neuron.mp4"])
    assert result.exit_code == 1
    assert "ffmpeg" in result.stderr
