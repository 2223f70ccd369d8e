import re
from pathlib import Path

import pytest

from tests.commands import call


def test_data_list_names_every_set_and_where_it_is() -> None:
    rows = call("data", "list").stdout.splitlines()
    assert [row.split()[0] for row in rows] == ["NAME", "mnist-5k", "mnist", "fashion-mnist", "neuron", "auto"]
    assert rows[2].endswith("netlearn data download mnist")


def test_data_list_shows_the_own_folder(full_mnist: Path) -> None:
    assert str(full_mnist) in call("data", "list").stdout


def test_data_download_prints_the_folder_of_existing_data(full_mnist: Path) -> None:
    assert call("data", "download", "mnist").stdout == f"{full_mnist}\n"


def test_failed_data_download_names_the_mirrors() -> None:
    result = call("data", "download", "fashion-mnist")
    assert result.exit_code == 1
    assert re.fullmatch(
        r"Error: fashion-mnist .*https://\S+ \(cannot be reached\); put .*NETLEARN_DATA.*",
        result.stderr.splitlines()[-1],
    )


@pytest.mark.usefixtures("rendered")
def test_data_show_draws_a_picture() -> None:
    result = call("data", "show", "mnist-5k")
    assert (result.exit_code, result.stdout) == (0, "mnist-5k.png\n")
    assert Path("mnist-5k.png").read_bytes().startswith(b"\x89PNG")


def test_data_show_numbers_its_pictures() -> None:
    assert [call("data", "show", "mnist-5k").stdout for _ in range(2)] == ["mnist-5k.png\n", "mnist-5k-2.png\n"]


@pytest.mark.usefixtures("rendered")
def test_data_show_draws_svg() -> None:
    assert call("data", "show", "mnist-5k", "--out", "digits.svg").exit_code == 0
    assert b"<svg" in Path("digits.svg").read_bytes()


@pytest.mark.parametrize("out", ["digits.jpg", ".", "", "/"])
def test_data_show_writes_png_or_svg_only(out: str) -> None:
    result = call("data", "show", "mnist-5k", "--out", out)
    assert result.exit_code == 2
    assert re.fullmatch(rf"Error: --out {re.escape(str(Path(out)))}: .*\.png or \.svg\n", result.stderr)


def test_data_show_of_data_without_images_is_refused() -> None:
    result = call("data", "show", "neuron")
    assert result.exit_code == 1
    assert re.fullmatch(r"Error: neuron: .*\n", result.stderr)


def test_data_show_to_an_unwritable_path_is_refused() -> None:
    result = call("data", "show", "mnist-5k", "--out", "nowhere/picture.png")
    assert result.exit_code == 1
    assert re.fullmatch(r"Error: nowhere/picture\.png: .*No such file or directory\n", result.stderr)
