"""Every environment of a mechanism on a crystal, with its barrier, activation energies and rate."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.engine.pack import pack_rates
from ucnp_abm.engine.schedule import Condition
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.kernels.layout import EMPTY, FILL, HOP, HOPS
from ucnp_abm.kernels.rates import activation
from ucnp_abm.rules.env import HopEnv, SiteEnv
from ucnp_abm.rules.law import Law, name_of
from ucnp_abm.rules.ruleset import HopRule, SiteRule
from ucnp_abm.rules.table import Block, RateTable
from ucnp_abm.workbench.alike import Line, Told, collapse


@dataclass(frozen=True)
class Rate:
    """One environment of a rate table.

    Attributes
    ----------
    row : int
    rule : HopRule or SiteRule
    verb : str
        'hop', 'dock', 'undock', 'etch', 'swap', 'unswap' or 'sink'.
    species : str
        The ion that moves, is placed or is taken; 'Yb->Y' for an exchange.
    where : dict
        'bond' and 'zones' (from->to) of a hop; 'zone' and 'coordination' of a site.
    counts : dict
        The neighbour counts that the law reads, by species.
    barrier : float
        What the law says / eV; infinity where it forbids the event.
    activation : float
        With the declared energies / eV, those of pairs left out.
    back : float or None
        The same for the way back; None if the rule is irreversible.
    attempt : float
        1/s.
    rate : float
        1/s for one event, with the activity of a full reservoir and all drives at full level.
    """

    row: int
    rule: HopRule | SiteRule
    verb: str
    species: str
    where: Told
    counts: dict[str, int]
    barrier: float
    activation: float
    back: float | None
    attempt: float
    rate: float

    @property
    def told(self) -> Told:
        """All that tells this environment from others of its law."""
        return {"species": self.species, **self.where, **{f"n[{name}]": n for name, n in self.counts.items()}}

    @property
    def event(self) -> str:
        """Verb and species."""
        return f"{self.verb} {self.species}"

    @property
    def time(self) -> float:
        """Mean time / s until one event; infinity where there is none."""
        return 1.0 / self.rate if self.rate > 0 else math.inf

    def record(self) -> dict[str, Any]:
        """As one row of a table, with units in the names; None where there is no number."""
        energies = {"barrier_eV": self.barrier, "activation_eV": self.activation, "back_eV": self.back}
        numbers = {**energies, "attempt_per_s": self.attempt, "rate_per_s": self.rate, "time_s": self.time}
        named = {"row": self.row, "verb": self.verb, "species": self.species, "law": name_of(self.rule.law)}
        told = {"_".join(re.findall(r"\w+", name)): value for name, value in self.told.items()}
        finite = {name: n if n is not None and math.isfinite(n) else None for name, n in numbers.items()}
        return {**named, "place": law_place(self.rule.law), **told, **finite}


def temperature_of(simulation: Simulation) -> float:
    """Temperature / K at the begin of the protocol, with all drives at full level."""
    return simulation.protocol.temperatures[0] + math.fsum(drive.rise() for drive in simulation.mechanism.drives)


def rates(simulation: Simulation) -> list[Rate]:
    """Every environment that can occur, at the first temperature of the protocol, with all drives at full level.

    Examples
    --------
    >>> from ucnp_abm import Particle, Simulation, mechanism
    >>> particle = Particle.core_shell(core="NaGdF4: 49% Yb", diameter="2.4 nm", shell="NaYF4", thickness="0.8 nm")
    >>> [docking] = {r.activation for r in rates(Simulation(particle, mechanism("y-complex"))) if r.verb == "dock"}
    >>> docking
    1.2
    """
    levels = tuple(1.0 for _ in simulation.mechanism.drives)
    return table_rates(simulation.table, simulation.crystal, Condition(temperature_of(simulation), levels))


def table_rates(table: RateTable, crystal: Crystal, condition: Condition) -> list[Rate]:
    """Every environment of a table, under one condition."""
    packed = pack_rates(table, crystal, [condition])
    found = []
    for row in table.rows():
        block = table.block_of(row)
        channel = block.where[0] if isinstance(block.rule, SiteRule) else HOPS
        verb, species = _event(table, block)
        kind, barrier, step = int(table.kind[row]), float(table.barrier[row]), float(table.site_step[row])
        reverse = {HOP: HOP, FILL: EMPTY, EMPTY: FILL}.get(kind)
        found.append(
            Rate(
                row=row,
                rule=block.rule,
                verb=verb,
                species=species,
                where=_where(block),
                counts=_counts(table.environment(row)),
                barrier=barrier,
                activation=float(activation(kind, barrier, step)),
                back=None if reverse is None else float(activation(reverse, barrier, -step)),
                attempt=float(table.attempt[row]),
                rate=float(packed.rate[0, row] * packed.factor[0, channel]),
            )
        )
    return found


def events_on_the_way(simulation: Simulation) -> set[str]:
    """Verb and species of the events whose rows are too many for a table."""
    table = simulation.table
    return {" ".join(_event(table, block)) for block in table.blocks if block.on_the_way}


def by_law(found: Sequence[Rate]) -> list[list[Rate]]:
    """The environments of each verb and law; if it reads other counts for some species, those apart."""
    groups: dict[tuple[str, Law, tuple[str, ...]], list[Rate]] = {}
    for one in found:
        groups.setdefault((one.verb, one.rule.law, tuple(one.counts)), []).append(one)
    return list(groups.values())


def lines(found: Sequence[Rate]) -> list[Line[Rate]]:
    """The environments of one law, those of equal energies and rates together, fastest first."""
    alike = collapse(found, lambda r: (*(_rounded(e) for e in (r.barrier, r.activation, r.back)), f"{r.rate:.9g}"))
    return sorted(alike, key=lambda line: (-line.first.rate, line.first.activation))


def law_place(law: Law) -> str:
    """File and line of a law, the file without its directory."""
    code = getattr(law, "__code__", None)
    return f"{Path(code.co_filename).name}:{code.co_firstlineno}" if code else "no source"


def _event(table: RateTable, block: Block) -> tuple[str, str]:
    """Verb and species of the events of a block."""
    if isinstance(block.rule, HopRule):
        return "hop", str(block.where[0])
    verb, _, species = table.channels[block.where[0] - 1].name.partition(" ")
    return verb, species


def _where(block: Block) -> Told:
    """Where the events of a block happen; a mechanism that divides the crystal adds levels."""
    levels = block.levels
    if isinstance(block.rule, HopRule):
        _, bond, there, here = block.where
        both = {"levels": f"{levels[1]}->{levels[0]}"} if levels else {}
        return {"bond": bond, "zones": f"{here}->{there}", **both}
    _, zone, coordination = block.where
    return {"zone": zone, "coordination": coordination, **({"level": levels[0]} if levels else {})}


def _counts(env: HopEnv | SiteEnv) -> dict[str, int]:
    """The counts that an environment of a table holds: those that its law reads."""
    counts = env.n if isinstance(env, HopEnv) else env.site.n
    return {str(watch): n for watch, n in counts.watched.items()}


def _rounded(energy: float | None) -> float | None:
    """Energies / eV that differ by no more than the last digits of a sum are the same."""
    return energy if energy is None or math.isinf(energy) else round(energy, 9)
