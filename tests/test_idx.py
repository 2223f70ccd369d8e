import gzip
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netlearn.errors import DataError
from netlearn.idx import read_idx
from tests.files import idx_bytes

IMAGES = np.arange(24, dtype=np.uint8).reshape(4, 3, 2)
WHOLE = idx_bytes(IMAGES)


@pytest.mark.parametrize("name", ["images", "images.gz"])
def test_idx_is_read_plain_and_packed(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(WHOLE) if path.suffix else WHOLE)
    np.testing.assert_array_equal(read_idx(path, 3), IMAGES)


HUGE = bytes([0, 0, 8, 3]) + b"\xff" * 12
CASES = {
    "empty": (b"", "starts with nothing, an IDX file of its kind with 00000803"),
    "labels": (idx_bytes(IMAGES[0, 0]), "starts with 00000801, an IDX file of its kind with 00000803"),
    "float": (b"\0\0\x0d\3" + WHOLE[4:], "starts with 00000d03, an IDX file of its kind with 00000803"),
    "header cut": (WHOLE[:10], "ends inside its header"),
    "no items": (idx_bytes(IMAGES[:0]), "promises no items: its dimensions are 0 x 3 x 2"),
    "truncated": (WHOLE[:-1], "its header promises 40 bytes, the file holds 39"),
    "trailing": (WHOLE + b"x", "its header promises 40 bytes, the file holds 41"),
    "huge promise": (HUGE, "its header promises 79,228,162,458,924,105,385,300,197,391 bytes, the file holds 16"),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_idx_that_lies_is_refused(tmp_path: Path, case: str, packed: bool) -> None:
    content, reason = CASES[case]
    path = tmp_path / ("images.gz" if packed else "images")
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(DataError) as caught:
        read_idx(path, 3)
    assert str(caught.value) == f"{path}: {reason}"


def test_packed_file_that_is_cut_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    rng = np.random.default_rng(0)
    path.write_bytes(gzip.compress(idx_bytes(rng.integers(256, size=(9, 9, 9), dtype=np.uint8)))[:-30])
    with pytest.raises(DataError, match=r"images\.gz: "):
        read_idx(path, 3)


def test_packed_file_with_a_lying_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(WHOLE)[:-4] + b"\xff\xff\xff\xff")
    with pytest.raises(DataError, match=r"states 4,294,967,295 bytes unpacked, more than \d+ packed bytes can hold"):
        read_idx(path, 3)


def test_what_is_no_gzip_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(b"\0\0\0\0 not gzip \0\0\0\0")
    with pytest.raises(DataError, match="not a whole gzip file"):
        read_idx(path, 3)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_idx(tmp_path / "images", 3)
    assert str(caught.value) == f"{tmp_path / 'images'}: cannot be read: No such file or directory"


def test_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(idx_bytes(IMAGES) + bytes(200_000_000), compresslevel=1))
    tracemalloc.start()
    with pytest.raises(DataError, match="unpack to 200,000,040; no data set is packed so tightly"):
        read_idx(path, 3)
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_corrupted_idx_is_read_as_it_is_or_refused_with_one_line(tmp_path: Path, data: st.DataObject) -> None:
    packed = data.draw(st.booleans())
    content = bytearray(gzip.compress(WHOLE) if packed else WHOLE)
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / ("images.gz" if packed else "images")
    path.write_bytes(
        bytes(content[: data.draw(st.integers(0, len(content)))]) if data.draw(st.booleans()) else content
    )
    try:
        size = read_idx(path, 3).size
    except DataError as error:
        size, lines = 24, str(error).splitlines()
    else:
        lines = ["read"]
    assert (size, len(lines)) == (24, 1)
