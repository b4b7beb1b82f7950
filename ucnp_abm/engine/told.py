"""Told events: the newest in full, those before them as a thinned outline."""

from __future__ import annotations

import bisect

import numpy as np
from numpy.typing import NDArray

from ucnp_abm import units
from ucnp_abm.errors import BadInput

MOST = 1_000_000
"""Events that are kept in full; 40 bytes each."""
POINTS = 65_536
"""Moments of what is no longer kept in full; when there are more, every other one goes."""
TOLD = np.dtype(
    [
        ("t_s", "<f8"),
        ("site", "<u4"),
        ("to", "<u4"),
        ("channel", "u1"),
        ("direction", "u1"),
        ("species", "u1"),
        ("slot", "<u4"),
        ("other", "<u4"),
        ("vacancies", "<u4"),
        ("outside", "<u4"),
    ],
    align=True,
)
"""An event: time / s; site numbers of the vacancy and of the ion that fills it (equal for one-site verbs); channel
(0: hop) and direction; species code of the ion that hops, is placed or is taken; identities of this ion and of the
vacancy (equal for one-site verbs); vacancies, and ions of the core outside it, afterwards."""
POINT = np.dtype([("event", "<i8"), ("t_s", "<f8"), ("vacancies", "<u4"), ("outside", "<u4")], align=True)
"""A moment just after an event: its number, time / s, vacancies, ions of the core outside it."""


class Kept:
    """What was told from an event on. Arrays that were handed out stay as they are, whatever happens here.

    Parameters
    ----------
    first : int
        Number of the event just after which it begins.
    time : float
        s.
    vacancies, outside : int
        At that moment.
    """

    def __init__(self, first: int, time: float, vacancies: int, outside: int) -> None:
        self.after = first
        self.last = first
        self._full = np.empty(0, dtype=TOLD)
        self._thinned = np.array([(first, time, vacancies, outside)], dtype=POINT)
        self._spacing = 1

    @property
    def piece(self) -> int:
        """Events that there is room for at once, whatever is kept."""
        return max(1, MOST // 4)

    def room(self, n: int) -> NDArray[np.void]:
        """(n,) where the next events are to be written; old ones go if there would be too many."""
        held = self.last - self.after
        if held + n > MOST:
            self._drop(held + n - MOST // 2)  # much at once: each time, what stays is copied
            held = self.last - self.after
        if held + n > self._full.size:
            wider = np.empty(min(MOST, max(2 * (held + n), 1024)), dtype=TOLD)
            wider[:held] = self._full[:held]
            self._full = wider
        return self._full[held : held + n]

    def extend(self, n: int) -> None:
        """The room was filled: `n` events more."""
        self.last += n

    def _drop(self, n: int) -> None:
        """Keep of the oldest `n` events only those whose numbers are multiples of the outline's spacing."""
        n = min(n, self.last - self.after)
        numbers = np.arange(self.after + 1, self.after + n + 1)
        self._thinned = np.concatenate([self._thinned, _points(numbers, self._full[:n], self._spacing)])
        while self._thinned.size > POINTS:
            self._spacing *= 2
            stays = self._thinned["event"] % self._spacing == 0
            stays[0] = True
            self._thinned = self._thinned[stays]
        left = self.last - self.after - n
        fresh = np.empty(MOST, dtype=TOLD)
        fresh[:left] = self._full[n : n + left]
        self._full = fresh
        self.after += n

    def forget_after(self, event: int, time: float, vacancies: int, outside: int) -> None:
        """Forget all events after one, the moment just after which is given."""
        self.last = event
        self.after = min(self.after, event)
        self._full = self._full[: event - self.after]  # no room behind: what is told next goes into a new array
        self._thinned = self._thinned[self._thinned["event"] <= event]
        if self.after == event > self._thinned["event"][-1]:  # nothing is kept in full: the outline ends here
            moment = np.array([(event, time, vacancies, outside)], dtype=POINT)
            self._thinned = np.concatenate([self._thinned, moment])

    def between(self, after: int, upto: int) -> NDArray[np.void]:
        """The events with numbers above `after` and up to `upto`: a view that cannot be written."""
        first, last = units.count(after, "told: after"), units.count(upto, "told: upto")
        if not self.after <= first <= last <= self.last:
            raise BadInput(
                f"told: only events after {self.after} and up to {self.last} are kept, got {after} to {upto}"
            )
        view = self._full[first - self.after : last - self.after]
        view.flags.writeable = False
        return view

    def at(self, time: float) -> int:
        """Number of the last event at or before a time / s; the first moment if there is none."""
        full = self._full["t_s"][: self.last - self.after]
        if full.size and full[0] <= time:
            return self.after + bisect.bisect_right(full, time)
        before = max(int(self._thinned["t_s"].searchsorted(time, side="right")) - 1, 0)
        return int(self._thinned["event"][before])

    def outline(self, most: int) -> NDArray[np.void]:
        """At most `most` moments, evenly by event, both ends among them."""
        if units.count(most, "outline: most") < 2:
            raise BadInput(f"outline: expected at least 2 points, got {most}")
        first = self._thinned["event"].item(0)
        wanted = np.unique(np.linspace(first, self.last, min(most, self.last - first + 1)).round().astype(np.int64))
        old = wanted[wanted <= self.after]
        at = np.unique(self._thinned["event"].searchsorted(old, side="right") - 1)
        new = wanted[wanted > self.after]
        return np.concatenate([self._thinned[at], _points(new, self._full[new - self.after - 1])])


def _points(numbers: NDArray[np.int64], events: NDArray[np.void], spacing: int = 1) -> NDArray[np.void]:
    """The moments just after those of some events whose numbers are multiples of `spacing`."""
    stays = numbers % spacing == 0
    points = np.empty(int(np.count_nonzero(stays)), dtype=POINT)
    points["event"] = numbers[stays]
    for name in ("t_s", "vacancies", "outside"):
        points[name] = events[name][stays]
    return points
