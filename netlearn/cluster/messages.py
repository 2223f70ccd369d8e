"""The messages between a comparison and the workers of its cluster, as bytes."""

from typing import TypeVar

import msgspec

from netlearn.errors import RunError
from netlearn.settings import Settings

Environment = dict[str, str | int | None]
Message = TypeVar("Message", bound=msgspec.Struct)


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A run to be trained.

    Attributes:
        id: of this order.
        variant: the name of its variant.
        settings: of the run.
        data: the identity of its data set.
        folder: where its files will be stored; messages name it.
        files: to resume from, by name; empty for a new run.
    """

    id: str
    variant: str
    settings: Settings
    data: tuple[str, ...]
    folder: str
    files: dict[str, bytes]


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of an order.

    Attributes:
        files: the run folder, by name; empty if there is a problem.
        environment: of the worker.
        problem: why there is no run.
        note: for the user.
    """

    files: dict[str, bytes]
    environment: Environment
    problem: str | None
    note: str | None


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker must have: users' own costs, with the SHA-256 of their modules, and data sets, by identity."""

    costs: dict[str, str]
    data: tuple[tuple[str, ...], ...]


class Inspected(msgspec.Struct, frozen=True, kw_only=True):
    """A worker's environment, the data sets it lacks, and why it cannot be used, if so."""

    environment: Environment
    lacking: tuple[tuple[str, ...], ...]
    problem: str | None


class DataFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The original files of a data set, by name, in the order of its identity."""

    data: tuple[str, ...]
    files: dict[str, bytes]


def encode(message: msgspec.Struct) -> bytes:
    """Return a message as bytes."""
    return msgspec.msgpack.encode(message)


def decode(content: bytes, kind: type[Message]) -> Message:
    """Return a message of a kind.

    Raises:
        RunError: the bytes are not such a message.
    """
    try:
        return msgspec.msgpack.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError) as error:
        raise RunError(f"not a valid {kind.__name__.lower()}: {error}") from error
