"""How an energy graph is made of a network, what a selection leaves out, and the way back from graph to arrays."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_matrix, csr_matrix

from ucnp_abm import units
from ucnp_abm.errors import BadInput
from ucnp_abm.photons.network import Network

SINKS = {"vacancies": "vacancy", "surface": "surface", "activators": "activator"}
"""Kind of node by channel; carriers are of the kind 'carrier'."""
ROUNDING = 1 + 1e-9
"""A hop as long as the longest allowed is allowed, whatever its last digits."""

Floats = NDArray[np.float64]


def build(graph: nx.DiGraph, network: Network, closest: str | float | None, sites: ArrayLike | None) -> None:
    """Fill an empty graph; see `EnergyGraph.of`."""
    reach = math.inf if closest is None else units.positive(closest, "length", "closest")
    chosen = _chosen(network, sites)
    told = [] if closest is None else [f"hops up to {reach / 10:g} nm"]
    if sites is not None:
        told.append(f"{len(chosen)} of {network.n_carriers} carriers")
    graph.graph["selection"] = " between ".join(told) or "all"
    if network.cell is not None:
        graph.graph["cell_nm"] = " ".join(repr(float(x)) for x in (network.cell / 10).ravel())
    names = [f"{symbol} {site}" for symbol, site in zip(network.symbols[chosen], network.sites[chosen], strict=True)]
    ways = []
    beyond = {name: np.broadcast_to(network.beyond.get(name, 0.0), network.symbols.shape)[chosen] for name in SINKS}
    for name in SINKS:
        rates, lengths = _entries(
            getattr(network, name)[chosen], network.positions[chosen], network.ends[name], network
        )
        near = lengths <= reach * ROUNDING
        left = np.bincount(rates.row[~near], rates.data[~near], minlength=len(chosen))
        beyond[name] = beyond[name] + left
        ways.append((name, rates.row[near], rates.col[near], rates.data[near], lengths[near]))
    for n, (name, i) in enumerate(zip(names, chosen.tolist(), strict=True)):
        graph.add_node(
            name,
            kind="carrier",
            species=str(network.symbols[i]),
            site=int(network.sites[i]),
            **_place(network.positions[i]),
            radiated_per_s=float(network.radiated[i]),
            nonradiative_per_s=float(network.nonradiative[i]),
            **{f"beyond_{channel}_per_s": float(beyond[channel][n]) for channel in SINKS},
            weight=float(network.weight[i]),
            start=float(network.start[i]),
        )
    hops, lengths = _entries(
        network.hops[chosen][:, chosen], network.positions[chosen], network.positions[chosen], network
    )
    kept = (lengths <= reach * ROUNDING) & (hops.row != hops.col)
    graph.add_edges_from(_edges(names, names, hops.row[kept], hops.col[kept], hops.data[kept], lengths[kept]))
    for name, row, column, rate, length in ways:
        ends = {int(j): f"{SINKS[name]} {j}" for j in np.unique(column)}
        for j, end in ends.items():
            graph.add_node(end, kind=SINKS[name], species=SINKS[name], **_place(network.ends[name][j]))
        graph.add_edges_from(_edges(names, ends, row, column, rate, length))


def arrays(graph: Any) -> Network:
    """The network of an `EnergyGraph`: arrays made of its nodes and edges, in their order, and of nothing else."""
    carriers = graph.carriers
    number = {node: n for n, node in enumerate(carriers)}
    data = [graph.nodes[node] for node in carriers]
    sinks = {name: [n for n, k in graph.nodes(data="kind") if k == kind] for name, kind in SINKS.items()}
    start = np.array([each["start"] for each in data])
    return Network(
        symbols=np.array([each["species"] for each in data], dtype=str),
        positions=positions(graph, carriers),
        sites=np.array([each["site"] for each in data], dtype=np.int64),
        hops=_rates(graph, number, number),
        weight=np.array([each["weight"] for each in data]),
        radiated=np.array([each["radiated_per_s"] for each in data]),
        nonradiative=np.array([each["nonradiative_per_s"] for each in data]),
        **{name: _rates(graph, number, {node: n for n, node in enumerate(ends)}) for name, ends in sinks.items()},
        ends={name: positions(graph, ends) for name, ends in sinks.items()},
        start=start / start.sum() if start.sum() > 0 else start,
        beyond={name: np.array([each[f"beyond_{name}_per_s"] for each in data]) for name in SINKS},
        cell=graph.cell,
    )


def positions(graph: Any, nodes: Iterable[str]) -> Floats:
    """(n, 3) positions / Å of some nodes."""
    places = [[graph.nodes[node][f"{axis}_nm"] for axis in "xyz"] for node in nodes]
    return np.array(places, dtype=float).reshape(-1, 3) * 10


def _rates(graph: Any, rows: dict[str, int], columns: dict[str, int]) -> csr_matrix:
    """Rates / 1/s of all edges from some nodes to others."""
    found = [(rows[a], columns[b], rate) for a, b, rate in graph.edges(data="rate_per_s") if a in rows and b in columns]
    row, column, rate = zip(*found, strict=True) if found else ((), (), ())
    return coo_matrix((np.array(rate, dtype=float), (row, column)), shape=(len(rows), len(columns))).tocsr()


def _chosen(network: Network, sites: ArrayLike | None) -> NDArray[np.int64]:
    """Numbers of the carriers on some sites, in the network's order."""
    if sites is None:
        return np.arange(network.n_carriers)
    wanted = np.unique(np.asarray(sites, dtype=np.int64))
    missing = wanted[~np.isin(wanted, network.sites)]
    if missing.size:
        raise BadInput(f"energy graph: site {missing[0]} holds no carrier")
    return np.flatnonzero(np.isin(network.sites, wanted))


def _entries(rates: csr_matrix, points: Floats, others: Floats, network: Network) -> tuple[coo_matrix, Floats]:
    """The rates above zero, and the length / Å of each, in a periodic box to the nearest image."""
    found = rates.tocoo()
    kept = found.data > 0
    found = coo_matrix((found.data[kept], (found.row[kept], found.col[kept])), shape=found.shape)
    apart = others[found.col] - points[found.row] if found.nnz else np.empty((0, 3))
    if network.cell is not None:
        apart = _nearest_image(apart, network.cell)
    return found, np.linalg.norm(apart, axis=1)


def _nearest_image(apart: Floats, cell: Floats) -> Floats:
    """Differences / Å to the nearest images; in a skew box that is not always the one with the smallest fractions."""
    near = apart - np.rint(apart @ np.linalg.inv(cell)) @ cell
    best, least = near, (near**2).sum(axis=1)
    for step in np.ndindex(3, 3, 3):
        other = near + (np.array(step) - 1) @ cell
        square = (other**2).sum(axis=1)
        closer = square < least - 1e-9
        best, least = np.where(closer[:, None], other, best), np.where(closer, square, least)
    return best


def _place(position: Floats) -> dict[str, float]:
    return {f"{axis}_nm": float(x) / 10 for axis, x in zip("xyz", position, strict=True)}


def _edges(
    rows: Any, columns: Any, row: NDArray[Any], column: NDArray[Any], rate: Floats, length: Floats
) -> Iterator[tuple[str, str, dict[str, float]]]:
    each = zip(row.tolist(), column.tolist(), rate.tolist(), length.tolist(), strict=True)
    return ((rows[i], columns[j], {"rate_per_s": r, "length_nm": d / 10}) for i, j, r, d in each)
