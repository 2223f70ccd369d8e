"""The page of a comparison as a file: what is in it, what it leaves out and why, and what is refused."""

import base64
import errno
import hashlib
import os
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlearn.report import networks as networks_module
from netlearn.report.networks import encode
from netlearn.runs import Sums, read_run
from tests.commands import call, one_line
from tests.reports import HOSTILE, IMAGES, compare, data_of, text_of


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compare(tmp_path_factory.mktemp("report") / "images", experiment=IMAGES)


@pytest.fixture
def report(made: Path, tmp_path: Path) -> Path:
    """Return the page in a copy of the comparison."""
    shutil.copytree(made.parent, tmp_path / "images")
    return tmp_path / "images" / "report.html"


def weights_of(blob: dict[str, Any], sizes: list[int]) -> "list[np.ndarray[Any, np.dtype[np.float64]]]":
    """Return the weights of each layer, unpacked as the page does it."""
    raw = np.frombuffer(base64.b64decode(blob["codes"]), np.uint8).astype(int).reshape(-1, 3)
    pairs = np.stack([raw[:, 0] << 4 | raw[:, 1] >> 4, (raw[:, 1] & 15) << 8 | raw[:, 2]], axis=1).ravel() - 2047
    layers = []
    for steps, n_in in zip(blob["steps"], sizes, strict=False):
        count = n_in * len(steps)
        layers.append(pairs[:count].reshape(len(steps), n_in) * np.array(steps)[:, np.newaxis])
        pairs = pairs[count + count % 2 :]
    return layers


def test_page_is_listed_in_the_hashes_and_made_again_to_the_byte(report: Path) -> None:
    Sums.read(report.parent).check_all()
    contents = []
    for _ in range(2):
        report.write_text("something else")
        result = call("report", str(report.parent))
        assert (result.exit_code, result.stdout.strip()) == (0, str(report))
        Sums.read(report.parent).check_all()
        contents.append(report.read_bytes())
    assert contents[0] == contents[1]


def test_policy_allows_nothing_but_the_pages_own_script_and_style(report: Path) -> None:
    text = report.read_text("utf-8")
    policy = unescape(re.findall(r'http-equiv="Content-Security-Policy" content="(.*?)"', text)[0])
    assert policy.startswith("default-src 'none'")
    for name in ("script", "style"):
        (content,) = re.findall(f"<{name}>(.*?)</{name}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
    assert not re.search(r"""(src|href)=["'](?!#|lab\.html#)""", text.partition("<script type")[0])


def test_names_of_strangers_are_text(report: Path) -> None:
    assert "<img" not in report.read_text("utf-8")
    assert HOSTILE in text_of(report)
    assert data_of(report)["variants"][1]["name"] == HOSTILE


def test_page_tells_results_settings_and_the_commands_that_repeat_it(report: Path) -> None:
    assert call("report", str(report.parent)).exit_code == 0
    text = text_of(report)
    for said in (
        "test accuracy",
        "learning speed at update 0",
        "Paired",
        "mini-batch",
        "numpy",
        "netlearn verify",
        "calibration error",
        "p = ",
    ):
        assert said in text
    assert f"netlearn compare {report.parent}/config.toml" in text
    assert "2 seeds are too few" in text
    assert f"netlearn compare --resume {report.parent} --seeds 6" in text
    assert (report.parent / "config.toml").read_text() in text
    assert read_run(report.parent / "quadratic-0").summary.data.sha256["train-images-idx3-ubyte.gz"] in text  # type: ignore[union-attr]


def test_weights_are_rounded_to_half_a_step_and_answer_as_before(report: Path) -> None:
    found = data_of(report)["networks"]
    network = next(each for each in found["networks"] if (each["variant"], each["seed"]) == (0, 0))
    run = read_run(report.parent / "quadratic-0")
    layers = weights_of(found["blobs"][network["states"]["end"]], network["sizes"])
    for layer, w in enumerate(layers, 1):
        whole = run.weights()[f"weights.{layer}"]
        assert (np.abs(w - whole) <= np.abs(whole).max(axis=1, keepdims=True) / 2047 * 0.51).all()
    assert {"0", "10", "100", "350", "end"} <= network["states"].keys()


def test_equal_networks_are_stored_once(report: Path) -> None:
    quadratic, other = (each for each in data_of(report)["networks"]["networks"] if each["seed"] == 0)
    assert quadratic["states"]["0"] == other["states"]["0"]
    assert quadratic["states"]["end"] != other["states"]["end"]


def test_networks_that_do_not_fit_are_left_out_and_the_page_says_so(
    report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = 2 * (784 * 30 + 30 * 10)
    for room, count in ((2 * size + 10, 2), (size // 2, 0)):
        for limit in ("MOST_FIRST", "MOST_BYTES"):
            monkeypatch.setattr(networks_module, limit, room)
        assert call("report", str(report.parent)).exit_code == 0
        found = data_of(report)["networks"]
        assert len(found["networks"]) == count
        assert found["seedsLeft"] == ({"0": [1], "1": [1]} if count else {})  # without any, `missing` says why
    assert all("no room" in why for why in found["missing"].values())


def test_variants_beyond_the_first_are_left_out_by_their_number_and_not_for_want_of_room(
    report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(networks_module, "MOST_VARIANTS", 1)
    assert call("report", str(report.parent)).exit_code == 0
    found = data_of(report)["networks"]
    assert {each["variant"] for each in found["networks"]} == {0}
    assert (found["left"], found["missing"]) == (1, {})
    assert "left ? [`The networks of the first ${VARIANTS.length - left} variants are stored.`]" in report.read_text()


def test_runs_of_zeros_are_shortened_and_come_back() -> None:
    image = np.zeros(784, np.float32)
    image[300:303] = 1, 0, 0.5
    codes = base64.b64decode(encode(image))
    assert list(codes) == [0, 255, 0, 45, 255, 0, 1, 128, 0, 255, 0, 226]


def test_missing_weights_are_left_out_with_the_reason(report: Path) -> None:
    (report.parent / "quadratic-0" / "weights.safetensors").unlink()
    (report.parent / "quadratic-1" / "weights.safetensors").unlink()
    assert call("report", str(report.parent)).exit_code == 0
    data = data_of(report)
    assert {each["variant"] for each in data["networks"]["networks"]} == {1}
    assert "weights.safetensors" in data["networks"]["missing"]["quadratic"]
    assert [each["variant"] for each in data["examples"]["variants"]] == [1]


def test_unreadable_run_is_named_and_the_others_are_shown(report: Path) -> None:
    shutil.rmtree(report.parent / "quadratic-0")
    assert call("report", str(report.parent)).exit_code == 0
    assert "quadratic, seed 0: " in text_of(report)
    assert "Runs that failed are left out: 1 of 2 of quadratic." in text_of(report)


def test_changed_file_of_a_comparison_stays_found_out(report: Path) -> None:
    (report.parent / "results.csv").write_text("variant\n")
    assert call("report", str(report.parent)).exit_code == 0
    result = subprocess.run(
        ["sha256sum", "-c", "SHA256SUMS"], cwd=report.parent, capture_output=True, text=True, check=False
    )
    assert "results.csv: FAILED" in result.stdout
    assert "report.html: OK" in result.stdout


def test_page_of_runs_goes_to_a_file_of_its_own(report: Path) -> None:
    runs = [str(report.parent / f"quadratic-{seed}") for seed in (0, 1)]
    for name in ("report.html", "report-2.html"):
        result = call("report", *runs)
        assert (result.exit_code, result.stdout.strip()) == (0, f"runs/{name}")
    assert "netlearn report" in text_of(Path("runs/report.html"))
    assert call("report", *runs, "--out", "mine.html").stdout.strip() == "mine.html"
    assert data_of(Path("mine.html"))["variants"][0]["seeds"] == [0, 1]


def test_open_opens_the_page_in_the_browser(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def see(url: str) -> bool:
        seen.append(url)
        return True

    monkeypatch.setattr("webbrowser.open", see)
    assert call("report", str(report.parent), "--open").exit_code == 0
    assert seen == [report.as_uri()]


@pytest.mark.parametrize(
    ("arguments", "code", "facts"),
    [
        (["nowhere"], 1, "nowhere: no config.toml"),
        (["images", "--out", "page.txt"], 2, "page.txt: must end in .html"),
        (["unfinished"], 1, "unfinished: not complete: --resume"),
        (["images", "--out", "no/folder/page.html"], 1, "no/folder/page.html: cannot be written"),
    ],
)
@pytest.mark.usefixtures("report")
def test_wrong_input_is_refused_in_one_line(arguments: list[str], code: int, facts: str) -> None:
    Path("nowhere").mkdir()
    shutil.copytree("images", "unfinished")
    Path("unfinished/SHA256SUMS").unlink()
    assert one_line(call("report", *arguments), code, facts)


def test_full_disk_leaves_the_page_that_was_there(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = report.read_bytes()

    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert one_line(call("report", str(report.parent)), 1, "images: cannot be written: No space left on device")
    assert report.read_bytes() == before
    assert not list(report.parent.glob(".*"))
