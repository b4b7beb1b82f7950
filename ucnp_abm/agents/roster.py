"""Who is there: agents by identity, retired and made as the loop ends and begins occupants."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.agents.agents import Complex, Ion, Occupant, World, class_of
from ucnp_abm.crystal.species import VACANCY, VOID
from ucnp_abm.crystal.state import site_of_slots
from ucnp_abm.engine.moves import Event


@contextmanager
def _no_collection() -> Iterator[None]:
    """No garbage is collected meanwhile: among thousands of new agents there is none, and looking takes longer."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


class Roster:
    """The agents of a model. It follows the state: whoever asks sees what the loop has written.

    Parameters
    ----------
    model : World
    register_ions : bool
        Whether ions stand in `model.agents` like all others. Otherwise they are made when they are asked for and go
        with the last reference to them.
    """

    def __init__(self, model: World, register_ions: bool) -> None:
        self.model = model
        self.register_ions = register_ions
        self._registered: dict[int, Occupant] = {}
        self._on_access: WeakValueDictionary[int, Occupant] = WeakValueDictionary()
        self._retired: WeakValueDictionary[int, Occupant] = WeakValueDictionary()  # by number, while they are held
        self._seen = self._sites_at = self._moment()
        state, crystal = model.simulation.state, model.crystal
        self._sites = site_of_slots(crystal, state)
        self._generation = state.generation.copy()
        codes = state.species[crystal.sites[self._sites]]
        slots = np.arange(codes.size) if register_ions else np.flatnonzero((codes == VACANCY) | (codes == VOID))
        classes = {code: class_of(code) for code in np.unique(codes).tolist()}
        with _no_collection():
            for slot, code in zip(slots.tolist(), codes[slots].tolist(), strict=True):
                self._register(slot, classes[code])
        self.complexes: list[Complex] = []
        self.meet_the_bath()

    def meet_the_bath(self) -> None:
        """Retire the complexes and welcome those of the present mechanism, one for each species that it can place."""
        for gone in self.complexes:
            gone.remove()
        channels = self.model.simulation.table.channels
        taken = sorted({channel.takes for channel in channels if channel.takes >= 0})
        self.complexes = [Complex(self.model, -reservoir, reservoir) for reservoir in taken]
        for bath in self.complexes:
            self.model.register_agent(bath)
            bath.unique_id = -bath.reservoir

    def agent(self, slot: int) -> Occupant:
        """The agent of an identity, made now if it is not registered."""
        self.follow()
        found = self._registered.get(slot) or self._on_access.get(slot)
        if found is None:
            kind = self.model.occupant_class(self.site_of(slot))
            found = self._made(slot, kind)
            self._on_access[slot] = found
        return found

    def site_of(self, slot: int) -> int:
        """Site number of an identity."""
        moment = self._moment()
        if self._sites_at != moment:
            self._sites = site_of_slots(self.model.crystal, self.model.simulation.state)
            self._sites_at = moment
        return self._sites.item(slot)

    def slot_on(self, site: int) -> int:
        """Identity of the occupant of a site."""
        slot: int = self.model.simulation.state.slot.item(self.model.crystal.sites.item(site))
        return slot

    def displacement(self, slot: int) -> NDArray[np.float64]:
        """Displacement / Å of the present occupant since its birth, shape (3,), unwrapped in a periodic box."""
        crystal, state = self.model.crystal, self.model.simulation.state
        begin = crystal.number_of(state.birthplace.item(slot))
        moved: NDArray[np.float64] = crystal.position(self.site_of(slot)) - crystal.position(begin)
        if crystal.periodic:  # without a surface nobody is born on the way: the images are those since the start
            moved = moved + (state.image[slot] * crystal.cells) @ np.array(crystal.lattice.cell)
        return moved

    def follow(self) -> None:
        """Catch up with whatever the loop did since the last look."""
        moment = self._moment()
        if self._seen != moment:
            self._seen = moment
            self._renew(np.flatnonzero(self.model.simulation.state.generation != self._generation).tolist())

    def fire(self, live: bool, until: float) -> tuple[Event | None, list[tuple[int, int, int]]]:
        """Let one event happen, and follow it without a look at the whole crystal.

        Returns the event and (slot, generation before, generation after) of the one or two who took part in it.
        """
        before, state = self._moment(), self.model.simulation.state
        event: Event | None = self.model.simulation.fire(live=live, until=until)
        if event is None:
            self.follow()
            return None, []
        here = {self.slot_on(site): site for site in (event.move.site, event.move.to)}
        if self._sites_at == before:
            self._sites[list(here)] = list(here.values())
            self._sites_at = self._moment()
        took_part = [(slot, self._generation.item(slot), state.generation.item(slot)) for slot in here]
        if self._seen == before:
            self._seen = self._moment()
            self._renew([slot for slot, old, new in took_part if old != new])
        else:
            self.follow()
        return event, took_part

    def _moment(self) -> tuple[int, float]:
        """Where the trajectory is: events so far, and time / s of the last candidate."""
        state = self.model.simulation.state
        return state.events, state.clock.item(0)

    def _renew(self, slots: list[int]) -> None:
        """Retire the occupants of these identities and welcome those who are there now, whichever way time went."""
        self._generation[slots] = self.model.simulation.state.generation[slots]
        for slot in slots:
            gone = self._on_access.pop(slot, None)
            if slot in self._registered:
                gone = self._registered.pop(slot)
                gone.remove()
            if gone is not None:
                self._retired[gone.unique_id] = gone
            kind = self.model.occupant_class(self.site_of(slot))
            if self.register_ions or not issubclass(kind, Ion):
                self._register(slot, kind)

    def _made(self, slot: int, kind: type[Occupant]) -> Occupant:
        """The agent of an identity and its generation; the one that somebody still holds, if it was there before."""
        generation = self._generation.item(slot)
        unique_id = 1 + slot + generation * self.model.crystal.n_sites
        return self._retired.get(unique_id) or kind(self.model, unique_id, slot, generation)

    def _register(self, slot: int, kind: type[Occupant]) -> None:
        agent = self._made(slot, kind)
        self._registered[slot] = agent
        unique_id = agent.unique_id
        self.model.register_agent(agent)
        agent.unique_id = unique_id  # Mesa 3.5 counts registrations; ours says who it is, also after a way back
