"""Downloads from mirrors, and their failures."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tqdm import tqdm

from netlearn.datasets.sources import FILES, fetch
from netlearn.errors import DataError
from tests.mirrors import CONTENT, HASHES, Mirrors, serving

SILENCE = 1.0  # seconds until a mirror that sends nothing is given up; a busy machine needs less for a small file


@pytest.fixture
def mirrors() -> Iterator[Mirrors]:
    with serving() as server:
        yield server


def test_good_mirror_fills_the_folder(mirrors: Mirrors, tmp_path: Path) -> None:
    fetch(HASHES, [mirrors.url("good")], tmp_path / "cache")
    assert {path.name: path.read_bytes() for path in (tmp_path / "cache").iterdir()} == CONTENT


def test_existing_file_is_not_downloaded_again(mirrors: Mirrors, tmp_path: Path) -> None:
    name = next(iter(CONTENT))
    (tmp_path / name).write_bytes(CONTENT[name])
    fetch(HASHES, [mirrors.url("good")], tmp_path)
    assert len(mirrors.asked) == 3
    assert f"good/{name}" not in mirrors.asked


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


@pytest.mark.parametrize("manner", ["missing", "wrong", "truncated"])
def test_next_mirror_is_tried_after_a_failing_one(mirrors: Mirrors, tmp_path: Path, manner: str) -> None:
    fetch(HASHES, [mirrors.url(manner), mirrors.url("good")], tmp_path, silence=SILENCE)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == CONTENT


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
