"""Thin agents: views of the state that own nothing. The loop writes, the agents see."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.agents._mesa import mesa
from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.species import SPECIES, SYMBOLS, VACANCY, VOID
from ucnp_abm.engine.moves import Event, Move
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput
from ucnp_abm.kernels.layout import FROM_COMPLEX
from ucnp_abm.rules.mechanism import Reservoir


class World(Protocol):
    """What an agent or a cell needs of its model."""

    simulation: Simulation
    crystal: Crystal
    roster: Any
    space: Any
    random: Any
    agents: Any

    def agent(self, slot: int) -> Occupant: ...
    def occupant(self, site: int) -> Occupant: ...
    def occupant_class(self, site: int) -> type[Occupant]: ...
    def history_of(self, slot: int, generation: int | None = None) -> list[Event]: ...
    def register_agent(self, agent: Any) -> None: ...


class OnSite:
    """Where a site is: what an occupant and its cell have in common."""

    __slots__ = ()
    model: World
    site: Any  # a property of occupants, which move, and a number in cells, which do not

    @property
    def position(self) -> NDArray[np.float64]:
        """Position / Å, shape (3,); the centre of the particle is 0."""
        point: NDArray[np.float64] = self.model.crystal.position(self.site)
        return point

    @property
    def zone(self) -> str:
        """'core', 'interface', 'shell', 'surface', …"""
        zone: str = self.model.crystal.zone_of(self.site)
        return zone

    @property
    def layer(self) -> str:
        """Layer of the site: 'core', 'shell', …"""
        crystal = self.model.crystal
        layer: str = crystal.layers[crystal.layer.item(self.site)]
        return layer


class Thin(mesa.Agent):  # type: ignore[misc]
    """An agent that knows its model and its number, and nothing else.

    Attributes
    ----------
    unique_id : int
        For occupants 1 + slot + generation x number of sites: the occupant that `back` brings back has the number
        that it had. For complexes zero or less.
    """

    pos = None  # Mesa's name for a place in its older spaces

    def __init__(self, model: World, unique_id: int) -> None:
        # Mesa's own __init__ keeps a reference to every model for ever (3.3), so its lines stand here.
        self.model = model
        self.unique_id = unique_id


class Occupant(OnSite, Thin):
    """Whoever sits on a lattice site: an ion, a vacancy or a void.

    Attributes
    ----------
    slot : int
        Identity; it follows the occupant wherever it goes.
    generation : int
        How often the identity had changed its species when this occupant came to be: 0 from the start.
    """

    def __init__(self, model: World, unique_id: int, slot: int, generation: int) -> None:
        super().__init__(model, unique_id)
        self.slot = slot
        self.generation = generation

    @property
    def is_alive(self) -> bool:
        """Whether it is still there: docking, undocking, etching, sinking and swapping end an occupant."""
        alive: bool = self.model.simulation.state.generation.item(self.slot) == self.generation
        return alive

    @property
    def site(self) -> int:
        """Site number."""
        if self.model.simulation.state.generation.item(self.slot) != self.generation:
            raise BadInput(
                f"{type(self).__name__} of slot {self.slot} is gone: its site was docked, emptied or swapped"
            )
        site: int = self.model.roster.site_of(self.slot)
        return site

    @property
    def species(self) -> str:
        """'Yb', 'vacancy', …"""
        model = self.model
        return SYMBOLS[model.simulation.state.species.item(model.crystal.sites.item(self.site))]

    @property
    def origin(self) -> str:
        """Layer in which it started; 'complex' for an ion from the bath, 'surface' for a vacancy or void made there."""
        _ = self.site  # refuses what is gone
        origin = self.model.simulation.state.origin.item(self.slot)
        if origin == FROM_COMPLEX:
            return "complex" if isinstance(self, Ion) else "surface"
        layer: str = self.model.crystal.layers[origin]
        return layer

    @property
    def age(self) -> float:
        """Time / s since it came to be: since the start, or since its site was docked, emptied or swapped."""
        _ = self.site
        simulation = self.model.simulation
        age: float = simulation.time - simulation.state.born.item(self.slot)
        return age

    @property
    def displacement(self) -> NDArray[np.float64]:
        """Displacement / Å from where it came to be; shape (3,), unwrapped in a periodic box."""
        _ = self.site
        moved: NDArray[np.float64] = self.model.roster.displacement(self.slot)
        return moved

    @property
    def neighbours(self) -> list[Occupant]:
        """Occupants of the neighbouring sites."""
        return [self.model.occupant(n) for n in self.model.crystal.neighbours(self.site) if n >= 0]

    def options(self) -> list[Move]:
        """Every event that it could take part in now, with rate, rule and barrier terms, fastest first."""
        moves: list[Move] = self.model.simulation.options(self.site)
        return moves

    @property
    def history(self) -> list[Event]:
        """Events of this occupant so far, those of its birth and death included; also when it is gone.

        `model.history_of(slot)` gives those of all generations of an identity.

        Raises
        ------
        BadInput
            Unless the model was made with ``history=True``.
        """
        events: list[Event] = self.model.history_of(self.slot, self.generation)
        return events

    @property
    def cell(self) -> Any:
        """The cell of `model.space` on which it is."""
        return self.model.space[self.site]

    @cell.setter
    def cell(self, _: Any) -> None:
        raise BadInput("agents do not move by assignment: rules move them. Use model.fire() or model.run()")

    def __repr__(self) -> str:
        if not self.is_alive:
            return f"<{type(self).__name__} {self.slot}, gone>"
        return f"<{self.species} {self.slot} on site {self.site}, {self.zone}>"


class Ion(Occupant):
    """A cation."""


class Vacancy(Occupant):
    """An empty cation site."""


class Void(Occupant):
    """A vacancy that the surface absorbed: it never moves again."""


def class_of(code: int) -> type[Occupant]:
    """The agent class of a species code."""
    return {VACANCY: Vacancy, VOID: Void}.get(code, Ion)


class Complex(Thin):
    """The complexes of one species in the bath, which can place its ions.

    Attributes
    ----------
    reservoir : int
        Number of the reservoir in the rate table.

    Notes
    -----
    It sits on no site; its zone, layer and origin are 'bath', so that selections over all of `model.agents` work.
    To count ions, start from `model.space.agents` (all occupants) or ``model.agents_by_type[Ion]``.
    """

    site = cell = position = None
    zone = layer = origin = "bath"

    def __init__(self, model: World, unique_id: int, reservoir: int) -> None:
        super().__init__(model, unique_id)
        self.reservoir = reservoir

    @property
    def _at_start(self) -> Reservoir:
        return self.model.simulation.table.reservoirs[self.reservoir]

    @property
    def species(self) -> str:
        """The ion that it places."""
        return self._at_start.species

    @property
    def age(self) -> float:
        """Time / s since the start."""
        return self.model.simulation.time

    @property
    def size(self) -> int | None:
        """Complexes at the start; None: so many that docking does not change their concentration."""
        return self._at_start.size

    @property
    def left(self) -> int | None:
        """Complexes left in the bath; None: so many that it does not matter."""
        return None if self.size is None else self.model.simulation.state.reservoir.item(self.reservoir)

    @property
    def activity(self) -> float:
        """Concentration factor now: a = a0 N_left / N_0 of a finite reservoir, a0 of an infinite one."""
        if self.size is None or self.left is None:
            return self._at_start.activity
        return self._at_start.activity * self.left / self.size

    @property
    def docked(self) -> list[Occupant]:
        """Ions of this species in the crystal that came from the bath, ordered by identity."""
        return [self.model.agent(slot) for slot in self._docked_slots().tolist()]

    @property
    def n_docked(self) -> int:
        """Number of ions of this species in the crystal that came from the bath."""
        return int(self._docked_slots().size)

    def _docked_slots(self) -> NDArray[np.int64]:
        state, crystal = self.model.simulation.state, self.model.crystal
        sites = crystal.sites[state.species[crystal.sites] == SPECIES[self.species].code]
        slots = state.slot[sites]
        docked: NDArray[np.int64] = np.sort(slots[state.origin[slots] == FROM_COMPLEX]).astype(np.int64)
        return docked

    def __repr__(self) -> str:
        left = "no limit" if self.left is None else f"{self.left} left"
        return f"<Complex of {self.species}: {left}, {self.n_docked} docked>"
