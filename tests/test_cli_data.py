import re
from pathlib import Path

import pytest

from tests.commands import call


def test_data_list_names_every_set_and_where_it_lies() -> None:
    rows = call("data", "list").stdout.splitlines()
    assert [row.split()[0] for row in rows] == ["NAME", "mnist-5k", "mnist", "fashion-mnist", "neuron", "auto"]
    assert rows[2].endswith("not here; get it with: netlearn data download mnist")


def test_data_list_shows_the_own_folder(full_mnist: Path) -> None:
    assert str(full_mnist) in call("data", "list").stdout


def test_data_download_prints_the_folder_of_what_is_here(full_mnist: Path) -> None:
    assert call("data", "download", "mnist").stdout == f"{full_mnist}\n"


def test_data_download_that_fails_names_the_mirrors() -> None:
    result = call("data", "download", "fashion-mnist")
    assert result.exit_code == 1
    assert re.fullmatch(
        r"Error: fashion-mnist is not here and cannot be had: no mirror could give the files: "
        r"https://\S+ \(cannot be reached\)",
        result.stderr.splitlines()[-1],
    )


def test_data_show_draws_a_picture() -> None:
    result = call("data", "show", "mnist-5k")
    assert (result.exit_code, result.stdout) == (0, "mnist-5k.png\n")
    assert Path("mnist-5k.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("unrendered")
def test_data_show_numbers_its_pictures() -> None:
    assert [call("data", "show", "mnist-5k").stdout for _ in range(2)] == ["mnist-5k.png\n", "mnist-5k-2.png\n"]


def test_data_show_draws_svg_where_asked() -> None:
    assert call("data", "show", "mnist-5k", "--out", "digits.svg").exit_code == 0
    assert b"<svg" in Path("digits.svg").read_bytes()


@pytest.mark.parametrize("out", ["digits.jpg", ".", "", "/"])
def test_data_show_to_no_picture_file_is_refused(out: str) -> None:
    result = call("data", "show", "mnist-5k", "--out", out)
    assert result.exit_code == 2
    assert result.stderr == f"Error: --out {Path(out)}: allowed is a file that ends in .png or .svg\n"


def test_data_show_of_what_is_no_picture_is_refused() -> None:
    result = call("data", "show", "neuron")
    assert (result.exit_code, result.stderr) == (1, "Error: neuron: its examples are no pictures\n")


@pytest.mark.usefixtures("unrendered")
def test_data_show_to_a_place_that_cannot_be_written_is_refused() -> None:
    result = call("data", "show", "mnist-5k", "--out", "nowhere/picture.png")
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: nowhere/picture.png: cannot be written: No such file or directory\n",
    )
