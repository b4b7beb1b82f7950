"""Walks by dice end where the linear solver says, within their own errors; compiled and interpreted walks are one."""

from __future__ import annotations

import numpy as np
import pytest
from lights import by_hand, random_network

from ucnp_abm import Particle
from ucnp_abm.errors import BadInput, NotConverged
from ucnp_abm.kernels.walk import Walked, walk_plain
from ucnp_abm.photons import walker
from ucnp_abm.photons.network import CHANNELS, Network, network
from ucnp_abm.photons.optics import Optics
from ucnp_abm.photons.solve import fate
from ucnp_abm.photons.walker import Walks, walk, ways_of

WALKS = 40_000


def deviations(net: Network, walks: Walks) -> list[float]:
    """Differences from the exact shares and lifetime in units of their standard deviation."""
    exact = fate(net)
    found = []
    for name in CHANNELS:
        p = exact.shares[name]
        if p * WALKS > 20:  # enough for a normal distribution
            found.append((walks.shares[name] - p) / (p * (1 - p) / WALKS) ** 0.5)
            assert walks.share_errors[name] == pytest.approx((p * (1 - p) / WALKS) ** 0.5, rel=0.15)
    return [*found, (walks.lifetime_s - exact.lifetime_s) / walks.lifetime_error_s]


def test_walks_agree_with_the_solver_within_three_standard_errors_on_ten_networks():
    """60 numbers of which none is to lie outside 3 sigma, and whose scatter is to be that of their errors."""
    found = []
    for seed in range(10):
        net = random_network(seed)
        found.append(deviations(net, walk(net, WALKS, seed)))
    all_of_them = np.concatenate(found)
    assert all_of_them.size >= 50
    assert np.abs(all_of_them).max() < 3
    assert 0.7 < (all_of_them**2).mean() ** 0.5 < 1.3  # chi-squared of 50: 0.1 % and 99.9 %


def test_walks_in_a_crystal_with_erbium_agree_with_the_solver():
    p = Particle.core_shell(core="NaGdF4: 30% Yb, 10% Er", diameter="2.4 nm", shell="NaYF4", thickness="0.8 nm", seed=2)
    net = network(p.crystal, p.occupants, Optics(vacancy_quenching="1e-41 cm^6/s"))
    assert np.abs(deviations(net, walk(net, WALKS, 5))).max() < 3


def test_number_of_hops_is_the_time_spent_on_each_carrier_times_its_rate():
    net = random_network(4)
    walks = walk(net, WALKS, 1)
    exact = fate(net).dwell_s @ np.asarray(net.hops.sum(axis=1)).ravel()
    assert walks.hops_per_walk == pytest.approx(exact, abs=3 * walks.hops.std() / WALKS**0.5)


def test_times_are_exponential_where_nothing_hops():
    net = by_hand(np.zeros((1, 1)), radiated=600.0, vacancies=400.0)
    walks = walk(net, WALKS, 2)
    assert walks.hops_per_walk == 0
    times = np.sort(walks.time_s)
    steps = np.arange(WALKS + 1) / WALKS
    exact = 1 - np.exp(-1000 * times)
    distance = max(np.abs(exact - steps[1:]).max(), np.abs(exact - steps[:-1]).max())
    assert distance < 1.95 / WALKS**0.5  # Kolmogorov-Smirnov at 0.1 %
    quenched = walks.channel == CHANNELS.index("vacancies")  # when it ends says nothing about where
    late, other = walks.time_s[quenched], walks.time_s[~quenched]
    error = (1e-6 / late.size + 1e-6 / other.size) ** 0.5
    assert late.mean() - other.mean() == pytest.approx(0, abs=3 * error)


@pytest.mark.parametrize("seed", range(4))
def test_compiled_and_interpreted_walks_are_the_same_bit_for_bit(seed):
    net = random_network(seed)
    one, other = walk(net, 60, seed), walk(net, 60, seed, interpreted=True)
    assert (one.time_s == other.time_s).all()
    assert (one.hops == other.hops).all()
    assert (one.channel == other.channel).all()
    assert one.hops.sum() > 60


def test_walks_are_decided_by_seed_and_number_alone():
    net = random_network(1)
    whole, rest = walk(net, 100, 7), walk(net, 60, 7, first=40)
    assert (whole.time_s[40:] == rest.time_s).all()
    assert (walk(net, 100, 8).time_s != whole.time_s).all()


def test_walk_begins_where_the_start_says():
    start = np.array([0.0, 0.25, 0.0, 0.75, 0.0])
    net = by_hand(np.zeros((5, 5)), radiated=0.0, vacancies=[0, 1, 0, 0, 0], surface=[0, 0, 0, 1, 0],
                  activators=[1, 0, 1, 0, 1], start=start)  # fmt: skip
    walks = walk(net, WALKS, 3)
    assert walks.shares["activators"] == 0
    assert walks.shares["vacancies"] == pytest.approx(0.25, abs=3 * (0.25 * 0.75 / WALKS) ** 0.5)
    assert walks.shares["vacancies"] + walks.shares["surface"] == 1


def test_walk_without_an_end_is_refused(monkeypatch):
    with pytest.raises(BadInput, match="neither decay nor neighbours"):
        walk(by_hand(np.zeros((2, 2)), radiated=[0.0, 1.0]), 10)
    endless = by_hand([[0, 1], [1, 0]], radiated=0.0)
    monkeypatch.setattr(walker, "MOST_HOPS", 1000)
    with pytest.raises(NotConverged, match="did not end within 1000 hops"):
        walk(endless, 10)
    found = Walked(np.zeros(1, np.uint8), np.zeros(1), np.zeros(1, np.int64))
    walk_plain(ways_of(endless), np.zeros((10, 2), np.uint64), 0, 5, found)
    assert found.hops[0] == 6
    for walks in (1, -5, 2**31 + 1, 2.5):
        with pytest.raises(BadInput, match="walks: expected"):
            walk(endless, walks)
