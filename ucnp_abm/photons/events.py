"""A run of many excitations at once, and how often everything happened in it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ucnp_abm import seeds
from ucnp_abm.kernels.exciton_arrays import ABSORBED, CANDIDATES, EVENTS, EXCITED, PAUSED, Excitons
from ucnp_abm.kernels.excitons import shine
from ucnp_abm.kernels.random_words import round_keys
from ucnp_abm.photons.excitons import ALONE, Told
from ucnp_abm.photons.levels import Transfer

Floats = NDArray[np.float64]

AT_ONCE = 4_000_000
"""Candidates between two looks at the keyboard."""
NO_TIMES = np.zeros(0)


@dataclass(frozen=True, eq=False)
class Counts:
    """How often everything happened.

    Attributes
    ----------
    absorbed : int
        Excitations by the pump.
    yb : mapping
        Ends of Yb's excitations without an activator by channel: radiated, nonradiative, vacancies, surface.
    alone : mapping
        (L, L) changes of an activator alone, from level to level, by symbol: decay, and losses to Gd and quenchers.
    transfers : mapping
        By `Transfer`.
    events, candidates : int
        All that happened; all that were drawn.
    """

    absorbed: int
    yb: dict[str, int]
    alone: dict[str, NDArray[np.int64]]
    transfers: dict[Transfer, int]
    events: int
    candidates: int

    def between(self, donor: str, acceptor: str) -> int:
        """Transfers from one kind of ion to another."""
        return sum(n for t, n in self.transfers.items() if (t.donor, t.acceptor) == (donor, acceptor))

    @property
    def to_activators(self) -> int:
        """Excitations that Yb gave to activators, less those it got back."""
        return sum(self.between("Yb", symbol) - self.between(symbol, "Yb") for symbol in self.alone)

    @property
    def fate(self) -> dict[str, float]:
        """Where absorbed excitations went, as shares of all that left Yb; they add up to 1."""
        ends = {**self.yb, "activators": self.to_activators}
        total = sum(ends.values())
        return {name: n / total if total else math.nan for name, n in ends.items()}


class Run:
    """A state that goes on; candidates are numbered through."""

    def __init__(self, these: Told, pump: float, seed: int, times: Floats = NO_TIMES) -> None:
        self.these, self.pump, self.times = these, pump, times
        self.state: Excitons = these.grounded(len(times))
        self.keys = round_keys(*seeds.philox_key(seed, "photons"))
        self.before = (0, 0)

    def on(self, until: float) -> None:
        """Go on to a time / s of the state's clock."""
        while shine(*self._given(), until, self.times, AT_ONCE) == PAUSED:
            pass

    def _given(self) -> Iterator[object]:
        yield from (self.these.ions, self.these.trades, self.state, self.keys, self.pump)

    def go(self, seconds: float) -> None:
        """Go on for a while; the clock starts at 0, so that it stays exact however long the run."""
        state = self.state
        self.on(seconds)
        excited = state.excited[: state.tally[EXCITED]]
        state.stay[excited, state.level[excited]] += seconds - state.since[excited]
        state.since[...] = 0.0
        state.now[0] = 0.0

    def block(self, seconds: float) -> Floats:
        """(N, L) shares of a while that each ion spent in each level."""
        self.state.stay[...] = 0.0
        self.go(seconds)
        share = self.state.stay / seconds
        share[:, 0] = 1.0 - share[:, 1:].sum(axis=1)
        return share

    def forget(self) -> None:
        """Count from here on; candidates go on, since their numbers must not come twice."""
        state = self.state
        self.before = (int(state.tally[CANDIDATES]), int(state.tally[EVENTS]))
        state.tally[ABSORBED] = 0
        state.alone[...] = 0
        state.traded[...] = 0

    def stored(self) -> dict[str, NDArray[np.int64]]:
        """(L,) ions in each level by symbol."""
        these = self.these
        own = zip(these.symbols, these.levels, strict=True)
        return {symbol: self.state.held[k, :n].copy() for k, (symbol, n) in enumerate(own)}

    def counts(self) -> Counts:
        """All that was counted."""
        these, state = self.these, self.state
        own = list(enumerate(zip(these.symbols, these.levels, strict=True)))
        return Counts(
            absorbed=int(state.tally[ABSORBED]),
            yb={channel: int(state.alone[0, 1, way]) for way, channel in enumerate(ALONE)},
            alone={symbol: state.alone[k, :n, :n].copy() for k, (symbol, n) in own[1:]},
            transfers={t: int(n) for t, n in zip(these.channels, state.traded, strict=True)},
            events=int(state.tally[EVENTS]) - self.before[1],
            candidates=int(state.tally[CANDIDATES]) - self.before[0],
        )
