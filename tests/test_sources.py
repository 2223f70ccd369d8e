"""Where the known data sets are found: in the user's own folder, in the cache, or on a mirror; how mirrors fail."""

import gzip
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tqdm import tqdm

from netlearn import datasets
from netlearn.datasets import sources
from netlearn.datasets.sources import FILES, SOURCES, Source, fetch
from netlearn.errors import DataError
from tests.files import refused, write_folder
from tests.mirrors import CONTENT, HASHES, Mirrors, serving

NOTE = "no test example of class 6, 7, 8, 9"


@pytest.fixture
def mirrors() -> Iterator[Mirrors]:
    with serving() as server:
        yield server


@pytest.fixture
def known(mirrors: Mirrors, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Replace MNIST by a small set on mirrors that behave in the given manners."""

    def replace(*manners: str) -> None:
        source = Source(tuple(map(mirrors.url, manners)), megabytes=1, sha256=tuple(HASHES.values()))
        monkeypatch.setitem(SOURCES, "mnist", source)

    return replace


def test_mnist_is_downloaded_once_and_then_found_in_the_cache(known: Callable[..., None], mirrors: Mirrors) -> None:
    known("missing", "good")
    for _ in range(2):
        data = datasets.load("mnist")
        assert (data.name, data.where, len(data.train)) == ("mnist", str(sources.cache_folder("mnist")), 100)
        assert data.sha256 == HASHES
    assert len(mirrors.asked) == 5


def test_damaged_cache_is_repaired(known: Callable[..., None], mirrors: Mirrors) -> None:
    known("good")
    datasets.load("mnist")
    damaged = sources.cache_folder("mnist") / f"{FILES[0]}.gz"
    damaged.write_bytes(b"damaged")
    datasets.load("mnist")
    assert damaged.read_bytes() == CONTENT[damaged.name]
    assert len(mirrors.asked) == 5


def test_auto_is_mnist_if_it_can_be_downloaded(known: Callable[..., None]) -> None:
    known("good")
    data = datasets.load("auto")
    assert data.name == "mnist"
    assert "download" not in data.note


def test_auto_is_mnist_5k_if_mnist_cannot_be_downloaded_and_says_why(
    known: Callable[..., None], mirrors: Mirrors
) -> None:
    known("missing")
    data = datasets.load("auto")
    assert (data.name, len(data.train)) == ("mnist-5k", 3500)
    assert f"{mirrors.url('missing')} (404 Not Found)" in data.note
    assert data.note.endswith("netlearn data download mnist")


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_advice_after_a_failed_download_works(
    known: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    known("missing")
    monkeypatch.setitem(SOURCES, name, SOURCES["mnist"])
    message = refused(name)
    advice = re.search(
        r"four files, .*, in a folder named (\S+) and set NETLEARN_DATA to the folder that holds", message
    )
    assert advice is not None, message
    folder = tmp_path / "data" / advice[1]
    folder.mkdir(parents=True)
    for file, content in CONTENT.items():
        (folder / file).write_bytes(content)
    monkeypatch.setenv("NETLEARN_DATA", str(folder.parent))
    data = datasets.load(name)
    assert (data.name, data.where) == (name, str(folder))


def test_own_folder_takes_precedence_over_the_cache(
    known: Callable[..., None], tmp_path: Path, mirrors: Mirrors, monkeypatch: pytest.MonkeyPatch
) -> None:
    known("good")
    for folder in (tmp_path / "own", tmp_path / "own" / "mnist"):
        folder.mkdir()
        for name, content in CONTENT.items():
            (folder / name).write_bytes(content)
        monkeypatch.setenv("NETLEARN_DATA", str(tmp_path / "own"))
        assert datasets.load("mnist").where == str(folder)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NETLEARN_DATA", "own")
    assert Path(datasets.load("mnist").where).samefile(folder)
    assert mirrors.asked == []


@pytest.mark.parametrize("name", ["mnist", "auto"])
def test_own_folder_with_other_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    folder = write_folder(tmp_path / "own")
    monkeypatch.setenv("NETLEARN_DATA", str(folder))
    path = folder / f"{FILES[0]}.gz"
    message = refused(name)
    assert message.startswith(f"{path}: SHA-256 {sources.sha256_of(path)[:12]}…; must be 440fcabf73cc…")
    assert "--data" in message


def test_own_folder_with_unpacked_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those whose hashes are known are read in their order; of others it is said what to do."""
    folder = write_folder(tmp_path / "own", packed=False)
    monkeypatch.setenv("NETLEARN_DATA", str(folder.parent))
    hashes = tuple(sources.sha256_of(folder / file) for file in FILES)
    folder.rename(tmp_path / "mnist")
    assert refused("mnist").startswith(f"{tmp_path / 'mnist' / FILES[0]}: SHA-256 {hashes[0][:12]}…; must be ba89104")
    monkeypatch.setitem(SOURCES, "mnist", Source((), 1, tuple(HASHES.values()), hashes))
    data = datasets.load("mnist")
    assert (data.where, data.note, len(data.train)) == (str(tmp_path / "mnist"), NOTE, 100)
    assert data.train.labels[:5].tolist() == [0, 1, 2, 3, 4]
    (tmp_path / "mnist").rename(tmp_path / "fashion-mnist")
    assert re.match(rf"{tmp_path}/fashion-mnist: .*unpacked.*must be .*\.gz.*--data", refused("fashion-mnist"))


def test_unpacked_mnist_is_mnist(full_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in FILES:
        (tmp_path / file).write_bytes(gzip.decompress((full_mnist / f"{file}.gz").read_bytes()))
    monkeypatch.setenv("NETLEARN_DATA", str(tmp_path))
    for name in ("mnist", str(tmp_path)):
        data = datasets.load(name)
        assert (data.name, len(data.train), data.train.labels[:5].tolist()) == (name, 50_000, [5, 0, 4, 1, 9])


def test_unreadable_cache_counts_as_empty(known: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    known("good")
    datasets.load("mnist")

    def forbidden(path: Path) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(sources, "sha256_of", forbidden)
    assert sources.locate("mnist") is None


def test_own_folder_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETLEARN_DATA", "nowhere")
    assert refused("auto").startswith("NETLEARN_DATA 'nowhere': no such folder; must be ")


SILENCE = 1.0  # seconds until a mirror that sends nothing is given up; a busy machine needs less for a small file


REASONS = {
    "missing": "404 Not Found",
    "wrong": f"{FILES[0]}.gz has the wrong SHA-256",
    "truncated": "connection lost",
    "hanging": "timed out",
    "stalling": "timed out",
}
MANNERS = [pytest.param(name, marks=[pytest.mark.slow] * (reason == "timed out")) for name, reason in REASONS.items()]


@pytest.mark.parametrize("manner", MANNERS)
def test_failing_mirror_is_named_with_its_reason_and_leaves_nothing(
    mirrors: Mirrors, tmp_path: Path, manner: str
) -> None:
    with pytest.raises(DataError, match=re.escape(f"{mirrors.url(manner)} ({REASONS[manner]})")):
        fetch(HASHES, [mirrors.url(manner)], tmp_path / "cache", silence=SILENCE)
    assert list((tmp_path / "cache").iterdir()) == []


def test_all_mirrors_failing_are_all_named(mirrors: Mirrors, tmp_path: Path) -> None:
    gone = "http://127.0.0.1:9/"
    with pytest.raises(DataError) as caught:
        fetch(HASHES, [mirrors.url("missing"), gone], tmp_path)
    assert f"{mirrors.url('missing')} (404 Not Found), {gone} (cannot be reached)" in str(caught.value)


def test_slow_download_is_abandoned_at_its_deadline(mirrors: Mirrors, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"dripping/ \(timed out\)"):
        fetch(HASHES, [mirrors.url("dripping")], tmp_path / "cache", silence=SILENCE, within=1)
    assert list((tmp_path / "cache").iterdir()) == []


def test_folder_that_cannot_be_written_is_named(mirrors: Mirrors, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"file/cache: cannot be written: "):
        fetch(HASHES, [mirrors.url("good")], tmp_path / "file" / "cache")


def test_progress_counts_each_file_to_its_end(mirrors: Mirrors, tmp_path: Path) -> None:
    bars: dict[str, tqdm[Any]] = {}
    fetch(
        HASHES, [mirrors.url("good")], tmp_path, progress=lambda name: bars.setdefault(name, tqdm(file=io.StringIO()))
    )
    assert {name: (bar.n, bar.total, bar.disable) for name, bar in bars.items()} == {
        name: (len(content), len(content), True) for name, content in CONTENT.items()
    }  # a closed bar is disabled


def test_files_are_requested_without_content_encoding(mirrors: Mirrors, tmp_path: Path) -> None:
    fetch(HASHES, [mirrors.url("good")], tmp_path)
    assert mirrors.encodings == ["identity"] * 4


def test_no_further_mirror_is_tried_after_the_deadline(mirrors: Mirrors, tmp_path: Path) -> None:
    with pytest.raises(DataError):
        fetch(HASHES, [mirrors.url("dripping"), mirrors.url("good")], tmp_path, silence=SILENCE, within=0.5)
    assert not [path for path in mirrors.asked if path.startswith("good")]
