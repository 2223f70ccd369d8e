import re
from pathlib import Path

import pytest

from tests.commands import call, one_line


def test_data_list_names_every_set_and_where_it_is() -> None:
    rows = call("data", "list").stdout.splitlines()
    assert [row.split()[0] for row in rows] == ["NAME", "mnist-5k", "mnist", "fashion-mnist", "neuron", "auto"]
    assert rows[2].endswith("netlearn data download mnist")


def test_own_folder_is_listed_and_is_what_a_download_prints(full_mnist: Path) -> None:
    assert str(full_mnist) in call("data", "list").stdout
    assert call("data", "download", "mnist").stdout == f"{full_mnist}\n"


def test_failed_data_download_names_the_mirrors() -> None:
    result = call("data", "download", "fashion-mnist")
    assert result.exit_code == 1
    assert re.fullmatch(
        r"Error: fashion-mnist .*https://\S+ \(cannot be reached\); put .*NETLEARN_DATA.*",
        result.stderr.splitlines()[-1],
    )


@pytest.mark.usefixtures("rendered")
def test_data_show_draws_pictures_that_it_numbers_or_svg() -> None:
    for name in ("mnist-5k.png", "mnist-5k-2.png"):
        assert call("data", "show", "mnist-5k").stdout == f"{name}\n"
        assert Path(name).read_bytes().startswith(b"\x89PNG")
    assert call("data", "show", "mnist-5k", "--out", "digits.svg").exit_code == 0
    assert b"<svg" in Path("digits.svg").read_bytes()


@pytest.mark.parametrize("out", ["digits.jpg", ".", "", "/"])
def test_data_show_writes_png_or_svg_only(out: str) -> None:
    result = call("data", "show", "mnist-5k", "--out", out)
    assert result.exit_code == 2
    assert re.fullmatch(rf"Error: --out {re.escape(str(Path(out)))}: .*\.png or \.svg\n", result.stderr)


def test_what_cannot_be_shown_or_written_is_refused() -> None:
    assert one_line(call("data", "show", "neuron"), 1, "Error: neuron: it has no images")
    result = call("data", "show", "mnist-5k", "--out", "nowhere/picture.png")
    assert one_line(result, 1, "Error: nowhere/picture.png: No such file or directory")
