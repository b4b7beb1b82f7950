"""From laws to a table: each law is called once for each environment that can occur in this crystal."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.species import N_CODES, SPECIES
from ucnp_abm.errors import BadMechanism, nearest
from ucnp_abm.rules.env import Counts, HopEnv, Site, SiteEnv, Unwatched
from ucnp_abm.rules.law import Law, call_law, place_of
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.rules.ruleset import HopRule, SiteRule
from ucnp_abm.rules.table import EMPTY, FILL, HOP, RAW, Block, Channel, RateTable

MAX_ROWS = 1 << 20


def tabulate(
    mechanism: Mechanism, crystal: Crystal, occupants: Iterable[str], immobile: Iterable[str] = ()
) -> RateTable:
    """Call every law for every environment that can occur.

    Parameters
    ----------
    mechanism : Mechanism
    crystal : Crystal
        Its zones, bonds and places.
    occupants : iterable of str
        Species present at the start; those that the mechanism can place are added.
    immobile : iterable of str
        Species that never hop.

    Raises
    ------
    BadRate
        If a law raises or returns something that is no barrier; the message names the environment.
    BadMechanism
        If the mechanism has no rules, or a law reads more counts than a table can hold.
    """
    if not mechanism.active_hops() and not mechanism.active_site_rules():
        raise BadMechanism(f"{mechanism.name}: a mechanism needs at least one rule (hop or dock)")
    return _Builder(mechanism, crystal, set(occupants), set(immobile)).build()


class _Builder:
    def __init__(self, mechanism: Mechanism, crystal: Crystal, present: set[str], immobile: set[str]) -> None:
        self.mechanism = mechanism
        self.crystal = crystal
        self.reservoirs = mechanism.reservoirs()
        offered = list(_channels(mechanism, [r.species for r in self.reservoirs]))
        within, possible = {"vacancy", *present}, set[int]()
        while more := {id(c.rule) for c in offered if c.rule.before in within} - possible:  # the way there comes first
            possible |= more
            within |= {symbol for c in offered if id(c.rule) in possible for symbol in (c.before, c.after)}
        spectators = {id(c.rule) for c in offered if c.verb == "etch" and c.before in immobile}
        self.channels = tuple(c for c in offered if id(c.rule) in possible - spectators)
        self.present = tuple(s for s in SPECIES if s in present | {c.after for c in self.channels})
        self.immobile = immobile
        known = {*crystal.zones, *crystal.layers, "core", "shell", "interface", "surface", "bulk"}
        for symbol, zone in mechanism.site_energies:
            if zone not in known:
                raise BadMechanism(
                    f"{mechanism.name}: site_energy of {symbol}: unknown zone '{zone}'{nearest(str(zone), known)}"
                )
        self.blocks: list[Block] = []
        self.kind: list[int] = [RAW]
        self.barrier: list[float] = [math.inf]
        self.step: list[float] = [0.0]
        self.attempt: list[float] = [1.0]

    def build(self) -> RateTable:
        n_places = self.crystal.zone.size
        n_zones, n_bonds = len(self.crystal.zones), len(self.crystal.lattice.bonds)
        hop_row = np.zeros((N_CODES, n_bonds, n_zones, n_zones), dtype=np.uint32)
        hop_weight = np.zeros((N_CODES, N_CODES), dtype=np.uint32)
        channel_row = np.zeros((1 + len(self.channels), n_places), dtype=np.uint32)
        channel_weight = np.zeros((1 + len(self.channels), N_CODES), dtype=np.uint32)
        claimed: set[str] = set()
        for rule in self.mechanism.active_hops():
            for mover in rule.movers:
                if mover in claimed:
                    raise BadMechanism(f"{self.mechanism.name}: two hop rules for {mover} hold at once")
                claimed.add(mover)
                if mover in self.present and mover not in self.immobile:
                    code = SPECIES[mover].code
                    self._hops(rule, mover, hop_row[code], hop_weight[code])
        for number, channel in enumerate(self.channels, 1):
            self._transforms(number, channel, channel_row[number], channel_weight[number])
        return RateTable(
            mechanism=self.mechanism,
            species=self.present,
            channels=self.channels,
            reservoirs=self.reservoirs,
            blocks=tuple(self.blocks),
            kind=np.array(self.kind, dtype=np.uint8),
            barrier=np.array(self.barrier),
            site_step=np.array(self.step),
            attempt=np.array(self.attempt),
            hop_row=hop_row,
            hop_weight=hop_weight,
            hop_counts=_reads(hop_weight),
            channel_row=channel_row,
            channel_weight=channel_weight,
            channel_counts=_reads(channel_weight),
            pair=_pair_matrix(self.mechanism),
        )

    def _energy(self, symbol: str, zone: str) -> float:
        return self.mechanism.site_energies.get((symbol, zone), 0.0)

    def _hops(self, rule: HopRule, mover: str, rows: NDArray[np.uint32], weight: NDArray[np.uint32]) -> None:
        zones, bonds = self.crystal.zones, self.crystal.lattice.bonds
        most = 2 * (self.crystal.z - 1)
        pairs = [(b, i, j) for b, i, j in self.crystal.bond_zones if rule.irreversible or i <= j]

        def env(where: tuple[int, int, int], counts: Counts) -> HopEnv:
            bond, i, j = where
            return HopEnv(mover, bonds[bond][0], (zones[j], zones[i]), counts, rule.p, directed=rule.irreversible)

        values, watched = self._enumerate(rule.law, pairs, env, [most] * len(pairs))
        for (bond, i, j), barriers in zip(pairs, values, strict=True):
            ways = [(i, j)] if rule.irreversible or i == j else [(i, j), (j, i)]
            for here, there in ways:
                step = (self._energy(mover, zones[here]) - self._energy(mover, zones[there])) - (
                    self._energy("vacancy", zones[here]) - self._energy("vacancy", zones[there])
                )
                where = (mover, bonds[bond][0], zones[here], zones[there])
                kind = RAW if rule.irreversible else HOP
                rows[bond, here, there] = self._append(kind, barriers, step, rule, where, watched, most + 1)
        self._weigh(weight, watched, most + 1)

    def _transforms(self, number: int, channel: Channel, rows: NDArray[np.uint32], weight: NDArray[np.uint32]) -> None:
        crystal, rule = self.crystal, channel.rule
        kinds = sorted({(int(crystal.zone[p]), int(crystal.coordination[p])) for p in np.flatnonzero(crystal.exposed)})

        def env(where: tuple[int, int], counts: Counts) -> SiteEnv:
            zone, coordination = where
            return SiteEnv(Site(crystal.zones[zone], coordination, counts), rule.p)

        values, watched = self._enumerate(rule.law, kinds, env, [c for _, c in kinds], crystal.z - 1)
        for (zone, coordination), barriers in zip(kinds, values, strict=True):
            name = crystal.zones[zone]
            step = self._energy(channel.after, name) - self._energy(channel.before, name)
            if rule.potential is not None:
                step += -rule.potential if channel.kind == FILL else rule.potential
            where = (number, name, coordination)
            start = self._append(channel.kind, barriers, step, rule, where, watched, crystal.z)
            for place in np.flatnonzero((crystal.zone == zone) & (crystal.coordination == coordination)):
                rows[place] = start
        self._weigh(weight, watched, crystal.z)

    def _enumerate(
        self,
        law: Law,
        places: Sequence[Any],
        env: Callable[[Any, Counts], HopEnv | SiteEnv],
        neighbours: Sequence[int],
        most: int | None = None,
    ) -> tuple[list[list[float]], tuple[str, ...]]:
        """Barriers for each place and each combination of watched counts; NaN where counts cannot occur."""
        radix = (most if most is not None else max(neighbours, default=0)) + 1
        watched: tuple[str, ...] = ()
        absent: dict[str, int] = {}
        while True:
            size = len(places) * radix ** len(watched)
            if len(self.kind) + 2 * size > MAX_ROWS:
                raise BadMechanism(
                    f"{self.mechanism.name}: the law '{getattr(law, '__name__', law)}' ({place_of(law)}) reads the "
                    f"counts of {', '.join(watched)}, which needs {2 * size:,} table rows, more than {MAX_ROWS:,}; "
                    "read fewer species, or split the rule by zone or mover"
                )
            try:
                found = []
                for where, limit in zip(places, neighbours, strict=True):
                    barriers = []
                    for numbers in itertools.product(range(radix), repeat=len(watched)):
                        if sum(numbers) > limit:
                            barriers.append(math.nan)
                            continue
                        counts = Counts({**absent, **dict(zip(watched, reversed(numbers), strict=True))})
                        barriers.append(call_law(law, env(where, counts), self.mechanism.name))
                        if (symbol := counts.unseen()) is not None:
                            raise Unwatched(symbol)
                    found.append(barriers)
                return found, watched
            except Unwatched as unseen:
                if unseen.symbol in self.present or unseen.symbol == "vacancy":
                    watched = tuple(sorted({*watched, unseen.symbol}))
                else:
                    absent[unseen.symbol] = 0  # it can never be here, and needs no rows

    def _append(
        self,
        kind: int,
        barriers: list[float],
        step: float,
        rule: HopRule | SiteRule,
        where: tuple[Any, ...],
        watched: tuple[str, ...],
        radix: int,
    ) -> int:
        start = len(self.kind)
        self.blocks.append(Block(start, rule, where, watched, radix))
        self.kind += [kind] * len(barriers)
        self.barrier += barriers
        self.step += [step] * len(barriers)
        self.attempt += [rule.attempt] * len(barriers)
        return start

    @staticmethod
    def _weigh(weight: NDArray[np.uint32], watched: tuple[str, ...], radix: int) -> None:
        for position, symbol in enumerate(watched):
            weight[SPECIES[symbol].code] = radix**position


def _channels(mechanism: Mechanism, reservoirs: list[str]) -> Iterable[Channel]:
    """The transforms of a mechanism and its drives; a reversible rule gives two."""

    def reservoir(symbol: str) -> int:
        return reservoirs.index(symbol) if symbol in reservoirs else -1

    for rule in mechanism.active_site_rules():
        there = reservoir(rule.after), reservoir(rule.before)
        kind = RAW if rule.irreversible else FILL
        yield Channel(rule.verb, rule.moved, rule, rule.before, rule.after, kind, *there)
        if not rule.irreversible:
            back = "un" + rule.verb
            moved = rule.after if rule.verb == "dock" else rule.before
            yield Channel(back, moved, rule, rule.after, rule.before, EMPTY, *reversed(there))
    for number, drive in enumerate(mechanism.drives):
        for rule in drive.active_site_rules():
            there = reservoir(rule.after), reservoir(rule.before)
            yield Channel(rule.verb, rule.moved, rule, rule.before, rule.after, RAW, *there, number)


def _reads(weight: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Which laws read neighbours at all."""
    return np.array([row.any() for row in weight], dtype=np.uint8)


def _pair_matrix(mechanism: Mechanism) -> NDArray[np.float64]:
    pair = np.zeros((N_CODES, N_CODES))
    for (a, b), value in mechanism.pair_energies.items():
        pair[SPECIES[a].code, SPECIES[b].code] = pair[SPECIES[b].code, SPECIES[a].code] = value
    return pair
