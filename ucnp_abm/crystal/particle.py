"""Particles: a crystal filled with ions and vacancies, and its recipe as plain data and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal import species
from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.recipes import Box, CoreShell, Given, Recipe, make
from ucnp_abm.crystal.shapes import Ellipsoid
from ucnp_abm.crystal.state import State, initial_state
from ucnp_abm.errors import BadInput, nearest

__all__ = ["Box", "CoreShell", "Given", "Particle", "describe", "recipe_from"]


@dataclass(frozen=True, eq=False)
class Particle:
    """A filled crystal, the starting point of any number of runs.

    Attributes
    ----------
    crystal : Crystal
    occupants : (N,) uint8
        Species code on each site.
    recipe : CoreShell, Box or Given
    seed : int
    immobile : tuple of str
        Species that never hop here, whatever a mechanism says (the sodium of the ordered crystal).
    """

    crystal: Crystal
    occupants: NDArray[np.uint8]
    recipe: Recipe
    seed: int
    immobile: tuple[str, ...] = ()

    @classmethod
    def core_shell(cls, *, seed: int = 0, **options: Any) -> Particle:
        """Grow a core-shell particle; the options are those of `CoreShell`."""
        return make(CoreShell, options).build(seed)

    @classmethod
    def box(cls, *, seed: int = 0, **options: Any) -> Particle:
        """Fill a periodic box; the options are those of `Box`."""
        return make(Box, options).build(seed)

    @classmethod
    def of(
        cls, crystal: Crystal, occupants: Sequence[str | int], immobile: Sequence[str] = (), seed: int = 0
    ) -> Particle:
        """Put a chosen configuration on a crystal.

        Parameters
        ----------
        crystal : Crystal
        occupants : sequence of str or int
            Symbol (``'Yb'``, ``'vacancy'``) or species code on each site, in the order of `crystal.sites`.
        immobile : sequence of str
            Ions that never hop here.
        seed : int
            Kept with the particle; nothing is drawn.

        Raises
        ------
        BadInput
            If there is not one known species for each site.

        Examples
        --------
        >>> from ucnp_abm.crystal import growth, lattice
        >>> particle = Particle.of(growth.box(lattice.named("chain"), (3, 1, 1)), ["Y", "Gd", "vacancy"])
        >>> particle.counts
        {'vacancy': 1, 'Y': 1, 'Gd': 1}
        """
        if isinstance(occupants, str) or len(occupants) != crystal.n_sites:
            raise BadInput(f"occupants: expected one for each of {crystal.n_sites} sites, got {len(occupants)}")
        codes = np.array([_code(occupant) for occupant in occupants], dtype=np.uint8)
        for symbol in immobile:
            species.code(symbol, "immobile", species.IONS)
        recipe = Given(
            lattice=crystal.lattice,
            occupants=tuple(species.SYMBOLS[int(code)] for code in codes),
            layers=crystal.layers,
            boundaries=crystal.boundaries,
            interface_width=crystal.interface_width,
            cells=(int(crystal.cells[0]), int(crystal.cells[1]), int(crystal.cells[2])) if crystal.periodic else None,
            immobile=tuple(immobile),
        )
        return cls(crystal, codes, recipe, seed, tuple(immobile))

    @cached_property
    def counts(self) -> dict[str, int]:
        """Number of sites that each species holds."""
        numbers = np.bincount(self.occupants, minlength=species.N_CODES)
        return {species.SYMBOLS[int(c)]: int(numbers[c]) for c in np.flatnonzero(numbers)}

    def state(self) -> State:
        """A fresh state at time zero."""
        return initial_state(self.crystal, self.occupants)

    def __repr__(self) -> str:
        held = ", ".join(f"{n} {s}" for s, n in self.counts.items())
        return f"<Particle: {self.crystal.n_sites} {self.crystal.lattice.name} sites ({held}), seed {self.seed}>"


def describe(particle: Particle) -> dict[str, Any]:
    """The recipe as plain data, for run.json; `recipe_from` turns it back."""
    recipe = asdict(particle.recipe)
    if not isinstance(recipe["lattice"], str):
        recipe["lattice"] = {k: v for k, v in recipe["lattice"].items() if k != "neighbours"}
    return {"kind": type(particle.recipe).__name__, **recipe, "seed": particle.seed}


def recipe_from(description: Mapping[str, Any]) -> Recipe:
    """The recipe that `describe` described, also after JSON has made lists of its tuples.

    Building it with the description's seed gives the particle again.

    Raises
    ------
    BadInput
        If the description names no recipe, or lacks or does not know an option.
    """
    kinds: dict[str, type[Recipe]] = {"CoreShell": CoreShell, "Box": Box, "Given": Given}
    kind = description.get("kind") if isinstance(description, Mapping) else None
    if not isinstance(kind, str) or kind not in kinds:
        raise BadInput(
            f"particle: expected the description of a recipe, got the kind {kind!r}{nearest(str(kind), kinds)}"
        )
    options = {key: _tuples(value) for key, value in description.items() if key not in ("kind", "seed")}
    if "boundaries" in options:
        options["boundaries"] = tuple(_boundary(b) for b in options["boundaries"])
    return make(kinds[kind], options)


def _code(occupant: str | int) -> int:
    if isinstance(occupant, str):
        return species.code(occupant, "occupants")
    known = isinstance(occupant, (int, np.integer)) and not isinstance(occupant, bool)
    if not known or int(occupant) not in species.SYMBOLS:
        raise BadInput(f"occupants: {occupant!r} is no species code; allowed: {sorted(species.SYMBOLS)}")
    return int(occupant)


def _boundary(table: Any) -> Ellipsoid:
    if not isinstance(table, Mapping):
        raise BadInput(f"boundaries: expected a centre and semiaxes for each, got {table!r}")
    return make(Ellipsoid, {key: _tuples(value) for key, value in table.items()})


def _tuples(value: Any) -> Any:
    """Lists within lists as tuples within tuples."""
    return tuple(_tuples(v) for v in value) if isinstance(value, (list, tuple)) else value
