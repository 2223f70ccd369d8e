"""Between a command and the system: text on the terminal, signals that stop it, and the memory that it may use.

Text is shown and does no harm, whatever the encoding of the terminal and whoever chose the names.
"""

import codecs
import io
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import click

from netlearn.errors import NetlearnError
from netlearn.text import printable

REPLACE = "netlearn"  # the name of the error handler
RESULTS, QUIETLY, AS_JSON = "netlearn.results", "netlearn.quietly", "netlearn.as_json"  # see `asked`
COMMAND, WORKER = 500_000, 150_000  # kB of address space that a command reserves, and more for each worker process
ASCII = {
    "η": "eta", "λ": "lambda", "σ": "sigma", "δ": "delta", "∂": "d", "Σ": "sum", "±": "+-", "−": "-", "…": "...",
    "→": "->", "½": "1/2", "²": "^2", "≥": ">=", "≤": "<=", "–": "-", "’": "'",
}  # fmt: skip


def _replace(error: UnicodeError) -> tuple[str, int]:
    """Return what stands for a character that the encoding lacks, and where to continue."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    character = error.object[error.start]
    return ASCII.get(character) or character.encode("unicode_escape").decode(), error.start + 1


codecs.register_error(REPLACE, _replace)


def prepare() -> None:
    """Let stdout and stderr replace what their encoding lacks."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=REPLACE)


def asked(name: str) -> Any:
    """Return what the context of the running command has by one of the names above; None outside of a command."""
    context = click.get_current_context(silent=True)
    return context.meta.get(name) if context else None


def echo_results(results: object, text: str, folder: Path | None = None) -> None:
    """Print what a command found: as text, or with --json as JSON, which names the folder of a run."""
    import msgspec  # noqa: PLC0415 (the help has no use for it)

    if asked(AS_JSON) and folder is not None:
        results = {"folder": printable(str(folder))} | msgspec.to_builtins(results)
    echo(msgspec.json.encode(results) if asked(AS_JSON) else text)


def echo_files(paths: Iterable[Path]) -> None:
    """Print the paths of the files that a command wrote, each as soon as it is there, or all as JSON."""
    if asked(AS_JSON):
        echo_results({"files": [printable(str(path)) for path in paths]}, "")
        return
    for path in paths:
        echo(path)


def echo(content: str | bytes | os.PathLike[str], *, err: bool = False) -> None:
    """Print a text, or the bytes of a JSON document, and a line end."""
    stream = sys.stderr if err else asked(RESULTS) or sys.stdout
    if isinstance(content, bytes) and isinstance(stream, io.TextIOWrapper):
        stream.flush()
        stream.buffer.write(content + b"\n")
        stream.flush()
        return
    text = content.decode() if isinstance(content, bytes) else printable(os.fspath(content))
    print(text, file=stream, flush=True)


class Terminated(KeyboardInterrupt):
    """SIGTERM was received."""


@contextmanager
def stopping_on_signals(stop: Callable[[], object]) -> Iterator[list[int]]:
    """Call `stop` at the first Ctrl-C or SIGTERM, and stop Python at the second; yields the signals received."""
    received: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        received.append(number)
        stop()
        handlers.close()

    with ExitStack() as handlers:
        for number in (signal.SIGINT, signal.SIGTERM):
            handlers.callback(signal.signal, number, signal.getsignal(number))
            signal.signal(number, handle)
        yield received


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Raise `Terminated` at SIGTERM."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def check_address_space(workers: int = 0) -> None:
    """Check that `ulimit -v` is enough for a command and its workers: with less, OpenBLAS hangs or ends the process.

    Raises:
        NetlearnError: it is not.
    """
    try:
        import resource  # noqa: PLC0415 (Windows has none)
    except ImportError:
        return
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    least = COMMAND + workers * WORKER
    if limit != resource.RLIM_INFINITY and limit < 1024 * least:
        hint = " or --jobs smaller" if workers > 1 else ""
        raise NetlearnError(f"ulimit -v {limit // 1024}: must be at least {least}{hint}")
