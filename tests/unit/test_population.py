import math

import numpy as np
import pytest
import scipy.stats

from ucnp_abm import seeds
from ucnp_abm.crystal.particle import CoreShell
from ucnp_abm.crystal.population import Population
from ucnp_abm.errors import BadInput

SMALL = CoreShell(core="NaGdF4: 49% Yb", diameter="3 nm", shell="NaYF4", thickness="1 nm")
LARGE = CoreShell(core="NaYF4", diameter="6 nm", shells=(("NaGdF4", "1 nm"), ("NaYF4", "2 nm")))
TOO_UNLIKELY = 1e-4


def log_normal(mean, spread):
    """The distribution of this mean and relative standard deviation, in scipy's words."""
    sigma = math.sqrt(math.log(1 + spread**2))
    frozen = scipy.stats.lognorm(s=sigma, scale=mean * math.exp(-(sigma**2) / 2))
    assert (frozen.mean(), frozen.std()) == pytest.approx((mean, mean * spread))
    return frozen


def test_drawn_sizes_follow_the_log_normal_of_the_mean_and_spread():
    population = Population(LARGE, diameter_spread=0.08, thickness_spread="10 %")
    drawn = [population.draw(seed) for seed in range(3000)]
    diameters = np.array([recipe.diameter for recipe in drawn])
    first, second = np.array([[width for _, width in recipe.shells] for recipe in drawn]).T
    assert scipy.stats.kstest(diameters, log_normal(60, 0.08).cdf).pvalue > TOO_UNLIKELY
    assert scipy.stats.kstest(first, log_normal(10, 0.10).cdf).pvalue > TOO_UNLIKELY
    assert second == pytest.approx(2 * first)  # one draw for all shells
    assert scipy.stats.pearsonr(diameters, first).pvalue > TOO_UNLIKELY
    assert diameters.mean() == pytest.approx(60, abs=4.5 * 60 * 0.08 / math.sqrt(3000))
    assert diameters.std() == pytest.approx(60 * 0.08, rel=0.08)


def test_parts_are_drawn_by_their_shares():
    third = CoreShell(core="NaLuF4", diameter="4 nm")
    population = Population(((0.2, SMALL), ("50 %", LARGE), (0.3, third)))
    drawn = [population.draw(seed) for seed in range(4000)]
    seen = [sum(recipe == part for recipe in drawn) for part in (SMALL, LARGE, third)]
    assert sum(seen) == 4000
    assert scipy.stats.chisquare(seen, [800, 2000, 1200]).pvalue > TOO_UNLIKELY


def test_same_seed_same_particle_and_another_seed_another():
    population = Population(SMALL, 0.1, 0.1)
    first, again, other = (population.build(seed) for seed in (3, 3, 4))
    assert (first.occupants == again.occupants).all()
    assert first.recipe == again.recipe
    assert first.recipe.diameter != other.recipe.diameter


def test_the_recipe_of_a_drawn_particle_builds_that_particle_alone():
    particle = Population(((0.5, SMALL), (0.5, LARGE)), 0.1, 0.1).build(5)
    assert isinstance(particle.recipe, CoreShell)
    assert particle.seed == 5
    again = particle.recipe.build(particle.seed)
    assert (again.occupants == particle.occupants).all()
    assert (again.crystal.points == particle.crystal.points).all()


def test_without_spread_a_population_of_one_part_is_that_recipe():
    assert Population(SMALL).draw(7) == SMALL
    assert (Population(SMALL).build(7).occupants == SMALL.build(7).occupants).all()


def test_a_draw_does_not_depend_on_what_else_is_drawn():
    """Kind, diameter and thickness each come from their own stream."""
    both, diameter_only, thickness_only = (
        [Population(SMALL, *spreads).draw(seed) for seed in range(20)] for spreads in ((0.1, 0.1), (0.1, 0), (0, 0.1))
    )
    assert [r.diameter for r in both] == [r.diameter for r in diameter_only]
    assert [r.thickness for r in both] == [r.thickness for r in thickness_only]
    mixed = [Population(((0.5, SMALL), (0.5, LARGE)), 0.1, 0.1).draw(seed) for seed in range(20)]
    same = [a == b for a, b in zip(both, mixed, strict=True) if not b.shells]
    assert same
    assert all(same)
    sigma = math.sqrt(math.log(1.01))
    for recipe, seed in zip(both, range(20), strict=True):
        normal = seeds.generator(seed, "population thickness").standard_normal()
        assert recipe.thickness == pytest.approx(10 * math.exp(sigma * normal - sigma**2 / 2), rel=1e-12)
    population = Population(SMALL, 0.1, 0.1)
    backwards = [population.draw(seed) for seed in reversed(range(20))]
    assert backwards[::-1] == both


def test_what_cannot_be_grown_is_drawn_again_which_truncates_the_distribution():
    bond = max(length for _, length in SMALL.build().crystal.lattice.bonds)
    thin = CoreShell(core="NaGdF4", diameter="6 nm", shell="NaYF4", thickness=bond * 1.05)
    population = Population(thin, thickness_spread=0.3)
    widths = np.array([population.draw(seed).thickness for seed in range(1500)])
    assert widths.min() >= bond
    whole = log_normal(bond * 1.05, 0.3)
    below = whole.cdf(bond)
    assert 0.3 < below < 0.7
    assert scipy.stats.kstest(widths, lambda w: (whole.cdf(w) - below) / (1 - below)).pvalue > TOO_UNLIKELY


def test_a_drawn_core_never_pokes_out_of_its_shell():
    eccentric = CoreShell("NaGdF4", "4 nm", "NaYF4", "1 nm", offset=(0, 0, "0.95 nm"))
    population = Population(eccentric, thickness_spread=0.2)
    drawn = [population.draw(seed) for seed in range(50)]
    assert all(recipe.thickness >= 9.5 - 1e-5 for recipe in drawn)
    assert all(recipe.offset == eccentric.offset for recipe in drawn)


def test_a_population_that_can_practically_never_be_grown_says_so(monkeypatch):
    monkeypatch.setattr("ucnp_abm.crystal.population.MAX_DRAWS", 3)
    bond = max(length for _, length in SMALL.build().crystal.lattice.bonds)
    population = Population(CoreShell("NaGdF4", "6 nm", "NaYF4", bond * 1.0001), thickness_spread=1.0)
    with pytest.raises(
        BadInput, match=r"none of 3 drawn sizes can be grown \(thickness of the shell: .* smaller spread"
    ):
        [population.draw(seed) for seed in range(50)]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"parts": ((0.5, SMALL), (0.4, LARGE))}, "add up to 0.9, expected 1"),
        ({"parts": ((1, SMALL), (1, LARGE))}, "add up to 2, expected 1"),
        ({"parts": ((-0.5, SMALL), (1.5, LARGE))}, "from 0 to 1"),
        ({"parts": ()}, "expected a CoreShell or"),
        ({"parts": "NaGdF4"}, "expected a CoreShell or"),
        ({"parts": ((1.0, "NaGdF4"),)}, "expected .share, CoreShell. for each"),
        ({"parts": (SMALL, LARGE)}, "expected .share, CoreShell. for each"),
        ({"parts": SMALL, "diameter_spread": -0.1}, "diameter_spread: expected a share from 0 to 1"),
        ({"parts": SMALL, "thickness_spread": 1.1}, "thickness_spread: expected a share from 0 to 1"),
        ({"parts": SMALL, "thickness_spread": math.nan}, "finite"),
        ({"parts": CoreShell("NaGdF4", "0.1 nm")}, "smaller than one coordination shell"),
    ],
)
def test_a_bad_population_is_one_clear_sentence(options, says):
    with pytest.raises(BadInput, match=says):
        Population(**options)


def test_a_bad_seed_is_refused():
    with pytest.raises(BadInput, match="from 0 to"):
        Population(SMALL).build(-1)
