"""Text that people wrote: TOML files, names made safe to print and to draw, and which known name is meant."""

import difflib
import re
from collections.abc import Iterable, Sequence
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


def separator(texts: Iterable[str]) -> str:
    """Return what separates texts in a list: a comma, or a semicolon if one of them has a comma."""
    return "; " if any("," in text for text in texts) else ", "


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


ALIASES = {  # what others call settings and their values
    "eta": "learning_rate", "lr": "learning_rate", "alpha": "learning_rate", "rate": "learning_rate",
    "step_size": "learning_rate", "lmbda": "l2", "lambda": "l2", "weight_decay": "l2", "reg": "l2",
    "mini_batch_size": "batch_size", "minibatch": "batch_size", "bs": "batch_size", "layers": "hidden",
    "sizes": "hidden", "loss": "cost", "dataset": "data", "init": "initializer", "weights": "initializer",
    "random_state": "seed", "early_stopping": "patience", "mse": "quadratic", "l2_loss": "quadratic",
    "squared_error": "quadratic", "bce": "cross-entropy", "binary_crossentropy": "cross-entropy",
    "crossentropy": "cross-entropy", "softmax": "log-likelihood", "nll": "log-likelihood",
    "categorical_crossentropy": "log-likelihood", "logistic": "sigmoid", "gd": "sgd",
    "gradient_descent": "sgd", "float": "float32", "double": "float64", "fashion": "fashion-mnist",
}  # fmt: skip
MOST_LISTED = 40  # names; there are fewer settings
NEAR = 0.75  # as difflib measures: a wrong suggestion is worse than none


def suggestion(name: str, known: Iterable[str]) -> str | None:
    """Return which of the known names is meant, or None if none is near."""
    names = {each.lstrip("-").replace("_", "-"): each for each in known}
    plain = name.lstrip("-").lower().replace("_", "-")
    alias = ALIASES.get(plain.replace("-", "_"), "").replace("_", "-")
    near = [alias] if alias in names else difflib.get_close_matches(plain, names, n=1, cutoff=NEAR)
    return names[near[0]] if near else None


def unknown(label: str, name: str, known: Iterable[str]) -> SettingsError:
    """Return the error for a key that does not exist, with the nearest one that does."""
    return SettingsError(f"{label}: unknown key: {nearest(name, known)}")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return which of the known names is meant, for an error, or all of them."""
    known = list(known)
    near = suggestion(name, known)
    return f"did you mean {near}?" if near else f"must be {listed(known)}"


def listed(names: Sequence[str]) -> str:
    """Return names for an error, of very many the first and how many there are."""
    if len(names) > MOST_LISTED:
        names = [*names[:MOST_LISTED], f"… ({len(names):,} in all)"]
    return separator(names).join(names)
