import json
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


def test_table_is_shown_by_its_classes_and_ranges() -> None:
    lines = [f"{i},{-i / 100},{'ash' if i % 3 else 'oak'}\n" for i in range(60)]
    Path("trees.csv").write_text("".join(["height,girth,species\n", *lines]))
    shown = call("data", "show", "trees.csv")
    assert shown.exit_code == 0
    sizes, classes, inputs = shown.stdout.splitlines()
    assert sum(map(int, re.findall(r"\d+", sizes))) == 60
    assert classes == "in each class: ash 40, oak 20"
    assert inputs == "inputs (2): 0 to 59, -0.59 to 0"
    found = json.loads(call("data", "show", "trees.csv", "--json").stdout)
    assert found["classes"] == {"ash": 40, "oak": 20}
    assert not list(Path().glob("*.png"))


def test_data_of_a_file_are_named_with_its_path_once() -> None:
    Path("trees.csv").write_text("".join(f"{i / 60},{i % 2}\n" for i in range(60)))
    told = call("train", "--data", "trees.csv", "--epochs", "1", "--hidden", "2").stderr
    assert told.count("trees.csv") == 1


def test_what_cannot_be_shown_or_written_is_refused() -> None:
    for option in (["--out", "neuron.png"], ["--augment", "shift"]):
        assert one_line(call("data", "show", "neuron", *option), 1, "Error: neuron: must be images")
    result = call("data", "show", "mnist-5k", "--out", "nowhere/picture.png")
    assert one_line(result, 1, "Error: nowhere/picture.png: No such file or directory")
