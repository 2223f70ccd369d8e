"""Tables as text: CSV files, plain or gzipped, with a column of labels and a column for each input.

Whole numbers are read by numpy's own parser, 42,000 rows of 785 in seconds. The label is the column that the header
names so, or the only one of text; otherwise, of the first and the last column, the one that has fewer values.
"""

import csv
import re
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from warnings import catch_warnings, filterwarnings, simplefilter

import numpy as np
from numpy.typing import NDArray

from netlearn.datasets.reading import content_of, describe, start_of
from netlearn.errors import DataError

LABELS = ("label", "labels", "class", "target", "y", "digit", "species", "variety", "category")
COUNTING = ("", "unnamed: 0", "id", "index")  # columns that only number the rows
MISSING = {"", "?", "-", "na", "n/a", "null", "none"}  # what stands in the place of a number
LEAST_NUMBERED = 5  # columns that are a header if they are 0, 1, 2, …; fewer may be an example
ROWS = "rows from 0 below the header, columns from 1"
START = 1 << 20  # bytes that tell how a table is written
SAMPLE = 200  # rows that tell what the columns are
LEAST_SIDE = 5  # pixels of an image in the columns of a table
PIXEL = re.compile(r"(pixel|px|p|x)?[_ ]?\d+(x\d+)?", re.IGNORECASE)  # the name of a pixel's column
TYPES = (np.uint8, np.int32, np.float32)


class Layout(NamedTuple):
    """How a table is written: what divides its columns (None: spaces), their names, its first rows."""

    delimiter: str | None
    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def is_table(path: Path) -> bool:
    """Return whether a file is text in columns, with numbers in most of them."""
    layout = _layout(_utf8(start_of(path, START)))
    fields = [field for row in layout.rows[:1] for field in row]
    return len(fields) > 1 and 2 * sum(map(_is_number, fields)) >= len(fields)


def have_equal_columns(one: Path, other: Path) -> bool:
    """Return whether two tables have equally many columns, of the same names where both have a header."""
    layouts = [_layout(_utf8(start_of(path, START))) for path in (one, other)]
    (names, first), (other_names, other_first) = ((layout.names, layout.rows[0]) for layout in layouts)
    return len(first) == len(other_first) and (names == other_names or not (names and other_names))


class Table(NamedTuple):
    """What a table holds.

    Attributes:
        x: inputs, (n, columns) or (n, side, side).
        y: labels, (n,), numbers or text.
        label: the column of the labels.
        inputs: the columns of the inputs.
        notes: what was decided.
    """

    x: NDArray[Any]
    y: NDArray[Any]
    label: int
    inputs: list[int]
    notes: list[str]


def read_table(path: Path, like: Table | None = None) -> Table:
    """Read a table, or one with the columns of another, `like`.

    Raises:
        DataError: it cannot be read, has no labels, lacks a value, or holds what is no number.
    """
    text = _utf8(content_of(path))
    layout = _layout(text[:START])
    columns = [np.array(column) for column in zip(*layout.rows, strict=False)]
    if len(columns) < 2:
        raise DataError(f"{path}: {describe(path)}; must be columns of numbers, one of them the label")
    if layout.names and len(layout.names) != len(layout.rows[0]):
        raise DataError(
            f"{path}: {len(layout.names)} names of columns in its header, but {len(layout.rows[0])} columns below it"
        )
    for i, column in enumerate(columns):
        _check_present(path, i, column)
    label, inputs, notes = (like.label, like.inputs, []) if like else _columns(path, layout, columns)
    if not inputs:
        raise DataError(f"{path}: has labels but no columns of inputs; must have one or more")
    if layout.delimiter in {";", "\t"} and re.search(rb"\d,\d", text[:START]):
        text = text.replace(b",", b".")  # decimal commas
    try:
        if all(map(_numbers, columns)):
            table = _read(text, layout)
            x, y = table[:, inputs], table[:, label]
        else:
            x, y = _read(text, layout, inputs), _load(text, layout, np.str_, [label])[:, 0]
    except ValueError as error:
        problem = str(error).partition(";")[0].rstrip(".")
        where = ROWS if ", column " in problem else "rows from 1"
        raise DataError(f"{path}: {problem} ({where}); must be a table of numbers") from error
    if y.dtype.kind == "U":
        y = np.char.strip(y, " '\"")
        if not y.all():
            raise _missing(path, int((y == "").argmax()), label, "")
    if x.min() < 0 or (like and like.x.dtype.kind == "f"):
        x = x.astype(np.float32, copy=False)  # whole numbers, but no pixels
    elif x.max() <= 1 and x.dtype == np.uint8:
        x = x.astype(np.int32)  # so that 1 is not divided by 255
    names = [layout.names[i] for i in inputs] if layout.names else []
    return Table(_as_images(x, names), y, label, inputs, notes)


def _columns(path: Path, layout: Layout, columns: list[NDArray[Any]]) -> tuple[int, list[int], list[str]]:
    """Return the column of the label, those of the inputs, and notes on what was decided."""
    label, notes = _label(path, layout, columns)
    counting = [i for i, column in enumerate(columns) if i != label and _counts_rows(layout, i, column)]
    notes += [f"its column {layout.names[i]!r}, which numbers the rows, was left out" for i in counting]
    return label, [i for i in range(len(columns)) if i != label and i not in counting], notes


def _check_present(path: Path, i: int, column: NDArray[Any]) -> None:
    """Check that a column of numbers, or one without any content, has a value in each of the first rows."""
    gaps = [row for row, field in enumerate(column) if not _is_number(field)]
    if gaps and all(column[row].lower() in MISSING for row in gaps) and (len(gaps) < len(column) or not any(column)):
        raise _missing(path, gaps[0], i, column[gaps[0]])


def _missing(path: Path, row: int, column: int, field: str) -> DataError:
    return DataError(
        f"{path}: no value, but {str(field)!r} at row {row}, column {column + 1} ({ROWS}); must have one: fill it "
        "in, or leave out the row or the column"
    )


def _utf8(text: bytes) -> bytes:
    """Return text in UTF-8, without the mark at its start, and lines that end with LF.

    It may be in UTF-8, UTF-16 or, as older spreadsheets save it, in Windows' code page 1252.
    """
    if text[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        text = text[: len(text) // 2 * 2].decode("utf-16", "replace").encode()
    try:
        text.decode()
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":  # the beginning of a file may end within a character
            text = text.decode("cp1252", "replace").encode()
    text = text if b"\n" in text else text.replace(b"\r", b"\n")
    return text.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")


def _layout(start: bytes) -> Layout:
    lines = [line for line in start.decode("utf-8", "replace").splitlines()[: SAMPLE + 2] if line.strip()]
    if len(start) == START and not start.endswith(b"\n"):
        lines = lines[:-1]  # it may be cut
    first = lines[0] if lines else ""
    unquoted = re.sub(r'"[^"]*"', "", first)
    found = max(",;\t", key=unquoted.count)
    delimiter = found if found in unquoted else None
    rows = [_fields(line, delimiter) for line in lines]
    names, rows = (rows[0], rows[1:]) if _is_header(rows) else ((), rows)
    return Layout(delimiter, tuple(name.removeprefix("#").strip() for name in names), tuple(rows))


def _fields(line: str, delimiter: str | None) -> tuple[str, ...]:
    fields = line.split(delimiter)
    if delimiter and '"' in line:
        with suppress(csv.Error):  # what is no table
            fields = next(csv.reader([line], delimiter=delimiter))
    return tuple(field.strip().strip('"') for field in fields)


def _is_header(rows: list[tuple[str, ...]]) -> bool:
    """Return whether the first row has text where the next has a number, or numbers the columns from 0."""
    if len(rows) < 2:
        return False
    if len(rows[0]) >= LEAST_NUMBERED and rows[0] == tuple(map(str, range(len(rows[0])))):
        return True
    texts = [first for first, second in zip(*rows[:2], strict=False) if not _is_number(first) and _is_number(second)]
    return any(text.lower() not in MISSING for text in texts) or bool(texts and rows[0][0] == "")  # of row numbers


def _is_number(field: str) -> bool:
    try:
        float(field.replace(",", "."))
    except ValueError:
        return False
    return True


def _numbers(column: NDArray[Any]) -> bool:
    return all(map(_is_number, column))


def _label(path: Path, layout: Layout, columns: list[NDArray[Any]]) -> tuple[int, list[str]]:
    """Return the column of the label, and a note if nothing named it."""
    names = [name.lower() for name in layout.names]
    named = [i for i, name in enumerate(names) if name in LABELS and not (name == "y" and "x" in names)]
    if len(named) > 1:
        both = " and ".join(repr(layout.names[i]) for i in named)
        raise DataError(f"{path}: the columns {both} could be the label; must be one of them: leave out the others")
    of_text = [i for i, column in enumerate(columns) if not _numbers(column)]
    if named or len(of_text) == 1:
        return (named or of_text)[0], []
    if of_text:
        those = " and ".join(str(i + 1) for i in of_text)
        raise DataError(
            f"{path}: has text in the columns {those} (from 1); must have it in one alone, the label: leave out the "
            "others, or replace their text by numbers"
        )
    if layout.names and all(map(PIXEL.fullmatch, layout.names)):
        raise DataError(f"{path}: has pixels but no column of labels; must have one, such as {LABELS[0]!r}")
    counts = {i: len(np.unique(columns[i])) for i in (0, len(columns) - 1) if _whole(columns[i])}
    varying = {i: count for i, count in counts.items() if count > 1} or counts
    if not varying:
        raise DataError(
            f"{path}: has no column of labels; must have one of whole numbers, the first or the last, or named "
            f"{', '.join(LABELS[:4])}"
        )
    label = min(varying, key=lambda i: varying[i])
    return label, [f"its {'last' if label else 'first'} column was taken for the label"]


def _whole(column: NDArray[Any]) -> bool:
    return _numbers(column) and all(float(field.replace(",", ".")).is_integer() for field in column)


def _counts_rows(layout: Layout, i: int, column: NDArray[Any]) -> bool:
    if not layout.names or layout.names[i].lower() not in COUNTING or not _whole(column):
        return False
    return len(np.unique(column)) == len(column)  # in any order: rows that were drawn from others keep their numbers


def _read(text: bytes, layout: Layout, columns: list[int] | None = None) -> NDArray[Any]:
    """Return columns of numbers, or all, (n, columns), in the smallest of `TYPES` that holds them."""
    for dtype in TYPES[:-1]:
        with suppress(ValueError, OverflowError, DeprecationWarning), catch_warnings():
            simplefilter("error")  # before version 2.3, numpy only warns that it cuts fractions off
            return _load(text, layout, dtype, columns)
    return _load(text, layout, TYPES[-1], columns)


def _load(text: bytes, layout: Layout, dtype: Any, columns: list[int] | None) -> NDArray[Any]:
    lines = BytesIO(text)
    if layout.names:
        lines.readline()  # not skiprows, by which numpy 2.0 loses a row of text after each 50,000
    with catch_warnings():
        filterwarnings("ignore", "Input line .* contained no data")  # a blank line
        return np.loadtxt(
            lines, dtype, None, layout.delimiter, usecols=columns, ndmin=2, encoding="utf-8", quotechar='"'
        )


def _as_images(x: NDArray[Any], names: list[str]) -> NDArray[Any]:
    """Return rows of pixels as square images, if that is what the names of their columns, or their values, say."""
    side = round(x.shape[1] ** 0.5)
    are_pixels = all(map(PIXEL.fullmatch, names)) if names else x.dtype.kind in "ui" and x.min() >= 0
    if side < LEAST_SIDE or side**2 != x.shape[1] or not are_pixels:
        return x
    return x.reshape(len(x), side, side)
