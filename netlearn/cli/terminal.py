"""Text on the terminal: whatever its encoding and whoever chose the names, it is shown and does no harm."""

import codecs
import io
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from netlearn.text import printable

REPLACE = "netlearn"  # the name of the error handler
RESULTS = f"{__name__}.results"  # where a command's context has the stream of its results
ASCII = {
    "η": "eta", "λ": "lambda", "σ": "sigma", "δ": "delta", "∂": "d", "Σ": "sum", "±": "+-", "−": "-", "…": "...",
    "→": "->", "½": "1/2", "²": "^2", "≥": ">=", "≤": "<=", "–": "-", "’": "'",
}  # fmt: skip


def _replace(error: UnicodeError) -> tuple[str, int]:
    """Return what stands for a character that the encoding lacks, and where to continue."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    character = error.object[error.start]
    text = ASCII.get(character) or character.encode("unicode_escape").decode()
    spaces = error.object[error.start + 1 :]
    spare = min(len(text) - 1, len(spaces) - len(spaces.lstrip(" ")) - 1)  # columns stay aligned, where spaces follow
    return text, error.start + 1 + max(0, spare)


codecs.register_error(REPLACE, _replace)


def prepare() -> None:
    """Let stdout and stderr replace what their encoding lacks."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=REPLACE)


def echo_files(paths: Iterable[Path], *, as_json: bool = False) -> None:
    """Print the paths of the files that a command wrote, each as soon as it is there, or all as JSON."""
    if as_json:
        echo(json.dumps({"files": [str(path) for path in paths]}))
        return
    for path in paths:
        echo(path)


def echo(content: str | bytes | os.PathLike[str], *, err: bool = False) -> None:
    """Print a text, or the bytes of a JSON document, and a line end."""
    context = click.get_current_context(silent=True)
    results = context.meta.get(RESULTS, sys.stdout) if context else sys.stdout
    stream = sys.stderr if err else results
    if isinstance(content, bytes) and isinstance(stream, io.TextIOWrapper):
        stream.flush()
        stream.buffer.write(content + b"\n")
        stream.flush()
        return
    text = content.decode() if isinstance(content, bytes) else printable(os.fspath(content))
    print(text, file=stream, flush=True)
