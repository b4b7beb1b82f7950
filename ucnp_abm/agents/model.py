"""The Mesa model: a face over the simulation, with a registered agent for each ion, vacancy, void and complex.

It is one room, though a large one, because it is one class: short methods that hand on to the simulation, the roster
and the history, each of which has a room of its own.
"""

from __future__ import annotations

import math
from os import PathLike
from typing import Any

import numpy as np

from ucnp_abm import units
from ucnp_abm.agents._mesa import mesa
from ucnp_abm.agents.agents import Complex, Occupant, Vacancy, class_of
from ucnp_abm.agents.history import History
from ucnp_abm.agents.roster import Roster
from ucnp_abm.agents.space import CrystalSpace
from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.particle import Particle
from ucnp_abm.engine import timeline
from ucnp_abm.engine.moves import Event, explain
from ucnp_abm.engine.protocol import Protocol
from ucnp_abm.engine.simulation import Scheduler, Simulation
from ucnp_abm.errors import BadInput, nearest
from ucnp_abm.registry import anew
from ucnp_abm.registry import mechanism as resolve
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.runs import checkpoint

MAX_REGISTERED_IONS = 50_000
"""Above this number of sites ions are not registered but made when they are asked for, and dropped with the last
reference to them; vacancies, voids and complexes are always registered."""


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
    scheduler : {'auto', 'rejection', 'sum-tree', 'linear-scan'}
    interpreted : bool
        Run the plain Python text of the loop.
    history : bool
        Remember every event of every agent. `run` then fires one event at a time: a few thousand a second instead of
        millions, and each keeps 2 to 7 kB.

    Attributes
    ----------
    simulation : Simulation
    space : CrystalSpace
        The crystal under Mesa's names.
    roster : Roster
        Who is there, by identity.

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
        scheduler: Scheduler = "auto",
        interpreted: bool = False,
        history: bool = False,
    ) -> None:
        simulation = Simulation(
            particle,
            resolve(mechanism) if isinstance(mechanism, str) else mechanism,
            temperature if protocol is None else protocol,
            seed=seed,
            scheduler=scheduler,
            interpreted=interpreted,
        )
        self._over(simulation, history)

    def _over(self, simulation: Simulation, history: bool) -> None:
        self.simulation = simulation
        simulation.remember(timeline.WINDOW)
        super().__init__(rng=simulation.seed)
        self._history = History(simulation.state.events) if history else None
        self.space = CrystalSpace(self)
        self.roster = Roster(self, self.crystal.n_sites <= MAX_REGISTERED_IONS)

    @classmethod
    def load(cls, path: str | PathLike[str], mechanism: Mechanism | None = None, *, history: bool = False) -> Model:
        """The model of a file that `save` wrote: it goes on bit for bit as the saved one would have.

        Mesa's own generators (`model.random`) and histories start anew. A mechanism that is not installed must be
        given.

        Raises
        ------
        BadInput, DamagedData
            If the file cannot be used, with the reason.
        """
        model = cls.__new__(cls)
        model._over(checkpoint.load(path, mechanism, resolve), history)
        return model

    def save(self, path: str | PathLike[str]) -> None:
        """Write everything that decides the future into one file (.npz, no pickle)."""
        checkpoint.save(self.simulation, path)

    # --- running ---

    def run(
        self,
        *,
        steps: float | None = None,
        time: str | float | None = None,
        events: int | None = None,
        candidates: int | None = None,
    ) -> str:
        """Go on for so many steps, seconds, events or candidates, whichever comes first; returns why it stopped."""
        if self._history is None:
            reason = self.simulation.run(steps=steps, time=time, events=events, candidates=candidates)
            self.roster.follow()
            return reason
        if candidates is not None:
            raise BadInput("run: a model with history=True counts events; give steps, time or events")
        return self._run_remembering(steps, time, events)

    def step(self) -> None:
        """One step (Mesa drops what a step returns)."""
        self.run(steps=1)

    def fire(self, *, live: bool = False) -> Event | None:
        """Exactly one event, by the same loop that `run` uses; None if nothing can happen. See `Simulation.fire`."""
        return self._fire(live, math.inf)

    def _fire(self, live: bool, until: float) -> Event | None:
        event, took_part = self.roster.fire(live, until)
        if event is not None and self._history is not None:
            self._history.record(event, took_part)
        return event

    def _run_remembering(self, steps: float | None, time: str | float | None, events: int | None) -> str:
        """As `Simulation.run`, event by event: the same trajectory, bit for bit."""
        simulation = self.simulation
        marks: dict[str, Any] = {}
        until = math.inf
        if steps is not None:
            marks["steps"] = simulation.steps + units.amount(steps, "steps")
            until = min(until, simulation.protocol.time(marks["steps"], self.crystal.z))
        if time is not None:
            marks["time"] = simulation.time + units.amount(units.parse(time, "time", "time"), "time")
            until = min(until, marks["time"])
        if events is not None:
            marks["events"] = simulation.state.events + units.count(events, "events")
        return self._fire_until(marks, until)

    def _fire_until(self, marks: dict[str, Any], until: float) -> str:
        simulation = self.simulation
        while marks and simulation.state.events < marks.get("events", math.inf):
            if self._fire(False, max(until, simulation.time)) is None:
                break
        return simulation.run_to(**marks)

    # --- in time ---

    def back(self, events: int = 1) -> None:
        """Undo the last events, exactly: crystal, clock, baths and agents are as they were just after those before.

        Raises
        ------
        BadInput
            If there have not been so many, or they happened before a branch.
        """
        self.simulation.back(events)
        self._follow_back()

    def goto(self, *, event: int | None = None, time: str | float | None = None, step: float | None = None) -> None:
        """Go to the moment just after an event, or to a time or a step, before or after now.

        Examples
        --------
        >>> from ucnp_abm import Model, Particle
        >>> model = Model(Particle.core_shell(core="NaGdF4: 49% Yb", diameter="2 nm", seed=1), "y-complex", seed=7)
        >>> _ = model.run(events=40)
        >>> then = model.digest()
        >>> model.goto(event=10)
        >>> model.goto(event=40)
        >>> model.digest() == then
        True
        """
        if self._history is not None:
            had = self.simulation.state.events
            self.simulation.goto(event=event, time=time, step=step)
            now = self.simulation.state.events
            if now > had:  # what is new must be told event by event
                end = self.simulation.time
                self.simulation.goto(event=had)
                self._fire_until(
                    {"events": now} if event is not None else {"time": end}, math.inf if event is not None else end
                )
        else:
            self.simulation.goto(event=event, time=time, step=step)
        self._follow_back()

    def branch(
        self, *, seed: int | None = None, mechanism: str | Mechanism | None = None, history: bool = False
    ) -> Model:
        """Another model from here on, with another seed or mechanism; this one stays as it is.

        With another seed or mechanism it cannot go back beyond this moment. Counts of channels and baths that both
        mechanisms know go on.
        """
        chosen = resolve(mechanism) if isinstance(mechanism, str) else mechanism
        model = type(self).__new__(type(self))
        model._over(self.simulation.branch(seed=seed, mechanism=chosen), history)
        return model

    def reload(self, mechanism: str | Mechanism | None = None) -> bool:
        """Go on under another mechanism, or under this one as its file is now; tells whether any rate changed.

        State, time, key and agents stay. If a rate changed, nothing before this moment can be gone back to. If the
        mechanism cannot be used, or its file cannot be loaded, nothing has changed.

        Parameters
        ----------
        mechanism : str or Mechanism or None
            None: that of this model, its file loaded again, with the parameter values that were set.

        Raises
        ------
        BadInput, BadPlugin, BadMechanism, BadRate
            If it cannot be used, with the reason.
        """
        if mechanism is None:
            chosen = anew(self.simulation.mechanism)
        else:
            chosen = resolve(mechanism) if isinstance(mechanism, str) else mechanism
        changed = self.simulation.reload(chosen)
        self.roster.meet_the_bath()
        self.roster.follow()
        return changed

    def _follow_back(self) -> None:
        self.roster.follow()
        if self._history is not None:
            self._history.forget(self.simulation.state.events)

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
    def agents(self) -> Any:
        """Mesa's set of all registered agents."""
        self.roster.follow()
        return super().agents

    @property
    def agents_by_type(self) -> Any:
        """Mesa's sets of all registered agents, by class."""
        self.roster.follow()
        return super().agents_by_type

    @property
    def vacancies(self) -> list[Vacancy]:
        """All vacancies, ordered by identity (never by their order in the loop's lists)."""
        state = self.simulation.state
        slots = np.sort(state.slot[state.vacancies[: state.n_vacancies]])
        return [self.roster.agent(slot) for slot in slots.tolist()]

    @property
    def complexes(self) -> list[Complex]:
        """One for each species that the bath can place."""
        return list(self.roster.complexes)

    def complex(self, species: str) -> Complex:
        """The complex that places ions of a species.

        Raises
        ------
        BadInput
            If the bath holds none.
        """
        found = {c.species: c for c in self.complexes}
        if species not in found:
            hint = nearest(species, found) or "; this mechanism has no complexes"
            raise BadInput(f"complex: the bath of {self.simulation.mechanism.name} holds no '{species}'{hint}")
        return found[species]

    def agent(self, slot: int) -> Occupant:
        """The agent of an identity, made now if it is not registered."""
        whole = isinstance(slot, (int, np.integer)) and not isinstance(slot, bool)
        if not whole or not 0 <= slot < self.crystal.n_sites:
            raise BadInput(f"slot: expected an identity from 0 to {self.crystal.n_sites - 1}, got {slot!r}")
        return self.roster.agent(int(slot))

    def occupant(self, site: int) -> Occupant:
        """The agent on a site."""
        self.simulation.occupant(site)  # refuses what is no site
        return self.roster.agent(self.roster.slot_on(site))

    def occupant_class(self, site: int) -> type[Occupant]:
        """Ion, Vacancy or Void: what sits on a site."""
        return class_of(self.simulation.state.species.item(self.crystal.sites.item(site)))

    def site_of(self, slot: int) -> int:
        """Site number of an identity."""
        return self.roster.site_of(slot)

    def history_of(self, slot: int, generation: int | None = None) -> list[Event]:
        """Events of an identity: of all its generations, or of one.

        Raises
        ------
        BadInput
            Unless the model was made with ``history=True``.
        """
        if self._history is None:
            raise BadInput("history: nothing was recorded; make the model with Model(…, history=True)")
        return self._history.of(slot, generation, self.simulation.state.events)

    def why(self, event: Event) -> str:
        """Why an event happened: rule, environment, energies, rate, probability, random words."""
        if not isinstance(event, Event):
            raise BadInput(f"why: expected an Event, as model.fire() returns it, got {event!r}")
        return explain(event)

    def digest(self) -> str:
        """SHA-256 of the state."""
        return self.simulation.digest()

    def __repr__(self) -> str:
        return f"<Model of {self.simulation!r}>"
