"""Monte Carlo of many excitations against the master equation of all joint states, solved without it.

The master equation here knows positions, decays and the list of transfers, and nothing of the package's sums.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.linalg import expm

from ucnp_abm import Particle
from ucnp_abm.kernels.exciton_arrays import BLOCK
from ucnp_abm.kernels.excitons import shine, shine_plain
from ucnp_abm.photons.events import Run
from ucnp_abm.photons.excitons import told
from ucnp_abm.photons.montecarlo import monte_carlo, monte_carlo_pulse
from ucnp_abm.photons.optics import Optics
from ucnp_abm.photons.rates import rate_set
from ucnp_abm.photons.system import system

SMALL_SET = """
name = "four levels"
source = "Assumption: a test"
units = { energy = "1/cm", rate = "1/s", transfer = "cm^6/s", cross_section = "cm^2" }
absorption_980nm = { Yb = 1.2e-20 }

[levels.Yb]
"2F7/2" = { energy = 0.0 }
"2F5/2" = { energy = 10250.0, radiative = { "2F7/2" = 2000.0 }, nonradiative = { "2F7/2" = 500.0 } }

[levels.Tm]
"3H6" = { energy = 0.0 }
"3F4" = { energy = 6000.0, radiative = { "3H6" = 900.0 } }
"3H4" = { energy = 12000.0, radiative = { "3H6" = 1500.0, "3F4" = 300.0 }, nonradiative = { "3F4" = 200.0 } }
"1G4" = { energy = 21000.0, radiative = { "3H6" = 4000.0, "3H4" = 700.0 } }

[transfers]
"Yb 2F5/2 -> 2F7/2, Yb 2F7/2 -> 2F5/2" = 8e-42
"Yb 2F5/2 -> 2F7/2, Tm 3H6 -> 3F4" = 2e-41
"Yb 2F5/2 -> 2F7/2, Tm 3H6 -> 3H4" = 4e-42
"Yb 2F5/2 -> 2F7/2, Tm 3F4 -> 3H4" = 1e-41
"Yb 2F5/2 -> 2F7/2, Tm 3H4 -> 1G4" = 3e-41
"Tm 3H4 -> 3H6, Yb 2F7/2 -> 2F5/2" = 5e-42
"Tm 1G4 -> 3H4, Yb 2F7/2 -> 2F5/2" = 6e-42
"Tm 3F4 -> 3H6, Tm 3H6 -> 3F4" = 9e-42
"Tm 3H4 -> 3F4, Tm 3H6 -> 3F4" = 3e-41
"Tm 3F4 -> 3H6, Tm 3F4 -> 3H4" = 1.5e-41
"Tm 1G4 -> 3H4, Tm 3F4 -> 3H4" = 2.5e-41
"Tm 3H4 -> 3H6, Tm 3H4 -> 1G4" = 2e-41
"""


@pytest.fixture(scope="session")
def small_set(tmp_path_factory):
    file = tmp_path_factory.mktemp("rates") / "small.toml"
    file.write_text(SMALL_SET, encoding="utf-8")
    return rate_set(str(file))


class Few:
    """A few ions in the middle of a small crystal of NaYF4, two sites vacant, and the master equation of them all."""

    def __init__(self, rates, symbols, pump, **options):
        base = Particle.core_shell(core="NaYF4", diameter="1.2 nm", shell="NaYF4", thickness="0.4 nm", seed=4)
        crystal = base.crystal
        points = crystal.positions(np.arange(crystal.n_sites))
        order = np.argsort((points**2).sum(axis=1), kind="stable")
        occupants = ["Y"] * crystal.n_sites
        for site, symbol in zip(order, symbols, strict=False):
            occupants[site] = symbol
        for site in order[[20, 33]]:
            occupants[site] = "vacancy"
        self.particle = Particle.of(crystal, occupants)
        self.optics = Optics(rates=rates, vacancy_quenching="2e-40 cm^6/s", solvent="dry", cutoff="1000 nm", **options)
        self.system = system(crystal, self.particle.occupants, self.optics)
        self.rates, self.pump, n = self.optics.set, pump, len(symbols)
        in_order = np.argsort(
            [("Yb", "Tm", "Er").index(s) * 1000 + site for s, site in zip(symbols, order, strict=False)]
        )
        self.symbols = [symbols[i] for i in in_order]
        at = points[order[:n]][in_order]
        self.apart = np.sqrt(((at[:, None] - at[None]) ** 2).sum(axis=2))
        vacant = points[order[[20, 33]]]
        self.to_vacancy = (((at[:, None] - vacant[None]) ** 2).sum(axis=2) ** -3.0).sum(axis=1) * 2e-40 * 1e48
        skin = crystal.empty_neighbours
        each = 1e-40 * 1e48 * 0.5e-2 * crystal.boundaries[-1].area / len(skin)
        self.to_surface = (((at[:, None] - skin[None]) ** 2).sum(axis=2) ** -3.0).sum(axis=1) * each
        self.levels = [len(self.rates.ion(s).levels) for s in self.symbols]
        self.states = list(itertools.product(*map(range, self.levels)))
        self.fluxes = np.zeros((len(self.states), len(self.states)))
        self._fill()

    def _fill(self):
        number = {state: n for n, state in enumerate(self.states)}

        def add(state, changes, rate):
            after = list(state)
            for ion, level in changes:
                after[ion] = level
            self.fluxes[number[state], number[tuple(after)]] += rate

        for state in self.states:
            for i, (symbol, level) in enumerate(zip(self.symbols, state, strict=True)):
                if symbol == "Yb" and level == 0:
                    add(state, [(i, 1)], self.pump)
                if symbol == "Yb" and level == 1:
                    add(state, [(i, 0)], self.to_vacancy[i] + self.to_surface[i])
                for lower, rate in enumerate(self.rates.ion(symbol).decay[level]):
                    add(state, [(i, lower)], rate)
                for j, partner in enumerate(self.symbols):
                    for t in self.rates.transfers if i != j else ():
                        if (t.donor, t.acceptor, t.down[0], t.up[0]) == (symbol, partner, level, state[j]):
                            add(state, [(i, t.down[1]), (j, t.up[1])], t.constant / self.apart[i, j] ** 6)
        np.fill_diagonal(self.fluxes, 0.0)

    def generator(self):
        return self.fluxes - np.diag(self.fluxes.sum(axis=1))

    def stationary(self):
        q = self.generator().T
        q[0] = 1.0
        return np.linalg.solve(q, np.eye(len(q))[0])

    def marginal(self, joint):
        """Populations (L,) of each ion."""
        of = np.array(self.states)
        return [np.bincount(of[:, i], joint, minlength=n) for i, n in enumerate(self.levels)]


def assert_stationary(few, events, seed, worst=4.5, least=1e-5):
    exact = few.marginal(few.stationary())
    found = monte_carlo(few.system, few.pump, events=events, seed=seed)
    n_yb = few.symbols.count("Yb")
    got = [np.array([1 - p, p]) for p in found.yb] + [row for each in found.activators.values() for row in each]
    errors = [np.array([e, e]) for e in found.yb_error]
    errors += [row for each in found.activators_error.values() for row in each]
    assert len(got) == len(exact)
    assert n_yb == len(found.yb)
    powerful = 0
    for a, b, error in zip(got, exact, errors, strict=True):
        seen = b > least
        assert (np.abs(a - b)[seen] < worst * error[seen]).all(), (a, b, (a - b) / error)
        powerful += int((error[seen] < 0.02 * b[seen]).sum())
    assert found.block > 5 * found.longest
    return powerful


def test_three_yb_and_two_tm_of_four_levels_have_the_populations_of_the_master_equation(small_set):
    few = Few(small_set, ["Yb", "Tm", "Yb", "Tm", "Yb"], 3000.0)
    assert len(few.states) == 8 * 16
    assert assert_stationary(few, 4_000_000, seed=1) == 2 * 3 + 4 * 2


def test_a_tm_alone_with_yb_has_the_populations_of_the_master_equation(small_set):
    few = Few(small_set, ["Yb", "Tm", "Yb", "Yb"], 500.0)
    assert assert_stationary(few, 3_000_000, seed=2) == 2 * 3 + 4


def test_tm_and_er_with_all_levels_have_the_populations_of_the_master_equation():
    few = Few("npt", ["Yb", "Tm", "Yb", "Er"], 3e4)
    assert len(few.states) == 4 * 8 * 7
    assert assert_stationary(few, 4_000_000, seed=3) >= 12


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Input has data type int64:FutureWarning")  # scipy, of a network without Tm
@pytest.mark.parametrize(
    ("rates", "symbols"),
    [
        ("npt", ["Tm", "Yb", "Yb", "Tm"]),
        ("npt", ["Er", "Yb", "Yb", "Er", "Yb"]),
        ("npt", ["Tm", "Yb", "Tm", "Er"]),
        ("simetuc", ["Tm", "Yb", "Yb", "Tm", "Yb"]),
        ("simetuc+npt-migration", ["Yb", "Tm", "Yb", "Tm"]),
    ],
)
def test_shipped_sets_have_the_populations_of_the_master_equation(rates, symbols):
    few = Few(rates, symbols, 2e4)
    assert assert_stationary(few, 20_000_000, seed=5) >= 8


def test_transfers_are_as_many_as_the_master_equation_says(small_set):
    few = Few(small_set, ["Yb", "Tm", "Yb", "Tm"], 3000.0)
    joint, of = few.stationary(), np.array(few.states)
    found = monte_carlo(few.system, few.pump, events=4_000_000, seed=6)
    for t in few.rates.transfers:
        expected = 0.0
        for i, j in itertools.permutations(range(4), 2):
            if (few.symbols[i], few.symbols[j]) == (t.donor, t.acceptor):
                there = (of[:, i] == t.down[0]) & (of[:, j] == t.up[0])
                expected += joint[there].sum() * t.constant / few.apart[i, j] ** 6 * found.seconds
        n = found.counts.transfers[t]
        assert n == pytest.approx(expected, abs=12 * math.sqrt(expected)), t  # counts of coming and going scatter more


def test_after_a_pulse_all_levels_decay_as_the_master_equation_says(small_set):
    few = Few(small_set, ["Yb", "Tm", "Yb", "Tm", "Yb"], 0.0)
    times, share = np.array([0.0, 2e-5, 1e-4, 3e-4, 1e-3, 3e-3]), 0.7
    found = monte_carlo_pulse(few.system, times, share, repeats=20_000, seed=7)
    start = np.array(
        [math.prod((1 - share, share)[s[i]] if i < 3 else float(s[i] == 0) for i in range(5)) for s in few.states]
    )
    seen = 0
    for n, t in enumerate(times):
        exact = few.marginal(start @ expm(few.generator() * t))
        for symbol, ions in (("Yb", exact[:3]), ("Tm", exact[3:])):
            mean = np.mean(ions, axis=0)
            enough = np.minimum(mean, 1 - mean) * 20_000 * len(ions) > 30
            assert (np.abs(found.mean[symbol][n] - mean) < 4.5 * found.error[symbol][n])[enough].all()
            seen += int(enough.sum())
    assert seen > 20


def test_ions_without_partners_absorb_and_decay_by_themselves(small_set):
    few = Few(small_set, ["Yb", "Tm"], 700.0)
    activators = few.system.activators["Tm"]
    cut = type(activators)(
        activators.cascade, activators.sites, activators.own, activators.to_gd, 0 * activators.yb, activators.pairs
    )
    alone = type(few.system)(few.optics, few.system.network, {"Tm": cut})
    k = few.to_vacancy[0] + few.to_surface[0] + 2500.0
    found = monte_carlo(alone, 700.0, events=400_000, seed=8)
    assert abs(found.yb[0] - 700 / (700 + k)) < 4 * found.yb_error[0] < 0.02 * found.yb[0]
    assert found.activators["Tm"].tolist() == [[1, 0, 0, 0]]
    times, n = np.array([0.0, 0.3, 1.0, 2.0]) / k, 40_000
    decay = monte_carlo_pulse(alone, times, 1.0, repeats=n, seed=9).mean["Yb"][:, 1]
    exact = np.exp(-k * times)
    assert decay[0] == 1.0
    assert (np.abs(decay - exact)[1:] < 4 * np.sqrt(exact * (1 - exact) / n)[1:]).all()


def crowd(rates="npt", symbols="15% Yb, 8% Tm, 8% Er", diameter="2.4 nm"):
    particle = Particle.core_shell(
        core=f"NaGdF4: {symbols}", diameter=diameter, shell="NaYF4", thickness="0.8 nm", seed=1
    )
    return system(particle.crystal, particle.occupants, Optics(rates=rates))


@pytest.mark.parametrize(("seed", "pump"), [(1, 3e5), (2, 1e3), (3, 0.0)])
def test_compiled_and_interpreted_loops_agree_in_every_bit(seed, pump):
    these = told(crowd())
    times = np.geomspace(1e-8, 1e-4, 5)
    runs = [Run(these, pump, seed, times) for _ in range(2)]
    for run, loop in zip(runs, (shine, shine_plain), strict=True):
        these.reset(run.state, np.flatnonzero(np.arange(these.starts[1]) % 3 != 1))
        for most in (1, 700, 3300):
            loop(these.ions, these.trades, run.state, run.keys, pump, 10.0, times, most)
    a, b = (run.state for run in runs)
    assert a.tally[0] == 4001 or pump == 0
    assert a.traded.sum() > 500
    assert a.told.any()
    for name, one, other in zip(a._fields, a, b, strict=True):
        assert one.dtype == other.dtype
        assert one.tobytes() == other.tobytes(), name


def test_lists_and_sums_are_those_of_the_levels_after_many_events():
    these = told(crowd())
    run = Run(these, 1e5, 4)
    for _ in range(20):
        shine(these.ions, these.trades, run.state, run.keys, 1e5, 1.0, run.times, 5000)
        shine(these.ions, these.trades, run.state, run.keys, 1e5, run.state.now[0], run.times, 1)  # bounds worked out
        state, n = run.state, int(run.state.tally[2])
        excited = np.flatnonzero(state.level)
        assert sorted(state.excited[:n]) == excited.tolist()
        assert (state.excited[state.slot[excited]] == excited).all()
        for kind in range(3):
            there = state.level[these.slice(kind)]
            assert state.held[kind].tolist() == np.bincount(there, minlength=8).tolist()
        padded = np.concatenate([state.rate[:n], np.zeros(-n % BLOCK)]).reshape(-1, BLOCK)
        np.testing.assert_allclose(state.block[: len(padded)], padded.sum(axis=1), rtol=1e-12)
        assert not state.rate[n:].any()
        for i in excited:  # no bound lies below the rate it bounds
            kind, level = these.ions.kind[i], state.level[i]
            rate = these.ions.alone[i, level, -1]
            for g in range(3):
                row = slice(*these.ions.first[3 * i + g : 3 * i + g + 2])
                strength = np.diff(these.ions.reach[row], prepend=0.0)
                rate += strength @ these.trades.total[kind, level, g, state.level[these.ions.partner[row]]]
            assert rate <= state.rate[state.slot[i]] * (1 + 1e-12)
