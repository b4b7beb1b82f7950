"""Monte Carlo of many excitations: what it counts adds up, what it is asked must make sense."""

import numpy as np
import pytest

from ucnp_abm import Particle
from ucnp_abm.errors import BadInput
from ucnp_abm.photons import excitons
from ucnp_abm.photons.events import Run
from ucnp_abm.photons.excitons import told
from ucnp_abm.photons.montecarlo import monte_carlo, monte_carlo_pulse
from ucnp_abm.photons.optics import Optics
from ucnp_abm.photons.system import system


@pytest.fixture(scope="module")
def shining():
    particle = Particle.core_shell(
        core="NaGdF4: 40% Yb, 5% Tm, 5% Er", diameter="2.4 nm", shell="NaYF4", thickness="0.8 nm", seed=1
    )
    return system(particle.crystal, particle.occupants, Optics())


@pytest.fixture(scope="module")
def averages(shining):
    return monte_carlo(shining, 2e3, events=300_000, seed=3)


def test_energy_absorbed_by_yb_ends_or_is_still_there(averages):
    counts = averages.counts
    before, after = (int(stored["Yb"][1]) for stored in averages.stored)
    assert counts.absorbed == sum(counts.yb.values()) + counts.to_activators + after - before
    assert counts.absorbed > 500
    assert sum(counts.fate.values()) == pytest.approx(1, abs=1e-12)


def test_an_ion_that_stays_excited_is_so_all_of_every_block(shining):
    these = told(shining)
    run = Run(these, 1.0, 1)
    these.reset(run.state, np.arange(0, shining.n_yb, 2))
    for seconds in (1e-15, 3e-15):  # far too short for anything to happen
        share = run.block(seconds)
        assert share[: shining.n_yb, 1].tolist() == [1 - n % 2 for n in range(shining.n_yb)]
        assert (share[shining.n_yb :, 0] == 1).all()
    assert run.state.tally[1] == 0


@pytest.mark.parametrize("symbol", ["Tm", "Er"])
def test_every_level_holds_what_came_less_what_left(averages, symbol):
    counts = averages.counts
    flow = counts.alone[symbol].copy()
    for t, n in counts.transfers.items():
        if t.donor == symbol:
            flow[t.down] += n
        if t.acceptor == symbol:
            flow[t.up] += n
    assert flow.sum() > 1000
    before, after = (stored[symbol] for stored in averages.stored)
    assert (flow.sum(axis=0) - flow.sum(axis=1)).tolist() == (after - before).tolist()


def test_all_events_are_counted_once(averages):
    counts = averages.counts
    found = counts.absorbed + sum(counts.yb.values()) + sum(n.sum() for n in counts.alone.values())
    assert found + sum(counts.transfers.values()) == counts.events <= counts.candidates


def test_populations_of_an_ion_add_up_and_photons_follow_from_them(averages, shining):
    for symbol, each in averages.activators.items():
        np.testing.assert_allclose(each.sum(axis=1), 1, rtol=1e-12)
        np.testing.assert_allclose(averages.mean[symbol], each.mean(axis=0), rtol=1e-9, atol=1e-15)
        ion = shining.optics.set.ion(symbol)
        photons = sum(rate for emission, rate in averages.emissions if emission.ion == symbol)
        assert photons == pytest.approx(len(each) * averages.mean[symbol] @ ion.radiative)
    assert averages.mean["Yb"][1] == pytest.approx(averages.yb.mean())


def test_yb_radiates_as_often_as_its_population_says(averages, shining):
    expected = averages.yb.sum() * shining.optics.set.ion("Yb").radiative[1] * averages.seconds
    assert averages.counts.yb["radiated"] == pytest.approx(expected, abs=5 * expected**0.5)


def test_same_seed_same_numbers(shining):
    one, same, other = (monte_carlo(shining, 2e3, seconds=2e-4, burn_in=1e-4, seed=s) for s in (1, 1, 2))
    assert one.yb.tobytes() == same.yb.tobytes() != other.yb.tobytes()
    assert one.counts.transfers == same.counts.transfers


def test_a_pulse_excites_the_share_it_is_given_and_all_energy_ends(shining):
    found = monte_carlo_pulse(shining, [0.0, 1e-4, 1.0], 0.25, repeats=300, seed=2)
    n = 300 * shining.n_yb
    assert found.mean["Yb"][0, 1] == pytest.approx(0.25, abs=4 * (0.25 * 0.75 / n) ** 0.5)
    assert found.mean["Yb"][2].tolist() == [1, 0]
    assert found.mean["Tm"][2, 0] == 1
    assert found.counts.absorbed == 0
    ended = sum(found.counts.yb.values()) + found.counts.to_activators
    assert ended == round(found.mean["Yb"][0, 1] * n)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"seconds": 1e-3, "events": 10}, "not both"),
        ({"seconds": -1.0}, "seconds: expected a number above 0, got -1.0"),
        ({"seconds": float("nan")}, "seconds: expected a number above 0, got nan"),
        ({"pump": 0.0}, "pump: expected a number above 0"),
        ({"pump": "4 W/cm²"}, "pump: expected a number above 0"),
        ({"events": 0}, "events: expected a whole number from 1 on"),
        ({"events": 1e6}, "events: expected a whole number"),
        ({"blocks": 1}, "blocks: expected a whole number from 2 on"),
        ({"burn_in": -1}, "burn_in: expected a number from 0 on"),
        ({"burn_in": 0.0}, "0 events in a burn-in of 0 s are too few to choose a time by; give seconds"),
        ({"seconds": 1e9, "burn_in": 1e-4}, "hours of computing"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_makes_no_sense_is_refused(shining, options, said):
    with pytest.raises(BadInput, match=said):
        monte_carlo(shining, **{"pump": 2e3} | options)


@pytest.mark.parametrize(
    ("times", "share", "repeats", "said"),
    [
        ([], 0.1, 5, "times"),
        ([1e-3, 1e-4], 0.1, 5, "ascending"),
        ([-1e-3], 0.1, 5, "times"),
        ([float("inf")], 0.1, 5, "times"),
        ([1e-3], 0.0, 5, "share"),
        ([1e-3], 1.5, 5, "share"),
        ([1e-3], 0.1, 1, "repeats"),
    ],
)
def test_a_pulse_that_makes_no_sense_is_refused(shining, times, share, repeats, said):
    with pytest.raises(BadInput, match=said):
        monte_carlo_pulse(shining, times, share, repeats=repeats)


def test_too_many_ions_or_pairs_are_refused(shining, monkeypatch):
    monkeypatch.setattr(excitons, "MOST_PAIRS", 100)
    with pytest.raises(BadInput, match="at most 100 pairs of ions; take a smaller cutoff"):
        monte_carlo(shining, seconds=1e-3)
    monkeypatch.setattr(excitons, "MOST_IONS", 20)
    with pytest.raises(BadInput, match=r"at most 20 ions, got \d+ Yb and activators"):
        monte_carlo(shining, seconds=1e-3)
