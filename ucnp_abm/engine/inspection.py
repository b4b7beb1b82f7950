"""What one can ask a simulation without changing it: where it is, what could happen next, and how fast."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.species import SYMBOLS, VOID
from ucnp_abm.crystal.state import State
from ucnp_abm.engine import candidates as every
from ucnp_abm.engine.look import look
from ucnp_abm.engine.memo import Memo
from ucnp_abm.engine.moves import Move
from ucnp_abm.engine.pack import Loop
from ucnp_abm.engine.protocol import Protocol
from ucnp_abm.engine.schedule import Schedule
from ucnp_abm.errors import BadInput
from ucnp_abm.kernels import events, layout
from ucnp_abm.kernels.rates import bound_total, next_unknown, rate_total
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.rules.ruleset import HopRule, SiteRule
from ucnp_abm.rules.table import RateTable
from ucnp_abm.units import BOLTZMANN


class Inspection:
    """The questions; `Simulation` answers them about itself."""

    crystal: Crystal
    mechanism: Mechanism
    protocol: Protocol
    schedule: Schedule
    table: RateTable
    interpreted: bool
    memo: Memo
    _state: State
    _loop: Loop

    @property
    def state(self) -> State:
        """The arrays; the loop writes into them."""
        return self._state

    @property
    def time(self) -> float:
        """Time reached / s."""
        return self.state.time

    @property
    def steps(self) -> float:
        """Steps passed: ∫ z k_ref(T) dt."""
        return self.protocol.steps(self.time, self.crystal.z)

    @property
    def temperature(self) -> float:
        """Temperature now / K, drives included."""
        return self.schedule.condition(self.time).temperature

    def total_rate(self, condition: int | None = None) -> float:
        """Sum of the rates / s⁻¹ of all events that could happen now."""
        c = self._condition_now() if condition is None else condition
        self._know_all(c)
        total = rate_total if self.interpreted else events.total_rate
        return float(total(self._loop.lattice, self._loop.state, self._loop.rates, c))

    @property
    def acceptance(self) -> float:
        """Share of candidates that rejection would accept now: total rate over total bound; 1 if nothing can happen."""
        c = self._condition_now()
        bound = bound_total(self._loop.lattice, self._loop.state, self._loop.rates, c)
        return self.total_rate(c) / float(bound) if bound else 1.0

    def species_here(self) -> list[str]:
        """Symbols of all species that are in the crystal now, vacancies included."""
        codes = np.unique(self.state.species[self.crystal.sites]).tolist()
        return [SYMBOLS[code] for code in codes if code != VOID]

    def options(self, site: int) -> list[Move]:
        """Every event that the occupant of a site could take part in now, fastest first.

        For a vacancy: its hops and dockings. For an ion: hops into neighbouring vacancies, and one-site verbs.
        """
        self._known_site(site)
        point = int(self.crystal.sites[site])
        c = self._condition_now()
        moves = []
        if self.state.species[point] == layout.VACANCY:
            moves = [self.move(layout.HOPS, point, d, c) for d in range(self.crystal.z)]
        else:
            for number in self.crystal.neighbours(site):
                if number >= 0 and self.occupant(number) == "vacancy":
                    d = self.crystal.neighbours(number).index(site)
                    moves.append(self.move(layout.HOPS, int(self.crystal.sites[number]), d, c))
        if self.crystal.exposed[self.crystal.place[point]]:
            moves += [self.move(n, point, 0, c) for n in range(1, 1 + len(self.table.channels))]
        return sorted((m for m in moves if m.rate > 0), key=lambda m: (-m.rate, m.to))

    def candidates(self) -> NDArray[np.void]:
        """Every event that could happen now (dtype `candidates.CANDIDATE`), in the order of the linear scan.

        Their rates, added up in this order, are `total_rate()` to the last bit.
        """
        c = self._condition_now()
        self._know_all(c)
        return every.candidates(self.crystal, self._loop, c, self.interpreted)

    def effective_barriers(self, found: NDArray[np.void]) -> NDArray[np.float64]:
        """(n,) barriers / eV of candidates as their rates tell: -kT ln(rate / attempt frequency), drives included."""
        kt = BOLTZMANN * self.temperature
        barriers: NDArray[np.float64] = -kt * np.log(found["rate"] / self._loop.rates.attempt[found["row"]])
        return barriers

    def look_at(self, channel: int, site: int, direction: int = 0) -> Move:
        """One event on the present crystal, with the terms of its rate: what `candidates` tells of it, in full.

        Parameters
        ----------
        channel : int
            0: a hop of the vacancy on `site`; else a transform of its occupant.
        site : int
            Site number.
        direction : int
            Of the hop.

        Raises
        ------
        BadInput
            If there is no such channel, site or direction, or no vacancy that could hop.
        """
        self._known_site(site)
        for name, given, end in (
            ("channel", channel, 1 + len(self.table.channels)),
            ("direction", direction, self.crystal.z),
        ):
            whole = isinstance(given, (int, np.integer)) and not isinstance(given, bool)
            if not whole or not 0 <= given < end:
                raise BadInput(f"look_at: {name}: expected a number from 0 to {end - 1}, got {given}")
        if channel == layout.HOPS and self.occupant(site) != "vacancy":
            raise BadInput(f"look_at: site {site} holds {self.occupant(site)}, and only a vacancy hops")
        return self.move(int(channel), int(self.crystal.sites[site]), int(direction), self._condition_now())

    def rule_of(self, row: int) -> HopRule | SiteRule | None:
        """The rule whose law gave a row of the rate table; None for row 0, which stands for what never happens."""
        if not 0 <= row < self.table.n_rows + len(self.memo):
            raise BadInput(f"row: expected a number from 0 to {self.table.n_rows + len(self.memo) - 1}, got {row}")
        return self.memo.block_of(int(row)).rule if row else None

    def occupant(self, site: int) -> str:
        """Species on a site."""
        self._known_site(site)
        return SYMBOLS[int(self.state.species[self.crystal.sites[site]])]

    def move(self, channel: int, point: int, direction: int, condition: int) -> Move:
        """One event on the present crystal, with the terms of its rate; `point` is a grid point."""
        kelvin = self.schedule.conditions[condition].temperature
        self._know(channel, point, direction)
        return look(self.crystal, self.table, self.memo, self._loop, channel, point, direction, condition, kelvin)

    def digest(self) -> str:
        """SHA-256 of the state: equal digests, equal states."""
        return self.state.digest()

    # --- helpers ---

    def _know(self, channel: int, point: int, direction: int) -> None:
        """Work out the row of one event if it is not known yet."""
        if self.memo:
            self._loop = self.memo.known(self._loop, channel, point, direction)

    def _know_all(self, condition: int) -> None:
        """Work out the rows of all events that could happen now."""
        channel, a = 0, 0
        unknown = next_unknown if self.interpreted else events.unknown
        while self.memo and channel < self._loop.rates.bound.shape[1]:
            lattice, state, rates = self._loop.lattice, self._loop.state, self._loop.rates
            channel, a, i, d = unknown(lattice, state, rates, condition, channel, a)
            if channel < rates.bound.shape[1]:
                self._know(int(channel), int(i), int(d))

    def _condition_now(self) -> int:
        return self.schedule.segments[self.schedule.segment(self.time)]

    def _known_site(self, site: int) -> None:
        whole = isinstance(site, (int, np.integer)) and not isinstance(site, bool)
        if not whole or not 0 <= site < self.crystal.n_sites:
            raise BadInput(f"site: expected a site number from 0 to {self.crystal.n_sites - 1}, got {site}")

    def __repr__(self) -> str:
        return (
            f"<Simulation '{self.mechanism.name}': {self.state.events} events, {self.time:.6g} s, "
            f"{self.steps:.4g} steps, {self.state.n_vacancies} vacancies>"
        )
