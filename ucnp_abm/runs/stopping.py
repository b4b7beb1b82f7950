"""Signals that ask a run to stop: they are noted, and answered at the end of a piece."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = ("SIGINT", "SIGTERM", "SIGUSR1")
"""Ctrl-C; what schedulers of clusters send before the time is up."""


@contextmanager
def heeded() -> Iterator[Callable[[], str]]:
    """Note the signals instead of dying of them; gives a function that says which one came, '' if none.

    The handlers that were there come back at the end. Outside the main thread nothing is changed.
    """
    came = ""

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal came
        came = came or signal.Signals(number).name

    main = threading.current_thread() is threading.main_thread()
    numbers = [getattr(signal, name) for name in SIGNALS if main and hasattr(signal, name)]
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield lambda: came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
