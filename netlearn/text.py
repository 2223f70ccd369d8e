"""Text that people wrote: TOML files, and names, made safe to print, to draw and to store."""

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from netlearn.errors import SettingsError


def printable(text: str) -> str:
    r"""Return a text with control characters, escape sequences and undecodable bytes written out, as in `\x1b`.

    Line ends are kept.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def counted(number: int, noun: str) -> str:
    """Return a number with a noun, such as "1 seed" or "6 seeds"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def html_table(lines: Sequence[Sequence[str]], sentences: Sequence[str] = ()) -> str:
    """Return an HTML table, with heads in its first line and column, and sentences below it."""
    top, *body = [[escape(cell.strip()) for cell in line] for line in lines]
    indents = ["&nbsp;" * (len(first) - len(first.lstrip())) for first, *_ in lines[1:]]
    rows = [
        f'<tr><th scope="row" style="text-align: left">{indent}{first}</th>'
        f"{''.join(f'<td>{cell}</td>' for cell in rest)}</tr>"
        for indent, (first, *rest) in zip(indents, body, strict=True)
    ]
    below = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences if sentence)
    head = "".join(f'<th scope="col">{cell}</th>' if cell else "<td></td>" for cell in top)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>{below}"


def decode_toml(path: Path, raw: bytes | None = None) -> dict[str, Any]:
    """Return the content of a TOML file; `raw` are its bytes, if they have been read already.

    Raises:
        SettingsError: the file cannot be read or is not TOML.
    """
    import msgspec  # noqa: PLC0415 (left to those who read settings: the help has none)

    try:
        raw = path.read_bytes() if raw is None else raw
        content: dict[str, Any] = msgspec.toml.decode(raw.removeprefix(b"\xef\xbb\xbf"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:  # not TOML, not UTF-8, nested too deeply
        raise SettingsError(f"{path}: not a TOML file: {_cause(raw or b'') or error}") from error
    return content


def _cause(raw: bytes) -> str:
    """Return what editors and habits commonly do to a TOML file, if it is that, else ""."""
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"\0" in raw[:100]:
        return "it is UTF-16; save it as UTF-8"
    for number, line in enumerate(raw.decode("utf-8", "replace").splitlines(), 1):
        if any(quote in line for quote in "“”„‘’«»"):
            return f'line {number} has curly quotes; write straight ones, "'
        if re.search(r"=\s*\d+,\d+\s*(#.*)?$", line):
            return f"line {number} has a decimal comma; write a point"
    return ""
