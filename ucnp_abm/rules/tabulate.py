"""From laws to a table: each law is called once for each environment that can occur in this crystal."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.grid import slabs
from ucnp_abm.crystal.species import N_CODES, SPECIES
from ucnp_abm.errors import BadMechanism, nearest
from ucnp_abm.rules.asking import Answer, Question, ask
from ucnp_abm.rules.bound import text_of
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.rules.reading import Maps, Readers
from ucnp_abm.rules.ruleset import HopRule
from ucnp_abm.rules.table import EMPTY, FILL, HOP, RAW, Block, Channel, RateTable, laws_on_the_way


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
        self.site_energies, self.pair_energies = mechanism.energies()
        for symbol, zone in self.site_energies:
            if isinstance(zone, str) and zone not in known:
                raise BadMechanism(
                    f"{mechanism.name}: site_energy of {symbol}: unknown zone '{zone}'{nearest(str(zone), known)}"
                )
        self.divided = mechanism.division is not None
        self.zones = [crystal.zones[zone] for zone, _ in crystal.regions]
        self.claimed: set[str] = set()
        self.maps = Maps()
        self.blocks: list[Block] = []
        self.kind: list[int] = [RAW]
        self.barrier: list[float] = [math.inf]
        self.step: list[float] = [0.0]
        self.attempt: list[float] = [1.0]

    def build(self) -> RateTable:
        n_places, n_regions = self.crystal.zone.size, len(self.crystal.regions)
        hop_row = np.zeros((N_CODES, len(self.crystal.lattice.bonds), n_regions, n_regions), dtype=np.uint32)
        channel_row = np.zeros((1 + len(self.channels), n_places), dtype=np.uint32)
        hops, transforms = Readers(N_CODES, self.maps), Readers(1 + len(self.channels), self.maps)
        movers = [(rule, mover) for rule in self.mechanism.active_hops() for mover in self._movers(rule)]
        moves = [self._hops(rule, mover) for rule, mover in movers]
        changes = [self._transforms(number, channel) for number, channel in enumerate(self.channels, 1)]
        answers = ask([*moves, *changes])
        for (rule, mover), found in zip(movers, answers, strict=False):
            hops.note(SPECIES[mover].code, found)
            self._place_hops(rule, mover, found, hop_row[SPECIES[mover].code])
        for number, (channel, found) in enumerate(zip(self.channels, answers[len(movers) :], strict=True), 1):
            transforms.note(number, found)
            self._place_transforms(channel, found, channel_row[number])
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
            hop_weight=hops.weight,
            hop_counts=hops.counts,
            hop_map=hops.map,
            channel_row=channel_row,
            channel_weight=transforms.weight,
            channel_counts=transforms.counts,
            channel_map=transforms.map,
            row_of=self.maps.rows(),
            pair=_pair_matrix(self.pair_energies),
            levels_sha256=self._levels_sha256(),
            texts=tuple(text_of(law) for law in laws_on_the_way(self.blocks)),
        )

    def _energies(self, symbol: str) -> list[float]:
        """Eps / eV of a species in each region: that of its zone and that of its level."""
        held, levels = self.site_energies, [level for _, level in self.crystal.regions]
        return [
            held.get((symbol, zone), 0.0) + (held.get((symbol, level), 0.0) if self.divided else 0.0)
            for zone, level in zip(self.zones, levels, strict=True)
        ]

    def _levels_sha256(self) -> str:
        if not self.divided:
            return ""
        sha = hashlib.sha256()
        for few in slabs(self.crystal.n_sites):
            sha.update(self.crystal.level[self.crystal.place[self.crystal.sites[few]]].tobytes())
        return sha.hexdigest()

    def _levels(self, *regions: int) -> tuple[int, ...]:
        return tuple(self.crystal.regions[r][1] for r in regions) if self.divided else ()

    def _movers(self, rule: HopRule) -> list[str]:
        """Those of a rule that are here and move; no two rules may claim one."""
        for mover in rule.movers:
            if mover in self.claimed:
                raise BadMechanism(f"{self.mechanism.name}: two hop rules for {mover} hold at once")
            self.claimed.add(mover)
        return [mover for mover in rule.movers if mover in self.present and mover not in self.immobile]

    def _pairs(self, rule: HopRule) -> list[tuple[int, int, int]]:
        """(bond class, region, region) of the environments of a hop: both ways are one, unless it is irreversible."""
        return [(b, i, j) for b, i, j in self.crystal.bond_regions if rule.irreversible or i <= j]

    def _hops(self, rule: HopRule, mover: str) -> Question:
        bonds, most = self.crystal.lattice.bonds, 2 * (self.crystal.z - 1)
        asked = [
            Block(0, rule, (mover, bonds[b][0], self.zones[i], self.zones[j]), self._levels(i, j))
            for b, i, j in self._pairs(rule)
        ]
        return self._question(asked, [most] * len(asked), most, 1 if rule.irreversible else 2)

    def _place_hops(self, rule: HopRule, mover: str, answers: list[Answer], rows: NDArray[np.uint32]) -> None:
        moving, vacant = self._energies(mover), self._energies("vacancy")
        kind = RAW if rule.irreversible else HOP
        for (bond, i, j), (block, barriers) in zip(self._pairs(rule), answers, strict=True):
            for here, there in [(i, j)] if rule.irreversible or i == j else [(i, j), (j, i)]:
                step = (moving[here] - moving[there]) - (vacant[here] - vacant[there])
                where = (*block.where[:2], self.zones[here], self.zones[there])
                both = replace(block, where=where, levels=self._levels(here, there))
                rows[bond, here, there] = self._append(kind, barriers, step, both)

    def _sites(self) -> list[tuple[int, int]]:
        """(region, coordination) of the exposed sites."""
        exposed = np.flatnonzero(self.crystal.exposed)
        return sorted({(int(self.crystal.region[p]), int(self.crystal.coordination[p])) for p in exposed})

    def _transforms(self, number: int, channel: Channel) -> Question:
        sites = self._sites()
        asked = [Block(0, channel.rule, (number, self.zones[r], c), self._levels(r)) for r, c in sites]
        return self._question(asked, [c for _, c in sites], self.crystal.z - 1, 1)

    def _place_transforms(self, channel: Channel, answers: list[Answer], rows: NDArray[np.uint32]) -> None:
        crystal, potential = self.crystal, channel.rule.potential
        after, before = self._energies(channel.after), self._energies(channel.before)
        for (region, coordination), (block, barriers) in zip(self._sites(), answers, strict=True):
            step = after[region] - before[region]
            if potential is not None:
                step += -potential if channel.kind == FILL else potential
            here = (crystal.region == region) & (crystal.coordination == coordination)
            rows[here] = self._append(channel.kind, barriers, step, block)

    def _question(self, asked: list[Block], limits: list[int], most: int, copies: int) -> Question:
        among = tuple(dict.fromkeys(["vacancy", *self.present]))
        return Question(asked, limits, most, among, copies, self.mechanism.name)

    def _append(self, kind: int, barriers: list[float], step: float, block: Block) -> int:
        start = len(self.kind)
        self.blocks.append(replace(block, start=start))
        self.kind += [kind] * len(barriers)
        self.barrier += barriers
        self.step += [step] * len(barriers)
        self.attempt += [block.rule.attempt] * len(barriers)
        return start


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


def _pair_matrix(energies: dict[tuple[str, str], float]) -> NDArray[np.float64]:
    pair = np.zeros((N_CODES, N_CODES))
    for (a, b), value in energies.items():
        pair[SPECIES[a].code, SPECIES[b].code] = pair[SPECIES[b].code, SPECIES[a].code] = value
    return pair
