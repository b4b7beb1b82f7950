"""The energy network as a `networkx` graph: to look at, to ask about paths and components, to hand to other programs.

The graph holds what the sparse matrices of `Network` hold, and its answers follow from its own edges. A particle of
10 000 Yb has more than a million edges within 20 Å, each a Python dict: nothing is refused, but of a large
particle take the hops up to a length (``closest``) or a choice of ions (``sites``).
"""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ucnp_abm import seeds, units
from ucnp_abm.errors import BadInput, nearest
from ucnp_abm.photons import connectivity, flows
from ucnp_abm.photons.graph_building import ROUNDING, SINKS, arrays, build, positions
from ucnp_abm.photons.network import CHANNELS, Network
from ucnp_abm.photons.solve import Fate, Solver, fate

_LEAST = 1e-12
"""Least weight of an edge in a search: a hop that is all but certain must not cost nothing."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class EnergyPath:
    """A way of one excitation.

    Attributes
    ----------
    nodes : tuple of str
        From the ion to where the energy ends.
    probability : float
        That an excitation on the first node takes exactly this way: the product of the branching probabilities.
    """

    nodes: tuple[str, ...]
    probability: float


class EnergyGraph(nx.DiGraph):  # type: ignore[misc]
    """Carriers, vacancies, surface quenchers and activators, and the rates at which energy goes from one to another.

    Make one with `of`. A node is named by what it is and its number: 'Yb 17' is the Yb on site 17 of the crystal,
    'vacancy 3' the fourth vacancy. Sinks that no carrier of the graph reaches are left out.

    Attributes of nodes: ``kind`` ('carrier', 'vacancy', 'surface', 'activator'), ``species``, ``x_nm``, ``y_nm``,
    ``z_nm``. Of carriers also ``radiated_per_s`` and ``nonradiative_per_s`` (their own decay),
    ``beyond_vacancies_per_s``, ``beyond_surface_per_s``, ``beyond_activators_per_s`` (rates to sinks that have no
    edge), ``weight``, ``start``, ``site``, and after `annotate` their fate.
    Attributes of edges: ``rate_per_s``; ``length_nm``, in a periodic box to the nearest image (the rate is of all).
    Attributes of the graph: ``selection`` (what was left out, or 'all') and, of a periodic box, ``cell_nm``.
    """

    @classmethod
    def of(cls, network: Network, closest: str | float | None = None, sites: ArrayLike | None = None) -> EnergyGraph:
        """The graph of a network.

        Parameters
        ----------
        network : Network
        closest : length or None
            Hops longer than this are left out, as if they did not exist; longer ways to sinks lose their edge, but
            their rate is kept with the carrier.
        sites : sequence of int, or None
            Site numbers of the carriers to take; hops to all others are left out, as if these did not exist.

        Raises
        ------
        BadInput
            If a site holds no carrier, or the length is none.
        """
        graph = cls()
        build(graph, network, closest, sites)
        return graph

    @property
    def carriers(self) -> list[str]:
        """Names of all carriers."""
        return [node for node, kind in self.nodes(data="kind") if kind == "carrier"]

    @property
    def cell(self) -> Floats | None:
        """(3, 3) vectors / Å of a periodic box, or None."""
        text = self.graph.get("cell_nm")
        return None if text is None else np.array([float(x) for x in text.split()]).reshape(3, 3) * 10

    def network(self) -> Network:
        """The network of this graph: arrays made of its nodes and edges, in their order, and of nothing else."""
        return arrays(self)

    def quenching(self) -> Fate:
        """Where the energy of this graph ends, by its own edges; of a whole graph this is `solve.fate` of its network.

        The start is shared by the carriers that are here, as it was in the whole network.

        Raises
        ------
        BadInput
            If the excitation cannot begin in this graph.
        """
        found = self.network()
        if not found.start.sum() > 0:
            raise BadInput("energy graph: no carrier of this graph absorbs, so no excitation begins here")
        return fate(found)

    def annotate(self) -> EnergyGraph:
        """Write the fate of its energy onto each carrier, and return the graph.

        ``ends_radiated`` … ``ends_activators``: chances of an excitation on this ion to end in each channel.
        ``lives_s``: mean time / s that it lives. ``dwell_s``: mean time / s that an excitation spends here.
        ``radiated`` … ``activators``: shares of all excitations that end in each channel *from* this ion.

        Raises
        ------
        BadInput
            If the graph is a view: make a copy of it first.
        """
        if nx.is_frozen(self):
            raise BadInput("energy graph: a view writes into the whole graph; use .copy() first")
        found = self.network()
        solver = Solver(found)
        table = {f"ends_{name}": solver.expected(found.channels[name]) for name in CHANNELS}
        table["lives_s"] = solver.expected(np.ones(found.n_carriers))
        table["dwell_s"] = solver.dwell(found.start)
        table |= {name: table["dwell_s"] * found.channels[name] for name in CHANNELS}
        for n, node in enumerate(self.carriers):
            self.nodes[node].update({key: float(values[n]) for key, values in table.items()})
        return self

    def dying(self, channels: Collection[str] = ("vacancies", "surface")) -> list[tuple[str, float]]:
        """Carriers with the share of all excitations that ends from them in some channels, the largest first.

        Raises
        ------
        BadInput
            If there is no such channel.
        """
        for channel in channels:
            _known(channel, CHANNELS, "channel")
        found = self.network()
        rates = np.sum([found.channels[name] for name in channels], axis=0)
        shares = Solver(found).dwell(found.start) * rates
        order = np.argsort(-shares, kind="stable")
        names = self.carriers
        return [(names[n], float(shares[n])) for n in order]

    def components(self, within: str | float | None = None) -> list[set[str]]:
        """Sets of carriers that hops join, the largest first.

        Parameters
        ----------
        within : length or None
            Only hops up to this length count.
        """
        joined = nx.Graph()
        joined.add_nodes_from(self.carriers)
        joined.add_edges_from((a, b) for a, b, _ in self._hops(within))
        return sorted(nx.connected_components(joined), key=len, reverse=True)

    def largest_share(self, within: str | float | None = None) -> float:
        """Share of the carriers in the largest component; 0 if there are none."""
        found = self.components(within)
        return len(found[0]) / sum(len(each) for each in found) if found else 0.0

    def percolates(self, within: str | float | None = None, along: str = "any") -> bool:
        """Whether hops join the carriers across the whole crystal.

        In a periodic box: whether one component *wraps*, that is leads from a carrier to its own image in a
        neighbouring box (one that only reaches from face to face may be cut at the faces). The box must be more than
        twice as wide as the hops are long. In a finite particle: whether one component *spans*, that is holds
        carriers within one hop of both ends of the region that carriers occupy.

        Parameters
        ----------
        within : length or None
            Only hops up to this length count. None: all of the graph.
        along : {'any', 'all', 'x', 'y', 'z'}
            The axis that must be spanned (x, y, z of a box: along its three vectors).
        """
        _known(along, ("any", "all", "x", "y", "z"), "axis")
        names = self.carriers
        number = {node: n for n, node in enumerate(names)}
        hops = list(self._hops(within))
        pairs = np.array([(number[a], number[b]) for a, b, _ in hops], dtype=np.int64).reshape(-1, 2)
        places = positions(self, names)
        if self.cell is not None:
            crossed = connectivity.wrapped(places, pairs, self.cell)
        else:
            longest = 10 * max((length for *_, length in hops), default=0.0)
            crossed = connectivity.spanned(places, pairs, longest)
        if along in ("any", "all"):
            return bool(crossed.any() if along == "any" else crossed.all())
        return bool(crossed["xyz".index(along)])

    def path(self, ion: str, to: str | None = None) -> EnergyPath:
        """The most probable way of the energy of an ion to a sink.

        Each hop has a branching probability, its rate over all rates that leave the ion (its own decay and what has no
        edge included); the way has the largest product of them.

        Parameters
        ----------
        ion : str
            Name of a carrier.
        to : {'vacancies', 'surface', 'activators'} or None
            None: whichever is likeliest.

        Raises
        ------
        BadInput
            If there is no such ion or kind of sink, or no way.
        """
        if ion not in self or self.nodes[ion]["kind"] != "carrier":
            raise BadInput(f"energy graph: no carrier '{ion}'{nearest(str(ion), self.carriers[:200])}")
        if to is not None:
            _known(to, SINKS, "sink")
        wanted = set(SINKS.values()) if to is None else {SINKS[to]}
        lengths, ways = nx.single_source_dijkstra(self, ion, weight=self._cost())
        ends = [node for node in lengths if self.nodes[node]["kind"] in wanted]
        if not ends:
            raise BadInput(f"energy graph: no way leads from {ion} to {'a sink' if to is None else to}")
        best = min(ends, key=lambda node: lengths[node])
        return EnergyPath(tuple(ways[best]), math.exp(-lengths[best]))

    def betweenness(self, k: int | None = None, seed: int = 0) -> dict[str, float]:
        """Share of the most probable ways between two carriers that lead through each carrier.

        Parameters
        ----------
        k : int or None
            Ways from so many carriers, drawn at random; None: from all (n² log n for n carriers).
        seed : int
        """
        cost = self._cost()
        inner = nx.DiGraph()
        inner.add_nodes_from(self.carriers)
        inner.add_weighted_edges_from(
            (a, b, cost(a, b, data)) for a, b, data in self.edges(data=True) if self.nodes[b]["kind"] == "carrier"
        )
        if k is not None:
            k = min(units.count(k, "k"), inner.number_of_nodes())
        draw = random.Random(int(seeds.generator(seed, "betweenness").integers(2**62)))
        found: dict[str, float] = nx.betweenness_centrality(inner, k=k, weight="weight", seed=draw)
        return found

    def layout(self, most: int = 200) -> flows.Layout:
        """What a drawing needs: places, where energy dies, and the strongest flows (see `flows.layout`)."""
        return flows.layout(self.network(), self.quenching(), most)

    def write(self, path: str | Path) -> None:
        """Write the graph as GraphML; ``EnergyGraph(networkx.read_graphml(path))`` is the same graph again."""
        nx.write_graphml(self, path)

    def _hops(self, within: str | float | None) -> Iterator[tuple[str, str, float]]:
        """Hops up to a length, with their lengths / nm."""
        reach = math.inf if within is None else units.positive(within, "length", "within") / 10 * ROUNDING
        for a, b, length in self.edges(data="length_nm"):
            if length <= reach and self.nodes[b]["kind"] == "carrier":
                yield a, b, length

    def _cost(self) -> Any:
        """A function of an edge: minus the logarithm of its branching probability."""
        own = ["radiated_per_s", "nonradiative_per_s", *(f"beyond_{name}_per_s" for name in SINKS)]
        leaving = {}
        for node in self.carriers:
            data, out = self.nodes[node], self.out_edges(node, data="rate_per_s")
            leaving[node] = math.fsum([*(data[name] for name in own), *(rate for *_, rate in out)])

        def cost(a: str, b: str, data: dict[str, Any]) -> float:
            return max(-math.log(data["rate_per_s"] / leaving[a]), _LEAST)

        return cost


def _known(given: str, allowed: Iterable[str], what: str) -> None:
    if given not in allowed:
        raise BadInput(f"energy graph: unknown {what} {given!r}{nearest(str(given), allowed)}")
