"""Growing crystals: finite ones of nested layers, and periodic boxes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.grid import Grid, slabs
from ucnp_abm.crystal.lattice import Lattice
from ucnp_abm.crystal.places import sites_within, sort_into_places
from ucnp_abm.crystal.shapes import Ellipsoid
from ucnp_abm.errors import BadInput


def layered(
    lattice: Lattice, boundaries: tuple[Ellipsoid, ...], layers: tuple[str, ...], interface_width: float
) -> Crystal:
    """A finite crystal of nested layers, with a site of basis position 0 (1a of β-NaREF4) at its origin.

    Parameters
    ----------
    lattice : Lattice
    boundaries : tuple of Ellipsoid
        Outer boundary of each layer, from the inside; each lies inside the next (not checked here).
    layers : tuple of str
        Names of the layers, from the inside.
    interface_width : float
        Sites within this distance / Å of an inner boundary form the zone 'interface'.

    Returns
    -------
    Crystal
        Zones in the order of precedence surface (a neighbour is missing) > interface > layer.

    Raises
    ------
    BadInput
        If there is not one name for each boundary, or the crystal would be too large.
    """
    if not boundaries or len(boundaries) != len(layers):
        raise BadInput(f"layers: expected one name for each boundary, got {len(layers)} for {len(boundaries)}")
    grid = Grid.about(lattice, boundaries[-1])
    sites, layer, interface = sites_within(grid, boundaries, interface_width)
    return _assembled(grid, sites, layer, layers, interface, np.empty(0, np.uint32), boundaries, interface_width)


def sphere(lattice: Lattice, radii: tuple[float, ...], layers: tuple[str, ...], interface_width: float) -> Crystal:
    """A sphere of concentric layers with the outer radii / Å given; otherwise as `layered`."""
    return layered(lattice, tuple(Ellipsoid((0.0, 0.0, 0.0), (r, r, r)) for r in radii), layers, interface_width)


def box(lattice: Lattice, cells: tuple[int, int, int], layer: str = "bulk") -> Crystal:
    """A periodic box of whole cells: one layer, one zone, no surface.

    Raises
    ------
    BadInput
        If the box is so small that a site meets itself or one neighbour twice.
    """
    grid = Grid(lattice, cells)
    home, sites = grid.home(), np.empty(grid.n_inner, dtype=np.uint32)
    for few in slabs(grid.n_inner):
        inner = grid.inner(few)
        sites[few] = inner
        around = home[inner[:, None] + grid.offset[inner % len(lattice.basis)]]
        ordered = np.sort(np.concatenate([around, sites[few][:, None]], axis=1), axis=1)
        if (ordered[:, 1:] == ordered[:, :-1]).any():
            raise BadInput(
                f"cells: a periodic {lattice.name} box of {cells} cells is too small; a site meets one twice"
            )
    return _assembled(grid, sites, np.zeros(sites.size, np.uint8), (layer,), np.zeros(sites.size, bool), home)


def _assembled(
    grid: Grid,
    sites: NDArray[np.uint32],
    layer: NDArray[np.uint8],
    layers: tuple[str, ...],
    interface: NDArray[np.bool_],
    home: NDArray[np.uint32],
    boundaries: tuple[Ellipsoid, ...] = (),
    interface_width: float = 0.0,
) -> Crystal:
    places = sort_into_places(grid, sites, layer, layers, interface, home)
    return Crystal(
        **places._asdict(),
        lattice=grid.lattice,
        layers=layers,
        home=home,
        sites=sites,
        layer=layer,
        strides=grid.strides,
        cells=np.array(grid.shape, dtype=np.int64),
        halo=np.array(grid.lattice.halo, dtype=np.int64),
        boundaries=boundaries,
        interface_width=interface_width,
    )
