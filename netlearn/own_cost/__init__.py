"""Costs that users write: loading one by its name, and checking its gradient before it is used."""

from netlearn.own_cost.given import GivenCost, giving
from netlearn.own_cost.gradient import check_gradient
from netlearn.own_cost.loading import check_named, lies_in, load_cost

__all__ = ["GivenCost", "check_gradient", "check_named", "giving", "lies_in", "load_cost"]
