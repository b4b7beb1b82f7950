"""What a mechanism is, on one crystal: where it comes from, its parameters, rules, energies, bath and drives."""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ucnp_abm.crystal.levels import Division
from ucnp_abm.crystal.species import IONS
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.rules.drive import Drive
from ucnp_abm.rules.law import Law, name_of
from ucnp_abm.rules.mechanism import Mechanism, Reservoir
from ucnp_abm.rules.parameter import Value
from ucnp_abm.rules.ruleset import HopRule, SiteRule
from ucnp_abm.workbench.alike import telling
from ucnp_abm.workbench.barriers import Rate, law_place, rates
from ucnp_abm.workbench.origin import Origin, origin


@dataclass(frozen=True)
class ParameterFacts:
    """A parameter: its value as text and as a number, what is allowed, and whether somebody set it.

    `name` is 'drive.name' for those of drives; `default` is that of the crystal's lattice.
    """

    name: str
    value: Value
    shown: str
    default: str
    allowed: str
    doc: str
    by_hand: bool


@dataclass(frozen=True)
class RuleFacts:
    """What one law decides.

    Attributes
    ----------
    owner : str
        The mechanism or the drive.
    verb : str
    species : tuple of str
        'Yb->Y' for an exchange.
    law, place, doc : str
        Name of the law, its file and line, the first line of its docstring.
    reversible : bool
    why : str
        Where the way back comes from, or that there is none.
    attempt : float or None
        1/s; None where the rule does not hold.
    when : tuple of (str, tuple of str)
        Choices under which it holds.
    holds : bool
    reads : tuple of str
        The neighbour counts that it reads.
    varies : tuple of str
        What its barrier depends on.
    environments, forbidden : int
        How many can occur, and in how many of them the event is forbidden.
    barriers : (float, float) or None
        The lowest and the highest / eV.
    lowest : float or None
        The lowest barrier / eV that its author declared.
    on_the_way : bool
        Whether its rows are too many for a table and worked out when a run first needs them.
    """

    owner: str
    verb: str
    species: tuple[str, ...]
    law: str
    place: str
    doc: str
    reversible: bool
    why: str
    attempt: float | None
    when: tuple[tuple[str, tuple[str, ...]], ...]
    holds: bool
    reads: tuple[str, ...] = ()
    varies: tuple[str, ...] = ()
    environments: int = 0
    forbidden: int = 0
    barriers: tuple[float, float] | None = None
    lowest: float | None = None
    on_the_way: bool = False


@dataclass(frozen=True)
class DriveFacts:
    """What a drive does, and when."""

    name: str
    summary: str
    source: str
    course: str
    effects: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """All that `plugins show` shows; energies / eV by species and zone or species and species."""

    name: str
    summary: str
    source: str
    origins: tuple[Origin, ...]
    parameters: tuple[ParameterFacts, ...]
    rules: tuple[RuleFacts, ...]
    site_energies: dict[str, float]
    pair_energies: dict[str, float]
    levels: str
    reservoirs: tuple[Reservoir, ...]
    drives: tuple[DriveFacts, ...]
    irreversible: tuple[str, ...]
    assumptions: tuple[str, ...]
    particle: str
    rows: int
    blocks: int
    kilobytes: float
    fingerprint: str


def sheet(simulation: Simulation) -> Sheet:
    """What the mechanism of a simulation is, on the crystal of that simulation.

    Examples
    --------
    >>> from ucnp_abm import Particle, Simulation, mechanism
    >>> particle = Particle.core_shell(core="NaGdF4: 49% Yb", diameter="2.4 nm", shell="NaYF4", thickness="0.8 nm")
    >>> [f"{rule.verb} {rule.barriers}" for rule in sheet(Simulation(particle, mechanism("y-complex"))).rules]
    ['hop (1.65, 1.65)', 'dock (1.2, 1.2)']
    """
    mechanism, table = simulation.mechanism, simulation.table
    sites, pairs = mechanism.energies()
    parts = (mechanism, *mechanism.drives)
    found = rule_facts(simulation, rates(simulation))
    said = dict.fromkeys(f"{part.name.partition('+')[0]}: {part.source}" for part in parts)
    said |= dict.fromkeys(f"{rule.law}: {rule.doc}" for rule in found if rule.holds)
    arrays = [held for held in vars(table).values() if isinstance(held, np.ndarray)]
    return Sheet(
        name=mechanism.name,
        summary=mechanism.summary,
        source=mechanism.source,
        origins=tuple(origin(part.name.partition("+")[0]) for part in parts),
        parameters=tuple(parameter_facts(mechanism)),
        rules=tuple(found),
        site_energies={
            f"{symbol} on {'level ' * isinstance(where, int)}{where}": e for (symbol, where), e in sites.items()
        },
        pair_energies={f"{one}-{other}": e for (one, other), e in pairs.items()},
        levels=_levels(mechanism.division),
        reservoirs=table.reservoirs,
        drives=tuple(drive_facts(drive) for drive in mechanism.drives),
        irreversible=tuple(mechanism.irreversible_verbs),
        assumptions=tuple(text for text in said if "assumption" in text.casefold()),
        particle=f"{simulation.particle!r}"[len("<Particle: ") : -1].rpartition(", seed ")[0],
        rows=table.n_rows,
        blocks=len(table.blocks),
        kilobytes=sum(array.nbytes for array in arrays) / 1000,
        fingerprint=table.fingerprint(),
    )


def parameter_facts(mechanism: Mechanism) -> list[ParameterFacts]:
    """The parameters of a mechanism and of its drives."""
    by_hand = mechanism.set_by_hand
    owned = [("", name, p, mechanism) for name, p in mechanism.parameters.items()]
    driven = [(f"{d.name}.", name, p, d) for d in mechanism.drives for name, p in d.parameters.items()]
    return [
        ParameterFacts(
            name=before + name,
            value=(value := owner.values[name]),
            shown=p.show(value),
            default=p.show(p.default),
            allowed=p.range,
            doc=p.doc,
            by_hand=before + name in by_hand,
        )
        for before, name, p, owner in [*owned, *driven]
    ]


def rule_facts(simulation: Simulation, found: Sequence[Rate]) -> list[RuleFacts]:
    """The rules of a mechanism and its drives, those that share a law together, with what the table says of them."""
    groups: dict[tuple[Any, ...], list[HopRule | SiteRule]] = {}
    owners: dict[tuple[Any, ...], str] = {}
    for part in (simulation.mechanism, *simulation.mechanism.drives):
        active: list[HopRule | SiteRule] = [*part.active_site_rules()]
        every: list[HopRule | SiteRule] = [*part.site_rules]
        if isinstance(part, Mechanism):
            active, every = [*part.active_hops(), *active], [*part.hops, *every]
        holding = {_identity(rule) for rule in active}
        passive = [rule for rule in every if _identity(rule) not in holding]
        for rule in [*active, *passive]:
            holds = _identity(rule) in holding
            key = (*_kind(rule), *((rule.attempt, rule.irreversible, getattr(rule, "potential", 0)) if holds else ()))
            groups.setdefault(key, []).append(rule)
            owners[key] = part.name.partition("+")[0]
    own = {key: {_identity(rule) for rule in rules} for key, rules in groups.items()}
    rows = {key: [one for one in found if _identity(one.rule) in ids] for key, ids in own.items()}
    late = simulation.table.on_the_way
    facts = [_facts(owners[key], rules, rows[key], len(key) > len(_kind(rules[0]))) for key, rules in groups.items()]
    return [
        replace(fact, on_the_way=fact.holds and rules[0].law in late)
        for fact, rules in zip(facts, groups.values(), strict=True)
    ]


def drive_facts(drive: Drive) -> DriveFacts:
    """A drive in words, at its present parameters."""
    profile = drive.profile()
    shape, begin = drive.values["shape"], profile[0][0]
    course = f"constant from {begin:g} s on"
    if shape == "ramp":
        course = f"{len(profile) - 1} stairs from {begin:g} s to {profile[-1][0]:g} s, then constant"
    elif shape == "pulses":
        length = profile[1][0] - begin
        every = f", one every {profile[2][0] - begin:g} s" if len(profile) > 2 else ""
        course = f"{len(profile) // 2} pulses of {length:g} s{every}, the first at {begin:g} s"
    rate, relief = drive.assisted()
    effects = [f"warms by {drive.rise():g} K"] if drive.rise() else []
    effects += [f"assists hops of exposed vacancies: {rate:.4g} /s, {relief:g} eV each"] if rate else []
    effects += [f"multiplies the rate of '{verb}' by {drive.factor(verb, 1.0):g}" for verb in drive.factors]
    effects += [f"adds '{verb}'" for verb in dict.fromkeys(rule.verb for rule in drive.active_site_rules())]
    return DriveFacts(drive.name, drive.summary, drive.source, course, tuple(effects))


def species_words(species: Sequence[str]) -> str:
    """Species in words."""
    return "any ion" if set(species) >= set(IONS) else ", ".join(species)


def _facts(owner: str, rules: Sequence[HopRule | SiteRule], rows: Sequence[Rate], holds: bool) -> RuleFacts:
    rule = rules[0]
    allowed = [one.barrier for one in rows if math.isfinite(one.barrier)]
    return RuleFacts(
        owner=owner,
        verb="hop" if isinstance(rule, HopRule) else rule.verb,
        species=tuple(symbol for each in rules for symbol in _species(each)),
        law=name_of(rule.law),
        place=law_place(rule.law),
        doc=_doc(rule.law),
        reversible=not rule.irreversible,
        why=_why(rule, holds),
        attempt=rule.attempt if holds else None,
        when=rule.when,
        holds=holds,
        reads=tuple(dict.fromkeys(name for one in rows for name in one.counts)),
        varies=tuple(telling([r.told for r in rows], [round(r.barrier, 9) for r in rows])) if rows else (),
        environments=len(rows),
        forbidden=len(rows) - len(allowed),
        barriers=(min(allowed), max(allowed)) if allowed else None,
        lowest=rule.lowest if holds else None,
    )


def _why(rule: HopRule | SiteRule, holds: bool) -> str:
    if isinstance(rule, HopRule):
        return "by declaration" if rule.irreversible else "same barrier both ways, only energies tell them apart"
    if rule.irreversible:
        return "by declaration"
    return f"chemical potential {rule.potential:g} eV" if holds else "chemical potential"


def _species(rule: HopRule | SiteRule) -> tuple[str, ...]:
    if isinstance(rule, HopRule):
        return rule.movers
    return (f"{rule.before}->{rule.after}" if rule.verb == "swap" else rule.moved,)


def _kind(rule: HopRule | SiteRule) -> tuple[Any, ...]:
    """What rules have in common that share a law and a verb."""
    return ("hop" if isinstance(rule, HopRule) else rule.verb, id(rule.law), rule.when)


def _identity(rule: HopRule | SiteRule) -> tuple[Any, ...]:
    """What a declared rule shares with its active copy, and with no other."""
    return (*_kind(rule), *((rule.movers,) if isinstance(rule, HopRule) else (rule.before, rule.after)))


def _levels(division: Division | None) -> str:
    """How a mechanism divides the crystal, in words; empty if it does not."""
    if division is None:
        return ""
    wide = f"{division.width:g} Å each, the last one the rest" if division.width else "of equal width"
    return f"{division.levels} along {division.along}, {wide}"


def _doc(law: Law) -> str:
    return (inspect.getdoc(law) or "").partition("\n")[0]
