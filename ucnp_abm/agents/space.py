"""The crystal as Mesa's discrete space.

Nothing is stored and nothing is synchronised: cells and neighbourhoods are computed from the arrays when somebody
looks, so the space of a million sites is one small object.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ucnp_abm.agents._mesa import mesa
from ucnp_abm.agents.agents import Occupant, World
from ucnp_abm.agents.cells import Cells, Coordinate, CrystalCell, refused, site_at
from ucnp_abm.crystal.species import VACANCY, VOID
from ucnp_abm.errors import BadInput


class CrystalSpace(mesa.discrete_space.DiscreteSpace):  # type: ignore[misc]
    """The crystal under the names of Mesa's discrete spaces.

    ``space[site]`` takes a site number, ``space[i, j, k, basis]`` a coordinate.
    """

    add_cell = remove_cell = add_connection = remove_connection = refused

    def __init__(self, model: World) -> None:
        super().__init__(capacity=1, cell_klass=CrystalCell, random=model.random)
        self.model = model

    def __getitem__(self, key: int | Coordinate) -> CrystalCell:
        crystal = self.model.crystal
        if isinstance(key, tuple):
            return CrystalCell(self.model, site_at(crystal, key))
        whole = isinstance(key, (int, np.integer)) and not isinstance(key, bool)
        if not whole or not 0 <= key < crystal.n_sites:
            raise BadInput(
                f"space: expected a site number from 0 to {crystal.n_sites - 1} or a coordinate (i, j, k, basis), "
                f"got {key!r}"
            )
        return CrystalCell(self.model, int(key))

    def __len__(self) -> int:
        return int(self.model.crystal.n_sites)

    def __iter__(self) -> Iterator[CrystalCell]:
        return iter(self.all_cells)

    @property
    def all_cells(self) -> Cells:
        """All cells, in the order of the site numbers."""
        return Cells(self.model, range(len(self)))

    @property
    def empties(self) -> Cells:
        """Cells without an ion: those of vacancies and voids."""
        crystal = self.model.crystal
        species = self.model.simulation.state.species[crystal.sites]
        return Cells(self.model, np.flatnonzero((species == VACANCY) | (species == VOID)))

    def select_random_empty_cell(self) -> CrystalCell:
        """A cell without an ion, by chance (Mesa's generator, not that of the events)."""
        return self.empties.select_random_cell()

    @property
    def agents(self) -> Any:
        """All registered occupants, as an AgentSet (in large crystals, those that are no ions)."""
        return self.model.agents.select(agent_type=Occupant)

    def find_nearest_cell(self, position: Sequence[float]) -> CrystalCell:
        """The cell nearest to a position / Å.

        Raises
        ------
        BadInput
            If it is no position.
        """
        crystal = self.model.crystal
        try:
            where = np.array(position, dtype=float)
        except (TypeError, ValueError):
            where = np.empty(0)
        if where.shape != (3,) or not np.isfinite(where).all():
            raise BadInput(f"position: expected three numbers / Å, got {position!r}")
        apart = crystal.points - where
        if crystal.periodic:
            box = np.array(crystal.lattice.cell) * crystal.cells[:, None]
            turns = apart @ np.linalg.inv(box)
            apart = (turns - np.rint(turns)) @ box
        return CrystalCell(self.model, int(np.argmin((apart**2).sum(axis=1))))
