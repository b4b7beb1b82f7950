"""Exclusion identity: where all ions hop at one rate, the mean vacancy occupancy of every site is exactly linear.

If each bond exchanges its two occupants at rate w, the occupancy of site i, averaged over runs from one start, obeys

    dn_i/dt = sum_j w (n_j - n_i) - k_i n_i + e_i (1 - n_i),   k_i, e_i = rates of docking and etching at exposed sites,

at any concentration: the terms n_i n_j of "a vacancy here and an ion there" cancel bond by bond (stirring; Liggett,
Interacting Particle Systems, 1985, ch. VIII). A sink with hops is no such case, as a void trades places with nothing.
Here on a whole beta core-shell particle; the bonds come from positions and bond lengths, not from the package's
neighbour lists.

Occupancies of different sites are correlated (negatively), so single z-scores of sites must not be summed as if
independent. Compared are some 30 linear functionals of the occupancy together, by Hotelling's T² with the
covariance of the ensemble, and all sites together, by a chi-square with the spread that the measured correlations give.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.linalg import eigh
from scipy.sparse import csr_matrix, diags, hstack, vstack
from scipy.sparse.csgraph import dijkstra
from scipy.sparse.linalg import expm_multiply
from scipy.spatial import cKDTree
from scipy.stats import binom, chi2, chisquare, f

from ucnp_abm import Mechanism, Particle, Simulation, mechanism
from ucnp_abm.crystal.species import SPECIES, VACANCY

KELVIN = 300 + 273.15
BOLTZMANN = 8.617333262e-5  # eV/K
ATTEMPT = 1e13  # 1/s
TOO_FAR, TOO_RARE = 4.5, 1e-4
WAYS = 8  # bonds of a bulk site of beta
DOCK = 1.63  # eV: half as fast again as a hop


def arrhenius(barrier: float, kelvin: float = KELVIN) -> float:
    return ATTEMPT * math.exp(-barrier / (BOLTZMANN * kelvin))


@pytest.fixture(scope="module")
def particle() -> Particle:
    """1221 sites, 119 vacancies."""
    return Particle.core_shell(core="NaGdF4: 20% Yb", diameter="3 nm", shell="NaYF4", thickness="1 nm", seed=3)


@pytest.fixture(scope="module")
def bonds(particle: Particle) -> csr_matrix:
    """Which sites are neighbours, from their positions / Å."""
    points = particle.crystal.points
    reach = math.sqrt(5.960**2 / 3 + 3.530**2 / 4) * 1.01
    pairs = cKDTree(points).query_pairs(reach, output_type="ndarray")
    both = np.concatenate([pairs, pairs[:, ::-1]])
    return csr_matrix((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(len(points),) * 2)


def reseeded(simulation: Simulation, seed: int) -> Simulation:
    """A new simulation under another seed that shares the rate table, the only costly part of building one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ucnp_abm.engine.simulation.tabulate", lambda *_: simulation.table)
        return Simulation(
            simulation.particle, simulation.mechanism, simulation.protocol, seed=seed, scheduler=simulation.scheduler
        )


def ensemble(simulation: Simulation, times: list[float], n_seeds: int) -> np.ndarray:
    """(times, seeds, N) True where a vacancy is."""
    crystal = simulation.crystal
    found = np.empty((len(times), n_seeds, crystal.n_sites), dtype=bool)
    n0 = simulation.state.n_vacancies
    sign = [-1 if channel.before == "vacancy" else 1 for channel in simulation.table.channels]
    for seed in range(n_seeds):
        run = reseeded(simulation, seed)
        for k, time in enumerate(times):
            run.run_to(time=time)
            found[k, seed] = run.state.species[crystal.sites] == VACANCY
            assert found[k, seed].sum() == run.state.n_vacancies == n0 + run.state.counts()[1:] @ sign
    return found


def generator(bonds: csr_matrix, hop: float, dock: float) -> csr_matrix:
    """L of dn/dt = L n."""
    number = np.asarray(bonds.sum(axis=1)).ravel()
    return hop * (bonds - diags(number)) - diags(dock * (number < WAYS))


@pytest.fixture(scope="module")
def weights(particle: Particle, bonds: csr_matrix) -> np.ndarray:
    """(F, N): zones, sublattices, radial shells, distance from the first vacancies, moments, slow and fast modes."""
    crystal, start = particle.crystal, (particle.occupants == VACANCY).astype(float)
    points = crystal.points / np.abs(crystal.points).max()
    radius = np.linalg.norm(points, axis=1)
    shell = np.argsort(np.argsort(radius)) * 6 // radius.size
    away = dijkstra(bonds, unweighted=True, indices=np.flatnonzero(start), min_only=True)
    number = np.asarray(bonds.sum(axis=1)).ravel()
    _, modes = eigh((diags(number) - bonds).toarray())
    rows = [crystal.site_zone == n for n in range(len(crystal.zones))]
    rows += [crystal.basis[crystal.place[crystal.sites]] == 0, number < WAYS - 1]
    rows += [shell == n for n in range(5)]
    rows += [away == n for n in range(2)]
    rows += [*points.T, *(points.T * np.roll(points.T, 1, axis=0))]
    rows += [*modes.T[1:6], *modes.T[-3:], start / 2 - (bonds @ start) / WAYS]
    return np.array(rows, dtype=float)


def together(values: np.ndarray, expected: np.ndarray) -> float:
    """Hotelling's p-value for the mean of (n, F) values; directions without scatter must fit exactly."""
    n = len(values)
    scale = values.std(axis=0) + 1e-12
    off = (values.mean(axis=0) - expected) / scale
    variances, axes = np.linalg.eigh(np.cov(values.T / scale[:, None]))
    alive = variances > 1e-9
    assert np.abs(off @ axes[:, ~alive]).max(initial=0.0) < 1e-6
    q = int(alive.sum())
    t2 = n * ((off @ axes[:, alive]) ** 2 / variances[alive]).sum()
    return float(f.sf(t2 * (n - q) / (q * (n - 1)), q, n - q))


def compare(found: np.ndarray, expected: np.ndarray, weights: np.ndarray) -> None:
    """Fail unless (n, N) occupancies have the mean `expected`."""
    n, found = len(found), found.astype(float)
    values, mean = found @ weights.T, weights @ expected
    error = values.std(axis=0, ddof=1) / math.sqrt(n)
    scatters = error > 1e-9
    z = (values.mean(axis=0) - mean)[scatters] / error[scatters]
    assert np.abs(z).max() < TOO_FAR
    assert together(values, mean) > TOO_RARE
    variance = expected * (1 - expected)
    common = n * variance > 10
    score = ((found[:, common].mean(axis=0) - expected[common]) ** 2 / (variance[common] / n)).sum()
    correlation = np.cov(found[:, common].T) / np.sqrt(np.outer(variance[common], variance[common]))
    spread = math.sqrt(2 * (correlation**2).sum())
    assert abs(score - common.sum()) < TOO_FAR * spread


def test_bonds_by_distance_are_those_of_the_crystal(particle: Particle, bonds: csr_matrix) -> None:
    for site, row in enumerate(particle.crystal.bonds):
        assert sorted(row[row >= 0]) == sorted(bonds[site].indices)


def test_a_reseeded_simulation_is_a_new_simulation_of_that_seed(particle: Particle) -> None:
    kind = mechanism("y-complex", dock_barrier=DOCK)
    used = Simulation(particle, kind, seed=1)
    used.run(events=100)
    again, fresh = reseeded(used, 2), Simulation(particle, kind, seed=2)
    for run in (again, fresh):
        run.run(events=1000)
    assert again.digest() == fresh.digest() != used.digest()


@pytest.mark.parametrize(
    ("scheduler", "n_seeds", "steps"), [("rejection", 5000, (1, 4, 16, 64)), ("linear-scan", 400, (1, 8))]
)
@pytest.mark.parametrize("docking", [True, False], ids=["y-complex", "no-complex"])
def test_mean_vacancy_occupancy_obeys_the_linear_master_equation(
    particle: Particle,
    bonds: csr_matrix,
    weights: np.ndarray,
    docking: bool,
    scheduler: str,
    n_seeds: int,
    steps: tuple[int, ...],
) -> None:
    kind = mechanism("y-complex", dock_barrier=DOCK) if docking else mechanism("no-complex")
    simulation = Simulation(particle, kind, "300 °C", scheduler=scheduler)
    hop, dock = arrhenius(1.65), arrhenius(DOCK) if docking else 0.0
    times = [s / (WAYS * hop) for s in steps]
    start = (particle.occupants == VACANCY).astype(float)
    found = ensemble(simulation, times, n_seeds)
    exact = [expm_multiply(generator(bonds, hop, dock) * t, start) for t in times]
    assert (exact[-1].sum() < 0.8 * start.sum()) == docking
    for occupied, expected in zip(found, exact, strict=True):
        compare(occupied, expected, weights)
        total, error = occupied.sum(axis=1), occupied.sum(axis=1).std(ddof=1) / math.sqrt(n_seeds)
        if docking:
            assert abs(total.mean() - expected.sum()) < TOO_FAR * error
        else:
            assert (total == start.sum()).all()


def test_mean_vacancy_occupancy_obeys_the_master_equation_through_changes_of_temperature(
    particle: Particle, bonds: csr_matrix, weights: np.ndarray
) -> None:
    """Hops and dockings have other barriers, so their ratio changes with each segment."""
    kind = mechanism("y-complex", dock_barrier="1.3 eV", barrier="1.5 eV")
    simulation = Simulation(particle, kind, "230 °C for 20 s, 290 °C for 1 s, 210 °C")
    times = [20.0, 20.5, 50.0]
    start = (particle.occupants == VACANCY).astype(float)
    found = ensemble(simulation, times, 1500)
    cold, hot, last = (generator(bonds, arrhenius(1.5, t), arrhenius(1.3, t)) for t in (503.15, 563.15, 483.15))
    first = expm_multiply(cold * 20.0, start)
    exact = [first, expm_multiply(hot * 0.5, first), expm_multiply(last * 29.0, expm_multiply(hot, first))]
    for occupied, expected in zip(found, exact, strict=True):
        compare(occupied, expected, weights)


@pytest.mark.parametrize("name", ["no-complex", "y-complex+laser-strip"])
def test_mean_vacancy_occupancy_obeys_the_master_equation_while_ions_leave(
    particle: Particle, bonds: csr_matrix, weights: np.ndarray, name: str
) -> None:
    """Etching by heat alone; stripping by light, with docking against it."""
    values = {"surface": "etch", "etch_barrier": 1.79} if name == "no-complex" else {"dock_barrier": DOCK}
    leave = arrhenius(1.79) if name == "no-complex" else 60.0 * 3e-5
    light = {} if name == "no-complex" else {"ion_yield": 3e-5}
    simulation = Simulation(particle, mechanism(name, **values, **light), "300 °C")
    hop, dock = arrhenius(1.65), 0.0 if name == "no-complex" else arrhenius(DOCK)
    times = [s / (WAYS * hop) for s in (2, 16)]
    found = ensemble(simulation, times, 1500)
    exposed = np.asarray(bonds.sum(axis=1)).ravel() < WAYS
    affine = vstack(
        [
            hstack([generator(bonds, hop, dock + leave), csr_matrix(leave * exposed[:, None])]),
            csr_matrix((1, exposed.size + 1)),
        ]
    )
    start = np.append((particle.occupants == VACANCY).astype(float), 1.0)
    for occupied, time in zip(found, times, strict=True):
        compare(occupied, expm_multiply(affine.tocsr() * time, start)[:-1], weights)


def test_sinking_vacancies_that_cannot_hop_decay_exponentially(particle: Particle, bonds: csr_matrix) -> None:
    kind = Mechanism("sink-only", summary="Vacancies stay where they are.", source="Assumption: a test")
    kind.sink(irreversible=True)(lambda env: 1.30)
    simulation = Simulation(particle, kind, "300 °C")
    exposed = exposed_vacancies(particle, bonds)
    n0, n_seeds, rate = int(exposed.sum()), 400, arrhenius(1.30)
    for time in (0.4 / rate, 1.5 / rate):
        left = ensemble(simulation, [time], n_seeds)[0]
        assert (left[:, ~exposed] == (particle.occupants == VACANCY)[~exposed]).all()
        p = math.exp(-rate * time)
        assert abs(left[:, exposed].sum() - n_seeds * n0 * p) < TOO_FAR * math.sqrt(n_seeds * n0 * p * (1 - p))


# --- docking alone: every exposed vacancy is a clock of its own ---


@pytest.fixture(scope="module")
def docked(particle: Particle) -> tuple[Simulation, float, list[float], np.ndarray]:
    """Two complexes and no hops: a simulation, the total rate / s⁻¹, times / s and (times, seeds, N) occupants."""
    kind = Mechanism("dock-only", summary="Vacancies stay where they are.", source="Assumption: a test")

    @kind.dock("Y", irreversible=True)
    def yttrium(env: object) -> float:
        return 1.20

    @kind.dock("Lu", irreversible=True)
    def lutetium(env: object) -> float:
        return 1.25

    simulation = Simulation(particle, kind, "300 °C")
    total = arrhenius(1.20) + arrhenius(1.25)
    times = [0.3 / total, 1.0 / total, 3.0 / total]
    found = np.empty((len(times), 3000, particle.crystal.n_sites), dtype=np.uint8)
    for seed in range(found.shape[1]):
        run = reseeded(simulation, seed)
        for k, time in enumerate(times):
            assert run.run_to(time=time) in ("time reached", "nothing left to happen")
            found[k, seed] = run.state.species[run.crystal.sites]
    return simulation, total, times, found


def exposed_vacancies(particle: Particle, bonds: csr_matrix) -> np.ndarray:
    return (particle.occupants == VACANCY) & (np.asarray(bonds.sum(axis=1)).ravel() < WAYS)


def test_exposed_vacancies_that_cannot_hop_decay_exponentially_with_binomial_scatter(
    particle: Particle, bonds: csr_matrix, docked: tuple[Simulation, float, list[float], np.ndarray]
) -> None:
    _, total, times, found = docked
    exposed = exposed_vacancies(particle, bonds)
    n0, n_seeds = int(exposed.sum()), found.shape[1]
    assert n0 > 30
    for time, occupants in zip(times, found, strict=True):
        p = math.exp(-total * time)
        left = (occupants[:, exposed] == VACANCY).sum(axis=1)
        assert abs(left.sum() - n_seeds * n0 * p) < TOO_FAR * math.sqrt(n_seeds * n0 * p * (1 - p))
        scatter = ((left - n0 * p) ** 2).sum() / (n0 * p * (1 - p))
        assert TOO_RARE < chi2.cdf(scatter, n_seeds) < 1 - TOO_RARE
        expected = n_seeds * binom.pmf(np.arange(n0 + 1), n0, p)
        often = expected > 5
        seen = np.bincount(left, minlength=n0 + 1)
        observed = np.append(seen[often], seen[~often].sum())
        assert chisquare(observed, np.append(expected[often], expected[~often].sum())).pvalue > TOO_RARE


def test_every_exposed_vacancy_is_docked_at_the_same_rate_and_no_other_site_changes(
    particle: Particle, bonds: csr_matrix, docked: tuple[Simulation, float, list[float], np.ndarray]
) -> None:
    _, total, times, found = docked
    exposed = exposed_vacancies(particle, bonds)
    assert (found[:, :, ~exposed] == particle.occupants[~exposed]).all()
    for time, occupants in zip(times, found, strict=True):
        p = math.exp(-total * time)
        left = (occupants[:, exposed] == VACANCY).mean(axis=0)
        score = ((left - p) ** 2).sum() / (p * (1 - p) / found.shape[1])
        assert TOO_RARE < chi2.cdf(score, exposed.sum()) < 1 - TOO_RARE


def test_competing_complexes_share_the_vacancies_in_proportion_to_their_rates(
    particle: Particle, bonds: csr_matrix, docked: tuple[Simulation, float, list[float], np.ndarray]
) -> None:
    _, total, _, found = docked
    exposed = exposed_vacancies(particle, bonds)
    share = arrhenius(1.20) / total
    for occupants in found[:, :, exposed]:
        yttrium, lutetium = ((occupants == SPECIES[s].code).sum(axis=0) for s in ("Y", "Lu"))
        n = yttrium + lutetium
        assert abs(yttrium.sum() - n.sum() * share) < TOO_FAR * math.sqrt(n.sum() * share * (1 - share))
        score = ((yttrium - n * share) ** 2 / (n * share * (1 - share))).sum()
        assert TOO_RARE < chi2.cdf(score, exposed.sum()) < 1 - TOO_RARE


@pytest.mark.parametrize("scheduler", ["rejection", "linear-scan"])
def test_docking_through_many_short_phases_follows_the_integral_of_the_rate(
    particle: Particle, bonds: csr_matrix, scheduler: str
) -> None:
    """Each phase is about as long as one waiting time of the particle, so most waiting times cross a change."""
    kind = Mechanism("dock-only", summary="Vacancies stay where they are.", source="Assumption: a test")

    @kind.dock("Y", irreversible=True)
    def yttrium(env: object) -> float:
        return 1.20

    kelvins, length = [573.15, 543.15] * 20, 0.04 / arrhenius(1.20)
    phases = ", ".join(f"{kelvin} K for {length!r} s" for kelvin in kelvins)
    simulation = Simulation(particle, kind, phases, scheduler=scheduler)
    n0, n_seeds = int(exposed_vacancies(particle, bonds).sum()), 400
    left = 0
    for seed in range(n_seeds):
        run = reseeded(simulation, seed)
        run.run_to(time=length * len(kelvins))
        left += n0 - run.state.events
    p = math.exp(-sum(arrhenius(1.20, kelvin) * length for kelvin in kelvins))
    assert abs(left - n_seeds * n0 * p) < TOO_FAR * math.sqrt(n_seeds * n0 * p * (1 - p))


def test_docking_ends_when_every_exposed_vacancy_is_filled(
    particle: Particle, bonds: csr_matrix, docked: tuple[Simulation, float, list[float], np.ndarray]
) -> None:
    exposed = exposed_vacancies(particle, bonds)
    run = reseeded(docked[0], 11)
    assert run.run(time=1e6) == "nothing left to happen"
    vacant = run.state.species[run.crystal.sites] == VACANCY
    assert (vacant == ((particle.occupants == VACANCY) & ~exposed)).all()
    assert run.state.events == run.state.candidates == exposed.sum()
