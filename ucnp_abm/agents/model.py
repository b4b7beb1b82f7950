"""The Mesa model: a face over the simulation, with a registered agent for each ion and vacancy."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from ucnp_abm.agents._mesa import mesa
from ucnp_abm.agents.agents import Ion, Occupant, Vacancy
from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.particle import Particle
from ucnp_abm.crystal.species import VACANCY
from ucnp_abm.crystal.state import site_of_slots
from ucnp_abm.engine.moves import Event, explain
from ucnp_abm.engine.protocol import Protocol
from ucnp_abm.engine.simulation import Scheduler, Simulation
from ucnp_abm.errors import BadInput
from ucnp_abm.registry import mechanism as resolve
from ucnp_abm.rules.mechanism import Mechanism

MAX_REGISTERED_IONS = 50_000
"""Above this number of sites, vacancies are registered and ions are made when they are asked for."""


class Model(mesa.Model):  # type: ignore[misc]
    """A nanocrystal as an agent-based model.

    Parameters
    ----------
    particle : Particle
    mechanism : str or Mechanism
    temperature : str or float
        '300 °C'; or give a whole `protocol`.
    seed : int
    protocol : Protocol or str or None
    scheduler : {'rejection', 'linear-scan'}
    interpreted : bool
        Run the plain Python text of the loop.

    Notes
    -----
    `step()` is one step (the mean time between two hops of a bulk vacancy); `fire()` is one event. Mesa's own
    `model.steps` counts calls of `step()`, and its `model.time` is not physical time: use `kmc_time` and `kmc_steps`.
    """

    def __init__(
        self,
        particle: Particle,
        mechanism: str | Mechanism = "no-complex",
        temperature: str | float = "300 °C",
        *,
        seed: int = 0,
        protocol: Protocol | str | None = None,
        scheduler: Scheduler = "rejection",
        interpreted: bool = False,
    ) -> None:
        self.simulation = Simulation(
            particle,
            resolve(mechanism) if isinstance(mechanism, str) else mechanism,
            temperature if protocol is None else protocol,
            seed=seed,
            scheduler=scheduler,
            interpreted=interpreted,
        )
        super().__init__(rng=seed)
        self._unique_ids = itertools.count(1)
        self._by_slot: dict[int, Occupant] = {}
        self._generation = self.simulation.state.generation.copy()
        self._sites_at = self._seen = -1
        species = self.simulation.state.species[self.crystal.sites]
        every = self.crystal.n_sites <= MAX_REGISTERED_IONS
        for slot in range(self.crystal.n_sites) if every else np.flatnonzero(species == VACANCY):
            self._born(int(slot), species[int(slot)] == VACANCY)

    # --- running ---

    def run(
        self,
        *,
        steps: float | None = None,
        time: float | None = None,
        events: int | None = None,
        candidates: int | None = None,
    ) -> str:
        """Go on for so many steps, seconds, events or candidates, whichever comes first; returns why it stopped."""
        reason = self.simulation.run(steps=steps, time=time, events=events, candidates=candidates)
        self._births_and_deaths()
        return reason

    def step(self) -> None:
        """One step (Mesa drops what a step returns)."""
        self.run(steps=1)

    def fire(self, *, live: bool = False) -> Event | None:
        """Exactly one event, by the same loop that `run` uses; None if nothing can happen. See `Simulation.fire`."""
        event = self.simulation.fire(live=live)
        self._births_and_deaths()
        return event

    # --- asking ---

    @property
    def crystal(self) -> Crystal:
        """The static geometry."""
        return self.simulation.crystal

    @property
    def kmc_time(self) -> float:
        """Physical time reached / s."""
        return self.simulation.time

    @property
    def kmc_steps(self) -> float:
        """Steps passed: ∫ z k_ref(T) dt."""
        return self.simulation.steps

    @property
    def vacancies(self) -> list[Vacancy]:
        """All vacancies, ordered by identity (never by their order in the loop's lists)."""
        state = self.simulation.state
        slots = np.sort(state.slot[state.vacancies[: state.n_vacancies]])
        return [self.agent(int(slot)) for slot in slots]

    def agent(self, slot: int) -> Occupant:
        """The agent of an identity, made now if it is not registered."""
        whole = isinstance(slot, (int, np.integer)) and not isinstance(slot, bool)
        if not whole or not 0 <= slot < self.crystal.n_sites:
            raise BadInput(f"slot: expected an identity from 0 to {self.crystal.n_sites - 1}, got {slot!r}")
        self._births_and_deaths()
        if slot not in self._by_slot:
            self._born(slot, self.simulation.occupant(self.site_of(slot)) == "vacancy")
        return self._by_slot[slot]

    def occupant(self, site: int) -> Occupant:
        """The agent on a site."""
        self.simulation.occupant(site)  # refuses what is no site
        return self.agent(int(self.simulation.state.slot[self.crystal.sites[site]]))

    def site_of(self, slot: int) -> int:
        """Site number of an identity."""
        if self._sites_at != self.simulation.state.events:
            self._sites = site_of_slots(self.crystal, self.simulation.state)
            self._sites_at = self.simulation.state.events
        return int(self._sites[slot])

    def why(self, event: Event) -> str:
        """Why an event happened: rule, environment, energies, rate, probability, random words."""
        return explain(event)

    def digest(self) -> str:
        """SHA-256 of the state."""
        return self.simulation.digest()

    def next_unique_id(self) -> int:
        """A number for a new agent."""
        return next(self._unique_ids)

    # --- births and deaths ---

    def _born(self, slot: int, vacant: Any) -> None:
        self._by_slot[slot] = (Vacancy if vacant else Ion)(self, slot)

    def _births_and_deaths(self) -> None:
        state = self.simulation.state
        if state.events == self._seen:
            return
        self._seen = state.events
        changed = np.flatnonzero(state.generation != self._generation)
        for slot in changed:
            gone = self._by_slot.pop(int(slot), None)
            if gone is not None:
                gone.remove()
            self.agent(int(slot))
        self._generation[changed] = state.generation[changed]

    def __repr__(self) -> str:
        return f"<Model of {self.simulation!r}>"
