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
    head, *body = [[escape(cell.strip()) for cell in line] for line in lines]
    top = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    rows = "".join(
        f'<tr><th scope="row" style="text-align: left">{first}</th>{_cells(rest)}</tr>' for first, *rest in body
    )
    below = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences if sentence)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{rows}</tbody></table>{below}"


def _cells(texts: Sequence[str]) -> str:
    return "".join(f"<td>{text}</td>" for text in texts)
