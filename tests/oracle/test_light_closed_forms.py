"""Energy in linear networks against exact answers: pairs, rings, mixing, lattices, spheres, planes and decays."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lights import by_hand, random_network
from scipy.integrate import quad
from scipy.linalg import expm
from scipy.sparse import csr_matrix

from ucnp_abm import Particle
from ucnp_abm.crystal import growth, lattice
from ucnp_abm.crystal.shapes import Ellipsoid
from ucnp_abm.crystal.species import SPECIES
from ucnp_abm.photons.network import CHANNELS, Network, network
from ucnp_abm.photons.optics import Optics
from ucnp_abm.photons.pairs import inverse_sixth, total
from ucnp_abm.photons.solve import Solver, decay, fate, matrix

MIGRATION = 5.42419349e-39 * 1e48  # Å⁶/s, npt
K_YB = 642.4318536 + 1.03685418e-07  # 1/s, npt

seeds = st.integers(0, 10**6)
often = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def faster(net: Network, factor: float) -> Network:
    return dataclasses.replace(net, hops=net.hops * factor)


def small_particle(seed: int, core: str = "NaGdF4: 30% Yb, 3% Tm") -> Particle:
    return Particle.core_shell(core=core, diameter="2.4 nm", shell="NaYF4", thickness="0.8 nm", seed=seed)


# Two sites


@pytest.mark.parametrize("ratio", [0.3, 0.9, 1.0, 1.4, 3.0])
def test_pair_transfers_with_foersters_efficiency(ratio):
    """E = 1 / (1 + (r/R0)⁶)."""
    c, k = 1e6, 500.0
    r = ratio * (c / k) ** (1 / 6)
    found = fate(by_hand([[0.0]], radiated=k, vacancies=c / r**6))
    assert found.shares["vacancies"] == pytest.approx(1 / (1 + ratio**6), rel=1e-12)
    assert found.lifetime_s == pytest.approx(1 / (k + c / r**6), rel=1e-12)


@pytest.mark.parametrize("apart", [3.0, 8.0, 19.0])
def test_pair_of_sites_in_a_crystal_transfers_with_foersters_efficiency(apart):
    around = Ellipsoid((apart / 2, 0.0, 0.0), (0.6 * apart, 1.0, 1.0))
    crystal = growth.layered(lattice.chain(apart), (around,), ("core",), 0.0)
    particle = Particle.of(crystal, ["Yb", "vacancy"])
    optics = Optics(vacancy_quenching="1e-40 cm^6/s", surface_density=0.0)
    found = fate(network(crystal, particle.occupants, optics))
    r0 = (1e-40 * 1e48 / K_YB) ** (1 / 6)
    assert found.shares["vacancies"] == pytest.approx(1 / (1 + (apart / r0) ** 6), rel=1e-9)


def test_pair_that_gives_back_is_solved_by_hand():
    """Yb (a away, u out) and Er (b back, v out): time on Yb (b + v) / D, on Er a / D, with D = u b + a v + u v."""
    crystal = growth.layered(lattice.chain(4.0), (Ellipsoid((2.0, 0.0, 0.0), (2.4, 1.0, 1.0)),), ("core",), 0.0)
    occupants = Particle.of(crystal, ["Yb", "Er"]).occupants
    found = fate(network(crystal, occupants, Optics(surface_density=0.0)))
    a, b = (c * 1e48 / 4.0**6 for c in (1.178334514e-39, 6.281796707e-40))
    u, v = K_YB, 101.8976171 + 21.78101639 + 1180.975004
    both = u * b + a * v + u * v
    assert found.dwell_s == pytest.approx([(b + v) / both, a / both], rel=1e-9)
    assert found.shares["radiated"] == pytest.approx(
        ((b + v) * 642.4318536 + a * (101.8976171 + 21.78101639)) / both, rel=1e-9
    )


# Rings


@pytest.mark.parametrize("reach", [1, 2, 4])
def test_ring_has_the_eigenvalues_of_plane_waves(reach):
    """k + sum over s of 2 w / s⁶ (1 - cos s q)."""
    n, a = 12, 3.87
    ring = growth.box(lattice.chain(a), (n, 1, 1))
    net = network(ring, Particle.of(ring, ["Yb"] * n).occupants, Optics(cutoff=(reach + 0.1) * a))
    q, w = 2 * np.pi * np.arange(n) / n, MIGRATION / a**6
    exact = K_YB + sum(2 * w / s**6 * (1 - np.cos(s * q)) for s in range(1, reach + 1))
    assert np.linalg.eigvalsh(matrix(net).toarray()) == pytest.approx(np.sort(exact), rel=1e-9)


# Mixing, bounds, sums


def test_fast_migration_mixes_and_its_first_correction_is_known():
    """tau k = 1 + x / s with hops times s; x = d·L⁺d / (n k), d the scatter of the rates, L the hops' Laplacian."""
    particle = small_particle(3)
    net = network(particle.crystal, particle.occupants, Optics())
    k = net.ending
    hops = net.hops.toarray()
    laplacian = np.diag(hops.sum(axis=1)) - hops
    spread = k - k.mean()
    first = spread @ np.linalg.pinv(laplacian) @ spread / (len(k) * k.mean())
    for s in (1e3, 1e4):
        found = fate(faster(net, s))
        beyond = found.lifetime_s * k.mean() - 1
        assert beyond == pytest.approx(first / s, rel=10 * first / s + 1e-6)
        tau0 = 1 / (k - net.quenching)[0]
        if np.ptp(net.channels["activators"]) == 0:
            assert tau0 / found.lifetime_s == pytest.approx(1 + net.mean_quenching * tau0, rel=2 * first / s)
    assert found.k_eff == pytest.approx(found.k_mean, rel=1e-2)


def test_well_mixed_quenching_adds_the_mean_rate():
    """tau0 / tau = 1 + <k_q> tau0, from a crystal without activators."""
    particle = small_particle(5, "NaGdF4: 30% Yb")
    net = faster(network(particle.crystal, particle.occupants, Optics()), 1e6)
    tau0 = 1 / K_YB
    found = fate(net)
    assert found.k_mean * tau0 > 5
    assert tau0 / found.lifetime_s == pytest.approx(1 + found.k_mean * tau0, rel=1e-4)
    assert found.k_eff == pytest.approx(found.k_mean, rel=1e-4)


@often
@given(seed=seeds, factor=st.floats(1.01, 100))
def test_lifetime_lies_between_no_mixing_and_full_mixing_and_falls_with_migration(seed, factor):
    net = random_network(seed)
    net = dataclasses.replace(net, start=net.weight / net.weight.sum())  # the start that hops leave as it is
    k = net.ending
    slow, fast = (fate(faster(net, s)).lifetime_s for s in (1.0, factor))
    slack = 1 + 1e-10
    assert 1 / (net.start @ k) <= fast * slack
    assert fast <= slow * slack
    assert slow <= (net.start @ (1 / k)) * slack


@often
@given(seed=seeds, speed=st.sampled_from([0.0, 1.0, 1e3]))
def test_shares_add_up_to_one(seed, speed):
    """To 1e-12, or to what rounding leaves of K n where hops outrun the ends by more than four powers of ten."""
    net = random_network(seed, speed=speed)
    found = fate(net)
    rounding = np.finfo(float).eps * float(matrix(net).diagonal() @ found.dwell_s) * net.n_carriers
    assert math.fsum(found.shares.values()) == pytest.approx(1, abs=max(1e-12, rounding))
    assert speed > 1 or rounding < 1e-9


@pytest.mark.parametrize("core", ["NaGdF4: 49% Yb, 1% Tm", "NaGdF4: 30% Yb, 10% Er"])
def test_shares_of_a_particle_add_up_to_one(core):
    particle = small_particle(1, core)
    for cutoff in (None, "10 Å"):
        found = fate(network(particle.crystal, particle.occupants, Optics(cutoff=cutoff)))
        assert math.fsum(found.shares.values()) == pytest.approx(1, abs=1e-12)


@often
@given(seed=seeds)
def test_time_to_live_is_the_same_from_the_start_and_to_the_end(seed):
    """start·K⁻¹1 = 1·K⁻ᵀstart, and the chances of all ends add up to one from every carrier."""
    net = random_network(seed)
    solver = Solver(net)
    assert net.start @ solver.expected(np.ones(net.n_carriers)) == pytest.approx(fate(net).lifetime_s, rel=1e-11)
    chances = sum(solver.expected(net.channels[name]) for name in CHANNELS)
    assert chances == pytest.approx(np.ones(net.n_carriers), abs=1e-10)


# Immobile donors (Inokuti and Hirayama, doi:10.1063/1.1697063)


def test_donors_that_do_not_hop_decay_as_inokuti_and_hirayama_say():
    """S = exp(-t/tau) prod_j [1 - c + c exp(-C t / r_j⁶)] over the sites of the lattice, as the mean of 60 boxes."""
    room = growth.box(lattice.named("fcc"), (6, 6, 6))
    share, c = 0.05, 1e-40 * 1e48
    optics = Optics(vacancy_quenching="1e-40 cm^6/s", cutoff="15 Å")  # less than half of the box: one image each
    times = np.array([1e-5, 5e-5, 2e-4, 5e-4])
    points = room.points
    cell = room.cells[:, None] * np.array(room.lattice.cell)
    rates = c * inverse_sixth(points[:1], points, 15.0, cell).toarray()[0]
    exact = np.exp(-K_YB * times) * np.prod(1 - share + share * np.exp(-np.outer(times, rates)), axis=1)
    means = []
    for seed in range(60):
        draw = np.random.default_rng(seed).random(room.n_sites)
        occupants = np.full(room.n_sites, SPECIES["Y"].code, np.uint8)
        occupants[draw < 0.1], occupants[draw > 1 - share] = SPECIES["Yb"].code, 0
        net = faster(network(room, occupants, optics), 0.0)
        means.append(np.exp(-np.outer(times, net.ending)).mean(axis=1))
        if seed == 0:
            assert decay(net)(times) == pytest.approx(means[0], rel=1e-6)
    errors = np.std(means, axis=0, ddof=1) / 60**0.5
    assert (errors < 0.06 * exact).all()
    assert (np.abs(np.mean(means, axis=0) - exact) < 3.5 * errors).all()


@pytest.mark.parametrize("radius", [2.0, 3.0, 4.0])
def test_dilute_lattice_decays_as_the_continuum(radius):
    """The sum over sites of f = 1 - exp(-R⁶/r⁶), the donor's own site added, is n (4/3) pi^(3/2) R³ with R⁶ = C t.

    Beyond the cutoff L there is 4 pi n R⁶ / (3 L³). By Poisson's formula lattice and integral differ by the Fourier
    transform of f at the reciprocal vectors, 2 pi times (100) to (111) here; the next, (200), bounds the rest.
    """
    cutoff = 208.5**0.5  # between two shells
    near = np.stack(np.meshgrid(*[np.arange(-15, 16)] * 3), -1).reshape(-1, 3).astype(float)
    rates = inverse_sixth(np.zeros((1, 3)), near, cutoff).data * radius**6
    lattice_sum = 1 + (-np.expm1(-rates)).sum() + 4 * math.pi * radius**6 / (3 * cutoff**3)

    def transform(g: float) -> float:
        def summand(r: float) -> float:
            return -r * math.expm1(-((radius / r) ** 6)) if r > 0 else 0.0

        return 4 * math.pi / g * quad(summand, 0, math.inf, weight="sin", wvar=g, epsabs=1e-9)[0]

    continuum = 4 / 3 * math.pi**1.5 * radius**3
    shells = [count * transform(2 * math.pi * size**0.5) for count, size in ((6, 1), (12, 2), (8, 3), (6, 4))]
    rim = 10 * cutoff * radius**6 / cutoff**6 * 3  # as `_rim`
    assert lattice_sum == pytest.approx(continuum + sum(shells[:3]), abs=rim + 2 * abs(shells[3]))
    assert abs(sum(shells)) < 0.02 * 0.1 ** (radius - 2) * continuum  # the continuum is the limit
    for c in (1e-3, 1e-4):
        product = -np.log1p(c * np.expm1(-rates)).sum()
        assert product / c == pytest.approx((-np.expm1(-rates)).sum(), rel=c)  # the next order of c is c / 2


# Lattices

SUMS = {"sc": (8.401924, 16.53232), "fcc": (14.453921, 25.33834)}


@pytest.mark.parametrize("kind", SUMS)
def test_hop_rate_of_a_full_lattice_is_its_lattice_sum(kind):
    """k_hop = L6 C / d⁶, from a periodic box with all images within L = 12 d, and 4 pi n / (3 L³) beyond."""
    made = lattice.named(kind)
    d = made.bonds[0][1]
    room, reach = growth.box(made, (3, 3, 3)), 144.5**0.5  # between two shells
    net = network(room, Particle.of(room, ["Yb"] * room.n_sites).occupants, Optics(cutoff=reach * d))
    density = len(made.basis) * d**3 / abs(np.linalg.det(made.cell))  # per d³
    beyond = 4 * math.pi * density / (3 * reach**3)
    rate = np.asarray(net.hops.sum(axis=1)).ravel() * d**6 / MIGRATION
    assert rate + beyond == pytest.approx(np.full(room.n_sites, SUMS[kind][0]), abs=_rim(density, reach, 6))
    assert net.truncation == pytest.approx(beyond / rate[0], rel=1e-9)


@pytest.mark.parametrize("kind", SUMS)
def test_diffusion_constant_of_a_full_lattice_is_its_lattice_sum(kind):
    """D = sum of W r² / 6 = (L4 / 6) C / d⁴, within L = 20 d, and 4 pi n / L beyond."""
    made = lattice.named(kind)
    d = made.bonds[0][1]
    room, reach = growth.sphere(made, (20.3 * d,), ("core",), 0.0), 400.5**0.5
    points = room.points
    rates = inverse_sixth(np.zeros((1, 3)), points, reach * d).data * MIGRATION
    squares = (MIGRATION / rates) ** (1 / 3)
    density = len(made.basis) * d**3 / abs(np.linalg.det(made.cell))
    diffusion = (rates * squares).sum() / 6 * d**4 / MIGRATION + 4 * math.pi * density / reach / 6
    assert diffusion == pytest.approx(SUMS[kind][1] / 6, abs=_rim(density, reach, 4) / 6)


def _rim(density: float, cutoff: float, power: int) -> float:
    """What a ball of lattice points can differ from its volume by, 10 L in sc (less up to L = 20), times r^-power."""
    return 10 * density * cutoff ** (1 - power) * (1 + power / (power - 1))


@pytest.mark.parametrize("cells", [6, 12])
def test_ball_with_an_absorbing_surface_lives_as_diffusion_says(cells):
    """tau = (1/k) [1 - (3/phi²)(phi coth phi - 1)], phi = R sqrt(k/D), D = w d²: the limit of a fine lattice.

    From r the continuum lives for u = (1/k) [1 - R sinh(q r) / (r sinh(q R))], q² = k/D. An excitation of the lattice
    ends on the first empty point, somewhere from R to R + d. sinh(q r)/r is a mean of exp(q n·x) over all directions n,
    and the lattice's Laplacian of these lies between q² and 2 (cosh(q d) - 1)/d² times them; so by the maximum
    principle every lifetime of the lattice lies between u of R with a q' such that 2 (cosh(q' d) - 1)/d² = k/D, and u
    of R + d with q.
    """
    d = 3.87
    radius = (cells + 0.02) * d
    room = growth.sphere(lattice.sc(d), (radius,), ("core",), 0.0)
    net = network(room, np.full(room.n_sites, SPECIES["Yb"].code, np.uint8), Optics(cutoff=1.01 * d))
    w = MIGRATION / d**6
    k = 9.0 * w / cells**2  # phi = 3
    net = dataclasses.replace(
        net,
        surface=net.surface * (w / net.surface.max()),  # each missing neighbour takes what a neighbour would
        beyond={},
        radiated=np.full(net.n_carriers, k),
        nonradiative=np.zeros(net.n_carriers),
    )
    r = np.maximum(np.linalg.norm(net.positions, axis=1), 1e-6)

    def lives(edge: float, q: float) -> np.ndarray:
        return (1 - edge * np.sinh(q * r) / (r * np.sinh(q * edge))) / k

    q = math.sqrt(k / w) / d
    least, most = lives(radius, math.acosh(1 + k / w / 2) / d), lives(radius + d, q)
    found = Solver(net).expected(np.ones(net.n_carriers))
    assert (least <= found * (1 + 1e-9)).all()
    assert (found <= most * (1 + 1e-9)).all()
    phi = q * radius
    exact = (1 - 3 / phi**2 * (phi / math.tanh(phi) - 1)) / k
    sites = 10 * (cells / 4.19 / cells**3)  # the sites of a ball differ from its volume by less than 10 R
    assert least.mean() / exact - 1 == pytest.approx(0, abs=sites + q * d)
    assert -sites - (q * d) ** 2 / 12 < fate(net).lifetime_s / exact - 1 < most.mean() / exact - 1 + 1e-9
    slope = (phi / math.tanh(phi) - 1) * (1 / (exact * k) - 1)  # of tau with the edge, relative
    assert most.mean() / exact - 1 < slope / cells + sites  # which vanishes as d / R does


# Surfaces


@pytest.mark.parametrize("depth", [5.0, 8.0, 15.0])
def test_plane_of_quenchers_takes_the_inverse_fourth_power_of_the_distance(depth):
    """k = pi sigma C / (2 d⁴), less pi sigma C / (2 (d² + L²)²) for a disc of radius L."""
    x, y = np.meshgrid(np.arange(-80, 81) + 0.13, np.arange(-80, 81) + 0.37)
    disc = x**2 + y**2 < 80**2
    plane = np.stack([x[disc], y[disc], np.zeros(disc.sum())], axis=1)
    exact = math.pi / (2 * depth**4) - math.pi / (2 * (depth**2 + 80**2) ** 2)
    far = math.pi / (2 * 900**2)  # from partners more than 30 Å away, which clusters give to 5 %
    rim = 10 * 80 / 80**6
    found = total(np.array([[0.0, 0.0, depth]]), plane)[0]
    assert found == pytest.approx(exact, abs=0.05 * far + rim + exact * 1e-6)  # a grid of 1 Å adds exp(-2 pi d)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.85])
def test_sphere_of_quenchers_takes_what_its_integral_says(share):
    """k(rho) = sigma C 2 pi R² / (4 R rho) [(R - rho)⁻⁴ - (R + rho)⁻⁴]; 4 pi sigma C / R⁴ in the middle."""
    radius, n = 40.0, 40_000
    z = 1 - (2 * np.arange(n) + 1) / n
    turn = np.arange(n) * math.pi * (3 - math.sqrt(5))
    points = radius * np.stack([np.sqrt(1 - z**2) * np.cos(turn), np.sqrt(1 - z**2) * np.sin(turn), z], axis=1)
    sigma = n / (4 * math.pi * radius**2)
    rho = share * radius
    if share:
        exact = 2 * math.pi * radius / (4 * rho) * ((radius - rho) ** -4 - (radius + rho) ** -4)
        far = 2 * math.pi * radius / (4 * rho) * (max(30.0, radius - rho) ** -4 - (radius + rho) ** -4)
    else:
        exact = far = 4 * math.pi / radius**4
    direction = np.array([0.48, -0.6, 0.64])
    found = total(rho * direction[None], points)[0] / sigma
    assert found == pytest.approx(exact, abs=0.05 * far + 1e-4 * exact)


def test_far_partners_in_clusters_count_to_five_per_cent():
    draw = np.random.default_rng(1)
    points, others = draw.uniform(-50, 50, (40, 3)), draw.uniform(-50, 50, (5000, 3))
    exact = inverse_sixth(points, others, math.inf)
    far = exact.copy()
    far.data[far.data > 30.0**-6] = 0
    whole, distant = (np.asarray(each.sum(axis=1)).ravel() for each in (exact, far))
    assert (np.abs(total(points, others) - whole) < 0.05 * distant + 1e-12 * whole).all()
    assert (np.abs(total(points, others) - whole) > 0).any()


@pytest.mark.parametrize("cutoff", [8.0, 12.0, 20.0])
@pytest.mark.parametrize("seed", range(2))
def test_truncation_is_an_upper_bound_in_real_particles(cutoff, seed):
    particle = Particle.core_shell(
        core="NaGdF4: 49% Yb, 1% Tm", diameter="5 nm", shell="NaYF4", thickness="1.65 nm", seed=seed
    )
    nets = [network(particle.crystal, particle.occupants, Optics(cutoff=each)) for each in (cutoff, None)]
    held, whole = (net.hops.sum() for net in nets)
    assert nets[1].truncation == 0
    assert 0 < whole / held - 1 < nets[0].truncation


# Decays


@pytest.mark.parametrize("seed", range(8))
def test_decay_is_the_exponential_of_the_matrix(seed):
    net = random_network(seed)
    absorbing = np.arange(net.n_carriers) < max(2, net.n_carriers // 2)
    weight = np.where(absorbing, 1.0, net.weight)
    hops = csr_matrix(net.hops.multiply(net.weight[:, None]) / weight[:, None])  # the same flows
    net = dataclasses.replace(net, weight=weight, hops=hops, start=absorbing / absorbing.sum())
    k = matrix(net).toarray()
    times = np.array([0.0, 1e-5, 1e-4, 5e-4, 2e-3])
    found = decay(net)
    exact = [(expm(-k.T * t) @ net.start)[absorbing].sum() for t in times]
    assert found(times) == pytest.approx(exact, abs=1e-8)
    assert found.weights.sum() == pytest.approx(1, abs=1e-12)
    assert (found.weights >= 0).all()
    assert (found.rates > 0).all()
    assert found.integral_s == pytest.approx(fate(net).dwell_s[absorbing].sum(), rel=1e-8)


@pytest.mark.parametrize("core", ["NaGdF4: 30% Yb, 3% Tm", "NaGdF4: 30% Yb, 10% Er"])
def test_decay_of_a_particle_is_the_exponential_of_the_matrix(core):
    particle = small_particle(1, core)
    net = network(particle.crystal, particle.occupants, Optics(vacancy_quenching="1e-41 cm^6/s"))
    k, yb = matrix(net).toarray(), net.symbols == "Yb"
    times = np.array([0.0, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3])
    found = decay(net)
    exact = [(expm(-k.T * t) @ net.start)[yb].sum() for t in times]
    assert found(times) == pytest.approx(exact, abs=1e-8)
    assert found.integral_s == pytest.approx(fate(net).dwell_s[yb].sum(), rel=1e-8)
