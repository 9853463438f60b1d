"""A limit on the time that a request may keep the server busy."""

import ctypes
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_LOOK_S = 0.2
_THREAD = threading.local()


class TookTooLong(BaseException):
    """The block has taken its time. Not an Exception: services catch those."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """End a block by `TookTooLong` when its thread has worked for so long. Of nested blocks, the first counts.

    It ends between steps of Python: a single call of C, such as a regular expression, needs a limit of its own.
    """
    if vars(_THREAD).get("is_limited"):
        yield
        return
    thread, done = threading.get_ident(), threading.Event()
    clock = getattr(time, "pthread_getcpuclockid", lambda _: time.CLOCK_MONOTONIC)(thread)  # macOS lacks it
    until = time.clock_gettime(clock) + seconds

    def watch() -> None:
        while not done.wait(_LOOK_S):
            if time.clock_gettime(clock) > until:
                _raise(thread, TookTooLong)
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    _THREAD.is_limited = True
    try:
        yield
    finally:
        _THREAD.is_limited = False
        done.set()
        watcher.join()
        _raise(thread, None)  # should it not yet have been raised


def _raise(thread: int, error: type[BaseException] | None) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), error and ctypes.py_object(error))
