"""Thin agents: views of the state that own nothing. The loop writes, the agents see."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.agents._mesa import mesa
from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.engine.moves import Move
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput
from ucnp_abm.kernels.events import FROM_COMPLEX


class World(Protocol):
    """What an agent needs of its model."""

    simulation: Simulation

    @property
    def crystal(self) -> Crystal: ...
    def site_of(self, slot: int) -> int: ...
    def occupant(self, site: int) -> Occupant: ...
    def next_unique_id(self) -> int: ...
    def register_agent(self, agent: Any) -> None: ...


class Occupant(mesa.Agent):  # type: ignore[misc]
    """Whoever sits on a lattice site: an ion or a vacancy.

    Attributes
    ----------
    slot : int
        Identity; it follows the occupant wherever it goes.
    """

    model: World

    def __init__(self, model: World, slot: int) -> None:
        # Mesa's own __init__ keeps a reference to every model for ever (3.3), so its two lines stand here.
        self.model = model
        self.unique_id = model.next_unique_id()
        self.pos = None
        self.slot = slot
        self.generation = int(model.simulation.state.generation[slot])
        self._start = self._moved() if self.generation else np.zeros(3)
        model.register_agent(self)

    @property
    def site(self) -> int:
        """Site number."""
        self._alive()
        return self.model.site_of(self.slot)

    @property
    def species(self) -> str:
        """'Yb', 'vacancy', …"""
        return self.model.simulation.occupant(self.site)

    @property
    def position(self) -> NDArray[np.float64]:
        """Position / Å, shape (3,); the centre of the particle is 0."""
        point: NDArray[np.float64] = self.model.crystal.points[self.site]
        return point

    @property
    def zone(self) -> str:
        """'core', 'interface', 'shell', 'surface', …"""
        crystal = self.model.crystal
        return crystal.zones[int(crystal.site_zone[self.site])]

    @property
    def layer(self) -> str:
        """Layer in which the occupant is now."""
        return self.model.crystal.layers[int(self.model.crystal.layer[self.site])]

    @property
    def origin(self) -> str:
        """Layer in which it started, or 'complex'."""
        self._alive()
        origin = int(self.model.simulation.state.origin[self.slot])
        return "complex" if origin == FROM_COMPLEX else self.model.crystal.layers[origin]

    @property
    def displacement(self) -> NDArray[np.float64]:
        """Displacement / Å since the start, or since it docked; shape (3,), unwrapped in a periodic box."""
        self._alive()
        return self._moved() - self._start

    def _moved(self) -> NDArray[np.float64]:
        crystal, state = self.model.crystal, self.model.simulation.state
        moved: NDArray[np.float64] = crystal.points[self.model.site_of(self.slot)] - crystal.points[self.slot]
        if crystal.periodic:
            moved = moved + (state.image[self.slot] * crystal.cells) @ np.array(crystal.lattice.cell)
        return moved

    @property
    def neighbours(self) -> list[Occupant]:
        """Occupants of the neighbouring sites."""
        sites = [n for n in self.model.crystal.neighbours(self.site) if n >= 0]
        return [self.model.occupant(n) for n in sites]

    def options(self) -> list[Move]:
        """Every event that it could take part in now, with rate, rule and barrier terms, fastest first."""
        return self.model.simulation.options(self.site)

    @property
    def cell(self) -> int:
        """Site number, under Mesa's name."""
        return self.site

    @cell.setter
    def cell(self, _: Any) -> None:
        raise BadInput("agents do not move by assignment: rules move them. Use model.fire() or model.run()")

    def _alive(self) -> None:
        if self.generation != int(self.model.simulation.state.generation[self.slot]):
            raise BadInput(f"{type(self).__name__} of slot {self.slot} is gone: its site was docked or emptied")

    def __repr__(self) -> str:
        return f"<{self.species} {self.slot} on site {self.site}, {self.zone}>"


class Ion(Occupant):
    """A cation."""


class Vacancy(Occupant):
    """An empty cation site."""
