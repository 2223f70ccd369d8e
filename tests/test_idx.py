import gzip
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from netlearn.datasets.formats import read_idx
from netlearn.errors import DataError
from tests.files import idx_bytes

IMAGES = np.arange(24, dtype=np.uint8).reshape(4, 3, 2)
WHOLE = idx_bytes(IMAGES)


@pytest.mark.parametrize("name", ["images", "images.gz"])
def test_idx_is_read_plain_and_packed(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(WHOLE) if path.suffix else WHOLE)
    np.testing.assert_array_equal(read_idx(path), IMAGES)


HUGE = bytes([0, 0, 8, 3]) + b"\xff" * 12
CASES = {
    "empty": (b"", "an empty file; must be an IDX file of 1 to 4"),
    "float": (b"\0\0\x0d\3" + WHOLE[4:], "40 bytes; must be 112"),
    "unknown type": (b"\0\0\x07\3" + WHOLE[4:], "starts with 00000703; must be an IDX file of 1 to 4"),
    "header cut": (WHOLE[:10], "ends inside its header"),
    "no items": (idx_bytes(IMAGES[:0]), "dimensions 0 x 3 x 2; must be 1 or more"),
    "truncated": (WHOLE[:-1], "39 bytes; must be 40"),
    "trailing": (WHOLE + b"x", "41 bytes; must be 40"),
    "huge dimensions": (HUGE, "16 bytes; must be 79,228,162,458,924,105,385,300,197,391"),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_invalid_idx_is_refused(tmp_path: Path, case: str, packed: bool) -> None:
    content, facts = CASES[case]
    path = tmp_path / ("images.gz" if packed else "images")
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(DataError, match=rf"^{re.escape(str(path))}: .*{facts}"):
        read_idx(path)


def test_truncated_gzip_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    rng = np.random.default_rng(0)
    path.write_bytes(gzip.compress(idx_bytes(rng.integers(256, size=(9, 9, 9), dtype=np.uint8)))[:-30])
    with pytest.raises(DataError, match=r"images\.gz: "):
        read_idx(path)


def test_gzip_file_with_an_impossible_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(WHOLE)[:-4] + b"\xff\xff\xff\xff")
    with pytest.raises(DataError, match=r"\d+ bytes unpack to 4,294,967,295; must be"):
        read_idx(path)


def test_file_that_is_not_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(b"\0\0\0\0 not gzip \0\0\0\0")
    with pytest.raises(DataError, match="starts with 00000000; must be an IDX file"):
        read_idx(path)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"images: .*No such file"):
        read_idx(tmp_path / "images")


@pytest.mark.parametrize("empty", [3, 500_000])
@pytest.mark.parametrize("last", [WHOLE, bytes(10_000_000)], ids=["idx", "zeros"])
def test_gzip_file_of_several_members_is_refused(tmp_path: Path, empty: int, last: bytes) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(b"") * empty + gzip.compress(last))
    with pytest.raises(DataError, match=r"images\.gz: .*must be "):
        read_idx(path)


def test_bytes_after_the_gzip_stream_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(WHOLE) + b"more" + gzip.compress(WHOLE)[-4:])
    with pytest.raises(DataError, match=r"not a complete gzip file; must unpack to 40 bytes"):
        read_idx(path)


def test_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(idx_bytes(IMAGES) + bytes(200_000_000), compresslevel=1))
    tracemalloc.start()
    with pytest.raises(DataError, match="200,000,040 bytes; must be 40 by its header"):
        read_idx(path)
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()
