"""Cells and collections of cells under Mesa's names, computed from the arrays when somebody looks.

A cell is *empty* when no ion sits on it. Its vacancy (or void) is an agent all the same and stands in `cell.agents`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.agents._mesa import mesa
from ucnp_abm.agents.agents import Ion, Occupant, OnSite, World
from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.errors import BadInput

Coordinate = tuple[int, int, int, int]
"""Three cell indices from 0, and the position in the basis."""


def refused(*_: Any, **__: Any) -> NoReturn:
    """Refused: rules move agents, and the crystal is what the particle says.

    Raises
    ------
    BadInput
        Always.
    """
    raise BadInput("cells hold what the rules put there; use model.fire() or model.run()")


def coordinate_of(crystal: Crystal, site: int) -> Coordinate:
    """Coordinate of a site number."""
    rest, found = crystal.sites.item(site), []
    for stride, halo in zip(crystal.strides.tolist(), crystal.halo.tolist(), strict=True):
        found.append(rest // stride - halo)
        rest %= stride
    return found[0], found[1], found[2], rest


def site_at(crystal: Crystal, coordinate: Coordinate) -> int:
    """Site number at a coordinate.

    Raises
    ------
    BadInput
        If there is none.
    """
    limits = (*crystal.cells.tolist(), len(crystal.lattice.basis))
    whole = len(coordinate) == 4 and all(isinstance(n, (int, np.integer)) for n in coordinate)
    if whole and all(0 <= n < limit for n, limit in zip(coordinate, limits, strict=True)):
        *cell, basis = coordinate
        site = crystal.number_of(int(np.dot(np.array(cell) + crystal.halo, crystal.strides)) + basis)
        if site >= 0:
            return site
    raise BadInput(
        f"space: {coordinate!r} is no site; expected (i, j, k, basis) below {limits} and inside the particle"
    )


class CrystalCell(OnSite, mesa.discrete_space.Cell):  # type: ignore[misc]
    """One lattice site, under the names of Mesa's cells. Two cells of one site of one model are equal.

    Attributes
    ----------
    model : Model
    site : int
        Site number.
    """

    __slots__ = ("model", "site")

    capacity = 1
    add_agent = remove_agent = connect = disconnect = refused

    def __init__(self, model: World, site: int) -> None:
        # Mesa's own __init__ would give each cell lists and dictionaries of its own.
        self.model = model
        self.site = site

    @property
    def coordinate(self) -> Coordinate:
        """Three cell indices from 0, and the position in the basis; ``space[coordinate]`` is this cell."""
        return coordinate_of(self.model.crystal, self.site)

    @property
    def properties(self) -> dict[str, Any]:
        """Zone and layer, under Mesa's name."""
        return {"zone": self.zone, "layer": self.layer}

    @property
    def agents(self) -> list[Occupant]:
        """The one occupant, in a list: an ion, a vacancy or a void."""
        return [self.model.occupant(self.site)]

    _agents = agents  # what Mesa's collections read

    @property
    def is_empty(self) -> bool:
        """Whether no ion sits here."""
        return not issubclass(self.model.occupant_class(self.site), Ion)

    empty = is_empty

    @property
    def is_full(self) -> bool:
        """Whether an ion sits here."""
        return not self.is_empty

    @property
    def connections(self) -> dict[Coordinate, CrystalCell]:
        """Neighbouring cells by the difference of their coordinates, in the order of the directions.

        Across the border of a periodic box the difference is that to the next image.
        """
        crystal = self.model.crystal
        basis = self.coordinate[3]
        around = zip(crystal.lattice.neighbours[basis], crystal.neighbours(self.site), strict=True)
        return {
            (*step, other - basis): CrystalCell(self.model, number)
            for (step, other, _), number in around
            if number >= 0
        }

    @property
    def neighborhood(self) -> Cells:
        """The neighbouring cells."""
        return self.get_neighborhood()

    def get_neighborhood(self, radius: int = 1, include_center: bool = False) -> Cells:
        """All cells that are at most `radius` bonds away, the nearest first.

        Raises
        ------
        BadInput
            Unless the radius is a whole number of at least 1.
        """
        if isinstance(radius, bool) or not isinstance(radius, int) or radius < 1:
            raise BadInput(f"radius: expected a whole number of bonds, at least 1, got {radius!r}")
        crystal = self.model.crystal
        seen, ring = {self.site: None}, [self.site]
        for _ in range(radius):
            around = itertools.chain.from_iterable(crystal.neighbours(site) for site in ring)
            ring = [n for n in dict.fromkeys(around) if n >= 0 and n not in seen]
            seen.update(dict.fromkeys(ring))
        return Cells(self.model, list(seen)[0 if include_center else 1 :])

    @property
    def random(self) -> Any:
        """Mesa's generator of the model."""
        return self.model.random

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CrystalCell) and other.site == self.site and other.model is self.model

    def __hash__(self) -> int:
        return hash(self.site)

    def __deepcopy__(self, _: Any) -> CrystalCell:
        return self  # a view of the same crystal; Mesa's DataCollector copies what it is given

    def __repr__(self) -> str:
        return f"Cell({self.coordinate}, {self.agents})"


class Cells(mesa.discrete_space.CellCollection):  # type: ignore[misc]
    """Cells of some sites; each is made when it is looked at."""

    def __init__(self, model: World, sites: Sequence[int] | NDArray[np.int64]) -> None:
        self._model = model
        self._sites = sites
        self._capacity = 1
        self.random = model.random

    @property
    def cells(self) -> list[CrystalCell]:
        """All cells as a list."""
        return list(self)

    @property
    def agents(self) -> Iterator[Occupant]:
        """The occupants, one after the other."""
        return (self._model.occupant(int(site)) for site in self._sites)

    @property
    def _cells(self) -> dict[CrystalCell, list[Occupant]]:
        return {cell: cell.agents for cell in self}  # what Mesa's own methods read

    def __iter__(self) -> Iterator[CrystalCell]:
        return (CrystalCell(self._model, int(site)) for site in self._sites)

    def __len__(self) -> int:
        return len(self._sites)

    def __contains__(self, cell: object) -> bool:
        return isinstance(cell, CrystalCell) and cell.model is self._model and cell.site in self._sites

    def __getitem__(self, cell: CrystalCell) -> list[Occupant]:
        if cell not in self:
            raise BadInput(f"cells: {cell!r} is none of these {len(self)} cells")
        return cell.agents

    def select_random_cell(self) -> CrystalCell:
        """A cell by chance (Mesa's generator, not that of the events)."""
        return CrystalCell(self._model, int(self._sites[self.random.randrange(len(self))]))

    def select_random_agent(self, *default: Any) -> Any:
        """The occupant of a cell by chance; of no cells, the default, if one is given."""
        if default and not len(self):
            return default[0]
        return self.select_random_cell().agents[0]

    def select(
        self, filter_func: Callable[[CrystalCell], bool] | None = None, at_most: int | float = float("inf")
    ) -> Cells:
        """Cells that fulfil a condition, at most so many, or at most such a share if it is a float up to 1."""
        if isinstance(at_most, float) and at_most <= 1.0:
            at_most = int(len(self) * at_most)
        chosen = (cell.site for cell in self if filter_func is None or filter_func(cell))
        stop = None if at_most == float("inf") else int(at_most)
        return Cells(self._model, list(itertools.islice(chosen, stop)))

    def __repr__(self) -> str:
        return f"<{len(self)} cells>"
