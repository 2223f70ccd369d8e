"""The types of the settings that Python callers give, so that editors complete them and type checkers check them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias, TypedDict

from numpy.typing import ArrayLike

from netlearn.costs import Cost

Data: TypeAlias = str | Path | Mapping[str, ArrayLike] | Sequence[ArrayLike]
AnyCost: TypeAlias = str | Cost | type[Cost]
OrOff: TypeAlias = float | Literal["off"]


class GivenSettings(TypedDict, total=False):
    """The settings of the reference, but for cost and data; the schema in `netlearn.settings` checks their values."""

    hidden: int | Sequence[int]
    activation: str
    initializer: str | tuple[float, float]
    epochs: int
    batch_size: int
    learning_rate: float
    optimizer: str
    momentum: OrOff
    beta1: OrOff
    beta2: OrOff
    epsilon: OrOff
    l2: float
    l1: float
    max_norm: OrOff
    dropout: float
    halve_after: int | Literal["off"]
    patience: int | Literal["off"]
    seed: int
    augment: str
    elastic_sigma: OrOff
    elastic_alpha: OrOff
    train_size: int | Literal["all"]
    label_noise: float
    dtype: str
    probe_every: int
    track_test: bool
    snapshots: bool


class Variant(GivenSettings, total=False):
    """The settings in which a variant differs from the others."""

    cost: AnyCost
    data: Data
