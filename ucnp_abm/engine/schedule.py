"""What the crystal feels over time: the furnace of the protocol together with the drives, piecewise constant."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ucnp_abm.engine.protocol import HOTTEST, Protocol
from ucnp_abm.errors import BadInput
from ucnp_abm.rules.drive import MAX_EDGES, Drive


@dataclass(frozen=True)
class Condition:
    """Temperature / K, drives included, and the level of each drive."""

    temperature: float
    levels: tuple[float, ...] = ()


@dataclass(frozen=True)
class Schedule:
    """Conditions over time.

    Attributes
    ----------
    edges : tuple of float
        Begin of each segment / s; the first is 0, the last segment never ends.
    segments : tuple of int
        Which condition holds in each segment.
    conditions : tuple of Condition
        All different.
    """

    edges: tuple[float, ...]
    segments: tuple[int, ...]
    conditions: tuple[Condition, ...]

    @classmethod
    def of(cls, protocol: Protocol, drives: Sequence[Drive] = ()) -> Schedule:
        """The protocol under drives: edges of both, temperature rises added to the furnace.

        Raises
        ------
        BadInput
            If there are too many edges, or the crystal would become too hot.
        """
        profiles = [drive.profile() for drive in drives]
        edges = sorted({*protocol.edges, *(begin for profile in profiles for begin, _ in profile)})
        if len(edges) > MAX_EDGES:
            raise BadInput(f"the drives have {len(edges):,} edges together, more than {MAX_EDGES:,}; use fewer pulses")
        rises = [drive.rise() for drive in drives]
        held = _levels(edges, protocol.edges, protocol.temperatures, protocol.temperatures[0])
        levels = [_levels(edges, [b for b, _ in profile], [v for _, v in profile], 0.0) for profile in profiles]
        numbers: dict[Condition, int] = {}
        segments = []
        for kelvin, *now in zip(held, *levels, strict=True):
            hot = kelvin + math.fsum(rise * level for rise, level in zip(rises, now, strict=True))
            if hot > HOTTEST:
                raise BadInput(f"the drives heat the crystal to {hot:g} K, above {HOTTEST:g} K")
            segments.append(numbers.setdefault(Condition(hot, tuple(now)), len(numbers)))
        return cls(tuple(edges), tuple(segments), tuple(numbers))

    def segment(self, time: float) -> int:
        """Number of the segment at a time / s."""
        return max(n for n, edge in enumerate(self.edges) if edge <= time)

    def condition(self, time: float) -> Condition:
        """What holds at a time / s."""
        return self.conditions[self.segments[self.segment(time)]]


def _levels(edges: Sequence[float], begins: Sequence[float], values: Sequence[float], before: float) -> list[float]:
    """The value that holds from each edge on."""
    found, n, value = [], 0, before
    for edge in edges:
        while n < len(begins) and begins[n] <= edge:
            value = values[n]
            n += 1
        found.append(value)
    return found
