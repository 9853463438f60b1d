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
    outer = vars(_THREAD).get("done")
    if outer and not outer.is_set():
        yield
        return
    thread, done = threading.get_ident(), threading.Event()
    clock = getattr(time, "pthread_getcpuclockid", lambda _: time.CLOCK_MONOTONIC)(thread)  # macOS lacks it
    until = time.clock_gettime(clock) + seconds

    def watch() -> None:
        while not done.wait(_LOOK_S):
            if time.clock_gettime(clock) > until:
                done.set()
                # Never taken back by None: CPython 3.11 would then look for it at every step, and hang where it traces.
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(TookTooLong))
                return

    watcher = threading.Thread(target=watch, daemon=True)
    _THREAD.done = done
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()  # after which nothing is raised any more
