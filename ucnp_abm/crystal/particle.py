"""Particles: a crystal filled with ions and vacancies, and the recipes that grow one from a seed."""

from __future__ import annotations

import math
from dataclasses import MISSING, asdict, dataclass, fields
from functools import cached_property
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from ucnp_abm import seeds, units
from ucnp_abm.crystal import composition, crystal, lattice, species
from ucnp_abm.crystal.crystal import INTERFACE, SURFACE, Crystal
from ucnp_abm.crystal.state import State, initial_state
from ucnp_abm.errors import BadInput, nearest

Length = str | float
Share = str | float
R = TypeVar("R")


@dataclass(frozen=True, eq=False)
class Particle:
    """A filled crystal, the starting point of any number of runs.

    Attributes
    ----------
    crystal : Crystal
    occupants : (N,) uint8
        Species code on each site.
    recipe : CoreShell or Box
    seed : int
    immobile : tuple of str
        Species that never hop here, whatever a mechanism says (the sodium of the ordered crystal).
    """

    crystal: Crystal
    occupants: NDArray[np.uint8]
    recipe: CoreShell | Box
    seed: int
    immobile: tuple[str, ...] = ()

    @classmethod
    def core_shell(cls, *, seed: int = 0, **options: Any) -> Particle:
        """Grow a core-shell sphere; the options are those of `CoreShell`."""
        return _recipe(CoreShell, options).build(seed)

    @classmethod
    def box(cls, *, seed: int = 0, **options: Any) -> Particle:
        """Fill a periodic box; the options are those of `Box`."""
        return _recipe(Box, options).build(seed)

    @cached_property
    def counts(self) -> dict[str, int]:
        """Number of sites that each species holds."""
        codes, numbers = np.unique(self.occupants, return_counts=True)
        return {species.SYMBOLS[int(c)]: int(n) for c, n in zip(codes, numbers, strict=True)}

    def state(self) -> State:
        """A fresh state at time zero."""
        return initial_state(self.crystal, self.occupants)

    def __repr__(self) -> str:
        held = ", ".join(f"{n} {s}" for s, n in self.counts.items())
        return f"<Particle: {self.crystal.n_sites} {self.crystal.lattice.name} sites ({held}), seed {self.seed}>"


@dataclass(frozen=True)
class CoreShell:
    """A spherical core in any number of shells, with vacancies where they sit after growth.

    Parameters
    ----------
    core : str
        Composition, for example ``'NaGdF4: 49% Yb, 1% Tm'``.
    diameter : str or float
        Core diameter (bare numbers are Å).
    shell, thickness : str and length, or None
        The shell. For several shells give `shells` instead.
    shells : tuple of (composition, thickness)
        From the inside.
    surface_vacancies, interface_vacancies, bulk_vacancies : share of the sites
        Assumptions: 15 % where a neighbour is missing and within `interface_width` of each interface, 2 % elsewhere.
    interface_width : length
    lattice : str or Lattice
    order : {'disordered', 'ordered'}
        'disordered': RE and Na 3:1 at random on one sublattice, both mobile. 'ordered': Na on half of the 1f sites,
        immobile.
    counts : {'exact', 'random'}
        Whether shares give exact counts in each layer and zone, or each site draws its occupant.

    Raises
    ------
    BadInput
        If a value cannot be used.
    """

    core: str
    diameter: Length
    shell: str | None = None
    thickness: Length | None = None
    shells: tuple[tuple[str, Length], ...] = ()
    surface_vacancies: Share = 0.15
    interface_vacancies: Share = 0.15
    bulk_vacancies: Share = 0.02
    interface_width: Length = "0.3 nm"
    lattice: str | lattice.Lattice = "beta"
    order: Literal["disordered", "ordered"] = "disordered"
    counts: Literal["exact", "random"] = "exact"

    def layers(self) -> list[tuple[str, composition.Composition, float]]:
        """Name, composition and outer radius / Å of each layer, from the inside."""
        if not isinstance(self.shells, (tuple, list)) or any(len(tuple(s)) != 2 for s in self.shells):
            raise BadInput(f"shells: expected ((composition, thickness), …), got {self.shells!r}")
        shells = list(self.shells)
        if (self.shell is None) != (self.thickness is None):
            raise BadInput("shell: give both 'shell' and 'thickness', or neither")
        if self.shell is not None and self.thickness is not None:
            if shells:
                raise BadInput("shells: give either 'shell' and 'thickness' or 'shells', not both")
            shells = [(self.shell, self.thickness)]
        bond = max(length for _, length in lattice.named(self.lattice).bonds)
        radius = units.positive(self.diameter, "length", "diameter") / 2
        if radius < bond:
            raise BadInput(f"diameter: a core of {2 * radius:g} Å is smaller than one coordination shell")
        found = [("core", composition.parse(self.core, "core"), radius)]
        for n, (text, thick) in enumerate(shells, 1):
            name = "shell" if len(shells) == 1 else f"shell {n}"
            width = units.positive(thick, "length", f"thickness of the {name}")
            if width < bond:
                raise BadInput(
                    f"thickness of the {name}: {width:g} Å is thinner than a lattice spacing ({bond:.2f} Å); "
                    "use a thicker shell or leave it out"
                )
            radius += width
            found.append((name, composition.parse(text, name), radius))
        return found

    def build(self, seed: int = 0) -> Particle:
        """Grow the particle; the same seed gives the same particle."""
        layers = self.layers()
        width = units.positive(self.interface_width, "length", "interface_width")
        kind = lattice.named(self.lattice)
        grown = crystal.sphere(kind, tuple(r for _, _, r in layers), tuple(n for n, _, _ in layers), width)
        shares = {
            SURFACE: units.fraction(self.surface_vacancies, "surface_vacancies"),
            INTERFACE: units.fraction(self.interface_vacancies, "interface_vacancies"),
        }
        bulk = units.fraction(self.bulk_vacancies, "bulk_vacancies")
        return _fill(
            grown,
            [c for _, c, _ in layers],
            [shares.get(z, bulk) for z in grown.zones],
            self,
            self.order,
            self.counts,
            seed,
        )


@dataclass(frozen=True)
class Box:
    """A periodic box, for exact tests and bulk studies.

    Parameters
    ----------
    lattice : str or Lattice
    cells : three whole numbers
    composition : str
    vacancies : share of the sites, or a whole number of vacancies
    order, counts
        As in `CoreShell`.
    """

    lattice: str | lattice.Lattice
    cells: tuple[int, int, int]
    composition: str
    vacancies: Share = 0.01
    order: Literal["disordered", "ordered"] = "disordered"
    counts: Literal["exact", "random"] = "exact"

    def build(self, seed: int = 0) -> Particle:
        """Fill the box; the same seed gives the same box."""
        if (
            not isinstance(self.cells, (tuple, list))
            or len(self.cells) != 3
            or any(isinstance(n, bool) or not isinstance(n, int) or n < 1 for n in self.cells)
        ):
            raise BadInput(f"cells: expected three whole numbers above zero, got {self.cells!r}")
        filled = composition.parse(self.composition)
        room = crystal.box(lattice.named(self.lattice), (self.cells[0], self.cells[1], self.cells[2]))
        vacancies = self.vacancies
        if isinstance(vacancies, str) and "%" not in vacancies:
            raise BadInput(f"vacancies: expected a share such as '1 %' or 0.01, or a whole number, got '{vacancies}'")
        if isinstance(vacancies, int) and not isinstance(vacancies, bool) and vacancies >= 1:
            if vacancies > room.n_sites:
                raise BadInput(f"vacancies: {vacancies} do not fit into {room.n_sites} sites")
            vacancies = vacancies / room.n_sites
        share = units.fraction(vacancies, "vacancies")
        return _fill(room, [filled], [share], self, self.order, self.counts, seed)


def _recipe(kind: type[R], options: dict[str, Any]) -> R:
    """A recipe from keyword options, or one sentence about what is wrong with them."""
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    for name in options:
        if name not in known:
            raise BadInput(f"{kind.__name__}: unknown option '{name}'{nearest(name, known)}")
    missing = [n for n, f in known.items() if f.default is MISSING and n not in options]
    if missing:
        raise BadInput(f"{kind.__name__}: the option '{missing[0]}' is missing")
    return kind(**options)


def _choose(
    rng: np.random.Generator, where: NDArray[np.int64], shares: list[float], counts: str
) -> list[NDArray[np.int64]]:
    """Deal the sites `where` out by share; shares may leave a rest that nobody gets."""
    rest = 1.0 - sum(shares)
    if counts == "random":
        drawn = rng.choice(len(shares) + 1, size=where.size, p=[*shares, max(rest, 0.0)])
        return [where[drawn == n] for n in range(len(shares))]
    ideal = np.array([*shares, rest]) * where.size
    whole = np.floor(ideal + 1e-9).astype(int)
    for n in np.argsort(-(ideal - whole), kind="stable")[: where.size - whole.sum()]:
        whole[n] += 1
    ends = np.cumsum(whole)
    mixed = rng.permutation(where)
    return [mixed[end - n : end] for n, end in zip(whole[:-1], ends[:-1], strict=True)]


def _fill(
    room: Crystal,
    compositions: list[composition.Composition],
    vacancy_shares: list[float],
    recipe: CoreShell | Box,
    order: str,
    counts: str,
    seed: int,
) -> Particle:
    for what, given, allowed in (
        ("order", order, ("disordered", "ordered")),
        ("counts", counts, ("exact", "random")),
    ):
        if given not in allowed:
            raise BadInput(f"{what}: unknown choice '{given}'{nearest(given, allowed)}")
    has_sodium = {c.sodium for c in compositions}
    if True in has_sodium and not room.lattice.sodium:
        raise BadInput(f"composition: the lattice '{room.lattice.name}' has no sodium sites; use 'Gd', not 'NaGdF4'")
    occupants = np.full(room.n_sites, 255, dtype=np.uint8)
    vacancy_rng = seeds.generator(seed, "vacancies")
    ion_rng = seeds.generator(seed, "ions")
    for layer in range(len(room.layers)):
        for zone, share in enumerate(vacancy_shares):
            where = np.flatnonzero((room.layer == layer) & (room.site_zone == zone))
            occupants[_choose(vacancy_rng, where, [share], counts)[0]] = species.VACANCY
    basis = room.basis[room.place[room.sites]]
    for layer, filled in enumerate(compositions):
        free = (room.layer == layer) & (occupants == 255)
        if filled.sodium:
            groups: list[tuple[NDArray[np.bool_], float]]
            if order == "ordered":
                groups = [(free & (basis == b), s) for b, s in enumerate(room.lattice.sodium)]
            else:
                groups = [(free, math.fsum(room.lattice.sodium) / len(room.lattice.sodium))]
            for group, share in groups:
                sodium = _choose(ion_rng, np.flatnonzero(group), [share], counts)[0]
                occupants[sodium] = species.code("Na")
        rest = np.flatnonzero((room.layer == layer) & (occupants == 255))
        symbols, shares = zip(*filled.shares, strict=True)
        for symbol, dealt in zip(symbols, _choose(ion_rng, rest, list(shares), counts), strict=True):
            occupants[dealt] = species.code(symbol)
    occupants[occupants == 255] = species.code(compositions[0].shares[0][0])
    immobile = ("Na",) if order == "ordered" and True in has_sodium else ()
    return Particle(room, occupants, recipe, seed, immobile)


def describe(particle: Particle) -> dict[str, Any]:
    """The recipe as plain data, for run.json."""
    recipe = asdict(particle.recipe)
    if not isinstance(recipe["lattice"], str):
        recipe["lattice"] = {k: v for k, v in recipe["lattice"].items() if k != "neighbours"}
    return {"kind": type(particle.recipe).__name__, **recipe, "seed": particle.seed}
