"""What can go wrong, as one family: each message is one line that names the thing, the value and what is allowed."""


class NetlearnError(Exception):
    """Anything netlearn refuses or cannot do; the command line prints its message and nothing else."""


class SettingsError(NetlearnError):
    """A setting, from a flag, a file or a caller, is not one that a run can have."""


class CostError(NetlearnError):
    """A user's own cost cannot be loaded, or its delta is not the derivative of its value."""


class DataError(NetlearnError):
    """A data set is missing, cannot be had, or its files do not hold what they promise."""


class DivergenceError(NetlearnError):
    """The cost of a run stopped being a finite number."""


class RunError(NetlearnError):
    """A run folder cannot be written or read."""


class CostWarning(UserWarning):
    """A user's own cost can be used, but not everywhere."""
