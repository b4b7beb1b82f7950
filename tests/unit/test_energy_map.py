"""Flows of energy balance on every carrier, and the map shows each carrier by what dies on it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from lights import random_network
from matplotlib.colors import to_rgba

from ucnp_abm import Particle
from ucnp_abm.errors import BadInput
from ucnp_abm.photons.flows import SINKS, layout, net_flows
from ucnp_abm.photons.graph import EnergyGraph
from ucnp_abm.photons.network import network
from ucnp_abm.photons.optics import Optics
from ucnp_abm.photons.solve import fate
from ucnp_abm.viz.energy import energy_map


@pytest.fixture(scope="module")
def particle_network():
    p = Particle.core_shell(core="NaGdF4: 40% Yb, 3% Tm", diameter="2.4 nm", shell="NaYF4", thickness="0.8 nm", seed=1)
    return network(p.crystal, p.occupants, Optics())


@pytest.mark.parametrize("seed", range(5))
def test_what_begins_and_flows_in_flows_out_or_ends(seed):
    net = random_network(seed)
    found = fate(net)
    flow = net_flows(net, found)
    assert (flow.data > 0).all()
    assert flow.multiply(flow.T).nnz == 0  # a pair has one direction
    come, go = (np.asarray(flow.sum(axis=axis)).ravel() for axis in (0, 1))
    assert net.start + come - go == pytest.approx(found.dwell_s * net.ending, abs=1e-9)


def test_layout_holds_the_strongest_flows_first(particle_network):
    net, found = particle_network, fate(particle_network)
    drawn = layout(net, found, most=50)
    assert drawn.flow.tolist() == sorted(drawn.flow, reverse=True)
    assert len(drawn.flow) == 50
    ways = [net_flows(net, found).data]
    ways += [(getattr(net, name).multiply(found.dwell_s[:, None])).tocoo().data for name in SINKS]
    assert drawn.flow == pytest.approx(np.sort(np.concatenate(ways))[::-1][:50], rel=1e-12)
    assert math.fsum(drawn.dies) == pytest.approx(found.quenched, rel=1e-12)
    assert math.fsum(drawn.radiates) == pytest.approx(found.quantum_yield, rel=1e-12)
    for end, into in zip(drawn.end, drawn.into, strict=True):
        places = net.positions if into == 0 else net.ends[SINKS[into - 1]]
        assert (np.abs(places / 10 - end).max(axis=1) < 1e-12).any()
    assert set(drawn.into.tolist()) > {0, 1}


def test_no_flow_is_drawn_across_a_periodic_box():
    p = Particle.box(lattice="beta", cells=(5, 5, 7), composition="NaYF4: 30% Yb", vacancies=0.02, seed=3)
    net = network(p.crystal, p.occupants, Optics(cutoff="9 Å"))
    drawn = layout(net, fate(net))
    lengths = np.linalg.norm(drawn.end - drawn.start, axis=1)
    assert len(lengths) > 50
    assert lengths.max() <= 0.9 + 1e-9


def test_map_shows_each_carrier_of_the_slab_by_what_dies_on_it(particle_network):
    net, found = particle_network, fate(particle_network)
    figure = energy_map(net, found, slab="1 nm")
    assert figure.get_size_inches()[0] == 3.25
    vacancies, surface, activators, *_, dots = figure.axes[0].collections
    middle = 0.5 * (net.positions[:, 1].min() + net.positions[:, 1].max())
    shown = np.abs(net.positions[:, 1] - middle) <= 5 + 1e-6
    assert 10 < shown.sum() < net.n_carriers
    assert len(dots.get_offsets()) == shown.sum()
    drawn = layout(net, found)
    darkest = net.positions[shown][drawn.dies[shown].argmax()] / 10
    assert np.asarray(dots.get_offsets())[-1] == pytest.approx(darkest[[0, 2]])
    assert vacancies.get_edgecolors()[0] == pytest.approx(to_rgba("black"))
    assert len(vacancies.get_offsets()) + len(surface.get_offsets()) > 10
    assert len(activators.get_offsets()) <= len(net.ends["activators"])


def test_map_of_a_graph_is_that_of_its_network(particle_network):
    one = energy_map(particle_network, fate(particle_network), slab=None)
    other = energy_map(EnergyGraph.of(particle_network), slab=None)
    first, second = (figure.axes[0].collections[-1] for figure in (one, other))
    assert np.asarray(first.get_offsets()) == pytest.approx(np.asarray(second.get_offsets()))
    assert len(first.get_offsets()) == particle_network.n_carriers
    assert np.asarray(first.get_array()) == pytest.approx(np.asarray(second.get_array()), rel=1e-9)


def test_map_without_a_fate_or_a_carrier_is_refused(particle_network):
    with pytest.raises(BadInput, match="a network needs its fate"):
        energy_map(particle_network)
    net = random_network(0)
    net.positions[:] += np.array([0.0, 1.0, 0.0]) * (np.arange(net.n_carriers) % 2 * 100 - 50)[:, None]
    with pytest.raises(BadInput, match="no carrier lies in a slab of 1 nm"):
        energy_map(net, fate(net), slab="1 nm")
    with pytest.raises(BadInput, match="slab: expected a length"):
        energy_map(net, fate(net), slab="0 nm")
