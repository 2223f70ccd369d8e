"""Costs that a caller gives as a class or an instance, found by name while a call is in progress.

A class that other processes can import needs nothing of this: its name is `package.module:ClassName`. What a notebook
defines, and every instance, is known to this process alone.
"""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias

from netlearn.costs import Cost

GivenCost: TypeAlias = Cost | type[Cost]
_given: ContextVar[Mapping[str, GivenCost]] = ContextVar("given", default={})  # noqa: B039 (it is never changed)


@contextmanager
def giving(costs: Mapping[str, GivenCost]) -> Iterator[None]:
    """Let `load_cost` find these costs by their names, in this thread."""
    token = _given.set({**_given.get(), **costs})
    try:
        yield
    finally:
        _given.reset(token)


def given(name: str) -> GivenCost | None:
    """Return the class, or a copy of the instance, that has the name; None if there is none."""
    cost = _given.get().get(name)
    return cost if isinstance(cost, type) else copy.deepcopy(cost)
