"""summary.json of a run: its results, its data and its environment."""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from netlearn.datasets import Appearance
from netlearn.errors import RunError
from netlearn.runs.sums import Sums

NAME = "summary.json"
MOST_BYTES = 1_000_000

Status: TypeAlias = Literal["finished", "stopped early", "interrupted", "diverged"]
Fraction: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Count: TypeAlias = Annotated[int, Meta(ge=0)]
Size: TypeAlias = Annotated[int, Meta(ge=1)]
Seconds: TypeAlias = Annotated[float, Meta(ge=0)]


class DataSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The data set of a run: its name and place, the number of examples, the SHA-256 of its files.

    `appearance` is what its training images look like, None where they are no images; older runs do not have it.
    """

    name: str
    where: str
    note: str
    train: Size
    validation: Size
    test: Size
    sha256: dict[str, str]
    appearance: Appearance | None = None


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The content of summary.json.

    Accuracies are fractions. `validation_accuracy` is that of the last probe. The results on the whole training set
    and on the test set are those of the last weights, or of the best weights with early stopping; a diverged run has
    none. `recall` is the fraction of each class of the test set that is recognized. Runs with equal hashes of initial
    weights and mini-batches are paired; so are runs of unequal length, as far as both go, whose `shuffling_sha256` is
    equal: the hash of all that determines the mini-batches. Older runs do not have it.
    """

    status: Status
    error: str | None
    updates: Count
    epochs: Annotated[float, Meta(ge=0, le=10_000_000)]
    best_epoch: Size | None
    best_validation_accuracy: Fraction | None
    validation_accuracy: Fraction | None
    train_cost: float | None
    train_accuracy: Fraction | None
    test_cost: float | None
    test_accuracy: Fraction | None
    recall: tuple[Fraction | None, ...]
    seed: Count
    sizes: Annotated[tuple[Size, ...], Meta(min_length=2)]
    initial_weights_sha256: str
    mini_batches_sha256: str
    shuffling_sha256: str | None = None
    data: DataSummary
    environment: dict[str, str | int | None]
    training_seconds: Seconds
    total_seconds: Seconds


def encode(summary: msgspec.Struct) -> bytes:
    """Return the content of the file, for a run or a comparison."""
    return msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n"


def read(sums: Sums) -> Summary:
    """Return the summary of a complete folder."""
    content = sums.content(NAME, MOST_BYTES)
    try:
        return msgspec.json.decode(content, type=Summary)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RunError(f"{sums.folder / NAME}: not the summary of a run: {error}") from error
