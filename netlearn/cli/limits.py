"""The address space that a command needs: with less, OpenBLAS hangs or ends the process, which cannot be caught."""

from netlearn.errors import NetlearnError

COMMAND, WORKER = 500_000, 150_000  # kB that a command reserves, and more for each worker process


def check_address_space(workers: int = 0) -> None:
    """Check that `ulimit -v` is unlimited or enough for a command and its worker processes.

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
