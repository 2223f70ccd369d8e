"""Python's fork server, from which workers are forked: a process without threads that has imported what they need.

All processes of a program that use it share it, with its modules and its environment.
"""

import resource
import signal
from multiprocessing import forkserver, resource_tracker

from netlearn.comparison.process import ENVIRONMENT, starting

PRELOADED = "netlearn.comparison.preloaded"
FEW_FILES = 64  # that may be open: too few for one more process


def start() -> bool:
    """Start the fork server, and have it import what workers need; return whether it could be started."""
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < FEW_FILES:
        return False
    forkserver.set_forkserver_preload([PRELOADED])
    try:
        with starting(ENVIRONMENT):
            resource_tracker.ensure_running()  # it would unblock the signal
            before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # Ctrl-C is for the parent
            try:
                forkserver.ensure_running()
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
    except OSError:  # no file or process, or the path of its socket is too long
        return False
    return True
