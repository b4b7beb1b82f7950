"""Filling: which site holds which species, dealt out by share from a seed."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ucnp_abm import seeds
from ucnp_abm.crystal import species
from ucnp_abm.crystal.composition import Composition
from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.grid import slabs
from ucnp_abm.errors import BadInput, nearest


def _choose(
    rng: np.random.Generator, where: NDArray[np.uint32], shares: list[float], counts: str
) -> list[NDArray[np.uint32]]:
    """Deal the sites `where` out by share, which may shuffle them; shares may leave a rest that nobody gets."""
    rest = 1.0 - sum(shares)
    if counts == "random":
        drawn = rng.choice(len(shares) + 1, size=where.size, p=[*shares, max(rest, 0.0)])
        return [where[drawn == n] for n in range(len(shares))]
    ideal = np.array([*shares, rest]) * where.size
    whole = np.floor(ideal + 1e-9).astype(int)
    for n in np.argsort(-(ideal - whole), kind="stable")[: where.size - whole.sum()]:
        whole[n] += 1
    ends = np.cumsum(whole)
    rng.shuffle(where)
    return [where[end - n : end] for n, end in zip(whole[:-1], ends[:-1], strict=True)]


def _free(room: Crystal, occupants: NDArray[np.uint8], layer: int, places: NDArray[np.bool_]) -> NDArray[np.uint32]:
    """Numbers of the sites of a layer that hold nothing yet and whose place is one of those."""
    found, n_found = np.empty(room.n_sites, dtype=np.uint32), 0
    for few in slabs(room.n_sites):
        free = (room.layer[few] == layer) & (occupants[few] == 255) & places[room.place[room.sites[few]]]
        new = few.start + np.flatnonzero(free)
        found[n_found : n_found + new.size] = new
        n_found += new.size
    found.resize(n_found, refcheck=False)
    return found


def _put(occupants: NDArray[np.uint8], where: NDArray[np.uint32], code: int) -> None:
    for few in slabs(where.size):
        occupants[where[few]] = code


def fill(
    room: Crystal, compositions: list[Composition], vacancy_shares: list[float], order: str, counts: str, seed: int
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Occupants of all sites by share, and who can never hop.

    Parameters
    ----------
    room : Crystal
    compositions : list of Composition
        One for each layer.
    vacancy_shares : list of float
        Share of vacant sites in each zone.
    order : {'disordered', 'ordered'}
        Whether sodium is spread over all basis positions and mobile, or has its own share on each and is immobile.
    counts : {'exact', 'random'}
        Whether shares give exact counts (to rounding) in each layer and zone, or each site draws its occupant.
    seed : int

    Returns
    -------
    tuple
        (N,) uint8 species code on each site, and the symbols of immobile species.

    Raises
    ------
    BadInput
        If a choice is unknown, or the lattice has no sodium for a composition that holds it.
    """
    for what, given, allowed in (
        ("order", order, ("disordered", "ordered")),
        ("counts", counts, ("exact", "random")),
    ):
        if given not in allowed:
            raise BadInput(f"{what}: unknown choice '{given}'{nearest(given, allowed)}")
    has_sodium = {c.sodium for c in compositions}
    if True in has_sodium and not room.lattice.sodium:
        raise BadInput(
            f"composition: the lattice '{room.lattice.name}' has no sodium sites; "
            "use 'Gd', not 'NaGdF4', or give the lattice its sodium shares"
        )
    occupants = np.full(room.n_sites, 255, dtype=np.uint8)
    vacancy_rng = seeds.generator(seed, "vacancies")
    ion_rng = seeds.generator(seed, "ions")
    for layer in range(len(room.layers)):
        for zone, share in enumerate(vacancy_shares):
            where = _free(room, occupants, layer, room.zone == zone)
            _put(occupants, _choose(vacancy_rng, where, [share], counts)[0], species.VACANCY)
    anywhere = np.ones(room.zone.size, dtype=bool)
    for layer, filled in enumerate(compositions):
        if filled.sodium:
            groups: list[tuple[NDArray[np.bool_], float]]
            if order == "ordered":
                groups = [(room.basis == b, s) for b, s in enumerate(room.lattice.sodium)]
            else:
                groups = [(anywhere, math.fsum(room.lattice.sodium) / len(room.lattice.sodium))]
            for places, share in groups:
                where = _free(room, occupants, layer, places)
                _put(occupants, _choose(ion_rng, where, [share], counts)[0], species.code("Na"))
        rest = _free(room, occupants, layer, anywhere)
        symbols, shares = zip(*filled.shares, strict=True)
        for symbol, dealt in zip(symbols, _choose(ion_rng, rest, list(shares), counts), strict=True):
            _put(occupants, dealt, species.code(symbol))
    occupants[occupants == 255] = species.code(compositions[0].shares[0][0])
    immobile = ("Na",) if order == "ordered" and True in has_sodium else ()
    return occupants, immobile
