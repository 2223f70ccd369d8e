"""The pages of other comparisons: own costs, data that are not images, the neuron, diverged and many variants."""

import re
from pathlib import Path

import pytest

from netlearn.report.curves import on_silence, on_speed
from tests.commands import call
from tests.reports import compare, data_of, many, own_cost, points, text_of
from tests.sweeps import sweep

ONE = ["--data", "mnist-5k", "--epochs", "1", "--hidden", "5", "--seeds", "1"]


def test_page_of_own_cost_runs_its_network_only_where_the_cost_may_be_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = own_cost(monkeypatch, tmp_path)
    page = compare(tmp_path / "own", *ONE, "--cost", "quadratic", "--cost", name)
    data = data_of(page)
    assert len(data["networks"]["networks"]) == 2
    assert data["neurons"]["variants"][1]["samples"]["0"]["error"]
    assert call("report", str(page.parent)).exit_code == 0
    assert f"--cost {name}" in data_of(page)["networks"]["missing"][name.partition(":")[2]]
    assert call("report", str(page.parent), "--cost", name).exit_code == 0
    assert len(data_of(page)["networks"]["networks"]) == 2


def test_page_of_data_that_are_not_images_has_nothing_to_draw_on_and_says_why(tmp_path: Path) -> None:
    page = compare(
        tmp_path / "points", "--data", str(points(tmp_path / "points.npz")), "--epochs", "2", "--seeds", "1"
    )
    found = data_of(page)["examples"]
    assert found["images"] == []
    assert found["reason"] == "the examples of points.npz are not images"
    assert len(found["variants"]) == 2
    html = page.read_text("utf-8")
    assert "Draw a digit" not in html
    assert 'href="#digits"' not in html
    settings = html.partition('id="settings"')[2]
    assert "points.npz" in settings
    assert str(tmp_path) not in settings.partition("<script")[0]


def test_classes_of_a_table_have_their_names(tmp_path: Path) -> None:
    trees = ("ash", "beech", "cedar")
    rows = [f"{k % 3}.{k:02},{k % 7},{trees[k % 3]}" for k in range(90)]
    (tmp_path / "trees.csv").write_text("\n".join(["width,height,tree", *rows]))
    page = compare(tmp_path / "trees", "--data", str(tmp_path / "trees.csv"), "--epochs", "1", "--seeds", "1")
    heads = re.findall(r'<th scope="col">([^<]*)</th>', page.read_text("utf-8").partition('class="recall"')[2])
    assert heads[:4] == ["run", *trees]
    assert data_of(page)["classes"] == list(trees)
    assert re.search("class (ash|beech|cedar) by|of these classes: (ash|beech|cedar)", text_of(page))


@pytest.mark.slow
def test_page_of_the_neuron_has_no_scatter_and_nothing_to_draw(tmp_path: Path) -> None:
    path = compare(tmp_path / "neuron", "neuron", "--epochs", "20")
    data = data_of(path)
    assert data["neurons"] is None
    assert "not images" in data["examples"]["reason"]
    assert len(data["curves"]["variants"]) == 6
    assert "its output by epoch; Curves has its cost and learning speed." in text_of(path)


def test_page_with_diverged_variant_says_so(tmp_path: Path) -> None:
    experiment = (
        "seeds = 1\n[defaults]\ndata = 'mnist-5k'\nepochs = 1\nhidden = 5\n[variants.calm]\n[variants.steep]\n"
    )
    page = compare(tmp_path / "diverged", experiment=experiment + "learning_rate = 1e6\nl2 = 1e6\n")
    assert "steep, seed 0: the cost is no longer finite" in text_of(page)
    data = data_of(page)
    assert [each["variant"] for each in data["networks"]["networks"]] == [0]
    assert "steep" in data["networks"]["missing"]


@pytest.mark.slow
def test_page_of_60_variants_stores_a_selection(tmp_path: Path) -> None:
    page = compare(tmp_path / "many", experiment=many(points(tmp_path / "points.npz")))
    data = data_of(page)
    assert (len(data["variants"]), len(data["curves"]["variants"])) == (60, 60)
    assert len({each["variant"] for each in data["networks"]["networks"]}) == 8
    assert data["networks"]["left"] == 52
    assert page.stat().st_size < 1_500_000


def test_a_class_that_is_answered_but_never_rightly_is_named() -> None:
    network = {"variant": 0, "seed": 3, "silent": [], "lost": [0, 7], "total": 1000}
    said = on_silence({"variants": [network]}, ["quadratic"])
    assert said.endswith("on the 1,000 test examples, but quadratic (seed 3) is never right with 0 and 7.")
    trees = on_silence({"variants": [network]}, ["quadratic"], ["ash"])
    assert trees.endswith("is never right with ash and 7.")
    assert on_silence({"variants": [network | {"lost": []}]}, ["quadratic"]).endswith("test examples.")


def test_names_with_commas_are_told_apart_by_semicolons() -> None:
    runs = sweep(learning_rate=[0.1, 0.5])
    assert on_speed({"one": runs[:1], "two": runs[1:2]}).count(";") == 0
    assert " with 1, mild; " in on_speed({"1, mild": runs[:1], "2, bad": runs[1:2]})
