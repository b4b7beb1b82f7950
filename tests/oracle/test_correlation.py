"""One vacancy in a periodic box: tracer correlation against the box's own exact value, vacancy against a free walk.

Derivation
----------
N sites, one vacancy, every exchange with one of z neighbours equally likely, so that events (not times) matter. The
state of a tagged ion is the vacancy's position r relative to it. An event adds a bond vector to r, or, where that
would give r = 0, carries the ion by r and leaves the vacancy at -r. Each move has its reverse with the same
probability 1/z: the matrix T is symmetric and all N - 1 positions are equally likely in the long run. With u(r) the
ion's displacement should the vacancy exchange with it from r (0 for non-neighbours) and b = u / z, the mean of b at
event k after event 0 is T^(k-1) b. The correlation of the displacements at events 0 and k, in units of the mean
square, is therefore

    g(k) = sum_r u(r) . (T^(k-1) b)(-r) / sum_r u(r)²      (sums over the neighbours r, -r being the state after),

and, summed over all ions (which is a sum over all r, whatever the vacancy's site), a run of m events has *exactly*

    E sum R² / (m d²) = F_m = 1 + 2 sum_{k=1}^{m-1} (1 - k/m) g(k),    f = lim F_m = 1 + 2 sum_k g(k) = 1 + 2 g_total,

g_total following from one sparse solve (1 - T) h = b (h up to a constant, which sum u = 0 removes). As E is the same
from every start, the residuals of successive segments of a long run are uncorrelated: their scatter gives the error.

On sc, bcc, fcc, diamond, square and honeycomb the successive *jumps* e1, e2, … of an ion are a Markov chain, since
r = -e right after a jump e. What symmetry keeps e fixes no other direction (a box of equal sides has it too), so
E[e2 | e1] = c e1 with one c = <cos theta>, and E[e1 . e(1+k)] = c^k d²:
f = (1 + c) / (1 - c) holds exactly in every such box. c is one sparse solve too, of the chain that ends at the next
jump. The beta and hcp lattices have no such symmetry: there f differs between the axes and only the first form holds.

On a ring of N sites ions cannot pass each other. When the vacancy stands x bonds from its start, all N - 1 ions have
shared -x: each moved by -x / (N - 1), rounded down or up. So f = 1 / (N - 1), and a chain has no tracer diffusion.

Values of the infinite lattices: Compaan and Haven (1956), doi:10.1039/TF9565200786, to more digits.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.sparse import coo_matrix, csr_matrix, identity
from scipy.sparse.linalg import cg

from ucnp_abm import Particle, Simulation, mechanism
from ucnp_abm.crystal.lattice import LATTICES
from ucnp_abm.crystal.state import displacements

INFINITE = {
    "sc": 0.653108838706,
    "bcc": 0.727194140088,
    "fcc": 0.781451421945,
    "diamond": 1 / 2,
    "square": 1 / (math.pi - 1),
    "honeycomb": 1 / 3,
}
INFINITE_HCP = {"ab": 0.781204884630, "c": 0.781451421945}
TOO_FAR = 4.5
briefly_and_long = pytest.mark.parametrize("n", [1500, pytest.param(12_000, marks=pytest.mark.slow)])

# Bond vectors on a fine integer grid, written down by hand: nothing here comes from the package's neighbour lists.
SC = [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)]
BCC = list(itertools.product((1, -1), repeat=3))
FCC = [v for v in itertools.product((1, 0, -1), repeat=3) if sum(map(abs, v)) == 2]
BETWEEN = [(x, y, s) for x, y in ((2, 1), (-1, 1), (-1, -2)) for s in (1, -1)]  # hexagonal axes, thirds of a cell
BETA = [(0, 0, 2), (0, 0, -2), *BETWEEN]
HCP = [(3, 0, 0), (-3, 0, 0), (0, 3, 0), (0, -3, 0), (3, 3, 0), (-3, -3, 0), *BETWEEN]
DIAMOND = [(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)]
HONEYCOMB = [(2, 1, 0), (-1, 1, 0), (-1, -2, 0)]
SQUARE = [v for v in SC if v[2] == 0]
CHAIN = [(1, 0, 0), (-1, 0, 0)]
AB, C, ALL = slice(0, 2), slice(2, 3), slice(0, 3)


@dataclass(frozen=True)
class Fine:
    """Sites as integer vectors: fine points per cell, sites of a cell by sublattice, the bonds of each sublattice."""

    per_cell: tuple[int, int, int]
    sublattices: tuple[list[tuple[int, int, int]], ...]
    bonds: tuple[list[tuple[int, int, int]], ...]
    frame: np.ndarray  # Cartesian vectors / Å between fine points

    def sublattice(self, site: np.ndarray) -> int:
        """Which sublattice a site belongs to."""
        inside = tuple(int(x) for x in site % self.per_cell)
        return next(n for n, sites in enumerate(self.sublattices) if inside in sites)


def fine(name: str) -> Fine:
    def turned(bonds: list[tuple[int, int, int]]) -> tuple[list[tuple[int, int, int]], ...]:
        return bonds, [(-x, -y, -z) for x, y, z in bonds]

    def hexagonal(a: float, c: float) -> np.ndarray:
        return np.array([[a / 3, 0, 0], [-a / 6, a * math.sqrt(3) / 6, 0], [0, 0, c]])

    origin = [(0, 0, 0)]
    if name == "beta":
        return Fine((3, 3, 2), (origin, [(2, 1, 1)]), turned(BETA), hexagonal(5.960, 3.530 / 2))
    if name == "hcp":
        return Fine((3, 3, 2), (origin, [(2, 1, 1)]), turned(HCP), hexagonal(3.87, 3.87 * math.sqrt(2 / 3)))
    if name == "honeycomb":
        return Fine((3, 3, 1), (origin, [(2, 1, 0)]), turned(HONEYCOMB), hexagonal(3.87 * math.sqrt(3), 1.0))
    if name == "diamond":
        faces = [(0, 0, 0), (0, 2, 2), (2, 0, 2), (2, 2, 0)]
        shifted = [(x + 1, y + 1, z + 1) for x, y, z in faces]
        return Fine((4, 4, 4), (faces, shifted), turned(DIAMOND), np.eye(3) * 8.94 / 4)
    if name == "bcc":
        return Fine((2, 2, 2), ([(0, 0, 0), (1, 1, 1)],), (BCC,), np.eye(3) * 4.47 / 2)
    if name in ("fcc", "alpha"):
        return Fine((2, 2, 2), ([(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)],), (FCC,), np.eye(3) * 5.47 / 2)
    return Fine((1, 1, 1), (origin,), ({"sc": SC, "square": SQUARE, "chain": CHAIN}[name],), np.eye(3) * 3.87)


@dataclass(frozen=True)
class Chain:
    """Vacancy relative to a tagged ion. `stay` are moves without a jump of the ion, `turn` those with one."""

    n_sites: int
    z: int
    stay: csr_matrix
    turn: csr_matrix
    jump: np.ndarray  # (states, 3) / Å, displacement of the ion should the vacancy exchange with it

    @property
    def moves(self) -> csr_matrix:
        return self.stay + self.turn

    def correlations(self, axes: slice, n: int) -> np.ndarray:
        """g(1) … g(n) along some axes."""
        after = self.turn.T @ self.jump[:, axes] * self.z  # the jump that led to each state
        mean = self.jump[:, axes] / self.z
        found = np.empty(n)
        for k in range(n):
            found[k] = (after * mean).sum()
            mean = self.moves @ mean
        return found / (self.jump[:, axes] ** 2).sum()

    def finite(self, axes: slice, m: int) -> float:
        """F_m: the exact mean of sum R² / (m d²) in a run of m events."""
        return float(1 + 2 * ((1 - np.arange(1, m) / m) * self.correlations(axes, m - 1)).sum())

    def factor(self, axes: slice) -> float:
        """f, from one solve for each axis."""
        after = self.turn.T @ self.jump[:, axes] * self.z
        total = 0.0
        for axis, b in enumerate(self.jump[:, axes].T / self.z):
            h = solve(identity(b.size) - self.moves, b)
            total += after[:, axis] @ h
        return float(1 + 2 * total / (self.jump[:, axes] ** 2).sum())

    def cosine(self) -> float:
        """<cos theta> of successive jumps of an ion, from one solve of the chain that ends at its next jump."""
        start = int(np.flatnonzero((self.jump**2).sum(axis=1))[0])
        before = self.jump[start]
        b = self.jump @ before / (before @ before) / self.z
        h = solve(identity(b.size) - self.stay, b)
        return float((self.turn[start] @ h)[0] * self.z)


def solve(matrix: csr_matrix, b: np.ndarray) -> np.ndarray:
    h, failed = cg(matrix, b, rtol=1e-13, atol=0.0, maxiter=10_000)
    assert failed == 0
    return h


def chain(name: str, cells: tuple[int, int, int]) -> Chain:
    """The chain of a box, from the bond vectors alone. A state is (sublattice of the ion, r)."""
    kind = fine(name)
    size = np.array(kind.per_cell) * cells
    corners = np.array(list(itertools.product(*(range(n) for n in cells)))) * kind.per_cell
    sites = np.concatenate([corners + site for sublattice in kind.sublattices for site in sublattice])
    ions = [np.array(sublattice[0]) for sublattice in kind.sublattices]
    states = []
    for n, ion in enumerate(ions):
        states += [(n, *map(int, r)) for r in (sites - ion) % size if r.any()]
    number = {state: n for n, state in enumerate(states)}
    z = len(kind.bonds[0])
    stay, turn = [], []
    jump = np.zeros((len(states), 3))
    for state, n in number.items():
        of, r = state[0], np.array(state[1:])
        for bond in kind.bonds[kind.sublattice(ions[of] + r)]:
            to = tuple(int(x) for x in (r + bond) % size)
            if any(to):
                stay.append((n, number[of, *to]))
            else:
                other = kind.sublattice(ions[of] - bond)
                turn.append((n, number[other, *(int(x) for x in np.array(bond) % size)]))
                jump[n] = -np.array(bond) @ kind.frame
    shape = (len(states), len(states))
    stays, turns = (
        csr_matrix(coo_matrix((np.full(len(m), 1 / z), tuple(np.array(m).T)), shape=shape)) for m in (stay, turn)
    )
    return Chain(len(sites), z, stays, turns, jump)


BOXES = [
    ("sc", (5, 5, 5)),
    ("bcc", (4, 4, 4)),
    ("fcc", (3, 3, 3)),
    ("diamond", (2, 2, 2)),
    ("square", (8, 8, 1)),
    ("honeycomb", (5, 5, 1)),
]
UNEQUAL_AXES = [("beta", (4, 4, 4)), ("hcp", (4, 4, 3))]


@pytest.mark.parametrize(("name", "cells"), [*BOXES, *UNEQUAL_AXES, ("alpha", (3, 3, 3)), ("chain", (9, 1, 1))])
def test_chain_of_relative_positions_is_symmetric_and_loses_nothing(name: str, cells: tuple[int, int, int]) -> None:
    box = chain(name, cells)
    assert box.n_sites == math.prod(cells) * len(LATTICES[name]().basis)
    assert abs(box.moves - box.moves.T).max() == 0
    assert box.moves.sum(axis=1) == pytest.approx(1)
    assert box.jump.sum(axis=0) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("name", "cells"), [("sc", (3, 3, 3)), ("bcc", (3, 3, 3)), *BOXES])
def test_cosine_of_successive_jumps_gives_the_correlation_factor_where_bonds_are_axes_of_symmetry(
    name: str, cells: tuple[int, int, int]
) -> None:
    box = chain(name, cells)
    c = box.cosine()
    assert (1 + c) / (1 - c) == pytest.approx(box.factor(ALL), rel=1e-10)
    assert 1 + 2 * box.correlations(ALL, 2000).sum() == pytest.approx(box.factor(ALL), rel=1e-10)


@pytest.mark.parametrize(
    ("name", "sizes"), [("sc", (5, 10, 20)), ("bcc", (4, 8, 16)), ("fcc", (3, 6, 12)), ("diamond", (2, 4, 8))]
)
def test_correlation_factor_of_growing_boxes_goes_to_that_of_the_infinite_lattice(
    name: str, sizes: tuple[int, ...]
) -> None:
    """The leading errors fall as L^-3 and L^-5; two extrapolations remove them."""
    c = np.array([chain(name, (n,) * 3).cosine() for n in sizes])
    f = (1 + c) / (1 - c)
    errors = f - INFINITE[name]
    assert errors[1:] / errors[:-1] == pytest.approx(1 / 8, rel=0.25)
    once = (8 * f[1:] - f[:-1]) / 7
    twice = (32 * once[1] - once[0]) / 31
    assert abs(once[1] - INFINITE[name]) < abs(errors[2])
    assert twice == pytest.approx(INFINITE[name], abs=5e-6)


@pytest.mark.parametrize(("name", "sizes"), [("square", (12, 24, 48)), ("honeycomb", (8, 16, 32))])
def test_correlation_factor_of_growing_planes_goes_to_that_of_the_infinite_plane(
    name: str, sizes: tuple[int, ...]
) -> None:
    """In two dimensions the leading errors fall as L^-2 and L^-4."""
    c = np.array([chain(name, (n, n, 1)).cosine() for n in sizes])
    f = (1 + c) / (1 - c)
    errors = f - INFINITE[name]
    assert errors[1:] / errors[:-1] == pytest.approx(1 / 4, rel=0.1)
    once = (4 * f[1:] - f[:-1]) / 3
    twice = (16 * once[1] - once[0]) / 15
    assert twice == pytest.approx(INFINITE[name], abs=5e-6)


@pytest.mark.slow
def test_correlation_factor_of_growing_hcp_boxes_goes_to_its_two_values_along_and_across_c() -> None:
    boxes = [chain("hcp", (n, n, n)) for n in (4, 8, 16)]
    for axes, infinite in ((AB, INFINITE_HCP["ab"]), (C, INFINITE_HCP["c"])):
        f = np.array([box.factor(axes) for box in boxes])
        once = (8 * f[1:] - f[:-1]) / 7
        twice = (32 * once[1] - once[0]) / 31
        assert twice == pytest.approx(infinite, abs=5e-6)


@pytest.mark.parametrize("n_sites", [3, 7, 40])
def test_correlation_factor_of_a_ring_is_one_over_its_number_of_ions(n_sites: int) -> None:
    assert chain("chain", (n_sites, 1, 1)).factor(ALL) == pytest.approx(1 / (n_sites - 1), rel=1e-9)


def segments(name: str, cells: tuple[int, int, int], m: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """(n, N - 1, 3) displacements / Å of the ions, and (n, 3) of the vacancy, in n successive segments of m events."""
    particle = Particle.box(lattice=name, cells=cells, composition="Y", vacancies=1, seed=5)
    simulation = Simulation(particle, mechanism("no-complex"), "300 °C", seed=20_23)
    vacancy = int(simulation.state.slot[simulation.state.vacancies[0]])
    assert simulation.state.n_vacancies == 1
    before = np.zeros((particle.crystal.n_sites, 3))
    moved = np.empty((n, *before.shape))
    for k in range(n):
        assert simulation.run(events=m) == "count reached"
        now = displacements(particle.crystal, simulation.state)
        moved[k] = now - before
        before = now
    assert simulation.state.events == n * m
    return np.delete(moved, vacancy, axis=1), moved[:, vacancy]


def z_score(values: np.ndarray, expected: float) -> float:
    return float((values.mean() - expected) / (values.std(ddof=1) / math.sqrt(values.size)))


@briefly_and_long
@pytest.mark.parametrize(("name", "cells"), BOXES)
def test_tracer_correlation_in_a_box_of_equal_sides_is_the_exact_value_of_that_box(
    name: str, cells: tuple[int, int, int], n: int
) -> None:
    box = chain(name, cells)
    m = 8 * box.n_sites
    ions, vacancy = segments(name, cells, m, n)
    assert ions.shape[1] == box.n_sites - 1
    assert np.abs(ions.sum(axis=1) + vacancy).max() < 1e-6  # what the ions lose, the vacancy gains
    d2 = (box.jump**2).sum(axis=1).max()
    found = (ions**2).sum(axis=(1, 2)) / (m * d2)
    assert abs(z_score(found, box.finite(ALL, m))) < TOO_FAR
    assert box.finite(ALL, m) == pytest.approx(box.factor(ALL), rel=0.02)
    if n > 10_000:
        assert abs(z_score(found, INFINITE[name])) > TOO_FAR  # the infinite lattice's value would not do


@briefly_and_long
def test_tracer_correlation_in_a_flat_box_differs_between_the_axes_as_it_should(n: int) -> None:
    """A 6 x 6 x 3 box of sc: no cubic symmetry, so only the sum over all events holds."""
    box = chain("sc", (6, 6, 3))
    m = 8 * box.n_sites
    ions, _ = segments("sc", (6, 6, 3), m, n)
    exact = [box.finite(axes, m) for axes in (slice(0, 2), slice(2, 3))]
    assert abs(exact[0] - exact[1]) > 0.02
    for axes, f in zip((slice(0, 2), slice(2, 3)), exact, strict=True):
        each = 3.87**2 / 3 * (axes.stop - axes.start)
        assert abs(z_score((ions[:, :, axes] ** 2).sum(axis=(1, 2)) / (m * each), f)) < TOO_FAR


@briefly_and_long
@pytest.mark.parametrize(("name", "cells"), UNEQUAL_AXES)
def test_tracer_correlation_is_the_exact_value_of_the_box_along_and_across_c(
    name: str, cells: tuple[int, int, int], n: int
) -> None:
    box = chain(name, cells)
    m = 8 * box.n_sites
    ions, _ = segments(name, cells, m, n)
    steps = np.array(fine(name).bonds[0]) @ fine(name).frame
    for axes in (AB, C):
        found = (ions[:, :, axes] ** 2).sum(axis=(1, 2)) / (m * (steps[:, axes] ** 2).sum(axis=1).mean())
        assert abs(z_score(found, box.finite(axes, m))) < TOO_FAR


@briefly_and_long
def test_tracer_correlation_of_the_cubic_phase_is_that_of_fcc(n: int) -> None:
    box, m = chain("alpha", (3, 3, 3)), 8 * 108
    ions, _ = segments("alpha", (3, 3, 3), m, n)
    found = (ions**2).sum(axis=(1, 2)) / (m * (5.47**2 / 2))
    assert abs(z_score(found, box.finite(ALL, m))) < TOO_FAR


def test_ions_of_a_ring_keep_their_order_and_share_the_vacancys_way() -> None:
    n, m = 12, 50
    ions, vacancy = segments("chain", (n, 1, 1), m, 1000)
    ions, vacancy = ions.cumsum(axis=0)[:, :, 0] / 3.87, vacancy.cumsum(axis=0)[:, 0] / 3.87
    assert np.abs(vacancy).max() > 10 * n  # many times around
    share = -vacancy[:, None] / (n - 1)
    assert (np.abs(ions - share) < 1).all()
    assert ions.sum(axis=1) == pytest.approx(-vacancy, abs=1e-6)


@briefly_and_long
def test_tracer_displacement_on_a_ring_is_the_exact_value_of_that_ring(n: int) -> None:
    box, m = chain("chain", (12, 1, 1)), 1500
    ions, _ = segments("chain", (12, 1, 1), m, n)
    found = (ions**2).sum(axis=(1, 2)) / (m * 3.87**2)
    assert abs(z_score(found, box.finite(ALL, m))) < TOO_FAR


@pytest.mark.parametrize(
    ("name", "cells"), [*BOXES, ("beta", (3, 4, 5)), ("sc", (3, 4, 7)), ("hcp", (3, 4, 5)), ("chain", (9, 1, 1))]
)
@briefly_and_long
def test_mean_square_displacement_of_a_vacancy_is_the_number_of_hops_times_the_bond_squared(
    name: str, cells: tuple[int, int, int], n: int
) -> None:
    """Steps have mean 0 whatever came before (on beta from either sublattice): no cross terms, axis by axis."""
    m, kind = 400, fine(name)
    _, vacancy = segments(name, cells, m, n)
    steps = np.array(kind.bonds[0]) @ kind.frame
    length = min(bond for _, bond in LATTICES[name]().bonds)
    assert np.linalg.norm(steps, axis=1).min() == pytest.approx(length)
    alive = [axis for axis in range(3) if np.abs(steps[:, axis]).max() > 1e-9]
    assert len(alive) == {"chain": 1, "square": 2, "honeycomb": 2}.get(name, 3)
    for axis in range(3):
        if axis not in alive:
            assert (vacancy[:, axis] == 0).all()
            continue
        assert abs(z_score(vacancy[:, axis] ** 2, m * (steps[:, axis] ** 2).mean())) < TOO_FAR
        assert abs(z_score(vacancy[:, axis], 0.0)) < TOO_FAR
        if len(alive) > 1:
            other = alive[alive.index(axis) - 1]
            assert abs(z_score(vacancy[:, axis] * vacancy[:, other], 0.0)) < TOO_FAR
