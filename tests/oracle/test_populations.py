"""Populations of all levels against textbook rate equations, closed forms and conservation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from naive_light import NaiveLight
from scipy.sparse import csr_matrix

from ucnp_abm import Particle, light
from ucnp_abm.crystal.species import SYMBOLS, VACANCY
from ucnp_abm.errors import BadInput
from ucnp_abm.photons import cascade, closure, decays, steady
from ucnp_abm.photons import pairs as pairwise
from ucnp_abm.photons.light import Light
from ucnp_abm.photons.optics import Optics
from ucnp_abm.photons.rates import rate_set
from ucnp_abm.photons.system import Activators, system

CQ = 1e-41


def small(dopants, seed=3):
    return Particle.core_shell(
        core=f"NaGdF4: {dopants}", diameter="1.4 nm", shell="NaYF4", thickness="0.4 nm", bulk_vacancies=0.05, seed=seed
    )


def both(dopants, rates):
    """A system, and the same written out."""
    particle = small(dopants)
    optics = Optics(rates=rates, vacancy_quenching=CQ, surface_quenching=0, gd_transfer=0, correlated=False)
    crystal, held = particle.crystal, particle.occupants
    points = crystal.points
    ions = [(SYMBOLS[int(h)], p) for h, p in zip(held, points, strict=True) if SYMBOLS[int(h)] in ("Yb", "Tm", "Er")]
    vacant = [(p, CQ * 1e48) for h, p in zip(held, points, strict=True) if h == VACANCY]
    return system(crystal, held, optics), NaiveLight(rate_set(rates), ions, vacant)


CASES = [
    ("30% Yb, 12% Tm", "npt"),
    ("30% Yb, 12% Tm", "simetuc"),
    ("30% Yb, 12% Er", "npt"),
    ("30% Yb, 6% Er, 6% Tm", "npt"),
]


@pytest.mark.parametrize("pump", [0.2, 200.0])
@pytest.mark.parametrize(("dopants", "rates"), CASES)
def test_stationary_populations_are_those_of_the_textbook(dopants, rates, pump):
    seen, naive = both(dopants, rates)
    found, expected = steady.steady(seen, pump), naive.steady(pump)
    np.testing.assert_allclose(found.yb, naive.levels(expected, "Yb")[:, 1], rtol=1e-6)
    for symbol, levels in found.activators.items():
        np.testing.assert_allclose(levels, naive.levels(expected, symbol), rtol=1e-5, atol=1e-90)


@pytest.mark.parametrize("drive", decays.DRIVES)
@pytest.mark.parametrize(("dopants", "rates"), CASES[:3])
def test_decays_are_those_of_the_textbook(dopants, rates, drive):
    seen, naive = both(dopants, rates)
    stationary = steady.steady(seen, 20.0)
    course = decays.course(seen, stationary, drive)
    lit = naive.steady(20.0)
    start = naive.grounded() if drive == "pulse" else lit
    if drive == "pulse":
        for (symbol, _), at in zip(naive.ions, naive.first, strict=False):
            if symbol == "Yb":
                start[at : at + 2] = 1 - stationary.yb.mean(), stationary.yb.mean()
    times = np.concatenate([[0.0], np.geomspace(1e-5, 5e-3, 30)])
    expected = naive.until(times, start, 0.0, lit)
    yb = naive.levels(expected, "Yb")[:, :, 1].mean(axis=1)
    np.testing.assert_allclose(np.interp(times, course.times_s, course.yb), yb, rtol=5e-3, atol=1e-4 * yb[0])
    symbol = next(iter(course.levels))
    levels = naive.levels(expected, symbol).mean(axis=1)
    for number in range(1, levels.shape[1]):
        curve = np.interp(times, course.times_s, course.levels[symbol][:, number])
        np.testing.assert_allclose(curve, levels[:, number], rtol=0.02, atol=2e-3 * levels[:, number].max() + 1e-60)


def seen_by(these, levels, renewal, **options):
    """r⁻⁶ as each level sees it."""
    return [(these.yb + each).tocsr() for each in closure.corrections(these, levels, renewal, **options)]


def test_what_the_levels_see_adds_up_to_the_mean():
    """The closure moves light between levels: averaged over them, each Yb is as excited as it is."""
    seen, _ = both("30% Yb, 12% Tm", "simetuc")
    each = seen.activators["Tm"]
    levels = np.random.default_rng(0).dirichlet(np.ones(8), size=len(each.sites))
    renewal = seen.losses + seen.leaving
    views = seen_by(each, levels, renewal)
    mean = sum(view.multiply(levels[:, n]) for n, view in enumerate(views))
    np.testing.assert_allclose(mean.toarray(), each.yb.toarray(), rtol=1e-12)
    takes = each.cascade.takes
    for n, m in itertools.combinations(range(8), 2):  # who takes more sees less
        if takes[n] > takes[m]:
            assert (views[n].data < views[m].data).all()
    plain = seen_by(each, levels, renewal, correlated=False)
    fast = seen_by(each, levels, 1e12 * renewal)
    for view, same in zip(fast, plain, strict=True):
        np.testing.assert_allclose(view.toarray(), same.toarray(), rtol=1e-6)


def test_a_taker_alone_with_one_yb_takes_what_supply_allows():
    """Exact for one Yb and a level that stays: n = D' / (D' + w) of what it would be, with D' its decay and pump."""
    points = np.array([[0.0, 0, 0], [0, 0, 4.0]])
    pairs = pairwise.inverse_sixth(points[:1], points[1:])
    kind = cascade.cascade(rate_set("simetuc"), "Tm")
    these = Activators(kind, np.array([1]), kind.own[None], np.zeros((1, 8)), pairs, csr_matrix((1, 1)))
    ground = np.eye(8)[:1]
    renewal = np.array([500.0])
    views = seen_by(these, ground, renewal)
    w = kind.takes[3] * 4.0**-6
    w0 = kind.takes[0] * 4.0**-6
    assert views[0][0, 0] == pytest.approx(4.0**-6)
    assert views[3][0, 0] == pytest.approx(4.0**-6 * (500 + w0) / (500 + w))


def test_what_is_absorbed_ends_somewhere():
    """Excitations of Yb: gained from the pump, lost by decay and quenching, and the rest to the activators, net."""
    seen, _ = both("30% Yb, 12% Tm", "npt")
    found = steady.steady(seen, 1.0)
    tm, each = found.activators["Tm"], seen.activators["Tm"]
    net = each.yb @ (tm @ each.cascade.takes) * found.yb - each.yb @ (tm @ each.cascade.gives) * (1 - found.yb)
    assert (1 - found.yb).sum() == pytest.approx((seen.losses * found.yb).sum() + net.sum(), rel=1e-8)


def test_small_populations_keep_their_digits():
    """A ladder of levels: each is the one below times up / down, exactly, over sixty powers of ten."""
    up, down, n = 1e-9, 1e3, 6
    rates = np.zeros((1, n, n))
    for level in range(1, n):
        rates[0, level - 1, level] = up
        rates[0, level, level - 1] = down
    found = cascade.stationary(cascade.closed(rates))[0]
    np.testing.assert_allclose(found[1:] / found[:-1], up / down, rtol=1e-14)


@pytest.mark.parametrize(("line", "slope"), [(800, 2), (475, 3), (450, 4)])
def test_slopes_at_weak_pump_count_photons(line, slope):
    seen = light(small("30% Yb, 12% Tm"), pump="1e-6 W/cm²")
    assert seen.slope(line) == pytest.approx(slope, abs=0.01)
    weaker = steady.steady(seen.glows[0].system, 1e-9).yb.mean()
    assert steady.steady(seen.glows[0].system, 1e-8).yb.mean() / weaker == pytest.approx(10, rel=1e-5)


def test_450_nm_takes_five_photons_where_only_pairs_of_activators_reach_1d2():
    assert light(small("30% Yb, 12% Tm"), rates="simetuc", pump="1e-6 W/cm²").slope(450) == pytest.approx(5, abs=0.01)


def test_intensity_falls_with_every_vacancy():
    particle = small("30% Yb, 12% Tm")
    filled = particle.occupants.copy()
    filled[filled == VACANCY] = 3
    clean = light(Particle.of(particle.crystal, filled.tolist()))
    assert clean.intensity(450) > light(particle).intensity(450)


def test_hybrid_is_yb_by_yb_where_migration_mixes(tmp_path):
    mixed = tmp_path / "mixed.toml"
    mixed.write_text(
        'name = "mixed"\nbase = "npt"\nsource = "Assumption: a test"\n[transfers]\n'
        '"Yb 2F5/2 -> 2F7/2, Yb 2F7/2 -> 2F5/2" = 1e-33\n'
    )
    particle = small("30% Yb, 12% Tm")
    one, all_of_them = (light(particle, rates=str(mixed), method=m) for m in ("hybrid", "per-ion"))
    assert not one.warnings
    assert one.glows[0].populations.yb.std() < 1e-12 * one.glows[0].populations.yb.mean()
    for line in (450, 475, 800):
        assert one.intensity(line) == pytest.approx(all_of_them.intensity(line), rel=1e-3)


def test_hybrid_gives_way_where_migration_is_slow():
    found = light(small("30% Yb, 12% Tm"), rates="simetuc", method="hybrid", vacancy_quenching=1e-39)
    assert "hybrid does not hold" in found.warnings[0]
    assert found.glows[0].populations.yb.std() > 0


def test_strong_pump_is_said():
    assert "strong pump" in light(small("30% Yb, 12% Tm"), pump="1 MW/cm²").warnings[0]


def test_a_population_is_the_mean_of_its_crystals():
    some = [small("30% Yb, 12% Tm", seed) for seed in (1, 2)]
    together, alone = light(some), [light(each) for each in some]
    assert together.intensity(450) == pytest.approx(np.mean([each.intensity(450) for each in alone]))
    photons = [sum(p for _, p in each.spectrum()) for each in alone]
    assert together.quantum_yield((200, 1e5)) == pytest.approx(sum(photons) / sum(e.absorbed_per_s for e in alone))
    assert isinstance(together, Light)


def test_other_quenchers_need_no_second_look():
    glow = light(small("30% Yb, 12% Tm"), surface_quenching=1e-39).glows[0]
    other = Optics.of(glow.optics, vacancy_quenching=3e-41, surface_quenching=2e-40, pump="9 W/cm²", solvent="water")
    quick, anew = glow.under(other), light(small("30% Yb, 12% Tm"), other).glows[0]
    assert quick.intensity(450) == pytest.approx(anew.intensity(450), rel=1e-8)
    assert quick.fate.k_eff == pytest.approx(anew.fate.k_eff, rel=1e-10)


def test_gd_that_takes_energy_dims_the_ultraviolet_only():
    plain, taking = (light(small("30% Yb, 12% Tm"), gd_transfer=c) for c in (0, 1e-39))
    assert taking.intensity(345) < 0.5 * plain.intensity(345)
    assert taking.intensity(450) == pytest.approx(plain.intensity(450), rel=0.05)


def test_what_gd_takes_ends_somewhere():
    seen = light(small("30% Yb, 12% Tm"), gd_transfer=1e-39, gd_migration=1e-40)
    each, tm = seen.glows[0].system.activators["Tm"], seen.glows[0].populations.activators["Tm"]
    assert seen.to_gd_per_s == pytest.approx((each.to_gd * tm).sum())
    assert sum(seen.gd_shares.values()) == pytest.approx(1.0, abs=1e-12)
    assert seen.gd_shares["vacancies"] > 0
    nothing = light(small("30% Yb, 12% Tm"), gd_transfer=0)
    assert nothing.to_gd_per_s == 0
    assert not any(nothing.gd_shares.values())


def test_quenched_activators_shine_less():
    plain, quenched = (light(small("30% Yb, 12% Tm"), activator_quenching=share) for share in (0, "100 %"))
    assert quenched.intensity(800) < plain.intensity(800)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pump": 0}, "above zero"),
        ({"pump": "-4 W/cm²"}, "above zero"),
        ({"pump": "4 W"}, "intensity"),
        ({"solvent": "watter"}, "did you mean 'water'"),
        ({"rates": "nptt"}, "did you mean 'npt'"),
        ({"rates": 3}, "expected the name"),
        ({"rates": "missing.toml"}, "cannot be read"),
        ({"vacancy_quenching": "-1e-40 cm^6/s"}, "no negative constant"),
        ({"vacancy_quenching": float("nan")}, "finite"),
        ({"surface_quenching": "1 nm"}, "transfer constant"),
        ({"surface_density": -1}, "at least 0"),
        ({"activator_quenching": 2}, "share"),
        ({"imposed_factor": -1}, "at least 0"),
        ({"cutoff": 0}, "above zero"),
        ({"method": "fast"}, "unknown method"),
        ({"sovent": "water"}, "did you mean 'solvent'"),
    ],
)
def test_wrong_optics_are_refused(options, message):
    with pytest.raises(BadInput, match=message):
        light(small("30% Yb, 12% Tm"), **options)


def test_crystals_that_cannot_shine_say_why():
    with pytest.raises(BadInput, match="no Yb"):
        light(small("5% Tm")).intensity(450)
    with pytest.raises(BadInput, match="neither Tm nor Er"):
        light(small("30% Yb")).intensity(450)
    with pytest.raises(BadInput, match="no levels of Er"):
        light(small("30% Yb, 5% Er"), rates="simetuc").intensity(545)
    with pytest.raises(BadInput, match="expected a Simulation"):
        light("particle")
    with pytest.raises(BadInput, match="no line of 451"):
        light(small("30% Yb, 12% Tm")).intensity(451)
    with pytest.raises(BadInput, match="no light at 290"):
        light(small("30% Yb, 12% Tm"), rates="simetuc").slope(290)
    assert 0 < light(small("30% Yb")).shares["radiated"] <= 1
