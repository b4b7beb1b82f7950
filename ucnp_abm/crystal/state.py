"""The state: arrays, and nothing else. What is not here can be recomputed from it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.grid import slabs
from ucnp_abm.crystal.species import HALO, OUTSIDE, VACANCY

COUNTERS = 6
"""Vacancies, exposed vacancies, candidates, events, reversals, candidate of the last event; then the channels."""


@dataclass(eq=False)
class State:
    """Occupants, identities, the order of the lists, counters and the clock (see `kernels.layout.State`).

    G grid points, N sites, V room for vacancies, K transform channels, M reservoirs.
    """

    species: NDArray[np.uint8]  # (G,)
    slot: NDArray[np.uint32]  # (G,)
    origin: NDArray[np.uint8]  # (N,)
    generation: NDArray[np.int32]  # (N,)
    born: NDArray[np.float64]  # (N,) s
    birthplace: NDArray[np.uint32]  # (N,) grid point
    image: NDArray[np.int32]  # (N, 3), or (0, 3) in a finite particle
    vacancies: NDArray[np.uint32]  # (V,)
    came_from: NDArray[np.uint32]  # (V,)
    exposed_rank: NDArray[np.int32]  # (V,)
    exposed_vacancies: NDArray[np.uint32]  # (V,)
    reservoir: NDArray[np.int64]  # (M,)
    tally: NDArray[np.int64]  # (6 + 1 + K,)
    clock: NDArray[np.float64]  # (3,) s: last candidate, now, last event

    @property
    def n_vacancies(self) -> int:
        return int(self.tally[0])

    @property
    def n_exposed_vacancies(self) -> int:
        return int(self.tally[1])

    @property
    def candidates(self) -> int:
        """Candidates drawn so far, null ones included."""
        return int(self.tally[2])

    @property
    def events(self) -> int:
        """Events that happened so far."""
        return int(self.tally[3])

    @property
    def reversals(self) -> int:
        """Events that took a vacancy back to the site it had just left, or filled one where it had just opened."""
        return int(self.tally[4])

    @property
    def time(self) -> float:
        """Time reached / s."""
        return float(self.clock[1])

    def counts(self) -> NDArray[np.int64]:
        """(1 + K,) events so far: hops, then each transform channel."""
        return self.tally[COUNTERS:]

    @property
    def nbytes(self) -> int:
        """Size of all arrays / bytes."""
        return sum(getattr(self, f.name).nbytes for f in fields(self))

    @property
    def nulls(self) -> int:
        """Candidates without an event since the last event."""
        return int(self.tally[2] - self.tally[5])

    def settle(self) -> None:
        """Go back to the moment just after the last event: nothing but null candidates lies between."""
        self.tally[2] = self.tally[5]
        self.clock[:2] = self.clock[2]

    def begin_anew(self) -> None:
        """Let the clock run from now on: the pending candidate, whose time is known to be late, never comes."""
        self.tally[2] += 1
        self.tally[5] = self.tally[2]
        self.clock[:] = self.time

    def copy(self) -> State:
        """An independent copy."""
        return replace(self, **{f.name: getattr(self, f.name).copy() for f in fields(self)})

    def with_channels(self, n_channels: int, reservoir: Sequence[int] = ()) -> State:
        """The same arrays, with counters for `n_channels` transform channels and the bath's complexes."""
        fresh = replace(self)
        fresh.tally = np.zeros(COUNTERS + 1 + n_channels, dtype=np.int64)
        fresh.tally[:COUNTERS] = self.tally[:COUNTERS]
        fresh.reservoir = np.array(reservoir, dtype=np.int64)
        return fresh

    def grow(self) -> None:
        """Make room for twice as many vacancies."""
        for name, fill in (("vacancies", 0), ("came_from", 0), ("exposed_rank", -1), ("exposed_vacancies", 0)):
            old = getattr(self, name)
            setattr(self, name, np.concatenate([old, np.full(old.size, fill, dtype=old.dtype)]))

    def digest(self) -> str:
        """SHA-256 of everything that decides the future and the past: equal digests, equal states."""
        n, m = self.n_vacancies, self.n_exposed_vacancies
        sha = hashlib.sha256()
        for array in (
            *(self.species, self.slot, self.origin, self.generation, self.born, self.birthplace, self.image),
            *(self.reservoir, self.tally, self.clock),
        ):
            sha.update(np.ascontiguousarray(array).data)
        for array in (self.vacancies[:n], self.came_from[:n], self.exposed_rank[:n], self.exposed_vacancies[:m]):
            sha.update(np.ascontiguousarray(array).data)
        return sha.hexdigest()


def initial_state(crystal: Crystal, occupants: NDArray[np.uint8]) -> State:
    """The state at time zero.

    Parameters
    ----------
    crystal : Crystal
    occupants : (N,) uint8
        Species code on each site. Identities are numbered like the sites on which they start.
    """
    species = np.full(crystal.place.size, HALO if crystal.periodic else OUTSIDE, dtype=np.uint8)
    slot = np.zeros(crystal.place.size, dtype=np.uint32)
    for some in slabs(crystal.n_sites):
        species[crystal.sites[some]] = occupants[some]
        slot[crystal.sites[some]] = np.arange(some.start, some.stop, dtype=np.uint32)
    vacant = crystal.sites[occupants == VACANCY]
    n, room = vacant.size, vacant.size + 16
    vacancies = np.zeros(room, dtype=np.uint32)
    vacancies[:n] = vacant
    exposed = np.flatnonzero(crystal.exposed[crystal.place[vacant]])
    rank = np.full(room, -1, dtype=np.int32)
    rank[exposed] = np.arange(exposed.size)
    exposed_vacancies = np.zeros(room, dtype=np.uint32)
    exposed_vacancies[: exposed.size] = exposed
    tally = np.zeros(COUNTERS + 1, dtype=np.int64)
    tally[:2] = n, exposed.size
    return State(
        species=species,
        slot=slot,
        origin=crystal.layer.copy(),
        generation=np.zeros(crystal.n_sites, dtype=np.int32),
        born=np.zeros(crystal.n_sites),
        birthplace=crystal.sites.copy(),
        image=np.zeros((crystal.n_sites if crystal.periodic else 0, 3), dtype=np.int32),
        vacancies=vacancies,
        came_from=np.zeros(room, dtype=np.uint32),
        exposed_rank=rank,
        exposed_vacancies=exposed_vacancies,
        reservoir=np.zeros(0, dtype=np.int64),
        tally=tally,
        clock=np.zeros(3),
    )


def site_of_slots(crystal: Crystal, state: State) -> NDArray[np.int64]:
    """(N,) site number of each identity: the inverse of `slot`."""
    where = np.empty(crystal.n_sites, dtype=np.int64)
    where[state.slot[crystal.sites]] = np.arange(crystal.n_sites)
    return where


def displacements(crystal: Crystal, state: State) -> NDArray[np.float64]:
    """(N, 3) displacement / Å of each identity since the start, unwrapped in a periodic box."""
    moved: NDArray[np.float64] = crystal.points[site_of_slots(crystal, state)] - crystal.points
    if crystal.periodic:
        moved = moved + (state.image * crystal.cells) @ np.array(crystal.lattice.cell)
    return moved
