"""The energy graph says what the arrays say, and its paths, components and thresholds are the right ones."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest
from lights import by_hand
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra

from ucnp_abm import Particle
from ucnp_abm.crystal import growth, lattice
from ucnp_abm.crystal.species import SPECIES
from ucnp_abm.errors import BadInput
from ucnp_abm.photons.graph import EnergyGraph
from ucnp_abm.photons.network import CHANNELS, Network, network
from ucnp_abm.photons.optics import Optics
from ucnp_abm.photons.solve import Solver, fate, matrix

PARTICLES = {
    "thulium": lambda: Particle.core_shell(
        core="NaGdF4: 30% Yb, 3% Tm", diameter="2.4 nm", shell="NaYF4", thickness="0.8 nm", seed=1
    ),
    "erbium": lambda: Particle.core_shell(
        core="NaGdF4: 30% Yb, 10% Er", diameter="2.4 nm", shell="NaYF4", thickness="0.8 nm", seed=2
    ),
    "box": lambda: Particle.box(
        lattice="beta", cells=(5, 5, 7), composition="NaYF4: 30% Yb, 2% Tm, 4% Er", vacancies=0.02, seed=3
    ),
}


def of(name: str, **options) -> Network:
    particle = PARTICLES[name]()
    return network(particle.crystal, particle.occupants, Optics(**options))


def same(one, other, tolerance=1e-12):
    assert one.lifetime_s == pytest.approx(other.lifetime_s, rel=tolerance)
    for channel in CHANNELS:
        assert one.shares[channel] == pytest.approx(other.shares[channel], rel=tolerance)
    assert one.k_mean == pytest.approx(other.k_mean, rel=tolerance)


@pytest.mark.parametrize("cutoff", [None, "9 Å"])
@pytest.mark.parametrize("name", PARTICLES)
def test_graph_quenches_as_its_network_does(name, cutoff):
    net = of(name, cutoff=cutoff)
    assert name == "box" or cutoff is None or net.beyond["surface"].max() > 0
    assert name == "thulium" or (net.weight != 1).any()
    same(EnergyGraph.of(net).quenching(), fate(net))


def test_graph_agrees_with_dense_algebra_on_its_adjacency_matrix():
    """No solver of ours: K is drawn up from networkx's own matrix."""
    graph = EnergyGraph.of(of("erbium", cutoff="9 Å"))
    rates = nx.to_numpy_array(graph, weight="rate_per_s")
    carriers = [n for n, kind in enumerate(dict(graph.nodes(data="kind")).values()) if kind == "carrier"]
    data = [graph.nodes[node] for node in graph.carriers]
    own = np.array([sum(v for k, v in each.items() if k.endswith("_per_s")) for each in data])
    k = np.diag(rates[carriers].sum(axis=1) + own) - rates[np.ix_(carriers, carriers)]
    dwell = np.linalg.solve(k.T, [each["start"] for each in data])
    assert graph.quenching().lifetime_s == pytest.approx(dwell.sum(), rel=1e-10)


def test_vacancies_beyond_the_longest_edge_still_quench():
    net = of("thulium")
    whole, near = EnergyGraph.of(net), EnergyGraph.of(net, closest="7 Å")
    assert near.number_of_edges() < whole.number_of_edges() / 2
    assert max(length for *_, length in near.edges(data="length_nm")) <= 0.7
    assert near.network().mean_quenching == pytest.approx(net.mean_quenching, rel=1e-12)
    assert near.graph["selection"] == "hops up to 0.7 nm"
    assert whole.graph["selection"] == "all"


def test_edges_hold_the_lengths_between_their_nodes():
    net = of("thulium")
    graph = EnergyGraph.of(net)
    constant = Optics().set.migration
    for a, b, data in graph.edges(data=True):
        if graph.nodes[a]["species"] == graph.nodes[b]["species"] == "Yb":
            apart = math.dist(*[[graph.nodes[n][f"{x}_nm"] for x in "xyz"] for n in (a, b)])
            assert data["length_nm"] == pytest.approx(apart, rel=1e-12)
            assert data["rate_per_s"] == pytest.approx(constant / (10 * apart) ** 6, rel=1e-9)


def test_lengths_in_a_periodic_box_are_those_to_the_nearest_image():
    box = growth.box(lattice.named("chain"), (7, 1, 1))
    occupants = ["Yb", *["Y"] * 5, "Yb"]
    net = network(box, Particle.of(box, occupants).occupants, Optics(cutoff="4 Å"))
    graph = EnergyGraph.of(net)
    assert [length for *_, length in graph.edges(data="length_nm")] == pytest.approx([0.387, 0.387])
    assert graph.cell == pytest.approx(net.cell)
    assert graph.network().cell == pytest.approx(net.cell)


def test_copies_and_views_are_energy_graphs_too():
    net = of("thulium")
    graph = EnergyGraph.of(net)
    same(graph.copy().quenching(), fate(net))
    some = graph.carriers[:20]
    view = graph.subgraph([*some, *[n for n, k in graph.nodes(data="kind") if k != "carrier"]])
    chosen = EnergyGraph.of(net, sites=[graph.nodes[n]["site"] for n in some])
    same(view.quenching(), chosen.quenching())
    assert isinstance(view, EnergyGraph)
    assert isinstance(view.copy(), EnergyGraph)
    assert view.components()
    assert nx.number_weakly_connected_components(graph) == 1
    assert chosen.graph["selection"] == f"20 of {net.n_carriers} carriers"
    with pytest.raises(BadInput, match=r"use \.copy\(\) first"):
        view.annotate()


def test_annotated_fates_are_those_of_the_solver_and_add_up():
    net = of("erbium")
    graph = EnergyGraph.of(net).annotate()
    solver, shares = Solver(net), fate(net).shares
    for channel in CHANNELS:
        expected = solver.expected(net.channels[channel])
        assert [graph.nodes[n][f"ends_{channel}"] for n in graph.carriers] == pytest.approx(expected, rel=1e-10)
        assert math.fsum(graph.nodes[n][channel] for n in graph.carriers) == pytest.approx(shares[channel], rel=1e-10)
    for node in graph.carriers:
        assert math.fsum(graph.nodes[node][f"ends_{channel}"] for channel in CHANNELS) == pytest.approx(1, abs=1e-11)


def test_ions_where_energy_dies_are_ranked_and_add_up():
    net = of("thulium")
    graph, result = EnergyGraph.of(net), fate(net)
    dying = graph.dying()
    shares = [share for _, share in dying]
    assert shares == sorted(shares, reverse=True)
    assert math.fsum(shares) == pytest.approx(result.quenched, rel=1e-10)
    assert math.fsum(s for _, s in graph.dying(["radiated"])) == pytest.approx(result.quantum_yield, rel=1e-10)
    with pytest.raises(BadInput, match="did you mean 'vacancies'"):
        graph.dying(["vacancy"])


def test_graphml_gives_the_same_graph_again(tmp_path):
    net = of("box")
    graph = EnergyGraph.of(net).annotate()
    graph.write(tmp_path / "energy.graphml")
    back = EnergyGraph(nx.read_graphml(tmp_path / "energy.graphml"))
    assert dict(back.nodes(data=True)) == dict(graph.nodes(data=True))
    assert set(back.edges) == set(graph.edges)
    assert all(back.edges[edge] == graph.edges[edge] for edge in graph.edges)
    assert back.cell == pytest.approx(net.cell, rel=1e-15)
    same(back.quenching(), fate(net))


# Paths and components, against scipy


@pytest.mark.parametrize("seed", range(6))
def test_components_are_those_of_scipy(seed):
    p = Particle.box(lattice="fcc", cells=(6, 6, 6), composition="Y: 12% Yb", vacancies=0.01, seed=seed)
    net = network(p.crystal, p.occupants, Optics(cutoff="4 Å"))
    graph = EnergyGraph.of(net)
    n, label = connected_components(net.hops, directed=False)
    names = np.array(graph.carriers)
    expected = {frozenset(names[label == part].tolist()) for part in range(n)}
    found = graph.components()
    assert n > 10
    assert {frozenset(each) for each in found} == expected
    assert [len(each) for each in found] == sorted((len(each) for each in found), reverse=True)
    assert graph.largest_share() == np.bincount(label).max() / net.n_carriers


@pytest.mark.parametrize("seed", range(6))
def test_hops_of_a_length_give_the_components_of_that_length(seed):
    p = Particle.box(lattice="fcc", cells=(6, 6, 6), composition="Y: 12% Yb", vacancies=0.01, seed=seed)
    near, far = (network(p.crystal, p.occupants, Optics(cutoff=cutoff)) for cutoff in ("4 Å", "9 Å"))
    first = EnergyGraph.of(near).components()
    assert EnergyGraph.of(far).components("4 Å") == first
    assert EnergyGraph.of(far, closest="4 Å").components() == first
    assert EnergyGraph.of(far).components() != first


@pytest.mark.parametrize("name", PARTICLES)
@pytest.mark.parametrize("to", ["vacancies", "surface", "activators", None])
def test_likeliest_path_is_the_one_of_scipy(name, to):
    net = of(name, cutoff="9 Å")
    graph = EnergyGraph.of(net)
    n = net.n_carriers
    wanted = CHANNELS[2:] if to is None else (to,)
    sinks = [getattr(net, each) for each in wanted]
    total = matrix(net).diagonal()
    chances = [(csr_matrix(each) / total[:, None]).toarray() for each in (net.hops, *sinks)]
    size = n + sum(each.shape[1] for each in sinks)
    weights = np.zeros((size, size))
    weights[:n] = np.concatenate(chances, axis=1)
    np.fill_diagonal(weights, 0.0)
    logs = csr_matrix((-np.log(weights[weights > 0]), np.nonzero(weights)), shape=weights.shape)
    for start in (0, n // 2, n - 1):
        lengths = dijkstra(logs, indices=start)[n:]
        if not np.isfinite(lengths).any():
            with pytest.raises(BadInput, match="no way leads from"):
                graph.path(graph.carriers[start], to)
            continue
        found = graph.path(graph.carriers[start], to)
        assert found.probability == pytest.approx(math.exp(-lengths.min()), rel=1e-10)
        product = 1.0
        number = {node: k for k, node in enumerate(graph.carriers)}
        for a, b in nx.utils.pairwise(found.nodes):
            product *= graph.edges[a, b]["rate_per_s"] / total[number[a]]
        assert found.probability == pytest.approx(product, rel=1e-10)


def test_betweenness_is_largest_in_the_middle_of_a_chain():
    chain = growth.box(lattice.named("chain"), (12, 1, 1))
    occupants = Particle.of(chain, ["Yb"] * 9 + ["Y"] * 3).occupants
    graph = EnergyGraph.of(network(chain, occupants, Optics(cutoff="4 Å")))
    found = graph.betweenness()
    assert list(found.values()) == pytest.approx(
        [k * (8 - k) / 28 for k in range(9)]
    )  # pairs on either side, of 56 / 2
    assert graph.betweenness(k=9, seed=1) == pytest.approx(found)
    assert graph.betweenness(k=4, seed=1) == graph.betweenness(k=4, seed=1)
    assert graph.betweenness(k=4, seed=1) != graph.betweenness(k=4, seed=2)


def test_betweenness_prefers_two_likely_hops_to_an_unlikely_one():
    graph = EnergyGraph.of(by_hand([[0, 1, 1000], [1, 0, 1000], [1000, 1000, 0]], radiated=10.0))
    assert graph.betweenness() == {"Yb 0": 0.0, "Yb 1": 0.0, "Yb 2": 1.0}


# Percolation


def diluted(room, share: float, seed: int) -> EnergyGraph:
    yb = np.random.default_rng(seed).random(room.n_sites) < share
    occupants = np.where(yb, SPECIES["Yb"].code, SPECIES["Y"].code).astype(np.uint8)
    return EnergyGraph.of(network(room, occupants, Optics(cutoff="3.9 Å")))


@pytest.mark.parametrize(("kind", "cells", "threshold"), [("sc", 16, 0.311608), ("fcc", 10, 0.199236)])
def test_site_percolation_threshold_is_the_known_one(kind, cells, threshold):
    """At the threshold a box of any size wraps along some axis with probability 0.46 (doi:10.1103/PhysRevE.87.052107).

    So twelve of twelve above it, and none of twelve below, each reject a threshold on the wrong side at 0.1 %.
    """
    room = growth.box(lattice.named(kind), (cells,) * 3)
    assert [diluted(room, threshold - 0.05, seed).percolates() for seed in range(12)] == [False] * 12
    assert [diluted(room, threshold + 0.05, seed).percolates() for seed in range(12)] == [True] * 12


def test_line_through_a_box_wraps_along_its_own_axis_only():
    room = growth.box(lattice.named("sc"), (5, 5, 5))
    points = room.points.round(2)
    line = (points[:, 0] == points[0, 0]) & (points[:, 1] == points[0, 1])
    occupants = np.where(line, SPECIES["Yb"].code, SPECIES["Y"].code).astype(np.uint8)
    graph = EnergyGraph.of(network(room, occupants, Optics(cutoff="4 Å")))
    assert [graph.percolates(along=axis) for axis in ("x", "y", "z", "any", "all")] == [False, False, True, True, False]
    cut = graph.copy()
    cut.remove_node(graph.carriers[2])
    assert not cut.percolates()  # it still reaches from face to face through the boundary, but around nothing
    with pytest.raises(BadInput, match="unknown axis 'w'"):
        graph.percolates(along="w")


def test_particle_is_spanned_where_one_component_reaches_both_sides():
    room = growth.sphere(lattice.named("sc"), (12.0,), ("core",), 0.0)
    x, y, z = (room.points / 3.87).round().astype(int).T
    occupants = np.full(room.n_sites, SPECIES["Y"].code, dtype=np.uint8)
    occupants[(y == 0) & (z == 0)] = SPECIES["Yb"].code
    occupants[(x == 0) & (y == 0) & (abs(z) == 3)] = SPECIES["Yb"].code  # two lonely poles
    occupants[(x == 0) & (z == 0) & (y != 1) & (y != 2)] = SPECIES["Yb"].code  # joined to one side only
    graph = EnergyGraph.of(network(room, occupants, Optics()))
    assert [graph.percolates("3.9 Å", axis) for axis in ("x", "y", "z", "any", "all")] == [
        True, False, False, True, False
    ]  # fmt: skip
    assert graph.percolates("12 Å", "z")
    assert not graph.percolates("3 Å")


# Refusals


def test_what_is_not_there_is_said():
    net = of("thulium")
    graph = EnergyGraph.of(net)
    with pytest.raises(BadInput, match="no carrier 'Yb'"):
        graph.path("Yb")
    with pytest.raises(BadInput, match="unknown sink 'vacancy'; did you mean 'vacancies'"):
        graph.path(graph.carriers[0], "vacancy")
    with pytest.raises(BadInput, match="site 999999 holds no carrier"):
        EnergyGraph.of(net, sites=[999999])
    with pytest.raises(BadInput, match="closest: expected a length"):
        EnergyGraph.of(net, closest="7 eV")
    alone = EnergyGraph.of(of("erbium"))
    erbium = [n for n in alone.carriers if n.startswith("Er")]
    with pytest.raises(BadInput, match="no carrier of this graph absorbs"):
        alone.subgraph(erbium).quenching()
