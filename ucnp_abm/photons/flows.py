"""Where energy flows and where it dies, as arrays: what a drawing needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array, triu

from ucnp_abm.photons.network import CHANNELS, Network
from ucnp_abm.photons.solve import Fate

Floats = NDArray[np.float64]
QUENCHERS = ("vacancies", "surface")
SINKS = CHANNELS[2:]


@dataclass(frozen=True, eq=False)
class Layout:
    """A network and its energy, in nm. n carriers, m flows.

    Attributes
    ----------
    positions : (n, 3) float64
        Carriers / nm.
    symbols : (n,) str
    dies : (n,) float64
        Share of all excitations that leave each carrier into vacancies and surface.
    radiates : (n,) float64
        Share that each carrier radiates.
    sinks : mapping
        (k, 3) positions / nm of 'vacancies', 'surface' and 'activators'.
    start, end : (m, 3) float64
        Ends / nm of the net flows from one carrier to another, or from a carrier to a sink, the strongest first.
        Flows through the face of a periodic box are left out.
    flow : (m,) float64
        Excitations that take this way, less those that come back, per excitation.
    into : (m,) int64
        0 where the flow ends on a carrier, else 1 + the position of the sink's channel in `SINKS`.
    """

    positions: Floats
    symbols: NDArray[np.str_]
    dies: Floats
    radiates: Floats
    sinks: dict[str, Floats]
    start: Floats
    end: Floats
    flow: Floats
    into: NDArray[np.int64]


def net_flows(network: Network, fate: Fate) -> csr_matrix:
    """(n, n) net flow from carrier (row) to carrier (column), per excitation; only positive entries."""
    flow = diags_array(fate.dwell_s) @ network.hops
    net = triu(flow - flow.T, k=1).tocoo()
    forward = net.data > 0
    row, column = np.where(forward, net.row, net.col), np.where(forward, net.col, net.row)
    return csr_matrix((np.abs(net.data), (row, column)), shape=net.shape)


def layout(network: Network, fate: Fate, most: int = 200) -> Layout:
    """What a drawing of a network needs.

    Parameters
    ----------
    network : Network
    fate : Fate
        Of the same network.
    most : int
        So many of the strongest flows are kept.
    """
    ends = {name: network.ends.get(name, np.empty((0, 3))) / 10 for name in SINKS}
    places = network.positions / 10
    starts, stops, flows, into = [], [], [], []
    ways = [(0, net_flows(network, fate), places)]
    for number, name in enumerate(SINKS, 1):
        ways.append((number, diags_array(fate.dwell_s) @ getattr(network, name), ends[name]))
    for number, matrix, targets in ways:
        entries = matrix.tocoo()
        kept = np.argsort(-entries.data, kind="stable")[: 4 * most]
        starts.append(places[entries.row[kept]])
        stops.append(targets[entries.col[kept]] if kept.size else np.empty((0, 3)))
        flows.append(entries.data[kept])
        into.append(np.full(kept.size, number))
    start, end, flow, ended = (np.concatenate(each) for each in (starts, stops, flows, into))
    if network.cell is not None:
        across = np.abs((end - start) @ np.linalg.inv(network.cell / 10)).max(axis=1, initial=0.0) > 0.5
        start, end, flow, ended = start[~across], end[~across], flow[~across], ended[~across]
    order = np.argsort(-flow, kind="stable")[:most]
    order = order[flow[order] > 0]
    dies = fate.dwell_s * np.sum([network.channels[name] for name in QUENCHERS], axis=0)
    radiates = fate.dwell_s * network.radiated
    return Layout(places, network.symbols, dies, radiates, ends, start[order], end[order], flow[order], ended[order])
