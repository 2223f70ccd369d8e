"""Text of unknown origin, such as the names in another's run folder, made safe to print, to draw and to store."""


def printable(text: str) -> str:
    r"""Return a text with control characters, escape sequences and undecodable bytes written out, as in `\x1b`.

    Line ends are kept.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
