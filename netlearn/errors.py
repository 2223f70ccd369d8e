"""Exceptions; each message is one line that names the thing, its value and what it must be."""


class NetlearnError(Exception):
    """Base class; the command line and notebooks print the message and no traceback."""

    def _render_traceback_(self) -> list[str]:
        """Return the lines that IPython prints."""
        return [f"{type(self).__name__}: {self}"]


class SettingsError(NetlearnError):
    """A setting from a flag, a file or a caller is not valid."""


class CostError(NetlearnError):
    """A user's own cost cannot be loaded, or its delta is not the derivative of its value."""

    def _render_traceback_(self) -> list[str]:
        """Return the lines that IPython prints: also where the user's code failed."""
        import traceback  # noqa: PLC0415 (takes 5 ms to import)

        behind = traceback.format_exception(self.__cause__, limit=-2) if self.__cause__ else []
        return [*map(str.rstrip, behind), *super()._render_traceback_()]


class DataError(NetlearnError):
    """A data set is missing, cannot be downloaded, or its files are not valid."""


class DivergenceError(NetlearnError):
    """The cost of a run is no longer finite."""


class RunError(NetlearnError):
    """A run folder cannot be read or written."""


class DrawingError(NetlearnError):
    """A picture cannot be drawn."""


class DrawingWarning(UserWarning):
    """A picture was left out, since it could not be drawn."""


class CostWarning(UserWarning):
    """A user's own cost can be used, but not everywhere."""


class MismatchError(RunError):
    """A run folder holds another run than the one that is to be resumed: it must be left unchanged."""


class DamageError(RunError):
    """Files of an unfinished run are missing, damaged or changed, so that it cannot be resumed."""


class WorkerError(NetlearnError):
    """A worker process cannot be started."""


class ClusterError(NetlearnError):
    """A cluster cannot be used, or no longer answers."""
