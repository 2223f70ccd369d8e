"""`netlearn predict` as users call it; `runs` are run folders to begin with, see conftest."""

import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from netlearn import datasets
from netlearn.cli import main
from netlearn.inspection.trained import load_network, read_trained
from netlearn.numerics import Array
from tests.commands import call, done, files_of, one_line
from tests.messages import has_facts
from tests.runs import reseal

SIDE = 28


@pytest.fixture(scope="session")
def able(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run that recognizes nine digits in ten."""
    folder = tmp_path_factory.mktemp("able") / "run"
    assert call("train", "--data", "mnist-5k", "--epochs", "5", "--out", str(folder), "-q").exit_code == 0
    return folder


def answers_to(folder: Path | str, x: Array, **given: Any) -> list[int]:
    (run,) = read_trained([Path(folder)])
    found: list[int] = load_network(run, **given).feedforward(x.T).argmax(axis=0).tolist()
    return found


@cache
def digits() -> Array:
    x: Array = datasets.load("mnist-5k").test.x
    return x


def write_digit(name: str, index: int = 0) -> Path:
    """Write a test digit of mnist-5k as a drawing: four times the size, dark on light, off centre in a frame."""
    rng = np.random.default_rng(index)
    x = digits()[index].reshape(SIDE, SIDE)
    ink = Image.fromarray(np.rint(255 * x).astype(np.uint8)).resize((4 * SIDE, 4 * SIDE), Image.Resampling.NEAREST)
    paper = Image.new("L", (180, 160), 255)
    paper.paste(ink.point(lambda value: 255 - value), (int(rng.integers(5, 60)), int(rng.integers(5, 40))))
    framed = Image.new("L", (190, 170), 40)
    framed.paste(paper, (5, 5))
    framed.save(name)
    return Path(name)


def predicted(*arguments: str, code: int = 0) -> dict[str, Any]:
    result = call("predict", *arguments, "--json", "-q")
    assert result.exit_code == code, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.mark.slow
def test_drawings_of_the_digits_get_the_answers_of_the_originals(able: Path) -> None:
    x = digits()[::2]
    paths = [str(write_digit(f"{i:03}.png", 2 * i)) for i in range(len(x))]
    found = predicted(str(able), *paths)["predictions"]
    assert [each["file"] for each in found] == paths
    agreed = np.equal([each["answer"] for each in found], answers_to(able, x))
    assert agreed.mean() >= 0.97


@pytest.mark.usefixtures("runs")
def test_text_has_file_answer_and_the_two_strongest_outputs() -> None:
    write_digit("one.png")
    write_digit("two.jpg", 200)
    found = predicted("ce", "one.png", "two.jpg")
    assert found["folder"] == "ce"
    assert found["weights"] == "weights.safetensors"
    assert found["refused"] == []
    result = call("predict", "ce", "one.png", "two.jpg")
    assert (result.exit_code, result.stderr) == (0, "")
    for each, line in zip(found["predictions"], result.stdout.splitlines()[1:], strict=True):
        outputs = each["outputs"]
        first, second = np.argsort(outputs)[:-3:-1]
        assert len(outputs) == 10
        assert each["answer"] == first
        strongest = f"{first}: {outputs[first]:.2f}, {second}: {outputs[second]:.2f}"
        assert each["remark"] == (f"not sure ({outputs[first]:.2f})" if outputs[first] < 0.5 else "")
        assert " ".join(line.split()) == f"{each['file']} {first} {strongest} {each['remark']}".strip()


@pytest.mark.usefixtures("runs")
def test_image_from_stdin_is_the_same_image() -> None:
    path = write_digit("one.png")
    result = CliRunner().invoke(main, ["predict", "ce", "-", "one.png", "--json"], input=path.read_bytes())
    assert result.exit_code == 0
    piped, named = json.loads(result.stdout)["predictions"]
    assert piped["file"] == "-"
    assert piped["outputs"] == named["outputs"]


@pytest.mark.usefixtures("runs")
def test_bad_images_get_a_line_each_and_the_others_an_answer() -> None:
    write_digit("one.png")
    Path("text.png").write_text("seven")
    Image.new("L", (300, 200), 250).save("blank.png")
    Image.new("1", (10_000, 10_000)).save("bomb.png")
    Image.new("L", (9, 9)).save("moving.gif", save_all=True, append_images=[Image.new("L", (9, 9), 255)])
    Path("folder").mkdir()
    bad = {"text.png": "not an image", "blank.png": "no ink", "bomb.png": "10,000", "moving.gif": "GIF",
           "missing.png": "", "folder": ""}  # fmt: skip
    names = ["text.png", "blank.png", "one.png", *list(bad)[2:]]
    result = call("predict", "ce", *names)
    assert result.exit_code == 1
    assert [line.split()[0] for line in result.stdout.splitlines()[1:]] == ["one.png"]
    lines = result.stderr.splitlines()
    assert len(lines) == len(bad)
    for line, (name, fact) in zip(lines, bad.items(), strict=True):
        assert line.startswith(f"Error: {name}: ")
        assert fact in line
    found = predicted("ce", *names, code=1)
    assert [each["file"] for each in found["predictions"]] == ["one.png"]
    assert [each["file"] for each in found["refused"]] == list(bad)


@pytest.mark.usefixtures("runs", "rendered")
def test_show_draws_what_the_network_saw() -> None:
    write_digit("one.png")
    write_digit("two.png", 200)
    result = done(call("predict", "ce", "one.png", "two.png", "--show", "seen.svg"))
    assert has_facts(result.stderr, "seen.svg")
    drawn = Path("seen.svg").read_text()
    assert {"one.png", "two.png"} <= {name for name in ("one.png", "two.png") if name in drawn}
    for each in predicted("ce", "one.png", "two.png")["predictions"]:
        assert f"answer {each['answer']} (" in drawn


def write_data(name: str, height: int, width: int) -> str:
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    x = (rng.random((60, height, width)) + labels[:, np.newaxis, np.newaxis]) * 80
    x = x.astype(np.uint8)
    np.savez(name, x_train=x, y_train=labels, x_test=x, y_test=labels)
    return name


@pytest.mark.parametrize(("height", "width", "kept"), [(8, 6, True), (8, 8, True), (8, 8, False)])
def test_picture_is_scaled_to_other_inputs_with_a_note(height: int, width: int, kept: bool) -> None:
    data = write_data("data.npz", height, width)
    assert call("train", "--data", data, "--hidden", "none", "--epochs", "1", "--out", "run", "-q").exit_code == 0
    if not kept:
        Path(data).unlink()
    small = np.random.default_rng(1).integers(256, size=(height, width)).astype(np.uint8)
    Image.fromarray(small).resize((width * 9, height * 9), Image.Resampling.NEAREST).save("picture.png")
    result = done(call("predict", "run", "picture.png", "--json"))
    assert has_facts(result.stderr, f"run {width} × {height}")
    (run,) = read_trained([Path("run")])
    expected = load_network(run).feedforward((small / 255).reshape(-1, 1))[:, 0]
    np.testing.assert_allclose(json.loads(result.stdout)["predictions"][0]["outputs"], expected, atol=0.1)


def without_appearance(folder: Path) -> None:
    """Make a run look as one of netlearn 0.2, which did not store what its images look like."""
    path = folder / "summary.json"
    summary = json.loads(path.read_text())
    del summary["data"]["appearance"]
    path.write_text(json.dumps(summary))
    reseal(folder)


def test_older_runs_take_the_form_of_their_data() -> None:
    data = write_data("data.npz", 8, 6)
    assert call("train", "--data", data, "--hidden", "none", "--epochs", "1", "--out", "run", "-q").exit_code == 0
    write_digit("one.png")
    stored = predicted("run", "one.png")
    without_appearance(Path("run"))
    assert predicted("run", "one.png") == stored
    Path(data).unlink()
    assert one_line(call("predict", "run", "one.png"), 1, "run 48 784")


def test_inputs_that_are_no_brightness_are_refused() -> None:
    x = np.random.default_rng(0).normal(size=(60, 16))
    np.savez("data.npz", x_train=x, y_train=np.arange(60) % 3, x_test=x, y_test=np.arange(60) % 3)
    assert call("train", "--data", "data.npz", "--epochs", "1", "--out", "run", "-q").exit_code == 0
    write_digit("one.png")
    assert one_line(call("predict", "run", "one.png"), 1, "run: inputs standardized one by one")


WRONG = [
    (["neuron", "one.png"], 1, "neuron: 1 inputs: must be 784"),
    (["ce", "one.png", "--show", "seen.gif"], 2, "--show seen.gif .png .svg"),
    (["ce", "one.png", "--show", "./one.png"], 2, "--show one.png"),
    (["ce", "one.png", "--show", "nowhere/seen.png"], 1, "nowhere/seen.png"),
]


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(("arguments", "code", "facts"), WRONG, ids=lambda value: str(value)[:40])
def test_what_cannot_be_done_gets_one_line(arguments: list[str], code: int, facts: str) -> None:
    before = write_digit("one.png").read_bytes()
    names = files_of(".")
    assert one_line(call("predict", *arguments), code, facts)
    assert files_of(".") == names
    assert Path("one.png").read_bytes() == before


@pytest.mark.usefixtures("runs")
def test_empty_stdin_is_no_image() -> None:
    result = CliRunner().invoke(main, ["predict", "ce", "-"], input=io.BytesIO())
    assert one_line(result, 1, "-: not an image")
