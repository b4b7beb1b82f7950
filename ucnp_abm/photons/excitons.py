"""What the loop of many excitations is given: every ion of a system with its partners, and every trade between two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ucnp_abm.errors import BadInput
from ucnp_abm.kernels.exciton_arrays import BLOCK, EXCITED, STALE, TOLD, Excitons, Ions, Trades
from ucnp_abm.photons.levels import Transfer
from ucnp_abm.photons.network import CHANNELS
from ucnp_abm.photons.system import System

Floats = NDArray[np.float64]

MOST_IONS = 20_000
MOST_PAIRS = 30_000_000
"""Larger systems are left to the rate equations."""
ALONE = CHANNELS[:4]
"""How a Yb loses its energy without an activator."""


@dataclass(frozen=True, eq=False)
class Told:
    """A system as the loop reads it. N ions: the Yb, then the activators kind by kind.

    Attributes
    ----------
    symbols : tuple of str
        The kinds.
    starts : tuple of int
        Where each kind begins, and N.
    levels : tuple of int
        Levels of each kind.
    ions : Ions
    trades : Trades
    channels : tuple of Transfer
        What each channel of `trades` is.
    longest : float
        Longest lifetime / s of any level alone.
    """

    symbols: tuple[str, ...]
    starts: tuple[int, ...]
    levels: tuple[int, ...]
    ions: Ions
    trades: Trades
    channels: tuple[Transfer, ...]
    longest: float

    @property
    def n_ions(self) -> int:
        return self.starts[-1]

    def slice(self, kind: int) -> slice:
        """The ions of a kind."""
        return slice(self.starts[kind], self.starts[kind + 1])

    def grounded(self, n_times: int = 0) -> Excitons:
        """All ions in the ground state, nothing counted yet."""
        n, n_kinds, width = self.n_ions, len(self.symbols), self.ions.alone.shape[2]
        n_levels = max(self.levels)
        state = Excitons(
            level=np.zeros(n, np.int8),
            since=np.zeros(n),
            stay=np.zeros((n, n_levels)),
            excited=np.zeros(n, np.int32),
            slot=np.zeros(n, np.int32),
            rate=np.zeros(n),
            block=np.zeros(n // BLOCK + 1),
            most=np.zeros((n_kinds, n_levels, n_kinds)),
            held=np.zeros((n_kinds, n_levels), np.int64),
            alone=np.zeros((n_kinds, n_levels, width), np.int64),
            traded=np.zeros(len(self.channels), np.int64),
            tally=np.zeros(6, np.int64),
            now=np.zeros(1),
            told=np.zeros((n_times, n_kinds, n_levels), np.int64),
        )
        self.reset(state, np.zeros(0, np.int64))
        return state

    def reset(self, state: Excitons, excited: NDArray[np.int64]) -> None:
        """Set the clock to 0 and every ion to its ground state, but some ions to their first excited level."""
        n = len(excited)
        for array in (state.level, state.since, state.rate, state.block, state.held, state.now):
            array[...] = 0
        state.level[excited] = 1
        state.excited[:n], state.slot[excited] = excited, np.arange(n)
        for kind in range(len(self.symbols)):
            here = state.level[self.slice(kind)]
            state.held[kind, :2] = (here == 0).sum(), (here == 1).sum()
        state.tally[EXCITED], state.tally[TOLD], state.tally[STALE] = n, 0, (2 << len(self.symbols)) - 1


def told(system: System) -> Told:
    """A system as the loop reads it.

    Raises
    ------
    BadInput
        If it has more ions or pairs than such a run can take, or a rate set excites ions from nothing.
    """
    symbols = ("Yb", *system.activators)
    counts = [system.n_yb, *(len(each.sites) for each in system.activators.values())]
    starts = tuple(int(n) for n in np.cumsum([0, *counts]))
    if starts[-1] > MOST_IONS:
        raise BadInput(
            f"light: Monte Carlo follows at most {MOST_IONS} ions, got {starts[-1]} Yb and activators; take a smaller "
            "particle, or the rate equations"
        )
    levels = (2, *(each.cascade.n_levels for each in system.activators.values()))
    lists = _lists(system, len(symbols))
    if sum(each.nnz for row in lists for each in row if each is not None) > MOST_PAIRS:
        raise BadInput(f"light: Monte Carlo takes at most {MOST_PAIRS} pairs of ions; take a smaller cutoff")
    first, partner, reach, sums = _partners(lists, starts)
    alone, target = _alone(system, levels)
    ions = Ions(
        kind=np.repeat(np.arange(len(symbols), dtype=np.int8), counts),
        alone=alone,
        first=first,
        partner=partner,
        reach=reach,
        sums=sums,
        absorbing=np.array([system.n_yb]),
    )
    trades, channels = _trades(system, symbols, levels, target)
    slowest = [alone[slice(*starts[k : k + 2]), 1 : levels[k], -1].min() for k in range(len(symbols))]
    return Told(symbols, starts, levels, ions, trades, channels, float(1 / min(slowest)))


def _lists(system: System, n_kinds: int) -> list[list[csr_matrix | None]]:
    """Strengths of all pairs by kind of donor and acceptor: r⁻⁶ / Å⁻⁶, but among Yb the rates of hops themselves."""
    found: list[list[csr_matrix | None]] = [[None] * n_kinds for _ in range(n_kinds)]
    found[0][0] = system.hops
    for kind, each in enumerate(system.activators.values(), 1):
        found[0][kind], found[kind][0], found[kind][kind] = each.yb.tocsr(), each.yb.T.tocsr(), each.pairs.tocsr()
    return found


def _partners(
    lists: list[list[csr_matrix | None]], starts: tuple[int, ...]
) -> tuple[NDArray[np.int64], NDArray[np.int32], Floats, Floats]:
    """`Ions.first`, `partner`, `reach` and `sums`."""
    n_kinds = len(lists)
    rows, groups, partners, strengths = [], [], [], []
    for kind, row in enumerate(lists):
        for group, pairs in enumerate(row):
            if pairs is not None:
                entries = pairs.tocoo()
                there = (entries.data > 0) & ~((kind == group) & (entries.row == entries.col))
                rows.append(entries.row[there].astype(np.int64) + starts[kind])
                groups.append(np.full(there.sum(), group))
                partners.append(entries.col[there].astype(np.int64) + starts[group])
                strengths.append(entries.data[there])
    place = np.concatenate(rows) * n_kinds + np.concatenate(groups)
    strength, partner = np.concatenate(strengths), np.concatenate(partners)
    order = np.lexsort((partner, -strength, place))
    first = np.searchsorted(place[order], np.arange(n_kinds * starts[-1] + 1))
    reach = strength[order]
    sums = np.zeros(n_kinds * starts[-1])
    for n in np.flatnonzero(np.diff(first)):
        part = slice(first[n], first[n + 1])
        reach[part] = np.cumsum(reach[part])
        sums[n] = reach[part.stop - 1]
    return first.astype(np.int64), partner[order].astype(np.int32), reach, sums.reshape(-1, n_kinds)


def _alone(system: System, levels: tuple[int, ...]) -> tuple[Floats, NDArray[np.int64]]:
    """`Ions.alone` and `Trades.target`: of a Yb by channel, of an activator by the level it comes to."""
    width = max(*levels, len(ALONE))
    yb = np.zeros((system.n_yb, max(levels), width))
    for way, channel in enumerate(ALONE):
        yb[:, 1, way] = system.network.channels[channel][: system.n_yb]
    rates, target = [yb], np.zeros((len(levels), max(levels), width), np.int64)
    for kind, each in enumerate(system.activators.values(), 1):
        n = levels[kind]
        own = np.zeros((len(each.sites), max(levels), width))
        own[:, :n, :n] = each.own
        own[:, np.arange(n), np.arange(n)] = 0.0
        rates.append(own)
        target[kind] = np.arange(width)
    return np.cumsum(np.concatenate(rates), axis=2), target


def _trades(
    system: System, symbols: tuple[str, ...], levels: tuple[int, ...], target: NDArray[np.int64]
) -> tuple[Trades, tuple[Transfer, ...]]:
    shape = (len(symbols), max(levels), len(symbols), max(levels))
    first, last, total = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape)
    lists: dict[tuple[int, int, int, int], list[Transfer]] = {}
    for d, donor in enumerate(symbols):
        for a, acceptor in enumerate(symbols):
            if d and a and d != a:
                continue  # Assumption, as in the rate equations: Tm and Er do not trade
            for t in system.optics.set.between(donor, acceptor):
                if (d == 0 and t.down != (1, 0)) or (a == 0 and t.up != (0, 1)) or not t.constant > 0:
                    continue
                if t.down[0] == 0:
                    raise BadInput(
                        f"light: rate set '{system.optics.set.name}' lets {donor} give energy from its ground state; "
                        "Monte Carlo cannot follow that"
                    )
                lists.setdefault((d, t.down[0], a, t.up[0]), []).append(t)
    channels: list[Transfer] = []
    constants = []
    for place, these in lists.items():
        first[place], last[place] = len(channels), len(channels) + len(these)
        # Among Yb the pairs hold whole rates, so that the constant is 1.
        running = np.cumsum([1.0 / len(these) if place[0] == place[2] == 0 else t.constant for t in these])
        total[place] = running[-1]
        channels += these
        constants += running.tolist()
    trades = Trades(
        first=first,
        last=last,
        constant=np.array(constants, dtype=float),
        total=total,
        down=np.array([t.down[1] for t in channels], np.int64),
        up=np.array([t.up[1] for t in channels], np.int64),
        target=target,
    )
    return trades, tuple(channels)
