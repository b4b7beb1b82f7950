"""Recipes: how a particle is grown and filled, as plain values that a seed turns into the same particle each time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from ucnp_abm import units
from ucnp_abm.crystal import composition, growth
from ucnp_abm.crystal.crystal import INTERFACE, SURFACE, Crystal
from ucnp_abm.crystal.fill import fill
from ucnp_abm.crystal.lattice import Lattice, named
from ucnp_abm.crystal.shapes import TOLERANCE, Ellipsoid
from ucnp_abm.crystal.shared import shared
from ucnp_abm.errors import BadInput, nearest

if TYPE_CHECKING:
    from ucnp_abm.crystal.particle import Particle

Length = str | float
Share = str | float
AnyLattice = str | Lattice | Mapping[str, Any]
R = TypeVar("R")
RATIOS = (0.2, 5.0)
"""Smallest and largest ratio of a length along c to the same in the ab plane."""


class Layer(NamedTuple):
    """One layer of a core-shell particle: its name, its composition, and its outer boundary."""

    name: str
    composition: composition.Composition
    boundary: Ellipsoid


@dataclass(frozen=True)
class CoreShell:
    """A core in any number of shells, with vacancies where they sit after growth.

    Parameters
    ----------
    core : str
        Composition, for example ``'NaGdF4: 49% Yb, 1% Tm'``.
    diameter : str or float
        Core diameter in the ab plane (bare numbers are Å).
    shell, thickness : str and length, or None
        The shell. For several shells give `shells` instead.
    shells : tuple of (composition, thickness)
        From the inside; thicknesses in the ab plane.
    surface_vacancies, interface_vacancies, bulk_vacancies : share of the sites
        Assumptions: 15 % where a neighbour is missing and within `interface_width` of each interface, 2 % elsewhere.
    interface_width : length
    lattice : str, Lattice, or plain data (see `lattice.custom`)
    order : {'disordered', 'ordered'}
        'disordered': RE and Na (on β 3:1) at random on one sublattice, both mobile. 'ordered': Na has its own share of
        each basis position (on β half of 1f) and is immobile.
    counts : {'exact', 'random'}
        Whether shares give exact counts in each layer and zone, or each site draws its occupant.
    offset : three lengths, or None
        Centre of the core relative to that of the particle, which is a site; all shells are centred on the particle.
    elongation : float
        Core size along c over that in the ab plane, 0.2 to 5.
    anisotropy : float
        Thickness along c over that in the ab plane, of every shell, 0.2 to 5.

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
    lattice: AnyLattice = "beta"
    order: Literal["disordered", "ordered"] = "disordered"
    counts: Literal["exact", "random"] = "exact"
    offset: tuple[Length, Length, Length] | None = None
    elongation: float = 1.0
    anisotropy: float = 1.0

    def __post_init__(self) -> None:
        _settle_lattice(self)

    def layers(self) -> list[Layer]:
        """Name, composition and outer boundary of each layer, from the inside.

        Raises
        ------
        BadInput
            If they cannot be grown: too thin, or a core that pokes out of its shell.
        """
        shells = self._shells()
        bond = max(length for _, length in named(self.lattice).bonds)
        elongation, anisotropy = _ratio(self.elongation, "elongation"), _ratio(self.anisotropy, "anisotropy")
        offset = self._offset()
        if not shells and (any(offset) or anisotropy != 1.0):
            raise BadInput("offset, anisotropy: they describe shells and this core has none; leave them out")
        across = units.positive(self.diameter, "length", "diameter") / 2
        along = across * elongation
        if min(across, along) < bond:
            raise BadInput(f"diameter: a core of {2 * min(across, along):g} Å is smaller than one coordination shell")
        grown = [Layer("core", composition.parse(self.core, "core"), Ellipsoid(offset, (across, across, along)))]
        for n, (text, thick) in enumerate(shells, 1):
            name = "shell" if len(shells) == 1 else f"shell {n}"
            width = units.positive(thick, "length", f"thickness of the {name}")
            thinnest = width * min(1.0, anisotropy)
            if thinnest < bond:
                raise BadInput(
                    f"thickness of the {name}: {thinnest:g} Å{'' if anisotropy >= 1.0 else ' along c'} is thinner than "
                    f"a lattice spacing ({bond:.2f} Å); use a thicker shell or leave it out"
                )
            across, along = across + width, along + width * anisotropy
            boundary = Ellipsoid((0.0, 0.0, 0.0), (across, across, along))
            gap = boundary.gap(grown[-1].boundary)
            if gap < -TOLERANCE:
                raise BadInput(f"offset: the {grown[-1].name} pokes {-gap:.2g} Å out of the {name}; expected inside it")
            grown.append(Layer(name, composition.parse(text, name), boundary))
        return grown

    def build(self, seed: int = 0) -> Particle:
        """Grow the particle; the same seed gives the same particle."""
        layers = self.layers()
        room = self._geometry(layers)
        shares = {
            SURFACE: units.fraction(self.surface_vacancies, "surface_vacancies"),
            INTERFACE: units.fraction(self.interface_vacancies, "interface_vacancies"),
        }
        bulk = units.fraction(self.bulk_vacancies, "bulk_vacancies")
        compositions = [layer.composition for layer in layers]
        return _filled(self, room, compositions, [shares.get(zone, bulk) for zone in room.zones], seed)

    def geometry(self) -> Crystal:
        """The crystal that the particles of all seeds share."""
        return self._geometry(self.layers())

    def _geometry(self, layers: list[Layer]) -> Crystal:
        width = units.positive(self.interface_width, "length", "interface_width")
        names, _, boundaries = zip(*layers, strict=True)
        return shared(growth.layered, named(self.lattice), boundaries, names, width)

    def _shells(self) -> list[tuple[str, Length]]:
        if not isinstance(self.shells, (tuple, list)) or any(
            not isinstance(s, (tuple, list)) or len(s) != 2 for s in self.shells
        ):
            raise BadInput(f"shells: expected ((composition, thickness), …), got {self.shells!r}")
        if (self.shell is None) != (self.thickness is None):
            raise BadInput("shell: give both 'shell' and 'thickness', or neither")
        if self.shell is None or self.thickness is None:
            return list(self.shells)
        if self.shells:
            raise BadInput("shells: give either 'shell' and 'thickness' or 'shells', not both")
        return [(self.shell, self.thickness)]

    def _offset(self) -> tuple[float, float, float]:
        if self.offset is None:
            return 0.0, 0.0, 0.0
        if not isinstance(self.offset, (tuple, list)) or len(self.offset) != 3:
            raise BadInput(f"offset: expected three lengths along x, y and z, got {self.offset!r}")
        x, y, z = (units.parse(length, "length", "offset") for length in self.offset)
        return x, y, z


@dataclass(frozen=True)
class Box:
    """A periodic box, for exact tests and bulk studies.

    Parameters
    ----------
    lattice : str, Lattice, or plain data (see `lattice.custom`)
    cells : three whole numbers
    composition : str
    vacancies : share of the sites, or a whole number of vacancies
    order, counts
        As in `CoreShell`.
    """

    lattice: AnyLattice
    cells: tuple[int, int, int]
    composition: str
    vacancies: Share = 0.01
    order: Literal["disordered", "ordered"] = "disordered"
    counts: Literal["exact", "random"] = "exact"

    def __post_init__(self) -> None:
        _settle_lattice(self)

    def build(self, seed: int = 0) -> Particle:
        """Fill the box; the same seed gives the same box."""
        content = composition.parse(self.composition)
        room = self.geometry()
        vacancies = self.vacancies
        if isinstance(vacancies, str) and "%" not in vacancies:
            raise BadInput(f"vacancies: expected a share such as '1 %' or 0.01, or a whole number, got '{vacancies}'")
        if isinstance(vacancies, int) and not isinstance(vacancies, bool) and vacancies >= 1:
            if vacancies > room.n_sites:
                raise BadInput(f"vacancies: {vacancies} do not fit into {room.n_sites} sites")
            vacancies = vacancies / room.n_sites
        return _filled(self, room, [content], [units.fraction(vacancies, "vacancies")], seed)

    def geometry(self) -> Crystal:
        """The crystal that the boxes of all seeds share."""
        if (
            not isinstance(self.cells, (tuple, list))
            or len(self.cells) != 3
            or any(isinstance(n, bool) or not isinstance(n, int) or n < 1 for n in self.cells)
        ):
            raise BadInput(f"cells: expected three whole numbers above zero, got {self.cells!r}")
        return shared(growth.box, named(self.lattice), (self.cells[0], self.cells[1], self.cells[2]))


@dataclass(frozen=True)
class Given:
    """A crystal with the occupants that somebody chose (see `Particle.of`); a seed changes nothing.

    Parameters
    ----------
    lattice : Lattice or plain data
    occupants : tuple of str
        Symbol on each site, in the order of the sites.
    layers : tuple of str
    boundaries : tuple of Ellipsoid
        Of a finite crystal, from the inside.
    interface_width : float
        Å.
    cells : three whole numbers, or None
        Of a periodic box.
    immobile : tuple of str
    """

    lattice: AnyLattice
    occupants: tuple[str, ...]
    layers: tuple[str, ...]
    boundaries: tuple[Ellipsoid, ...] = ()
    interface_width: float = 0.0
    cells: tuple[int, int, int] | None = None
    immobile: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _settle_lattice(self)

    def build(self, seed: int = 0) -> Particle:
        """The particle, whatever the seed."""
        from ucnp_abm.crystal.particle import Particle  # it imports this module

        kind = named(self.lattice)
        if self.cells:
            room = growth.box(kind, self.cells, self.layers[0])
        else:
            room = growth.layered(kind, self.boundaries, self.layers, self.interface_width)
        return Particle.of(room, self.occupants, self.immobile, seed)


Recipe = CoreShell | Box | Given


def make(kind: type[R], options: Mapping[str, Any]) -> R:
    """A recipe from keyword options, or one sentence about what is wrong with them."""
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    for name in options:
        if name not in known:
            raise BadInput(f"{kind.__name__}: unknown option '{name}'{nearest(name, known)}")
    missing = [n for n, f in known.items() if f.default is MISSING and n not in options]
    if missing:
        raise BadInput(f"{kind.__name__}: the option '{missing[0]}' is missing")
    return kind(**options)


def _settle_lattice(recipe: CoreShell | Box | Given) -> None:
    """Plain data become a lattice at once, so that a recipe is a frozen value."""
    if isinstance(recipe.lattice, Mapping):
        object.__setattr__(recipe, "lattice", named(recipe.lattice))


def _ratio(value: float, what: str) -> float:
    least, most = RATIOS
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise BadInput(f"{what}: expected a ratio from {least:g} to {most:g}, got {value!r}")
    return float(value)


def _filled(
    recipe: CoreShell | Box,
    room: Crystal,
    compositions: list[composition.Composition],
    vacancy_shares: list[float],
    seed: int,
) -> Particle:
    from ucnp_abm.crystal.particle import Particle  # it imports this module

    occupants, immobile = fill(room, compositions, vacancy_shares, recipe.order, recipe.counts, seed)
    return Particle(room, occupants, recipe, seed, immobile)
