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
    "float": (b"\0\0\x0d\3" + WHOLE[4:], "24 bytes of items; must be 96"),
    "unknown type": (b"\0\0\x07\3" + WHOLE[4:], "starts with 00000703; must be an IDX file of 1 to 4"),
    "header cut": (WHOLE[:10], "ends inside its header"),
    "no items": (idx_bytes(IMAGES[:0]), "dimensions 0 x 3 x 2; must be 1 or more"),
    "truncated": (WHOLE[:-1], "23 bytes of items; must be 24"),
    "trailing": (WHOLE + b"x", "more bytes of items; must be 24"),
    "huge dimensions": (HUGE, r"[0-9]+ bytes unpack to 79,228,162,458,924,105,385,300,197,375"),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_invalid_idx_is_refused(tmp_path: Path, case: str, packed: bool) -> None:
    content, facts = CASES[case]
    path = tmp_path / ("images.gz" if packed else "images")
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(DataError, match=rf"^{re.escape(str(path))}: .*{facts}"):
        read_idx(path)


PACKED = gzip.compress(WHOLE)


@pytest.mark.parametrize(
    "content", [PACKED[:-3], PACKED[:-8] + bytes(8), PACKED + b"more"], ids=["short", "another sum", "more"]
)
def test_damaged_gzip_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"images\.gz: cannot be read: "):
        read_idx(path)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"images: .*No such file"):
        read_idx(tmp_path / "images")


def test_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(idx_bytes(IMAGES) + bytes(200_000_000), compresslevel=1))
    tracemalloc.start()
    with pytest.raises(DataError, match="more bytes of items; must be 24 by its header"):
        read_idx(path)
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()
