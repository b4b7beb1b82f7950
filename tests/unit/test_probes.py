"""Probes: profiles, widths, short-range order and counts, against answers found by hand."""

import itertools
import math

import numpy as np
import pytest

from ucnp_abm import Particle
from ucnp_abm.crystal.growth import box
from ucnp_abm.crystal.lattice import named
from ucnp_abm.crystal.species import SPECIES, VACANCY, VOID
from ucnp_abm.errors import BadInput
from ucnp_abm.probes import census, order, profiles

A, B, C = "Y", "Gd", "Yb"
a, b, c = (SPECIES[symbol].code for symbol in (A, B, C))
Z = 3.89  # two-sided p = 1e-4


@pytest.fixture(scope="module")
def layered():
    return Particle.core_shell(
        core="NaGdF4", diameter="2.6 nm", shells=(("NaYbF4", "0.6 nm"), ("NaYF4", "0.6 nm")), seed=2
    )


# --- profiles ---


def test_bins_hold_equal_counts_and_all_sites(small_particle):
    seen = profiles.radial_profile(small_particle.crystal, small_particle.occupants, [A], bins=17)
    assert seen.n_sites.sum() == small_particle.crystal.n_sites
    assert np.ptp(seen.n_sites) <= 1
    assert (np.diff(seen.edges_nm) > 0).all()
    assert (seen.edges_nm[:-1] <= seen.radius_nm).all()
    assert (seen.radius_nm <= seen.edges_nm[1:]).all()


def test_shares_are_of_ions_and_vacancies_of_sites(small_particle):
    held = small_particle.occupants.copy()
    held[:50] = VOID
    counts = census.composition(held)
    symbols = [s for s in counts if s not in ("vacancy", "void")]
    seen = profiles.radial_profile(small_particle.crystal, held, symbols, bins=9)
    assert np.allclose(sum(seen.shares.values()), 1)
    assert seen.n_ions.sum() == sum(counts[s] for s in symbols)
    assert seen.shares[A] @ seen.n_ions == pytest.approx(counts[A])
    assert seen.vacancy_share @ seen.n_sites == pytest.approx(counts["vacancy"])


def test_profile_of_a_pure_core_is_a_step(small_particle):
    crystal = small_particle.crystal
    held = np.where(crystal.layer == 0, b, a).astype(np.uint8)
    seen = profiles.radial_profile(crystal, held, [B], bins=15).shares[B]
    whole = int((crystal.layer == 0).sum()) // (crystal.n_sites / 15)
    assert (seen[: int(whole)] == 1).all()
    assert (seen[int(whole) + 1 :] == 0).all()


def test_standard_error_is_the_scatter_of_random_crystals(small_particle):
    crystal, rng = small_particle.crystal, np.random.default_rng(1)
    drawn = [rng.choice([a, b], size=crystal.n_sites, p=[0.3, 0.7]).astype(np.uint8) for _ in range(300)]
    seen = [profiles.radial_profile(crystal, held, [A], bins=5) for held in drawn]
    shares = np.array([p.shares[A] for p in seen])
    expected = np.mean([p.errors[A] ** 2 for p in seen], axis=0)
    chi2 = (len(drawn) - 1) * shares.var(axis=0, ddof=1) / expected
    assert (abs(chi2 - 299) < Z * math.sqrt(2 * 299)).all()


def test_bin_without_ions_has_no_share(small_particle):
    held = np.full(small_particle.crystal.n_sites, VACANCY, dtype=np.uint8)
    seen = profiles.radial_profile(small_particle.crystal, held, [A], bins=3)
    assert np.isnan(seen.shares[A]).all()
    assert (seen.vacancy_share == 1).all()


@pytest.mark.parametrize(
    ("symbols", "bins", "text"),
    [(["Yd"], 5, "did you mean 'Yb'"), ([A], 0, "bins"), ([A], 2.5, "bins"), ([A], 10**6, "bins")],
)
def test_profile_refuses_what_it_cannot_bin(small_particle, symbols, bins, text):
    with pytest.raises(BadInput, match=text):
        profiles.radial_profile(small_particle.crystal, small_particle.occupants, symbols, bins)


def test_a_periodic_box_has_no_radial_profile():
    room = box(named("sc"), (4, 4, 4))
    with pytest.raises(BadInput, match="no centre"):
        profiles.radial_profile(room, np.full(room.n_sites, a, dtype=np.uint8), [A])


# --- widths ---


def test_linear_fall_has_four_fifths_of_its_length_between_the_levels():
    radius = np.linspace(0, 3, 31)
    share = np.clip(2 - radius, 0, 1)
    assert profiles.width_10_90(radius, share) == pytest.approx(0.8)
    assert profiles.width_10_90(radius, 0.37 * share, plateau=0.37) == pytest.approx(0.8)


def test_noise_that_crosses_a_level_twice_is_pooled_first():
    radius = np.arange(6.0)
    ragged = profiles.width_10_90(radius, [1.0, 0.7, 0.9, 0.1, 0.2, 0.0])
    assert ragged == profiles.width_10_90(radius, [1.0, 0.8, 0.8, 0.15, 0.15, 0.0])


def test_smooth_erf_profile_is_recovered_exactly():
    radius = np.linspace(0, 5, 400)
    share = profiles.erf_profile(radius, 0.9, 3.0, 0.4)
    fit = profiles.fit_erf(radius, share)
    assert (fit.plateau, fit.position_nm, fit.width_nm) == pytest.approx((0.9, 3.0, 0.4), rel=1e-5)
    assert profiles.width_10_90(radius, share / 0.9) == pytest.approx(2.5631 * 0.4, rel=1e-3)


@pytest.mark.parametrize("width", [0.25, 0.5])
def test_drawn_erf_profile_on_a_real_crystal_is_recovered(paper_particle, width):
    radius, rng = profiles.distances_nm(paper_particle.crystal), np.random.default_rng(5)
    seen = []
    for _ in range(25):
        own = rng.random(radius.size) < profiles.erf_profile(radius, 1.0, 3.35, width)
        fit = profiles.fit_erf(radius, own)
        seen.append((fit.plateau, fit.position_nm, fit.width_nm, profiles.width_10_90(*profiles.binned(radius, own))))
    error = np.std(seen, axis=0, ddof=1) / 5
    assert (abs(np.mean(seen, axis=0) - (1.0, 3.35, width, 2.5631 * width)) < 4.7 * error).all()  # t, 24 degrees


def test_a_step_is_as_narrow_as_the_sites_allow(paper_particle):
    crystal = paper_particle.crystal
    radius, own = profiles.members(crystal, paper_particle.state())
    assert profiles.fit_erf(radius, own).width_nm < 0.01
    bins = profiles.binned(radius, own)
    assert 0 < profiles.width_10_90(*bins) < 2 * np.diff(bins[0])[abs(bins[0][1:] - 3.35) < 0.5].max()


@pytest.mark.parametrize(
    "share", [[0.5] * 8, [0.85] * 4 + [0.0] * 4, [1.0] * 4 + [0.2] * 4, [1.0] * 8, [1.0] * 4 + [math.nan] * 4, [], [1]]
)
def test_profile_that_does_not_span_the_levels_has_no_width(share):
    assert math.isnan(profiles.width_10_90(np.arange(len(share)), share))


@pytest.mark.parametrize("share", [[0.5] * 8, [1.0] * 8, [math.nan] * 8, [], [0, 0, 0, 0, 1, 1, 1, 1]])
def test_profile_without_a_fall_has_no_fit(share):
    assert math.isnan(profiles.fit_erf(np.arange(len(share)), share).width_nm)


def test_completely_mixed_core_has_neither_width(paper_particle):
    radius = profiles.distances_nm(paper_particle.crystal)
    own = np.random.default_rng(3).random(radius.size) < 0.3
    assert math.isnan(profiles.width_10_90(*profiles.binned(radius, own)))
    assert math.isnan(profiles.fit_erf(radius, own).width_nm)


# --- short-range order ---


def arranged(lattice, cells, chosen):
    """A box with A, and B on the sites that `chosen` picks by basis and position in cells."""
    room = box(named(lattice), cells)
    places = np.linalg.solve(np.array(room.lattice.cell).T, room.points.T).T
    return room, np.where(chosen(room.basis[room.place[room.sites]], places), b, a).astype(np.uint8)


def test_b2_order_on_bcc():
    room, held = arranged("bcc", (4, 4, 4), lambda basis, _: basis == 1)
    n = room.n_sites
    alpha = order.warren_cowley(room, held, (A, B)).alpha
    unlike, like = -1 + 2 / n, 1.0  # P(B|A) = 1 against (n / 2) / (n - 1)
    assert alpha == pytest.approx(np.array([[like, unlike], [unlike, like]]), abs=1e-12)


def test_l12_order_on_fcc():
    room, held = arranged("fcc", (3, 3, 3), lambda basis, _: basis == 0)
    n = room.n_sites
    alpha = order.warren_cowley(room, held, (A, B)).alpha
    unlike = 1 - (1 / 3) * (n - 1) / (n / 4)  # an A has 4 B and 8 A around it
    alike = 1 - (2 / 3) * (n - 1) / (3 * n / 4 - 1)
    assert alpha == pytest.approx(np.array([[alike, unlike], [unlike, 1.0]]), abs=1e-12)


def test_slabs_apart():
    room, held = arranged("sc", (6, 6, 6), lambda _, place: place[:, 0] > 2.5)
    seen = order.warren_cowley(room, held, (A, B))
    assert seen.neighbours[0, 1] == 2 * 36  # two faces of 36 bonds
    assert seen.alpha[0, 1] == pytest.approx(1 - (72 / (6 * 108)) * 215 / 108, abs=1e-12)


def test_bond_classes_are_told_apart():
    room, held = arranged("beta", (4, 4, 4), lambda basis, _: basis == 1)
    along = order.warren_cowley(room, held, (A, B), "c").alpha
    between = order.warren_cowley(room, held, (A, B), "ab").alpha
    assert along[0, 1] == 1.0
    assert along[0, 0] < 0 < between[0, 0]
    assert between[0, 1] == pytest.approx(-1 + 2 / room.n_sites)
    both = order.warren_cowley(room, held, (A, B)).neighbours
    assert (both == sum(order.warren_cowley(room, held, (A, B), k).neighbours for k in ("c", "ab"))).all()


def test_mean_over_all_arrangements_of_fixed_counts_is_zero():
    room = box(named("sc"), (3, 3, 3))
    total, n = np.zeros((2, 2)), 0
    for pair in itertools.combinations(range(room.n_sites), 2):
        held = np.full(room.n_sites, b, dtype=np.uint8)
        held[list(pair)] = a
        total += order.warren_cowley(room, held, (A, B)).alpha
        n += 1
    assert n == 351
    assert abs(total / n).max() < 1e-12


def test_random_particle_with_vacancies_has_no_order(small_particle):
    crystal, rng = small_particle.crystal, np.random.default_rng(7)
    seen = np.array(
        [order.warren_cowley(crystal, rng.permutation(small_particle.occupants), (A, B, C)).alpha for _ in range(300)]
    )
    bias = 2 / crystal.n_sites
    assert (abs(seen.mean(axis=0)) < Z * seen.std(axis=0, ddof=1) / math.sqrt(300) + bias).all()


def test_vacancies_and_voids_are_no_partners():
    room, held = arranged("bcc", (4, 4, 4), lambda basis, _: basis == 1)
    held[3:40:3], held[50:90:7] = VACANCY, VOID
    n, n_b = int(census.ions(held).sum()), int((held == b).sum())
    seen = order.warren_cowley(room, held, (A, B))
    assert seen.alpha[0, 1] == pytest.approx(1 - (n - 1) / n_b)
    assert (seen.neighbours == seen.neighbours.T).all()


def test_missing_neighbours_at_the_surface_do_not_count(small_particle):
    crystal = small_particle.crystal
    seen = order.warren_cowley(crystal, np.full(crystal.n_sites, a, dtype=np.uint8), (A,))
    assert seen.neighbours == crystal.coordination[crystal.place[crystal.sites]].sum(dtype=int)


def test_third_species_counts_as_something_else():
    room, held = arranged("bcc", (4, 4, 4), lambda basis, _: basis == 1)
    held[held == b] = np.where(np.arange((held == b).sum()) % 2, b, c)
    pair = order.warren_cowley(room, held, (A, B)).alpha
    three = order.warren_cowley(room, held, (A, B, C)).alpha
    assert (pair == three[:2, :2]).all()


def test_single_ion_has_no_partner_of_its_kind():
    room = box(named("sc"), (3, 3, 3))
    held = np.full(room.n_sites, b, dtype=np.uint8)
    held[4] = a
    alpha = order.warren_cowley(room, held, (A, B, C)).alpha
    assert np.isnan([alpha[0, 0], *alpha[2], *alpha[:, 2]]).all()
    assert alpha[0, 1] == 0  # all others are B


def test_unknown_bond_and_ion_are_refused(small_particle):
    with pytest.raises(BadInput, match="did you mean 'ab'"):
        order.warren_cowley(small_particle.crystal, small_particle.occupants, (A,), "bb")
    with pytest.raises(BadInput, match="unknown species 'vacancy'"):
        order.warren_cowley(small_particle.crystal, small_particle.occupants, ("vacancy",))


# --- counts by identity, layer and zone ---


def exchanged(crystal, state, i, j):
    """Two occupants trade places, with their identities."""
    for array in (state.species, state.slot):
        array[crystal.sites[[i, j]]] = array[crystal.sites[[j, i]]]


def ion_of(crystal, state, layer, n=0):
    return int(np.flatnonzero((crystal.layer == layer) & census.ions(census.occupants(crystal, state)))[n])


def test_every_layer_reports_its_own_leaks(layered):
    crystal, state = layered.crystal, layered.state()
    assert set(census.outside_by_layer(crystal, state).values()) == {0.0}
    exchanged(crystal, state, ion_of(crystal, state, 0), ion_of(crystal, state, 1))
    exchanged(crystal, state, ion_of(crystal, state, 0, 5), ion_of(crystal, state, 2))
    own = [int(((crystal.layer == n) & census.ions(layered.occupants)).sum()) for n in range(3)]
    seen = census.outside_by_layer(crystal, state)
    assert seen == pytest.approx({"core": 2 / own[0], "shell 1": 1 / own[1], "shell 2": 1 / own[2]})


def test_vacancies_voids_and_docked_ions_never_leak(layered):
    crystal, state = layered.crystal, layered.state()
    for n, becomes in enumerate((VACANCY, VOID, a)):
        i, j = ion_of(crystal, state, 0), ion_of(crystal, state, 2, 3 * n)
        exchanged(crystal, state, i, j)
        state.species[crystal.sites[j]] = becomes
        if becomes == a:
            state.origin[state.slot[crystal.sites[j]]] = 255
    seen = census.outside_by_layer(crystal, state)
    assert seen["core"] == 0
    assert seen["shell 2"] > 0
    assert {s: n for s, n in census.from_complexes(crystal, state).items() if n} == {A: 1}


def test_layer_that_has_lost_all_its_ions_has_no_share(small_particle):
    state = small_particle.state()
    state.origin[:] = 1
    assert math.isnan(census.outside_by_layer(small_particle.crystal, state)["core"])


def test_zones_add_up_to_the_particle(layered):
    by_zone = census.composition_by_zone(layered.crystal, layered.occupants)
    assert list(by_zone) == list(layered.crystal.zones)
    for symbol, n in layered.counts.items():
        assert sum(zone.get(symbol, 0) for zone in by_zone.values()) == n
    vacancies = census.vacancies_by_zone(layered.crystal, layered.occupants)
    assert vacancies == {zone: held.get("vacancy", 0) for zone, held in by_zone.items()}


def test_displacement_is_that_of_the_ions_that_moved(layered):
    crystal, state = layered.crystal, layered.state()
    i, j = ion_of(crystal, state, 0), ion_of(crystal, state, 1)
    exchanged(crystal, state, i, j)
    apart = np.linalg.norm(crystal.points[i] - crystal.points[j])
    n = census.ions(layered.occupants).sum()
    assert census.rms_displacement(crystal, state) == pytest.approx(apart * math.sqrt(2 / n))
    state.origin[state.slot[crystal.sites[i]]] = 255
    assert census.rms_displacement(crystal, state) == pytest.approx(apart * math.sqrt(1 / (n - 1)))
