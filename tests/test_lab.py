"""The lab as a file: what is in it, what it takes from a comparison and leaves out, and what is refused."""

import base64
import re
import zlib
from pathlib import Path

import numpy as np
import pytest

import netlearn
from netlearn import datasets
from netlearn.datasets import Dataset, Examples
from netlearn.errors import SettingsError
from netlearn.report import lab as lab_module
from netlearn.report.lab import DEFAULTS, lab
from netlearn.settings import resolve
from tests.commands import call
from tests.pages import ROOT
from tests.reports import compare, data_of, own_cost, points, text_of

ONE = ["--data", "mnist-5k", "--epochs", "1", "--hidden", "5", "--seeds", "1"]
HOSTILE = "</script><img src=x onerror=alert(1)>"


def random_images(n: int, size: int = 28, classes: int = 10, name: str = "noise") -> Dataset:
    """Return images that cannot be compressed."""
    rng = np.random.default_rng(0)
    x = (rng.integers(256, size=(n, size * size)) / np.float32(255)).astype(np.float32)
    examples = Examples(x, np.arange(n) % classes)
    return Dataset(name, name, examples, examples, examples, classes, (size, size), {})


def refused(arguments: list[str], code: int, *facts: str) -> bool:
    """Return whether a command says these facts in one line on stderr, and nothing else."""
    result = call("lab", *arguments)
    assert (result.exit_code, result.stdout, result.stderr.strip().count("\n")) == (code, "", 0), result.output
    return all(fact in result.stderr for fact in facts)


def written(content: bytes) -> Path:
    Path("made.html").write_bytes(content)
    return Path("made.html")


def test_default_holds_2000_digits_byte_for_byte_in_less_than_a_megabyte() -> None:
    result = call("lab", "--out", "out.html")
    assert (result.exit_code, result.stdout) == (0, "out.html\n")
    path = Path("out.html")
    assert path.stat().st_size < 1_000_000
    data = data_of(path)
    assert (data["train"], data["heldOut"], data["image"], data["outputs"]) == (2000, 500, [28, 28], 10)
    pixels = np.frombuffer(zlib.decompress(base64.b64decode(data["packed"])), np.uint8).reshape(-1, 784)
    digits = datasets.load("mnist-5k")
    np.testing.assert_array_equal(pixels[:2000] / np.float32(255), digits.train.x[:2000])
    np.testing.assert_array_equal(pixels[2000:] / np.float32(255), digits.validation.x[:500])
    assert data["labels"] == [*digits.train.labels[:2000].tolist(), *digits.validation.labels[:500].tolist()]
    assert data["settings"] == {
        "cost": ["quadratic", "cross-entropy"], "learning_rate": ["3", "0.5"], "hidden": "30",
        "activation": "sigmoid", "initializer": "large", "batch_size": "10", "seed": "0",
    }  # fmt: skip
    assert data["threshold"] == 0.8
    assert "2,000 of 3,500 training examples" in text_of(path)


def test_policy_allows_the_two_scripts_and_workers_of_the_page_itself() -> None:
    text = lab(random_images(100)).decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="(.*?)"', text)
    assert policy.startswith("default-src &#39;none&#39;")
    assert policy.count("sha256-") == 3
    assert policy.endswith("worker-src blob:")
    assert not re.search(r"""(src|href)=["'](?!#)""", text.partition("<script type")[0])


def test_settings_come_from_the_two_variants_of_a_comparison(tmp_path: Path) -> None:
    folder = compare(
        tmp_path / "two", *ONE, "--cost", "quadratic", "--cost", "log-likelihood", "--activation", "tanh", "--l2", "2"
    ).parent
    assert call("lab", str(folder), "--out", "two.html").exit_code == 0
    settings = data_of(Path("two.html"))["settings"]
    assert settings["cost"] == ["quadratic", "log-likelihood"]
    assert settings["learning_rate"] == ["3", "0.1"]
    assert (settings["hidden"], settings["activation"]) == ("5", "tanh")
    assert "leaves out l2 2.0" in text_of(Path("two.html"))
    assert netlearn.lab(folder).html == Path("two.html").read_text("utf-8")


def test_of_more_than_two_variants_two_must_be_named(tmp_path: Path) -> None:
    rates = ["--vary", "learning_rate=0.1,1,3", "--cost", "quadratic"]
    folder = str(compare(tmp_path / "three", *ONE, *rates).parent)
    assert refused([folder], 2, "variants 3", "--variant", "learning_rate=0.1")
    named = ["--variant", "quadratic learning_rate=3", "--variant", "quadratic learning_rate=0.1"]
    assert call("lab", folder, *named, "--out", "named.html").exit_code == 0
    assert data_of(Path("named.html"))["settings"]["learning_rate"] == ["3", "0.1"]


def test_names_of_variants_with_commas_are_separated_by_semicolons(tmp_path: Path) -> None:
    variants = "".join(f"[variants.'{name}']\n" for name in ("a, mild", "b", "c"))
    Path("commas.toml").write_text(variants)
    assert refused([str(compare(tmp_path / "three", "commas.toml", *ONE).parent)], 2, "a, mild; b; c")


def test_a_cost_of_ones_own_is_refused_since_the_page_cannot_run_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = own_cost(monkeypatch, tmp_path)
    folder = compare(tmp_path / "own", *ONE, "--cost", "quadratic", "--cost", name).parent
    assert refused([str(folder)], 2, name, "JavaScript", "cross-entropy")


def test_data_that_are_too_large_become_a_subset_and_the_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab_module, "MOST_PACKED", 500_000)
    path = written(lab(random_images(1000)))
    data = data_of(path)
    assert len(data["packed"]) <= 500_000
    assert 200 < data["train"] < 600
    assert f"the first {data['train']:,} of 1,000 training examples" in text_of(path)
    with pytest.raises(SettingsError, match=r"noise: 200 examples take .* must be smaller"):
        lab(random_images(300, size=100))


def test_points_that_are_not_images_are_kept_as_float32(tmp_path: Path) -> None:
    name = str(points(tmp_path / "points.npz"))
    data = data_of(written(lab(datasets.load(name), DEFAULTS)))
    assert (data["kind"], data["image"], data["threshold"]) == ("float32", None, 0.85)
    x = np.frombuffer(zlib.decompress(base64.b64decode(data["packed"])), "<f4").reshape(-1, 2)
    loaded = datasets.load(name)
    np.testing.assert_array_equal(x[: data["train"]], loaded.train.x)


def test_names_of_strangers_are_text() -> None:
    content = lab(random_images(100, name=HOSTILE)).decode()
    assert "<img" not in content
    assert "&lt;img" in content


def test_settings_that_the_lab_lacks_are_named() -> None:
    given = {"data": "mnist-5k", "hidden": (10,)}
    networks = [
        resolve(given, {"cost": cost, "optimizer": optimizer})
        for cost, optimizer in (("quadratic", "momentum"), ("cross-entropy", "adam"))
    ]
    text = text_of(written(lab(random_images(100), networks)))
    assert "optimizer momentum and adam" in text
    assert "data" not in text.partition("leaves out")[2].partition(".")[0]
    other = [networks[0], resolve(given, {"data": "fashion-mnist"})]
    assert "data fashion-mnist" in text_of(written(lab(random_images(100), other)))
    assert "hidden" not in text.partition("leaves out")[2].partition(".")[0]


@pytest.mark.parametrize(
    ("arguments", "code", "facts"),
    [
        (["--out", "lab.txt"], 2, ["lab.txt", ".html"]),
        (["--data", "mnsit"], 2, ["mnsit", "mnist"]),
        (["--variant", "a"], 2, ["variants a", "comparison"]),
        (["--out", "no/folder/lab.html"], 1, ["no/folder/lab.html", "cannot be written"]),
    ],
)
def test_wrong_input_is_refused_in_one_line(arguments: list[str], code: int, facts: list[str]) -> None:
    assert refused(arguments, code, *facts)


def test_the_lab_in_the_documents_is_the_one_that_netlearn_makes() -> None:
    stored = ROOT / "docs" / "lab.html"
    assert stored.stat().st_size < 1_500_000
    packed, examples = re.compile(r'"packed":"(.*?)"'), []
    texts = [stored.read_text("utf-8"), netlearn.lab().html]
    for text in texts:
        (found,) = packed.findall(text)
        examples.append(zlib.decompress(base64.b64decode(found)))
    assert examples[0] == examples[1]
    made, now = (re.sub(r"netlearn [\w.]+", "", packed.sub("", text)) for text in texts)
    assert made == now, "run `netlearn lab --out docs/lab.html`"
