"""Text of unknown origin, such as the names in another's run folder, made safe to print, to draw and to store."""

from collections.abc import Sequence
from html import escape


def printable(text: str) -> str:
    r"""Return a text with control characters, escape sequences and undecodable bytes written out, as in `\x1b`.

    Line ends are kept.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def html_table(lines: Sequence[Sequence[str]], sentences: Sequence[str] = ()) -> str:
    """Return an HTML table, with heads in its first line and column, and sentences below it."""
    top, *body = [[escape(cell.strip()) for cell in line] for line in lines]
    indents = ["&nbsp;" * (len(first) - len(first.lstrip())) for first, *_ in lines[1:]]
    rows = [
        f'<tr><th scope="row" style="text-align: left">{indent}{first}</th>{_cells("td", rest)}</tr>'
        for indent, (first, *rest) in zip(indents, body, strict=True)
    ]
    below = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences if sentence)
    head = _cells('th scope="col"', top)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>{below}"


def _cells(tag: str, texts: Sequence[str]) -> str:
    return "".join(f"<{tag}>{text}</{tag[:2]}>" for text in texts)
